"""Requests that two readers might read in two ways: the upstream gets what a strict reader reads, and nothing else.

Every case is judged by `strictreading`: the requests that reach the upstream are the ones that it finds, in their
order, and each answer is the answer of its own request. Where it finds a fault the connection ends with a refusal.
"""

import contextlib
import itertools
import random
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from egress.certificates import Authority
from egress.lab import egress_port
from rawhttp import Client, Message, parse_head
from stack import ROUTES, Sidecar
from strictreading import LEAVES_THE_CONNECTION, MAX_BODY_BYTES, MAX_HEAD_BYTES, Reading, Request, StrictUpstream
from strictreading import read_all as strictly_read

ADDED = {
    b"host", b"via", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id", b"traceparent",
    b"content-length", b"transfer-encoding", b"accept-encoding", b"connection",
}  # fmt: skip
ROADS = ["inspected", "streamed", "reverse"]
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n"


@dataclass
class Road:
    """A way through the sidecar."""

    name: str
    port: int
    path: str
    """Begins every target."""
    prefix: bytes
    """What of it the upstream does not see."""
    upstream: StrictUpstream

    def seen(self, request: Request) -> bytes | None:
        """The target that the upstream gets; none where the listener has no such road."""
        path = request.target[len(self.prefix) :]
        if not self.prefix:
            return path
        # An absolute form names a host of its own, which is not the one of the reverse path.
        is_road = request.target.startswith(self.prefix) and path[:1] in (b"/", b"?") and not request.is_absolute
        return path if is_road else None


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Road]]:
    """One process for all of it: it has to live to the end."""
    folder = tmp_path_factory.mktemp("desync")
    authority = Authority(folder, "test-authority")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.issue("origin", "127.0.0.1"))
    with StrictUpstream() as upstream, StrictUpstream(tls) as origin, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SIDECAR_EXTRA_CA", str(authority.ca))
        address = f"127.0.0.1:{origin.port}"
        anywhere = {"address": "127.0.0.1:0"}
        sidecar = Sidecar(
            folder,
            upstream.url,
            listen={"gateway": {**anywhere, "upstream": "litellm"}, "admin": anywhere, "egress": anywhere},
            egress={"hops": {"out": ["direct"]}, "forward": [{"hosts": [address], "via": "out"}]},
            routes=ROUTES,
            limits={"maxBodyBytes": MAX_BODY_BYTES, "maxHeaderBytes": MAX_HEAD_BYTES},
        )
        prefix = f"/to/{address}"
        yield {
            "inspected": Road("inspected", sidecar.port, "/v1/chat/completions", b"", upstream),
            "streamed": Road("streamed", sidecar.port, "/v1/files", b"", upstream),
            "reverse": Road("reverse", egress_port(sidecar), f"{prefix}/v1beta/x", prefix.encode(), origin),
        }
        assert sidecar.process.poll() is None, sidecar.output()[-4000:]
        assert sidecar.stop() == 0
        assert upstream.faults + origin.faults == []


@pytest.fixture(params=ROADS)
def road(request: pytest.FixtureRequest, roads: dict[str, Road]) -> Road:
    return roads[request.param]


# MARK: - The judge


def answers(road: Road, data: bytes, steps: list[int] | None = None) -> tuple[bytes, bool]:
    """All that comes back until the sidecar ends the connection; false when it does not."""
    received = b""
    with Client(road.port) as client:
        client.socket.settimeout(5)
        at = 0
        for step in steps or []:
            client.send_what_is_taken(data[at : at + step])
            at += step
        client.send_what_is_taken(data[at:])
        with contextlib.suppress(OSError):
            client.finish()
        try:
            while piece := client.socket.recv(1 << 16):
                received += piece
        except ConnectionResetError:
            pass
        except TimeoutError:
            return received, False
    return received, True


def final_answers(received: bytes, methods: list[bytes]) -> list[Message]:
    """The answers in their order; what is no whole answer fails the test."""
    messages: list[Message] = []
    while received:
        head, separator, received = received.partition(b"\r\n\r\n")
        assert separator, head
        message = parse_head(head)
        assert message.start.startswith("HTTP/1.1 "), head
        if message.status == 100:
            continue
        method = methods[len(messages)] if len(messages) < len(methods) else b""
        # A refused head may not have been read as far as its method.
        is_bare = method == b"HEAD" if message.status == 200 else not received.startswith(b"{")
        length = 0 if is_bare else int(message.header("content-length") or 0)
        assert len(received) >= length, head
        message.body, received = received[:length], received[length:]
        messages.append(message)
    return messages


