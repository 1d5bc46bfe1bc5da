"""Things that happen at an unlucky moment: while another attempt is under way, in an open chunk, after the last byte."""

import json
import socket
import time
from collections.abc import Callable

import pytest

from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, GEMINI, ROUTES, Sidecar
from test_endings import chat

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def delta(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text.encode()


def model_of(request: Message) -> str:
    return json.loads(request.body)["model"]


def verdicts(sidecar: Sidecar, target: str) -> dict[str, int]:
    """Outcomes of the attempts on a target."""
    mark = f'sidecar_upstream_attempts_total{{target="{target}",outcome="'
    lines = [line for line in sidecar.metrics().splitlines() if line.startswith(mark)]
    pairs = (line.removeprefix(mark).split('"} ') for line in lines)
    return {outcome: int(count) for outcome, count in pairs}


@pytest.mark.parametrize("fallback_fails", [False, True], ids=["fallback answers", "fallback fails too"])
def test_an_error_too_large_to_keep(fallback_fails: bool, start_sidecar: Callable[..., Sidecar]) -> None:
    """Its connection is given up; nothing of the rest gets into another's answer, whatever comes of the fallback."""
    huge = b'{"error":{"message":"' + b"x" * 3_000_000 + b'"}}'

    def answer(request: Message, exchange: Exchange) -> bytes | None:
        if model_of(request) == GEMINI:
            time.sleep(0.3)
            exchange.abort() if fallback_fails else exchange.send(ok(b'{"from":"gemini"}'))
            return None
        head = f"HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: {len(huge)}\r\n\r\n"
        exchange.send(head.encode() + huge)
        return None

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, breaker={"failuresToOpen": 100})
        with Client(sidecar.port) as client:
            for _ in range(3):
                client.send(chat())
                answered = client.read()
                if fallback_fails:
                    assert (answered.status, answered.complete) == (502, True)
                else:
                    assert answered.body == b'{"from":"gemini"}'
                assert answered.trailing == b""


def test_a_held_stream_that_is_cut_in_its_last_chunk(start_sidecar: Callable[..., Sidecar]) -> None:
    """The open chunk was held with the rest, so that the error event stands where an event can stand."""

    def answer(_: Message, exchange: Exchange) -> None:
        # One write: what is held until the first token ends in the middle of the next chunk.
        exchange.send(STREAM_HEAD + chunk(delta("one")) + b"40\r\ndata: {")
        exchange.connection.shutdown(socket.SHUT_WR)

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            client.send(chat(stream=True))
            answered = client.read()
            assert answered.complete and answered.body.startswith(delta("one"))
            assert b'"error"' in answered.body and b"[DONE]" not in answered.body
            assert answered.trailing == b""
            client.send(b"GET /health HTTP/1.1\r\nHost: s\r\n\r\n")
            assert client.read().start.startswith("HTTP/1.1 ")


