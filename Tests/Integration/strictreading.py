"""What a strict reader makes of the bytes of HTTP/1.1 requests (RFC 9112), and an upstream that is one.

The one reading is used twice: it says which requests the sidecar may take from a client's bytes, and which requests
the sidecar has sent on. Where the RFC leaves the choice between reading on and refusing, a reading says so.
"""

import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from rawhttp import Listener

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(%s) ([^\x00-\x20\x7f]+) HTTP/1\.([01])" % TOKEN)
FIELD_LINE = re.compile(rb"(%s):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*" % TOKEN)
ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]*)(/.*)?(\?.*)?", re.DOTALL)
URI_BYTES = re.compile(rb"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
AUTHORITY_BYTES = re.compile(rb"[A-Za-z0-9\-._~:\[\]!$&'()*+,;=%]*")
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::[0-9]*)?")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)((?:;[^\x00-\x08\x0a-\x1f\x7f]*)?)")
CHUNK_SIZE_WITH_SPACE = re.compile(rb"([0-9A-Fa-f]+)[ \t]+;[^\x00-\x08\x0a-\x1f\x7f]*")
FRAMING = {b"content-length", b"transfer-encoding", b"host"}
"""Fields that no trailer may be (RFC 9110, section 6.5.1)."""
MAX_HEAD_BYTES = 65_536
MAX_BODY_BYTES = 1 << 20
MOST_FRAMING_BYTES = 4096
"""Sizes, extensions and trailers that every server takes."""
LEAVES_THE_CONNECTION = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade"}


class Refused(Exception):
    """A strict reader reads no further; any of these statuses says so."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(statuses)
        self.statuses = set(statuses)


class Cut(Exception):
    """The bytes end before the request does."""


@dataclass
class Request:
    """A request as a strict reader has it."""

    method: bytes
    target: bytes
    names: set[bytes] = field(default_factory=set, compare=False)
    """Of the fields, in lower case."""
    body: bytes = b""
    may_be_refused: bool = field(default=False, compare=False)
    """Whether a server may refuse it all the same."""
    keeps_alive: bool = field(default=True, compare=False)
    is_absolute: bool = field(default=False, compare=False)
    """Whether the target named a host (RFC 9112, section 3.2.2)."""


@dataclass
class Reading:
    """All that a connection's bytes hold."""

    requests: list[Request]
    refusal: set[int] | None = None
    """Statuses for what follows the requests; none if nothing does."""
    is_cut: bool = False
    """Whether a request begins that does not end."""


def read_all(data: bytes, keeps_bodies: bool = False) -> Reading:
    """Reads to the end or to the first fault; `keeps_bodies` is said of a server with a limit for them."""
    reading = Reading([])
    while data:
        try:
            request, data = read_one(data, keeps_bodies)
        except Refused as fault:
            reading.refusal = fault.statuses
            return reading
        except Cut:
            reading.is_cut = True
            return reading
        if request is None:
            return reading
        reading.requests.append(request)
        if not request.keeps_alive:
            return reading
    return reading


def read_one(data: bytes, keeps_bodies: bool = False) -> tuple[Request | None, bytes]:
    """The first request and what follows it; none where there are empty lines only."""
    lines = 0
    while data.startswith(b"\r\n"):
        data, lines = data[2:], lines + 1
    if not data:
        if lines > 1:
            raise Cut
        return None, b""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if re.search(rb"(?<!\r)\n", data if not separator else head):
        raise Refused(400)
    if len(head) + 4 > MAX_HEAD_BYTES:
        raise Refused(431)
    if not separator:
        raise Cut
    request, length = read_head(head)
    # One empty line before a request is to be skipped (RFC 9112, section 2.2); of more it says nothing.
    request.may_be_refused |= lines > 1
    if length is None:
        return request, read_chunks(rest, request)
    if keeps_bodies and length > MAX_BODY_BYTES:
        raise Refused(413)
    if len(rest) < length:
        raise Cut
    request.body = rest[:length]
    return request, rest[length:]


def read_head(head: bytes) -> tuple[Request, int | None]:
    """The request without its body, and the body's length; none for chunks."""
    start, *lines = head.split(b"\r\n")
    faults: set[int] = set()
    fields = [FIELD_LINE.fullmatch(line) for line in lines]
    line = REQUEST_LINE.fullmatch(start)
    if line is None or None in fields:
        # Whoever looks at the codings first may answer them first.
        raise Refused(400, *([501] if b"transfer-encoding" in head.lower() else []))
    values = [(match[1].lower(), match[2]) for match in fields]
    method, minor = line[1], line[3]
    target, is_odd = read_target(method, line[2], faults)
    is_odd |= read_host([value for name, value in values if name == b"host"], minor, faults)
    length, is_long = read_framing(values, minor, faults)
    if faults:
        raise Refused(*faults)
    listed = b",".join(value for name, value in values if name == b"connection").split(b",")
    options = {option.strip(b" \t").lower() for option in listed}
    keeps_alive = b"close" not in options and (minor == b"1" or b"keep-alive" in options)
    names = {name for name, _ in values}
    return Request(method, target, names, b"", is_odd or is_long, keeps_alive, target != line[2]), length