def judge(road: Road, data: bytes, steps: list[int] | None = None) -> list[int]:
    """Sends the bytes, compares what came of them with the strict reading, and returns the answers' statuses."""
    road.upstream.requests.clear()
    reading = strictly_read(data, keeps_bodies=road.name == "inspected")
    received, has_ended = answers(road, data, steps)
    what = f"{road.name}: {data[:3000]!r}\n{reading}\n{received!r}"
    assert has_ended, f"the connection stays open: {what}"
    messages = final_answers(received, [request.method for request in reading.requests])
    expected = judge_answers(road, reading, messages, what)
    assert road.upstream.requests == expected, what
    faults = [road.upstream.faults.pop() for _ in list(road.upstream.faults)]
    assert faults == [], what
    for sent, request in zip(road.upstream.requests, expected, strict=True):
        allowed = (request.names | ADDED) - (LEAVES_THE_CONNECTION - {b"connection"})
        assert sent.names <= allowed, what
    return [message.status for message in messages]


def judge_answers(road: Road, reading: Reading, messages: list[Message], what: str) -> list[Request]:
    """Fails for a wrong answer; the requests that the upstream has to have seen, as it has to have seen them."""
    forwarded: list[Request] = []
    rest = iter(messages)
    for request in reading.requests:
        message = next(rest, None)
        assert message is not None, f"a request without an answer: {what}"
        target = road.seen(request)
        if message.status == 200:
            assert target is not None, f"not a road: {what}"
            assert request.method == b"HEAD" or message.body == target, f"another request's answer: {what}"
            forwarded.append(Request(request.method, target, request.names, request.body))
            continue
        is_no_road = target is None and message.status in (403, 404)
        assert is_no_road or (request.may_be_refused or target is None) and message.status == 400, what
        if (message.header("connection") or "").lower() == "close":
            assert next(rest, None) is None, what
            return forwarded
    last = next(rest, None)
    if reading.refusal:
        # The head of a request of no road may be answered before its body is read.
        own = {403, 404} if road.prefix else set()
        assert last is not None and last.status in reading.refusal | own, f"not refused: {what}"
        assert (last.header("connection") or "").lower() == "close", what
    elif reading.is_cut:
        assert last is None or last.status in (400, 403, 404, 408, 413), what
    else:
        assert last is None, f"more answers than requests: {what}"
    assert next(rest, None) is None, what
    return forwarded


def request(road: Road, *lines: str | bytes, method: str = "POST", query: str = "", version: str = "1.1") -> bytes:
    """A head with these lines behind its Host."""
    fields = [line if isinstance(line, bytes) else line.encode("latin-1") for line in ["Host: s", *lines]]
    start = f"{method} {road.path}{query} HTTP/{version}".encode("latin-1")
    return b"\r\n".join([start, *fields, b"", b""])


# MARK: - Lengths against codings

