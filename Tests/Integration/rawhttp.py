"""HTTP/1.1 by the byte: captures, a client socket, and an upstream that plays back what it is given.

Written out by hand because a library would repair or refuse what these tests have to send and see.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

CAPTURES = Path(__file__).resolve().parents[1] / "Fixtures/captures"
GUARD_SECONDS = 60


@dataclass
class Message:
    """A request or a response as it was on the wire."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    complete: bool = True
    trailing: bytes = b""
    """What the peer sent after the end of this message."""
    framed: bytes = field(default=b"", repr=False)
    """The body with its chunk framing."""

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    @property
    def path(self) -> str:
        return self.start.split(" ")[1]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


class Incomplete(Exception):
    """The bytes end before the message does; `missing` more are needed at least."""

    def __init__(self, body: bytes, missing: int = 1) -> None:
        super().__init__(body)
        self.body = body
        self.missing = missing


def parse_head(head: bytes) -> Message:
    lines = head.decode("latin-1").split("\r\n")
    headers = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers.append((name, value.strip(" \t")))
    return Message(lines[0], headers)


def dechunk(data: bytes) -> tuple[bytes, int]:
    """The body without chunk framing and the length of the framing; no trailers are expected."""
    body, at = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            raise Incomplete(body)
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2
        if len(data) < at + size + 2:
            raise Incomplete(body + data[at : at + size], at + size + 2 - len(data))
        body += data[at : at + size]
        at += size + 2
        if size == 0:
            return body, at


def body_kind(message: Message, answers_head: bool = False) -> str:
    coding = (message.header("transfer-encoding") or "").lower()
    if coding == "chunked":
        return "chunked"
    if message.header("content-length") is not None:
        return "length"
    is_response = message.start.startswith("HTTP/")
    if not is_response or answers_head or message.status in (101, 204, 304) or message.status < 200:
        return "none"
    return "close"