def read_target(method: bytes, target: bytes, faults: set[int]) -> tuple[bytes, bool]:
    """The target in origin form, and whether it may be refused (RFC 9112, section 3.2)."""
    is_odd = URI_BYTES.fullmatch(target) is None
    if method == b"CONNECT" or b"#" in target:
        faults.add(400)
    if target.startswith(b"/") or (target, method) == (b"*", b"OPTIONS"):
        return target, is_odd
    absolute = ABSOLUTE.fullmatch(target)
    if absolute is None or not absolute[1] or not AUTHORITY_BYTES.fullmatch(absolute[1]):
        faults.add(400)
        return target, False
    path = target[absolute.end(1) :]
    is_odd |= HOST.fullmatch(absolute[1]) is None or not path.startswith(b"/")
    return path, is_odd


def read_host(hosts: list[bytes], minor: bytes, faults: set[int]) -> bool:
    if len(hosts) > 1 or (not hosts and minor == b"1") or not all(AUTHORITY_BYTES.fullmatch(host) for host in hosts):
        faults.add(400)
    return not all(HOST.fullmatch(host) for host in hosts)


def read_framing(values: list[tuple[bytes, bytes]], minor: bytes, faults: set[int]) -> tuple[int | None, bool]:
    """Length of the body, none for chunks, and whether a server may find it too long (RFC 9112, section 6)."""
    codings = [value for name, value in values if name == b"transfer-encoding"]
    lengths = [value for name, value in values if name == b"content-length"]
    if len(lengths) > 1 or (lengths and not re.fullmatch(rb"[0-9]+", lengths[0])):
        faults.add(400)
    if codings and (lengths or minor == b"0" or len(codings) > 1):
        faults.add(400)
    if any(coding.lower() != b"chunked" for coding in codings):
        faults.add(501)
    if faults or codings:
        return None, False
    if not lengths:
        return 0, False
    if len(lengths[0].lstrip(b"0")) > 18:
        faults.add(400)
    return int(lengths[0]), len(lengths[0]) > 18


def read_chunks(data: bytes, request: Request) -> bytes:
    """Reads the body into the request and returns what follows it (RFC 9112, section 7.1)."""
    framing = 0
    while True:
        line, data = read_line(data)
        framing += len(line)
        match = CHUNK_SIZE.fullmatch(line)
        if match is None:
            match = CHUNK_SIZE_WITH_SPACE.fullmatch(line)
            request.may_be_refused = True
        if match is None or len(match[1].lstrip(b"0")) > 15:
            raise Refused(400)
        # Leading zeros without number, and extensions, are a server's to bound.
        request.may_be_refused |= len(match[1]) > 15 or framing > MOST_FRAMING_BYTES
        size = int(match[1], 16)
        if size == 0:
            break
        if len(data) < size:
            raise Cut
        request.body += data[:size]
        data = data[size:]
        if not b"\r\n".startswith(data[:2]):
            raise Refused(400)
        if len(data) < 2:
            raise Cut
        data = data[2:]
    while True:
        line, data = read_line(data)
        if not line:
            return data
        framing += len(line)
        request.may_be_refused |= framing > MOST_FRAMING_BYTES
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line):
            raise Refused(400)
        trailer = FIELD_LINE.fullmatch(line)
        if trailer is None or trailer[1].lower() in FRAMING:
            raise Refused(400)


def read_line(data: bytes) -> tuple[bytes, bytes]:
    line, separator, rest = data.partition(b"\r\n")
    if re.search(rb"\n|\r(?!$)|[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]", line):
        raise Refused(400)
    if not separator:
        raise Cut
    return line, rest


class StrictUpstream(Listener):
    """Keeps what was sent to it as a strict reader has it, and answers each request with its target.

    What no strict reader would have taken is a fault.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.requests: list[Request] = []
        self.faults: list[bytes] = []
        super().__init__(backlog=1024)

    def serve(self, plain: socket.socket) -> None:
        unread = b""
        try:
            connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            with connection:
                while piece := connection.recv(1 << 16):
                    unread = self.take(unread + piece, connection.sendall)
        except OSError:
            return  # The sidecar gave the request up.
        except Refused:
            self.faults.append(unread + piece)

    def take(self, data: bytes, send: Callable[[bytes], None]) -> bytes:
        """Answers every whole request; what is left of the bytes."""
        while data:
            try:
                request, data = read_one(data)
            except Cut:
                return data
            if request is None:
                raise Refused(400)
            self.requests.append(request)
            body = b"" if request.method == b"HEAD" else request.target
            send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(request.target), body))
        return b""