CODINGS = [
    "Transfer-Encoding: chunked", "Transfer-Encoding:chunked", "Transfer-Encoding:\tchunked",
    "tRANSFER-eNCODING: cHUNKED",
    "Transfer-Encoding:  chunked \t", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked;q=1", 'Transfer-Encoding: "chunked"', "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, gzip", "Transfer-Encoding:", "Transfer-Encoding: ,", "Transfer-Encoding: chun ked",
    "Transfer-Encoding: \x0bchunked", "Transfer-Encoding: chunked\x0b", "Transfer-Encoding: \x0cchunked",
    "Transfer-Encoding: \0chunked", "Transfer-Encoding: chunked\0", "Transfer-Encoding: \x7fchunked",
    "Transfer-Encoding: \x85chunked", "Transfer-Encoding: \xa0chunked", "Transfer-Encoding: chunk\xebd",
    "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding\x0b: chunked",
    " Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked", "Transfer-Encoding: \r\n chunked",
    "Transfer-Encoding:\r\n\tchunked", "X-A: a\rTransfer-Encoding: chunked", "X-A: a\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\rX-A: a", "Transfer-Encoding: chunked\nX-A: a", "Transfer\rEncoding: chunked",
    "Transfer-Encoding\0: chunked", "Transfer_Encoding: chunked", "Transfer Encoding: chunked",
    "Transfer-Encoding chunked",
    "X-Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-encoding: x", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    "TE: chunked", "Transfer-Encoding: \U000000ff", "\xefTransfer-Encoding: chunked", "Transfer-Encoding:: chunked",
]  # fmt: skip
LENGTHS = [
    "", "Content-Length: 5", "Content-Length:5", "content-length:\t5 ", "Content-Length: 0", "Content-Length: 05",
    "Content-Length: 0000000000000000000000005", "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5",
    "Content-Length: 5, 5", "Content-Length: 5,0", "Content-Length: 5 5", "Content-Length: 5;", "Content-Length: 5.0",
    "Content-Length: 5e0", "Content-Length: \x0b5", "Content-Length: 5\0", "Content-Length:", "Content-Length: five",
    "Content-Length: 18446744073709551621", "Content-Length: 4294967301", "Content-Length : 5", "Content-Length\t: 5",
    " Content-Length: 5", "Content-Length: \r\n 5", "Content-Length: 5\rX-A: a", "Content-Length: 5\nX-A: a",
    "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 0",
    "Content-Length: 0\r\nContent-Length: 5", "Content_Length: 5", "Content-Length: 5\r\ncontent-lengTH: 6",
    "Connection: Content-Length\r\nContent-Length: 5", "X-Content-Length: 5", "Content-Length: \xb2",
    "Content-Length: \xa05",
]  # fmt: skip


@pytest.mark.parametrize("coding", ["", *CODINGS], ids=ascii)
def test_lengths_against_codings(coding: str, road: Road) -> None:
    """Every spelling of a coding with every spelling of a length, in both orders, before a hidden second request."""
    body = b"0\r\n\r\n" + SMUGGLED.replace(b"/smuggled", road.path.encode() + b"?2")
    for length in LENGTHS:
        for lines in sorted({(coding, length), (length, coding)}):
            judge(road, request(road, *filter(None, lines)) + body)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_versions_against_framing(version: str, road: Road) -> None:
    """HTTP/1.0 has no chunks, and ends its connection unless it asks to keep it."""
    options = ["keep-alive", "close", "Keep-Alive, close", "x,,keep-alive"]
    kept = ["", *(f"Connection: {option}" for option in options)]
    for connection, framing in itertools.product(kept, ["", "Content-Length: 5", "Transfer-Encoding: chunked"]):
        data = request(road, *filter(None, [connection, framing]), version=version) + b"0\r\n\r\n"
        judge(road, data + data + SMUGGLED)


# MARK: - Chunks