def parse(data: bytes, closed: bool = False) -> Message:
    """The first message of `data`; raises `Incomplete` when more bytes are needed."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        raise Incomplete(data)
    message = parse_head(head)
    kind = body_kind(message)
    used = 0
    if kind == "chunked":
        message.body, used = dechunk(rest)
    elif kind == "length":
        used = int(message.header("content-length"))
        if len(rest) < used:
            raise Incomplete(rest, used - len(rest))
        message.body = rest[:used]
    elif kind == "close":
        if not closed:
            raise Incomplete(rest)
        message.body, used = rest, len(rest)
    message.framed, message.trailing = rest[:used], rest[used:]
    return message


def capture(name: str) -> tuple[bytes, bytes]:
    """The raw request and response of that name."""
    request = (CAPTURES / f"{name}.request.http").read_bytes()
    return request, (CAPTURES / f"{name}.response.http").read_bytes()


def capture_names() -> list[str]:
    names = (path.name.removesuffix(".request.http") for path in CAPTURES.glob("*.request.http"))
    return sorted(names)


def receive_more(connection: socket.socket, count: int, at_most: int = 1 << 16) -> bytes:
    """At least `count` bytes, or all that came before the end."""
    received = bytearray()
    while len(received) < count:
        try:
            data = connection.recv(at_most)
        except ConnectionResetError:
            break
        if not data:
            break
        received += data
    return bytes(received)


def send_slowly(target: socket.socket, data: bytes, step: int | None) -> None:
    """All at once, or `step` bytes a write."""
    if step is None:
        target.sendall(data)
        return
    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(data), step):
        target.sendall(data[at : at + step])


class Client:
    """A client socket that sends any bytes and reads whole responses."""

    def __init__(self, port: int, receive: int | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=GUARD_SECONDS)
        self.unread = b""
        self.receive = receive or 1 << 16

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes, step: int | None = None) -> None:
        send_slowly(self.socket, data, step)

    def send_what_is_taken(self, data: bytes) -> None:
        """Sends until the peer closes: an early answer to a bad request may end the connection."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def send_what_fits(self, data: bytes) -> int:
        """Sends on a socket that does not block until nothing more is taken; how much that was."""
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < len(data):
                sent += self.socket.send(data[sent:])
        return sent

    def finish(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def read(self) -> Message:
        """The next final response, as a client reads it: interim ones are skipped (RFC 9110, section 15.2)."""
        while True:
            message = self.read_any()
            if not message.start.startswith("HTTP/1.1 10") or message.status == 101:
                return message

    def read_any(self) -> Message:
        """The next response; `complete` is false when the connection ended before it did."""
        closed = False
        while True:
            try:
                message = parse(self.unread, closed)
                self.unread = message.trailing
                return message
            except Incomplete as partial:
                if closed:
                    return self.broken_off(partial.body)
                missing = partial.missing
            more = receive_more(self.socket, missing, self.receive)
            closed = len(more) < missing
            self.unread += more

    def broken_off(self, body: bytes) -> Message:
        head, separator, _ = self.unread.partition(b"\r\n\r\n")
        if not separator:
            return Message("", [], self.unread, complete=False)
        message = parse_head(head)
        message.body, message.complete = body, False
        return message

    def break_off(self) -> None:
        """Leaves by RST, as a process does that dies with unread bytes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def is_closed(self, seconds: float = 5) -> bool:
        """Whether the peer closes its side within that time without another byte."""
        self.socket.settimeout(seconds)
        try:
            return not self.unread and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


class Exchange:
    """One connection at the upstream: what came, and how to answer."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def send(self, data: bytes, step: int | None = None) -> None:
        send_slowly(self.connection, data, step)

    def closes_within(self, seconds: float) -> bool:
        """Whether the other side leaves within that time."""
        self.connection.settimeout(seconds)
        try:
            while self.connection.recv(1 << 16):
                pass
            return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def abort(self) -> None:
        """Ends the connection by RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def ok(body: bytes = b'{"ok":true}', content_type: str = "application/json") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Listener:
    """Listens on loopback, and serves each connection in a thread of its own."""

    def __init__(self, backlog: int = 256) -> None:
        self.connections = 0
        """Connections ever accepted."""
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A blocked accept() would outlive a mere close.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class Upstream(Listener):
    """A scripted upstream: keeps every request as it came and answers as `answer` says.

    `answer` gets the request and the exchange; it returns the bytes to send, or nothing when it has sent them itself.
    Connections stay open after an answer unless it says `Connection: close` or the function closes them.
    """

    def __init__(self, answer: Callable[[Message, Exchange], bytes | None] | None = None) -> None:
        self.answer = answer or (lambda request, exchange: ok())
        self.requests: list[Message] = []
        self.partial: list[bytes] = []
        self.received = 0
        self.step: int | None = None
        """Bytes a write of the answers; all at once when not set."""
        self.early: bytes | None = None
        """Sent, when set, on the first bytes of a request, after which the connection ends."""
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        unread = b""
        with connection:
            while True:
                try:
                    message = parse(unread)
                except Incomplete as partial:
                    missing = partial.missing
                else:
                    unread = message.trailing
                    self.requests.append(message)
                    if self.respond(message, connection):
                        continue
                    return
                more = receive_more(connection, 1 if self.early else missing)
                if self.early:
                    send_slowly(connection, self.early, None)
                    connection.shutdown(socket.SHUT_WR)
                    return
                self.received += len(more)
                unread += more
                if len(more) < missing:
                    self.partial += [unread] if unread else []
                    return

    def respond(self, request: Message, connection: socket.socket) -> bool:
        """Answers; false when the connection has ended by it."""
        try:
            response = self.answer(request, Exchange(connection))
            if response is None:
                return connection.fileno() >= 0
            send_slowly(connection, response, self.step)
        except OSError:
            return False
        closes = parse_head(response.partition(b"\r\n\r\n")[0]).header("connection") or ""
        return closes.lower() != "close"


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether the condition becomes true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
