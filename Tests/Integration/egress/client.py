"""A client of the egress listener: CONNECT, SOCKS5 and the reverse path, by the byte, and TLS through them."""

import asyncio
import base64
import hashlib
import ipaddress
import json
import ssl
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rawhttp import Message, dechunk, parse_head

GUARD_SECONDS = 15
WAYS = ["connect", "socks5", "reverse"]


class Refused(Exception):
    """The listener did not open the way: an HTTP status, or a SOCKS5 reply code."""

    def __init__(self, code: int, head: bytes = b"") -> None:
        super().__init__(code, head)
        self.code = code
        self.head = head


@dataclass
class Connection:
    """A stream of bytes, and how it was come by."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), GUARD_SECONDS)

    async def receive_until(self, mark: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(mark), GUARD_SECONDS)

    async def receive_digest(self, count: int) -> str:
        """The SHA-256 of so many bytes, which are not kept."""
        whole = hashlib.sha256()
        while count:
            piece = await asyncio.wait_for(self.reader.read(min(count, 1 << 20)), GUARD_SECONDS)
            if not piece:
                raise asyncio.IncompleteReadError(b"", count)
            whole.update(piece)
            count -= len(piece)
        return whole.hexdigest()

    async def receive_all(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), GUARD_SECONDS)

    async def secure(self, host: str, authority: Path) -> None:
        """TLS with the server name and a verified certificate."""
        context = ssl.create_default_context(cafile=authority)
        start = self.writer.start_tls(context, server_hostname=host, ssl_handshake_timeout=GUARD_SECONDS)
        await asyncio.wait_for(start, GUARD_SECONDS)

    def close(self) -> None:
        self.writer.transport.abort()

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def ask(
        self, method: str, target: str, host: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Message:
        """One HTTP request and its response."""
        fields = {"Host": host, "Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode())
        self.writer.write(body)
        sending = asyncio.ensure_future(self.writer.drain())
        message = await self.read()
        sending.cancel()
        return message

    async def read(self, opens_tunnel: bool = False) -> Message:
        """A response by its length, its chunks, or to the end; only the head of one that has opened a tunnel."""
        message = parse_head((await self.receive_until(b"\r\n\r\n"))[:-4])
        if opens_tunnel and message.status // 100 == 2:
            return message
        if (message.header("transfer-encoding") or "").lower() == "chunked":
            framed = bytearray()
            while not framed.endswith(b"0\r\n\r\n"):
                framed += await self.receive_until(b"\r\n")
            message.body, _ = dechunk(bytes(framed))
        elif (length := message.header("content-length")) is not None:
            message.body = await self.receive(int(length))
        else:
            message.body = await self.receive_all()
        return message


async def dial(port: int, address: str = "127.0.0.1") -> Connection:
    limit = 1 << 20
    return Connection(*await asyncio.wait_for(asyncio.open_connection(address, port, limit=limit), GUARD_SECONDS))


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


async def connect(port: int, host: str, target_port: int = 443, credentials: str = "") -> Connection:
    """By HTTP CONNECT; raises `Refused` with the status."""
    connection = await dial(port)
    login = f"Proxy-Authorization: {basic(credentials)}\r\n" if credentials else ""
    await connection.send(
        f"CONNECT {host}:{target_port} HTTP/1.1\r\nHost: {host}:{target_port}\r\n{login}\r\n".encode()
    )
    head = await connection.receive_until(b"\r\n\r\n")
    status = parse_head(head[:-4]).status
    if status // 100 != 2:
        connection.close()
        raise Refused(status, head)
    return connection


def socks_address(host: str | bytes) -> bytes:
    """The address field of a SOCKS5 request: a number where the text is one."""
    if isinstance(host, str):
        try:
            number = ipaddress.ip_address(host)
            return bytes([1 if number.version == 4 else 4]) + number.packed
        except ValueError:
            host = host.encode()
    return bytes([3, len(host)]) + host


async def socks5(
    port: int, host: str | bytes, target_port: int = 443, credentials: str = "", address: bytes | None = None
) -> Connection:
    """By SOCKS5; raises `Refused` with the reply code, 0xFF for the methods, 0x100 for the password."""
    connection = await dial(port)
    await connection.send(b"\x05\x02\x00\x02" if credentials else b"\x05\x01\x00")
    method = (await connection.receive(2))[1]
    if method == 2 and credentials:
        user, _, password = credentials.partition(":")
        login = bytes([1, len(user)]) + user.encode() + bytes([len(password)]) + password.encode()
        await connection.send(login)
        if (await connection.receive(2))[1] != 0:
            connection.close()
            raise Refused(0x100)
    elif method != 0:
        connection.close()
        raise Refused(method)
    destination = address if address is not None else socks_address(host)
    await connection.send(b"\x05\x01\x00" + destination + struct.pack(">H", target_port))
    reply = await connection.receive(4)
    if reply[1] != 0:
        connection.close()
        raise Refused(reply[1])
    length = {1: 4, 4: 16}.get(reply[3]) or (await connection.receive(1))[0]
    await connection.receive(length + 2)
    return connection


@dataclass
class Road:
    """One way to a host through the egress listener; requests look the same on all of them."""

    way: str
    connection: Connection
    host: str

    def start_of(self, method: str, path: str, count: int = 0) -> bytes:
        """The head of a request with so many bytes behind it."""
        target = f"/to/{self.host}{path}" if self.way == "reverse" else path
        return f"{method} {target} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {count}\r\n\r\n".encode()

    async def download(self, count: int, seed: int) -> str:
        """The digest of so many bytes of the origin."""
        await self.connection.send(self.start_of("GET", f"/bytes/{count}?seed={seed}"))
        head = parse_head((await self.connection.receive_until(b"\r\n\r\n"))[:-4])
        assert (head.status, head.header("content-length")) == (200, str(count))
        return await self.connection.receive_digest(count)

    async def upload(self, count: int, content: Iterable[bytes]) -> dict:
        """What the origin says of so many bytes."""
        await self.connection.send(self.start_of("POST", "/echo", count))
        for piece in content:
            await self.connection.send(piece)
        answer = await self.connection.read()
        assert answer.status == 200, answer
        return json.loads(answer.body)

    async def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Message:
        target = f"/to/{self.host}{path}" if self.way == "reverse" else path
        host = "sidecar:4110" if self.way == "reverse" else self.host
        return await self.connection.ask(method, target, host, body, headers)

    async def __aenter__(self) -> "Road":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.connection.close()


async def open_road(way: str, port: int, host: str, authority: Path, credentials: str = "") -> Road:
    """`way` is one of `WAYS`; TLS to the host is the client's own business but on the reverse path."""
    if way == "reverse":
        return Road(way, await dial(port), host)
    opened = await (connect if way == "connect" else socks5)(port, host, credentials=credentials)
    await opened.secure(host, authority)
    return Road(way, opened, host)