CHUNKED_BODIES: list[tuple[str, bytes, int]] = [
    ("upper and lower case", b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 200),
    ("leading zeros", b"0002\r\n{}\r\n000\r\n\r\n", 200),
    ("an extension", b"2;a=b;c\r\n{}\r\n0;d\r\n\r\n", 200),
    ("a quoted extension", b'2;a="b;\\"c"\r\n{}\r\n0\r\n\r\n', 200),
    ("a size within a quoted extension", b'2;a="\t5"\r\n{}\r\n0\r\n\r\n', 200),
    ("a trailer", b"2\r\n{}\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n", 200),
    ("a request as data", b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED), 200),
    ("an end as data", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", 200),
    ("a plus", b"+2\r\n{}\r\n0\r\n\r\n", 400),
    ("a minus zero", b"-0\r\n\r\n", 400),
    ("a prefix of an end", b"0x0\r\n\r\n", 400),
    ("underscores", b"0_2\r\n{}\r\n0\r\n\r\n", 400),
    ("a space before the size", b" 2\r\n{}\r\n0\r\n\r\n", 400),
    ("a tab behind the size", b"2\t\r\n{}\r\n0\r\n\r\n", 400),
    ("a space behind the last size", b"2\r\n{}\r\n0 \r\n\r\n", 400),
    ("a fraction", b"2.0\r\n{}\r\n0\r\n\r\n", 400),
    ("two sizes", b"2 2\r\n{}\r\n0\r\n\r\n", 400),
    ("a comma", b"2,2\r\n{}\r\n0\r\n\r\n", 400),
    ("2^64 + 2", b"10000000000000002\r\n{}\r\n0\r\n\r\n", 400),
    ("2^64", b"10000000000000000\r\n\r\n", 400),
    ("2^63", b"8000000000000000\r\n{}\r\n0\r\n\r\n", 400),
    ("bare LF in an extension", b"2;\n{}\r\n0\r\n\r\n", 400),
    ("bare LF in a later extension", b"2;a\nx\r\n{}\r\n0\r\n\r\n", 400),
    ("bare LF in quotes", b'2;a="\n"\r\n{}\r\n0\r\n\r\n', 400),
    ("bare CR in an extension", b"2;\r{}\r\n0\r\n\r\n", 400),
    ("bare CR after the size", b"2\r{}\r\n0\r\n\r\n", 400),
    ("two CRs after the size", b"2\r\r\n{}\r\n0\r\n\r\n", 400),
    ("bare CR after the data", b"2\r\n{}\r0\r\n\r\n", 400),
    ("nothing after the data", b"2\r\n{}0\r\n\r\n", 400),
    ("other bytes after the data", b"2\r\n{}XX0\r\n\r\n", 400),
    ("data longer than said", b"2\r\n{}}\r\n0\r\n\r\n", 400),
    ("data shorter than said", b"4\r\n{}\r\n0\r\n\r\n", 400),
    ("bare LF after the last size", b"2\r\n{}\r\n0\n\r\n", 400),
    ("bare LF at the end", b"2\r\n{}\r\n0\r\n\n", 400),
    ("bare CR at the end", b"2\r\n{}\r\n0\r\n\rX", 400),
    ("a folded trailer", b"2\r\n{}\r\n0\r\n X-A: 1\r\n\r\n", 400),
    ("bare CR in a trailer", b"2\r\n{}\r\n0\r\nX-A: 1\rX-B: 2\r\n\r\n", 400),
    ("NUL in a trailer", b"2\r\n{}\r\n0\r\nX-A: \0\r\n\r\n", 400),
    ("a trailer without a name", b"2\r\n{}\r\n0\r\n: 1\r\n\r\n", 400),
    ("an endless trailer", b"2\r\n{}\r\n0\r\n" + b"X-A: 1\r\n" * 20_000 + b"\r\n", 400),
    ("a request as a trailer", b"2\r\n{}\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n", 400),
    ("a trailer without a colon", b"2\r\n{}\r\n0\r\nX-A\r\n\r\n", 400),
    ("a trailer with a space before the colon", b"2\r\n{}\r\n0\r\nX-A : 1\r\n\r\n", 400),
    ("a length in trailers", b"2\r\n{}\r\n0\r\nX-A: 1\r\ncontent-Length: 5\r\n\r\n", 400),
    ("a coding in trailers", b"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("fullwidth digits", "２\r\n{}\r\n0\r\n\r\n".encode(), 400),
    ("vertical tab", b"\x0b2\r\n{}\r\n0\r\n\r\n", 400),
    ("NUL after the size", b"2\0\r\n{}\r\n0\r\n\r\n", 400),
    ("an empty line before the size", b"\r\n2\r\n{}\r\n0\r\n\r\n", 400),
]


@pytest.mark.parametrize("step", [None, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("what", "body", "status"), CHUNKED_BODIES, ids=[row[0] for row in CHUNKED_BODIES])
def test_chunks(what: str, body: bytes, status: int, step: int | None, road: Road) -> None:
    """A body is read by its chunks alone, wherever the bytes are cut, and the next request is the next request."""
    head = request(road, "Transfer-Encoding: chunked", query="?1")
    data = head + body + request(road, method="GET", query="?2")
    steps = [step] * min(len(data), 400) if step else None
    assert judge(road, data, steps) == ([200, 200] if status == 200 else [status])


# MARK: - Request lines, hosts, methods

HEADS: list[tuple[str, bytes, list[int]]] = [
    ("HTTP/0.9", b"GET %b\r\n\r\n", [400]),
    ("HTTP/0.9 without an empty line", b"GET %b\r\n", [400]),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    ("HTTP/2.0", b"GET %b HTTP/2.0\r\nHost: s\r\n\r\n", [400]),
    ("HTTP/1.2", b"GET %b HTTP/1.2\r\nHost: s\r\n\r\n", [400]),
    ("HTTP/1.1.", b"GET %b HTTP/1.1.\r\nHost: s\r\n\r\n", [400]),
    ("HTTP/01.1", b"GET %b HTTP/01.1\r\nHost: s\r\n\r\n", [400]),
    ("http/1.1", b"GET %b http/1.1\r\nHost: s\r\n\r\n", [400]),
    ("HTTP /1.1", b"GET %b HTTP /1.1\r\nHost: s\r\n\r\n", [400]),
    ("no version", b"GET %b \r\nHost: s\r\n\r\n", [400]),
    ("two spaces before the target", b"GET  %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("two spaces before the version", b"GET %b  HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a space behind the version", b"GET %b HTTP/1.1 \r\nHost: s\r\n\r\n", [400]),
    ("a space before the method", b" GET %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a tab for a space", b"GET\t%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a form feed for a space", b"GET\x0c%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a request in the target", b"GET %b HTTP/1.1 HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("CR in the target", b"GET %b\r HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("LF in the target", b"GET %b\n HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("DEL in the target", b"GET %b\x7f HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a fragment", b"GET %b#f HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("no target", b"GET HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a relative target", b"GET v1/models HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("an asterisk for another method", b"GET * HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("an asterisk and more", b"OPTIONS *x HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("another scheme", b"GET ftp://s%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a scheme without slashes", b"GET http:%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("no host in the absolute form", b"GET http://%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a user in the absolute form", b"GET http://u@s%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a backslash in the absolute form", b"GET http://s\\@t%b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("encoded line ends", b"GET %b%0d%0aX:%20y%00 HTTP/1.1\r\nHost: s\r\n\r\n", [200]),
    ("a colon in the method", b"GET:x %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a method of other letters", b"G\xcbT %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("an unknown method", b"BREW %b HTTP/1.1\r\nHost: s\r\nContent-Length: 2\r\n\r\n{}", [200]),
    ("a method of odd characters", b"!#$%&'*+-.^_`|~ %b HTTP/1.1\r\nHost: s\r\n\r\n", [200]),
    ("a method in lower case", b"get %b HTTP/1.1\r\nHost: s\r\n\r\n", [200]),
    ("GET with a body", b"GET %b HTTP/1.1\r\nHost: s\r\nContent-Length: 35\r\n\r\n" + SMUGGLED, [200]),
    ("HEAD with a body", b"HEAD %b HTTP/1.1\r\nHost: s\r\nContent-Length: 35\r\n\r\n" + SMUGGLED, [200]),
    ("DELETE with chunks", b"DELETE %b HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [200]),
    ("no Host", b"GET %b HTTP/1.1\r\n\r\n", [400]),
    ("two equal Hosts", b"GET %b HTTP/1.1\r\nHost: s\r\nHost: s\r\n\r\n", [400]),
    ("two Hosts of other case", b"GET %b HTTP/1.1\r\nHost: s\r\nhOST: t\r\n\r\n", [400]),
    ("CONNECT with a path", b"CONNECT %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a Host of two ports", b"GET %b HTTP/1.1\r\nHost: s:1:2\r\n\r\n", [400]),
    ("a Host with a word for a port", b"GET %b HTTP/1.1\r\nHost: s:http\r\n\r\n", [400]),
    ("a Host with half a bracket", b"GET %b HTTP/1.1\r\nHost: [::1\r\n\r\n", [400]),
    ("a Host in brackets", b"GET %b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [200]),
    ("a Host with a user", b"GET %b HTTP/1.1\r\nHost: u@s\r\n\r\n", [400]),
    ("a Host with a path", b"GET %b HTTP/1.1\r\nHost: s/x\r\n\r\n", [400]),
    ("a Host with a space", b"GET %b HTTP/1.1\r\nHost: s t\r\n\r\n", [400]),
    ("a Host with a tab", b"GET %b HTTP/1.1\r\nHost: s\tt\r\n\r\n", [400]),
    ("a Host with a question mark", b"GET %b HTTP/1.1\r\nHost: s?x\r\n\r\n", [400]),
    ("a Host with another alphabet", b"GET %b HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", [400]),
    ("a space before Host's colon", b"GET %b HTTP/1.1\r\nHost : s\r\n\r\n", [400]),
    ("a folded Host", b"GET %b HTTP/1.1\r\nHost:\r\n s\r\n\r\n", [400]),
    ("a first line that is folded", b"GET %b HTTP/1.1\r\n Host: s\r\nHost: s\r\n\r\n", [400]),
    ("Host with spaces around", b"GET %b HTTP/1.1\r\nHost: \t s:80 \t\r\n\r\n", [200]),
    ("an empty Host", b"GET %b HTTP/1.1\r\nHost:\r\n\r\n", [200]),
    ("Host that Connection names", b"GET %b HTTP/1.1\r\nHost: s\r\nConnection: host\r\n\r\n", [200]),
    ("one empty line before", b"\r\nGET %b HTTP/1.1\r\nHost: s\r\n\r\n", [200]),
    ("an empty line of LF before", b"\nGET %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("CR before", b"\rGET %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("NUL before", b"\0GET %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("a byte order mark before", b"\xef\xbb\xbfGET %b HTTP/1.1\r\nHost: s\r\n\r\n", [400]),
    ("an end of CR LF LF", b"GET %b HTTP/1.1\r\nHost: s\r\n\n", [400]),
    ("an end of LF CR LF", b"GET %b HTTP/1.1\r\nHost: s\n\r\n", [400]),
    ("an end of CR CR LF", b"GET %b HTTP/1.1\r\nHost: s\r\n\r\r\n\r\n", [400]),
    ("an escape sequence", b"GET %b HTTP/1.1\r\nHost: s\r\nX-A: \x1b[2J\r\n\r\n", [400]),
    ("a request in a value", b"GET %b HTTP/1.1\r\nHost: s\r\nX-A: GET /smuggled HTTP/1.1\r\n\r\n", [200]),
    ("a name with a bracket", b"GET %b HTTP/1.1\r\nHost: s\r\nX[A]: 1\r\n\r\n", [400]),
    ("a name of another alphabet", b"GET %b HTTP/1.1\r\nHost: s\r\nX\xc3\xa9: 1\r\n\r\n", [400]),
    ("a target that is too long", b"GET %b" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: s\r\n\r\n", [431]),
    ("a method that is too long", b"G" * 70_000 + b" %b HTTP/1.1\r\nHost: s\r\n\r\n", [431]),
    ("too many fields", b"GET %b HTTP/1.1\r\nHost: s\r\n" + b"X: y\r\n" * 15_000 + b"\r\n", [431]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "data", "statuses"), HEADS, ids=[row[0] for row in HEADS])
def test_heads(what: str, data: bytes, statuses: list[int], road: Road) -> None:
    """Alone, behind a good request and before one: what follows a refused head is never read."""
    good = request(road, "Content-Length: 2", query="?good") + b"{}"
    filled = data.replace(b"%b", road.path.encode() + b"?1")
    ends = statuses != [200]
    assert judge(road, filled) == statuses
    assert judge(road, good + filled) == [200, *statuses]
    assert judge(road, good + filled + good) == [200, *statuses] + ([] if ends else [200])


ABSOLUTE = [
    "http://s", "http://other.test", "HTTP://other.test:99", "https://other.test", "http://[::1]:80",
    "http://127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("start", ABSOLUTE)
def test_absolute_form(start: str, road: Road) -> None:
    """The upstream is asked in origin form, with the one Host that there is; the reverse path has none."""
    line = f"GET {start}{road.path}?1 HTTP/1.1\r\nHost: s\r\n\r\n".encode()
    assert judge(road, line) == [403 if road.name == "reverse" else 200]


@pytest.mark.parametrize("target", ["s:443", "s", ":443", "s:443/", "http://s:443"])
def test_connect_to_the_gateway(target: str, roads: dict[str, Road]) -> None:
    """The gateway opens no tunnels; the egress listener's have tests of their own."""
    line = f"CONNECT {target} HTTP/1.1\r\nHost: s\r\n\r\n".encode()
    assert judge(roads["streamed"], line + SMUGGLED) == [400]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files"], ids=["inspected", "streamed"])
def test_what_follows_an_upgrade_that_is_not_granted(path: str, roads: dict[str, Road]) -> None:
    """The upstream answers 200 and stays with HTTP/1.1: the next bytes are the next request, not a tunnel's."""
    road = roads["inspected" if "chat" in path else "streamed"]
    for protocol in ("websocket", "h2c", "TLS/1.2, HTTP/2.0", ",h2c", "websocket, h2c"):
        upgrade = request(road, "Connection: Upgrade", f"Upgrade: {protocol}", method="GET", query="?1")
        refused = request(road, "Content-Length: 1", "Content-Length: 1")
        road.upstream.requests.clear()
        received, has_ended = answers(road, upgrade + request(road, method="GET", query="?2") + refused + SMUGGLED)
        assert has_ended
        statuses = [message.status for message in final_answers(received, [])]
        assert statuses == [200, 200, 400], received
        assert [sent.target.rpartition(b"?")[2] for sent in road.upstream.requests] == [b"1", b"2"]


# MARK: - At random

PIECES = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\0", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xa0", b" ", b"\t", b":",
    b",", b";",
    b"0", b"1", b"-", b"+", b"x", b"0x", b'"', b"\\", b"0\r\n\r\n", b"1\r\nZ\r\n", b"ffffffffffffffff\r\n", b"\r\n ",
    b"\r\n\t",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: x\r\n",
    b"Host: t\r\n", b"X-A: b\r\n", b"Connection: close\r\n", b"Connection: keep-alive, content-length\r\n",
    b"HTTP/1.0", b"HTTP/1.1", b"GET ", b"/", b"http://t/", SMUGGLED,
]  # fmt: skip


def good_request(road: Road, choose: random.Random, number: int) -> bytes:
    """A request as it should be, of any framing."""
    query = f"?{number}"
    fields = ["X-A: 1", "Accept: */*", "Content-Type: application/json", "Expect: x", "X-B:"]
    extra = choose.sample(fields, k=choose.randrange(3))
    body = choose.choice([b"", b"{}", b"0\r\n\r\n", SMUGGLED, b'{"model":"m","messages":[]}'])
    match choose.randrange(3):
        case 0:
            return request(road, *extra, method=choose.choice(["GET", "HEAD", "DELETE"]), query=query)
        case 1:
            lines = [*extra, f"Content-Length: {len(body)}"]
            choose.shuffle(lines)
            return request(road, *lines, query=query, version=choose.choice(["1.1", "1.1", "1.1", "1.0"])) + body
    lines = [*extra, "Transfer-Encoding: chunked"]
    choose.shuffle(lines)
    cuts = sorted(choose.sample(range(len(body) + 1), k=min(2, len(body))))
    pieces = [body[low:high] for low, high in itertools.pairwise([0, *cuts, len(body)]) if high > low]
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), choose.choice([b"", b";a=b"]), piece) for piece in pieces)
    return request(road, *lines, query=query) + chunks + b"0\r\n" + choose.choice([b"", b"X-T: 1\r\n"]) + b"\r\n"


def damaged(data: bytes, choose: random.Random) -> bytes:
    low = choose.randrange(len(data))
    high = min(len(data), low + choose.choice([1, 1, 1, 2, 4, 16]))
    match choose.randrange(5):
        case 0:
            return data[:low] + data[high:]
        case 1:
            return data[:high] + data[low:]
        case 2:
            return data[:low] + bytes([choose.randrange(256)]) + data[low + 1 :]
        case 3:
            # Between lines, where a whole line may stand.
            line = data.find(b"\r\n", low) + 2
            return data[:line] + choose.choice(PIECES) + data[line:]
    return data[:low] + choose.choice(PIECES) + data[low:]


@pytest.mark.parametrize("seed", range(60))
def test_damaged_requests(seed: int, road: Road) -> None:
    """Up to four pipelined requests with up to three faults, cut into writes anywhere."""
    choose = random.Random(f"{seed} {road.name}")
    for _ in range(25):
        data = b"".join(good_request(road, choose, number) for number in range(choose.randrange(1, 5)))
        for _ in range(choose.randrange(4)):
            data = damaged(data, choose)
        if b"CONNECT" in data or b"pgrade" in data:
            continue
        steps = [choose.randrange(1, 60) for _ in range(choose.randrange(8))] if choose.randrange(3) == 0 else None
        judge(road, data, steps)
