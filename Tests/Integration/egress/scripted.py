"""Proxies that misbehave as they are told, and a relay before real ones that counts and breaks off."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


GREETING = b"hello from the far end"


class Loop:
    """An event loop in a thread, for servers that run beside the test."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


class Server:
    """Listens and gives every connection to `play`."""

    def __init__(self, loop: Loop, play: Play) -> None:
        self.loop = loop
        self.play = play
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.server = loop.run(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512))
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            await self.play(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    def break_off(self) -> None:
        """Every open connection ends by RST or FIN, at once."""

        async def abort() -> None:
            for writer in list(self.open):
                writer.transport.abort()

        self.loop.run(abort())

    def stop(self) -> None:
        async def close() -> None:
            self.server.close()
            for writer in list(self.open):
                writer.transport.abort()

        self.loop.run(close())


class Relay:
    """A TCP relay before a proxy: counts both ways, and can wait or break off."""

    def __init__(self, loop: Loop, target: int) -> None:
        self.target = target
        self.sent = self.received = 0
        """Bytes to the proxy, and back from it."""
        self.pause = 0.0
        """Seconds before anything of a connection is passed on."""
        self.break_after: int | None = None
        """Bytes from the proxy after which a connection is broken off, both ways."""
        self.refuses = False
        """Whether every connection, old and new, ends at once."""
        self.server = Server(loop, self.play)
        self.port = self.server.port

    @property
    def connections(self) -> int:
        return self.server.connections

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        await asyncio.sleep(self.pause)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.server.open.add(back_writer)
        try:
            await asyncio.gather(self.pass_on(reader, back_writer), self.pass_back(back_reader, writer))
        finally:
            self.server.open.discard(back_writer)
            back_writer.close()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1 << 16):
            self.sent += len(piece)
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    async def pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed = 0
        while piece := await reader.read(1 << 16):
            if self.refuses:
                writer.transport.abort()
                raise ConnectionAbortedError
            self.received += len(piece)
            passed += len(piece)
            if self.break_after is not None and passed > self.break_after:
                writer.transport.abort()
                raise ConnectionAbortedError
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    def stop(self) -> None:
        self.server.stop()


def says(reply: bytes, after: int = 1, stays: bool = False, then: bytes = b"") -> Play:
    """Reads at least `after` bytes, says `reply`, reads more and says `then`; closes, or stays open and silent."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read = 0
        while read < after:
            piece = await reader.read(1 << 16)
            if not piece:
                return
            read += len(piece)
        writer.write(reply)
        await writer.drain()
        if then:
            await reader.read(1 << 16)
            writer.write(then)
            await writer.drain()
        if stays:
            while await reader.read(1 << 16):
                pass
        elif not then:
            # What is unread at a close makes an RST, which may overtake the reply.
            await asyncio.sleep(0.05)

    return play


async def stays_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 16):
        pass


async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A head that never ends."""
    await reader.read(1 << 16)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 8000 + b"\r\n")
        await writer.drain()


class RecordingSocks:
    """A SOCKS5 proxy that opens nothing: it notes what it is asked for and plays the far end, which says `GREETING`."""

    def __init__(self, loop: Loop) -> None:
        self.asked: list[tuple[bytes, int]] = []
        self.server = Server(loop, self.play)
        self.port = self.server.port

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = (await reader.readexactly(2))[1]
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        address = await reader.readexactly(length)
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((address, port))
        writer.write(b"\x05\x00\x00\x01" + bytes(6) + GREETING)
        while await reader.read(1 << 16):
            pass

    def stop(self) -> None:
        self.server.stop()


async def join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int, reply: bytes
) -> None:
    """Copies both ways and passes the end of each side on."""
    far_reader, far_writer = await asyncio.open_connection(address, port)
    writer.write(reply)

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(1 << 16):
            target.write(piece)
            await target.drain()
        target.write_eof()

    try:
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
    finally:
        far_writer.close()


def carries_connect(address: str) -> Play:
    """A CONNECT proxy for which every name leads to that address."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        port = int(head.split()[1].rpartition(b":")[2])
        await join(reader, writer, address, port, b"HTTP/1.1 200 Connection established\r\n\r\n")

    return play


def carries_vless(address: str) -> Play:
    """The same as a VLESS server."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        extra = (await reader.readexactly(18))[17]
        head = await reader.readexactly(extra + 4)
        port = int.from_bytes(head[extra + 1 : extra + 3], "big")
        await reader.readexactly((await reader.readexactly(1))[0])
        await join(reader, writer, address, port, b"\x00\x00")

    return play