@pytest.mark.parametrize("ends", ["whole", "cut"])
def test_a_held_stream_that_arrives_in_one_piece(ends: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """All of it is there with the first token: the end is judged as if it had come piece by piece."""
    done = chunk(b"data: [DONE]\n\n") if ends == "whole" else b""
    whole = STREAM_HEAD + chunk(delta("one")) + done + b"0\r\n\r\n"
    with Upstream(lambda *_: whole) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            for _ in range(2):
                client.send(chat(stream=True))
                answered = client.read()
                assert answered.complete and answered.trailing == b""
                assert (b'"error"' in answered.body) == (ends == "cut")
                assert (b"[DONE]" in answered.body) == (ends == "whole")


def test_a_slow_connect_has_its_own_limit(start_sidecar: Callable[..., Sidecar]) -> None:
    """The clock of the attempt before does not run on while the next one connects."""
    with Upstream(lambda *_: b"") as silent, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        # The queue of the second upstream is full: connects hang until their own limit.
        stuck = [socket.socket() for _ in range(8)]
        for one in stuck:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        sidecar = start_sidecar(
            silent.url,
            upstreams={
                "litellm": {"kind": "litellm", "url": silent.url},
                "second": {"kind": "litellm", "url": f"http://127.0.0.1:{full.getsockname()[1]}"},
            },
            routes=[{"name": "r", "when": {"model": ["claude*"]}, "chain": ["$requested", f"{GEMINI}@second"]}],
            timeouts={"connectSeconds": 3, "firstByteSeconds": 1, "idleSeconds": 1, "firstTokenSeconds": 1},
        )
        with Client(sidecar.port) as client:
            begun = time.monotonic()
            client.send(chat())
            answered = client.read()
            took = time.monotonic() - begun
        for one in stuck:
            one.close()
    assert answered.status in (502, 504)
    assert verdicts(sidecar, f"{GEMINI}@second") == {"unreachable": 1}
    assert took > 3.5, "the connect was given up before its limit"


def test_a_connect_that_is_late_is_not_taken_for_another(start_sidecar: Callable[..., Sidecar]) -> None:
    """The whole request's time ends while it connects: one answer, and the process lives."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        stuck = [socket.socket() for _ in range(8)]
        for one in stuck:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        sidecar = start_sidecar(url, routes=ROUTES, timeouts={"connectSeconds": 3, "totalSeconds": 1})
        with Client(sidecar.port) as client:
            client.send(chat())
            assert client.read().status == 504
            # The server takes its connections at last; the one that nobody waits for any more says nothing.
            full.settimeout(0.2)
            for _ in range(12):
                try:
                    full.accept()[0].close()
                except TimeoutError:
                    break
            time.sleep(2.5)
            assert sidecar.process.poll() is None
        for one in stuck:
            one.close()


def test_buffers_that_fill_with_the_last_byte(start_sidecar: Callable[..., Sidecar]) -> None:
    """A request that is complete waits for nobody: it is not refused after 10 s like one that still needs room."""

    def answer(*_: object) -> bytes:
        time.sleep(12)
        return ok()

    with Upstream(answer) as upstream:
        limits = {"maxBufferedBytes": 300_000, "maxBodyBytes": 300_000}
        sidecar = start_sidecar(upstream.url, routes=ROUTES, limits=limits)
        with Client(sidecar.port) as first, Client(sidecar.port) as second:
            first.send(chat(text="x" * 270_000))
            assert wait_for(lambda: len(upstream.requests) == 1)
            second.send(chat(text="y" * 40_000))
            assert [first.read().status, second.read().status] == [200, 200]


def test_http10_client_gets_a_held_stream_whole(start_sidecar: Callable[..., Sidecar]) -> None:
    """What was held until the first token is there, chunk framing taken off."""
    pieces = [b": ping\n\n", delta("one"), delta("two"), b"data: [DONE]\n\n"]

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for piece in pieces:
            exchange.send(chunk(piece))
            time.sleep(0.05)
        exchange.send(b"0\r\n\r\n")

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            client.send(chat(stream=True).replace(b"HTTP/1.1", b"HTTP/1.0"))
            answered = client.read()
    assert answered.header("transfer-encoding") is None
    assert answered.body == b"".join(pieces)


@pytest.mark.parametrize("closes_input", [False, True], ids=["", "half-closed"])
def test_a_slow_reader_of_a_last_answer(closes_input: bool, start_sidecar: Callable[..., Sidecar]) -> None:
    """`Connection: close`: the client has as long as it needs, beyond what the system's buffers hold."""
    body = b"y" * 12_000_000
    with Upstream(lambda *_: ok(body)) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.send(b"GET /v1/files HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n")
            if closes_input:
                client.finish()
            time.sleep(4)
            answered = client.read()
    assert answered.complete and answered.body == body


def test_a_reset_is_no_proper_end(start_sidecar: Callable[..., Sidecar]) -> None:
    """A body that lasts until the connection ends is broken off at the client too when the upstream resets it."""

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf of it")
        time.sleep(0.2)
        exchange.abort()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(b"GET /v1/files HTTP/1.1\r\nHost: s\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                while client.socket.recv(1 << 16):
                    pass


def test_a_client_that_does_not_read_is_not_the_upstreams_fault(start_sidecar: Callable[..., Sidecar]) -> None:
    """The idle limit passes because nobody takes the answer: no verdict on the upstream."""
    body = b"z" * 30_000_000
    with Upstream(lambda *_: ok(body)) as upstream:
        sidecar = start_sidecar(
            upstream.url, routes=ROUTES, timeouts={"idleSeconds": 1}, breaker={"failuresToOpen": 1}
        )
        with Client(sidecar.port) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.send(chat())
            assert wait_for(lambda: any(line.get("error") == "client_stalled" for line in sidecar.log_lines()), 8)
        assert verdicts(sidecar, "other") == {"ok": 1}
        with Client(sidecar.port) as client:
            client.send(chat())
            assert client.read().body == body, "the breaker must not have opened"


def test_pipelined_requests_before_a_half_close(start_sidecar: Callable[..., Sidecar]) -> None:
    """All that was asked is answered; what is not complete is refused."""

    def answer(request: Message, _: Exchange) -> bytes:
        time.sleep(0.2)
        return ok(request.path.encode())

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: s\r\n\r\n" % number for number in range(3)) + b"GET /3 HT")
            client.finish()
            assert [client.read().body for _ in range(3)] == [b"/0", b"/1", b"/2"]
            assert client.read().status == 400
            assert client.is_closed()


def test_an_upgrade_that_nobody_asked_for(start_sidecar: Callable[..., Sidecar]) -> None:
    """101 to an ordinary request is a broken answer, not a tunnel."""
    with Upstream(lambda *_: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n") as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(b"GET /v1/realtime HTTP/1.1\r\nHost: s\r\n\r\n")
            assert client.read().status == 502


def test_a_half_close_before_the_upgrade(start_sidecar: Callable[..., Sidecar]) -> None:
    """The upstream hears of it once the tunnel is open."""
    seen: list[bytes] = []

    def answer(_: Message, exchange: Exchange) -> None:
        time.sleep(0.3)
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        exchange.connection.settimeout(5)
        while data := exchange.connection.recv(100):
            seen.append(data)
        exchange.send(b"good bye")
        exchange.connection.close()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(b"GET /ws HTTP/1.1\r\nHost: s\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nearly")
            client.finish()
            assert client.read_any().status == 100
            assert client.read_any().status == 101
            assert client.unread + client.socket.recv(100) == b"good bye"
            client.unread = b""
            assert client.is_closed()
    assert b"".join(seen) == b"early"
