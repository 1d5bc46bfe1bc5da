"""What no policy touches passes byte for byte: every captured exchange, whole and in single bytes."""

from collections.abc import Callable, Iterator

import pytest

from rawhttp import Client, Exchange, Message, Upstream, capture, capture_names, parse
from stack import Sidecar

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
ADDED_TO_REQUESTS = {"via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "traceparent"}
ADDED_TO_RESPONSES = {"via", "server-timing"}
SINGLE_BYTES_UP_TO = 16_384
"""Longer exchanges are cut in larger odd steps, or a megabyte of single bytes would take minutes."""

NAMES = capture_names()
UPGRADES = {name for name in NAMES if b"Upgrade: websocket" in capture(name)[0]}


def end_to_end(message: Message, added: set[str]) -> list[tuple[str, str]]:
    """The headers that have to survive, in their order."""
    left_out = HOP_BY_HOP | added | {"content-length"}
    return [
        (name, value)
        for name, value in message.headers
        if name.lower() not in left_out and not name.lower().startswith("x-sidecar-")
    ]


class Replay:
    """An upstream that answers with the response that it is told to."""

    def __init__(self) -> None:
        self.response = b""
        self.upstream = Upstream(self.answer)

    def answer(self, request: Message, exchange: Exchange) -> bytes:
        return self.response


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    replay = Replay()
    with replay.upstream:
        yield replay


@pytest.fixture(scope="module")
def transparent(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar without routes: nothing matches, so nothing may change."""
    sidecar = Sidecar(tmp_path_factory.mktemp("transparent"), replay.upstream.url, routes=[])
    yield sidecar
    assert sidecar.process.poll() is None, sidecar.output()[-4000:]
    assert sidecar.stop() == 0


def pieces(data: bytes, stepped: bool) -> int | None:
    if not stepped:
        return None
    return 1 if len(data) <= SINGLE_BYTES_UP_TO else 1009


@pytest.mark.parametrize("stepped", [False, True], ids=["whole", "bytes"])
@pytest.mark.parametrize("name", sorted(set(NAMES) - UPGRADES))
def test_captured_exchange(name: str, stepped: bool, replay: Replay, transparent: Sidecar) -> None:
    request, response = capture(name)
    replay.response = response
    replay.upstream.step = pieces(response, stepped)
    replay.upstream.requests.clear()

    with Client(transparent.port, receive=1 if stepped and len(response) <= SINGLE_BYTES_UP_TO else None) as client:
        client.send(request, pieces(request, stepped))
        answer = client.read()

    sent, received = parse(request), replay.upstream.requests[0]
    assert len(replay.upstream.requests) == 1
    assert received.start == sent.start
    assert received.body == sent.body
    assert without_coding(end_to_end(received, ADDED_TO_REQUESTS)) == without_coding(
        end_to_end(sent, ADDED_TO_REQUESTS)
    )
    assert "x-sidecar" not in str(received.headers).lower()

    given = parse(response)
    assert answer.complete
    assert answer.start.split(" ")[:2] == given.start.split(" ")[:2]
    assert answer.body == given.body
    assert end_to_end(answer, ADDED_TO_RESPONSES) == end_to_end(given, ADDED_TO_RESPONSES)


def without_coding(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Less `accept-encoding`, which becomes `identity` where the sidecar reads the answer."""
    return [(name, value) for name, value in headers if name.lower() != "accept-encoding"]


@pytest.mark.parametrize("name", sorted(UPGRADES))
def test_captured_upgrade(name: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """After 101 the bytes are the peers' own; what the server sent with its 101 arrives too."""
    request, response = capture(name)
    heard: list[bytes] = []

    def upgrade(_: Message, exchange: Exchange) -> None:
        exchange.send(response)
        heard.append(exchange.connection.recv(1 << 16))
        exchange.send(b"\x81\x02hi")
        exchange.connection.close()

    with Upstream(upgrade) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(request)
            answer = client.read()
            client.send(b"\x81\x80\x01\x02\x03\x04")
            rest = answer.trailing
            while data := client.socket.recv(1 << 16):
                rest += data
    assert answer.status == 101
    assert answer.header("sec-websocket-accept") == parse(response).header("sec-websocket-accept")
    assert rest == response.partition(b"\r\n\r\n")[2] + b"\x81\x02hi"
    assert heard == [b"\x81\x80\x01\x02\x03\x04"]


@pytest.mark.parametrize("accepts", ["gzip", "identity"])
def test_gzip_is_left_alone(accepts: str, replay: Replay, transparent: Sidecar) -> None:
    """A compressed body is passed as it is, on a path that is read and on one that is not."""
    _, response = capture("ep-models-gzip")
    given = parse(response)
    assert given.header("content-encoding") == "gzip"
    for path, body in (("GET /v1/models", b""), ("POST /v1/chat/completions", b'{"model":"m","messages":[]}')):
        replay.response, replay.upstream.step = response, None
        with Client(transparent.port) as client:
            client.send(
                f"{path} HTTP/1.1\r\nHost: s\r\nAccept-Encoding: {accepts}\r\n".encode()
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            answer = client.read()
        assert answer.header("content-encoding") == "gzip"
        assert answer.body == given.body


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files"], ids=["inspected", "streamed"])
def test_chunked_request_body(path: str, replay: Replay, transparent: Sidecar) -> None:
    """A request in chunks, with extensions and a trailer, arrives with the same body."""
    replay.response, replay.upstream.step = capture("litellm-oai-ok-json")[1], None
    replay.upstream.requests.clear()
    body = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
    chunks = (
        b"5;a=b\r\n"
        + body[:5]
        + b"\r\n"
        + f"{len(body) - 5:X}\r\n".encode()
        + body[5:]
        + b"\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    with Client(transparent.port) as client:
        client.send(f"POST {path} HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks, 3)
        assert client.read().status == 200
    assert replay.upstream.requests[0].body == body


def test_expect_continue(replay: Replay, transparent: Sidecar) -> None:
    """A client that waits for 100 Continue is told to go on."""
    replay.response, replay.upstream.step = capture("litellm-oai-ok-json")[1], None
    body = b'{"model":"m","messages":[]}'
    with Client(transparent.port) as client:
        client.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        assert client.read_any().status == 100
        client.send(body)
        assert client.read().status == 200


def test_http_10_client(replay: Replay, transparent: Sidecar) -> None:
    """A client that knows no chunks gets the body without them, ended by the end of the connection."""
    replay.response, replay.upstream.step = capture("litellm-oai-ok-stream")[1], None
    with Client(transparent.port) as client:
        client.send(b"GET /v1/models HTTP/1.0\r\nHost: s\r\n\r\n")
        answer = client.read()
    assert answer.header("transfer-encoding") is None
    assert answer.body == parse(replay.response).body


def test_pipelined_requests_are_answered_in_order(start_sidecar: Callable[..., Sidecar]) -> None:
    """Several requests in one write, with bodies, get their own answers one after the other."""

    def echo(request: Message, _: Exchange) -> bytes:
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(request.body)}\r\n\r\n".encode() + request.body

    with Upstream(echo) as upstream:
        sidecar = start_sidecar(upstream.url, routes=[])
        requests = []
        for number in range(20):
            path = ("/v1/chat/completions", "/v1/files", "/health")[number % 3]
            body = f'{{"model":"m","n":{number}}}'.encode()
            requests.append(f"POST {path} HTTP/1.1\r\nHost: s\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        with Client(sidecar.port) as client:
            client.send(b"".join(requests))
            for request in requests:
                assert client.read().body == parse(request).body


def test_large_body_both_ways_in_bounded_memory(start_sidecar: Callable[..., Sidecar]) -> None:
    """96 MB through a path that is not inspected, each way, does not have to fit into memory."""
    size = 96 << 20
    body = bytes(range(256)) * (size // 256)

    def echo(request: Message, _: Exchange) -> bytes:
        assert request.body == body
        return f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + body

    with Upstream(echo) as upstream:
        sidecar = start_sidecar(upstream.url)
        before = sidecar.rss()
        with Client(sidecar.port, receive=1 << 20) as client:
            client.send(f"POST /v1/files HTTP/1.1\r\nHost: s\r\nContent-Length: {size}\r\n\r\n".encode())
            client.send(body)
            received = 0
            while received < size:
                received += len(client.socket.recv(1 << 20))
        assert sidecar.rss() - before < 48 << 20
