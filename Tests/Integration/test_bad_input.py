"""Requests that are malformed, hostile or merely strange, sent byte by byte."""

import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, ROUTES, Sidecar

LIMIT = 1 << 20
CHAT = "/v1/chat/completions"
STREAMED = "/v1/files"


def head(*lines: str, path: str = CHAT, method: str = "POST", host: str = "Host: s\r\n") -> bytes:
    return f"{method} {path} HTTP/1.1\r\n{host}{''.join(line + chr(13) + chr(10) for line in lines)}\r\n".encode(
        "latin-1"
    )


def chunked(body: bytes, path: str = CHAT) -> bytes:
    return head("Transfer-Encoding: chunked", path=path) + body


HEADS = [
    ("two equal Content-Lengths", head("Content-Length: 2", "Content-Length: 2") + b"{}", 400),
    ("two different Content-Lengths", head("Content-Length: 2", "Content-Length: 3") + b"{}", 400),
    ("a list of Content-Lengths", head("Content-Length: 2, 2") + b"{}", 400),
    ("a positive sign", head("Content-Length: +2") + b"{}", 400),
    ("a negative Content-Length", head("Content-Length: -2") + b"{}", 400),
    ("a hexadecimal Content-Length", head("Content-Length: 0x2") + b"{}", 400),
    ("an empty Content-Length", head("Content-Length:") + b"{}", 400),
    ("a Content-Length beyond 64 bits", head("Content-Length: 99999999999999999999"), 400),
    (
        "Content-Length and Transfer-Encoding",
        head("Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
    ),
    ("both the other way round", head("Transfer-Encoding: chunked", "Content-Length: 2") + b"0\r\n\r\n", 400),
    ("an unknown coding", head("Transfer-Encoding: gzip"), 501),
    ("an unknown coding under chunked", head("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", 501),
    ("something like chunked", head("Transfer-Encoding: xchunked"), 501),
    ("chunked twice", head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ("chunked twice in one field", head("Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n", 501),
    ("a vertical tab before chunked", head("Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n", 400),
    ("a space after Transfer-Encoding", head("Transfer-Encoding : chunked") + b"0\r\n\r\n", 400),
    ("chunks in HTTP/1.0", head("Transfer-Encoding: chunked").replace(b"1.1", b"1.0") + b"0\r\n\r\n", 400),
    ("an unknown version", head(method="GET").replace(b"HTTP/1.1", b"HTTP/1.10"), 400),
    ("bare LF everywhere", b"GET /v1/models HTTP/1.1\nHost: s\n\n", 400),
    ("bare LF after one header", b"GET /v1/models HTTP/1.1\r\nHost: s\nX-A: 1\r\n\r\n", 400),
    ("bare CR in a value", head("X-A: 1\rX-B: 2", method="GET"), 400),
    ("obs-fold", head("X-A: 1", " 2", method="GET"), 400),
    ("obs-fold by a tab", head("X-A: 1", "\t2", method="GET"), 400),
    ("NUL in a value", head("X-A: 1\0", method="GET"), 400),
    ("NUL in a name", head("X-\0A: 1", method="GET"), 400),
    ("NUL in the target", head(path="/v1/\0models", method="GET"), 400),
    ("a control character in a value", head("X-A: \x01", method="GET"), 400),
    ("a space before the colon", head("X-A : 1", method="GET"), 400),
    ("a space before Content-Length's colon", head("Content-Length : 2") + b"{}", 400),
    ("a header without a colon", head("X-A", method="GET"), 400),
    ("a header without a name", head(": 1", method="GET"), 400),
    ("no Host", head(method="GET", host=""), 400),
    ("two Hosts", head("Host: t", method="GET"), 400),
    ("a target with a space", head(path="/v1/mod els", method="GET"), 400),
    ("a line that is no request", b"hello\r\n\r\n", 400),
    ("a TLS hello", bytes.fromhex("1603010200010001fc0303") + bytes(600) + b"\r\n\r\n", 400),
    ("a header of 1 MB", head("X-A: " + "a" * (1 << 20), method="GET"), 431),
    ("a megabyte of small headers", head(*["X-A: b"] * 150_000, method="GET"), 431),
    ("a target of 1 MB", head(path="/" + "a" * (1 << 20), method="GET"), 431),
]

CHUNKS = [
    ("a letter that is no digit", b"G\r\nx\r\n0\r\n\r\n"),
    ("a sign", b"+2\r\n{}\r\n0\r\n\r\n"),
    ("a minus", b"-2\r\n{}\r\n0\r\n\r\n"),
    ("a prefix", b"0x2\r\n{}\r\n0\r\n\r\n"),
    ("a leading space", b" 2\r\n{}\r\n0\r\n\r\n"),
    ("no size", b"\r\n{}\r\n0\r\n\r\n"),
    ("a size beyond 64 bits", b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"),
    ("more data than the size", b"2\r\n{}}\r\n0\r\n\r\n"),
    ("less data than the size", b"3\r\n{}\r\n0\r\n\r\n"),
    ("bare LF after the size", b"2\n{}\r\n0\r\n\r\n"),
    ("bare LF after the data", b"2\r\n{}\n0\r\n\r\n"),
    ("bare LF after a trailer", b"2\r\n{}\r\n0\r\nX-A: 1\n\r\n"),
    ("a chunk's size with a space behind", b"2 \r\n{}\r\n0\r\n\r\n"),
    ("NUL in an extension", b"2;\0\r\n{}\r\n0\r\n\r\n"),
    ("an endless extension", b"2;" + b"a" * (1 << 20) + b"\r\n{}\r\n0\r\n\r\n"),
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def strict(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """One process for all of it: it has to live to the end."""
    sidecar = Sidecar(
        tmp_path_factory.mktemp("strict"),
        upstream.url,
        routes=ROUTES,
        limits={"maxBodyBytes": LIMIT, "maxHeaderBytes": 65536},
    )
    yield sidecar
    assert sidecar.process.poll() is None, sidecar.output()[-4000:]
    assert sidecar.stop() == 0


@pytest.fixture(autouse=True)
def forget(upstream: Upstream) -> None:
    upstream.requests.clear()
    upstream.partial.clear()
    upstream.answer = lambda request, exchange: ok()


def refused(sidecar: Sidecar, data: bytes) -> Message:
    """The answer to bytes after which the connection has to end."""
    with Client(sidecar.port) as client:
        client.send_what_is_taken(data)
        answer = client.read()
        assert client.is_closed(), "the connection stays open after a refusal"
    return answer


@pytest.mark.parametrize(("what", "data", "status"), HEADS, ids=[row[0] for row in HEADS])
def test_refused_heads(what: str, data: bytes, status: int, strict: Sidecar, upstream: Upstream) -> None:
    assert refused(strict, data).status == status
    assert upstream.requests == []


@pytest.mark.parametrize("path", [CHAT, STREAMED], ids=["inspected", "streamed"])
@pytest.mark.parametrize(("what", "body"), CHUNKS, ids=[row[0] for row in CHUNKS])
def test_refused_chunks(what: str, body: bytes, path: str, strict: Sidecar, upstream: Upstream) -> None:
    assert refused(strict, chunked(body, path)).status == 400
    assert upstream.requests == [], "the upstream was given a whole request"


def test_a_bad_request_behind_a_good_one(strict: Sidecar, upstream: Upstream) -> None:
    """What follows in the same write is judged on its own: the first is answered, the second refused."""
    with Client(strict.port) as client:
        client.send(head("Content-Length: 2") + b"{}" + head("Content-Length: 2", "Content-Length: 2") + b"{}")
        assert client.read().status == 200
        assert client.read().status == 400
        assert client.is_closed()
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/embeddings"])
def test_oversized_body(framing: str, path: str, strict: Sidecar, upstream: Upstream) -> None:
    """An inspected body over the limit is 413 in the shape of its dialect."""
    body = b'{"model":"m","messages":[],"x":"' + b"a" * LIMIT + b'"}'
    if framing == "length":
        data = head(f"Content-Length: {len(body)}", path=path) + body
    else:
        data = chunked(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n", path)
    answer = refused(strict, data)
    assert answer.status == 413
    error = json.loads(answer.body)["error"]
    assert error["message"] and error["type"]
    assert upstream.requests == []


def test_declared_gigabyte(strict: Sidecar, upstream: Upstream) -> None:
    """A gigabyte that is only declared is refused at once where it would be kept, and costs no memory elsewhere."""
    before = strict.rss()
    assert refused(strict, head(f"Content-Length: {1 << 30}")).status == 413
    with Client(strict.port) as client:
        client.send(head(f"Content-Length: {1 << 30}", path=STREAMED) + b"a" * 1000)
        assert wait_for(lambda: upstream.connections > 0)
        time.sleep(0.2)
        assert strict.rss() - before < 16 << 20
    assert upstream.requests == []


@pytest.mark.parametrize("path", [CHAT, STREAMED], ids=["inspected", "streamed"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_truncated_body(framing: str, path: str, strict: Sidecar, upstream: Upstream) -> None:
    """A body that ends before its end never reaches the upstream as a whole request."""
    if framing == "length":
        data = head("Content-Length: 100", path=path) + b'{"model":"m"'
    else:
        data = chunked(b'c\r\n{"model":"m"\r\n', path)
    with Client(strict.port) as client:
        client.send(data)
        client.finish()
        answer = client.read()
        assert answer.start == "" or answer.status in (400, 408)
        assert client.is_closed()
    assert upstream.requests == []


def test_slow_head(strict: Sidecar) -> None:
    """A head that trickles in is given up after 10 s, however regularly its bytes come."""
    data = head("X-A: " + "a" * 500, method="GET")
    begun = time.monotonic()
    with Client(strict.port) as client:
        client.socket.settimeout(0.2)
        for byte in data:
            client.send_what_is_taken(bytes([byte]))
            try:
                client.unread += client.socket.recv(1 << 16)
            except TimeoutError:
                continue
            except ConnectionResetError:
                pass
            break
        client.socket.settimeout(5)
        assert client.read().status == 408
    assert 5 < time.monotonic() - begun < 40


@pytest.mark.parametrize("path", [CHAT, STREAMED], ids=["inspected", "streamed"])
@pytest.mark.parametrize("shape", ["whole", "stream"])
def test_half_closed_client_is_answered(shape: str, path: str, strict: Sidecar, upstream: Upstream) -> None:
    events = [f"data: {number}\n\n".encode() for number in range(5)]

    def answer(_: Message, exchange: Exchange) -> bytes | None:
        time.sleep(0.3)
        if shape == "whole":
            return ok(b"late")
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in events:
            exchange.send(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            time.sleep(0.05)
        exchange.send(b"0\r\n\r\n")
        return None

    upstream.answer = answer
    with Client(strict.port) as client:
        client.send(head("Content-Length: 2", path=path) + b"{}")
        client.finish()
        answered = client.read()
    assert answered.complete
    assert answered.body == (b"late" if shape == "whole" else b"".join(events))


ODD_BODIES = [
    ("nothing", b""),
    ("no JSON", b"hello"),
    ("half an object", b'{"model":"claude-x","messages":['),
    ("an array", b'[{"model":"claude-x"}]'),
    ("nested 100,000 deep", b'{"model":"claude-x","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ("nested 100,000 deep in objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    ("nested and never closed", b'{"model":"claude-x","messages":' + b"[" * 100_000),
    ("NUL", b'{"model":"claude-x\0","messages":[]}'),
    ("a byte order mark", b'\xef\xbb\xbf{"model":"claude-x","messages":[]}'),
    ("garbage behind", b'{"model":"claude-x","messages":[]} trailing'),
    ("messages that are no list", b'{"model":"claude-x","messages":"hello"}'),
    ("a model that is a number", b'{"model":7,"messages":[]}'),
    ("random bytes", bytes(range(256)) * 16),
]


@pytest.mark.parametrize(("what", "body"), ODD_BODIES, ids=[row[0] for row in ODD_BODIES])
def test_odd_bodies_go_to_the_upstream_as_they_are(what: str, body: bytes, strict: Sidecar, upstream: Upstream) -> None:
    """What is not understood is LiteLLM's to judge."""
    with Client(strict.port) as client:
        client.send(head(f"Content-Length: {len(body)}") + body)
        assert client.read().status == 200
    assert upstream.requests[0].body == body


@pytest.mark.parametrize("model", ["no-route", CLAUDE])
def test_odd_strings_survive(model: str, strict: Sidecar, upstream: Upstream) -> None:
    """Invalid UTF-8, lone surrogates and escapes inside strings reach the upstream as they were sent."""
    content = b'"\xff\xfe \xc3( \xed\xa0\x80 \\ud800 \\u0000 \\"\\\\ \xf0\x9f\x98\x80"'
    body = b'{"model":"' + model.encode() + b'","messages":[{"role":"user","content":' + content + b"}]}"
    with Client(strict.port) as client:
        client.send(head(f"Content-Length: {len(body)}") + body)
        assert client.read().status == 200
    received = upstream.requests[0].body
    assert b'"messages":[{"role":"user","content":' + content + b"}]" in received
    assert model == CLAUDE or received == body


def test_a_model_name_cannot_write_headers(strict: Sidecar, upstream: Upstream) -> None:
    """Line ends and quotes in a model's name stay inside one header of the answer."""
    body = b'{"model":"claude-x\\r\\nSet-Cookie: a=b\\r\\n\\r\\nbody","messages":[]}'
    with Client(strict.port) as client:
        client.send(head(f"Content-Length: {len(body)}") + body)
        answer = client.read()
        assert client.unread == b""
    assert answer.status == 200
    assert answer.header("set-cookie") is None
    assert answer.body == ok().partition(b"\r\n\r\n")[2]


def test_own_via_is_a_loop(strict: Sidecar, upstream: Upstream) -> None:
    """A request that comes back to the sidecar that sent it is 508."""
    with Client(strict.port) as client:
        client.send(head(method="GET", path="/v1/models"))
        assert client.read().status == 200
    via = upstream.requests[0].header("via")
    assert via
    assert refused_or_kept(strict, head(f"Via: {via}", method="GET", path="/v1/models")).status == 508
    assert refused_or_kept(strict, head("Via: 1.1 another-proxy", method="GET", path="/v1/models")).status == 200
    assert len(upstream.requests) == 2


def refused_or_kept(sidecar: Sidecar, data: bytes) -> Message:
    with Client(sidecar.port) as client:
        client.send(data)
        return client.read()


BAD_ANSWERS = [
    ("no HTTP", b"hello\r\n\r\n"),
    ("two different lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    ("a length and chunks", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a header of 1 MB", b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * (1 << 20) + b"\r\nContent-Length: 0\r\n\r\n"),
    ("nothing", b""),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-"),
]


@pytest.mark.parametrize(("what", "data"), BAD_ANSWERS, ids=[row[0] for row in BAD_ANSWERS])
def test_bad_answers_of_the_upstream(what: str, data: bytes, strict: Sidecar, upstream: Upstream) -> None:
    """An answer that cannot be read in one way only is a 502, never passed on."""

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(data)
        exchange.connection.close()

    upstream.answer = answer
    with Client(strict.port) as client:
        client.send(head(method="GET", path="/v1/models"))
        assert client.read().status == 502


def test_cut_answer_is_not_completed(strict: Sidecar, upstream: Upstream) -> None:
    """A body that ends early at the upstream ends early at the client: never a whole answer made of a part."""
    for data in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    ):

        def answer(_: Message, exchange: Exchange, data: bytes = data) -> None:
            exchange.send(data)
            exchange.connection.close()

        upstream.answer = answer
        with Client(strict.port) as client:
            client.send(head(method="GET", path="/v1/models"))
            answered = client.read()
        assert not answered.complete
        assert answered.body == b"short"


def test_a_storm_leaves_nothing_behind(strict: Sidecar, upstream: Upstream) -> None:
    """After thousands of bad requests and broken connections, memory and descriptors are back."""

    def round_of_everything() -> None:
        for _, data, _ in HEADS:
            abandon(strict.port, data)
        for _, body in CHUNKS:
            abandon(strict.port, chunked(body))
            abandon(strict.port, chunked(body, STREAMED))
        for _, body in ODD_BODIES:
            abandon(strict.port, head(f"Content-Length: {len(body)}") + body)
        abandon(strict.port, head(f"Content-Length: {LIMIT}") + os.urandom(LIMIT // 2))

    round_of_everything()
    time.sleep(0.5)
    memory, descriptors = strict.rss(), strict.descriptors()
    for _ in range(20):
        round_of_everything()
    assert wait_for(lambda: strict.descriptors() <= descriptors + 8, 15)
    assert strict.rss() - memory < 24 << 20
    upstream.requests.clear()
    with Client(strict.port) as client:
        client.send(head(method="GET", path="/v1/models"))
        assert client.read().status == 200


def abandon(port: int, data: bytes) -> None:
    """Sends and leaves by RST without reading."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)


def test_refusals_are_answers_of_their_own(strict: Sidecar) -> None:
    """A refusal is complete HTTP with an error in the OpenAI shape, and says that the connection ends."""
    answer = refused(strict, head("Content-Length: 2", "Content-Length: 2") + b"{}")
    assert answer.complete
    assert (answer.header("connection") or "").lower() == "close"
    assert json.loads(answer.body)["error"]["message"]
