"""How connections and the process end: clients that leave, and SIGTERM."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable

import openai
import pytest

from rawhttp import Client, Exchange, Message, Upstream, wait_for
from stack import CLAUDE, ROUTES, Provider, Sidecar


def chat(model: str = CLAUDE, text: str = "hi", stream: bool = False) -> bytes:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}).encode()
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def paced(events: int, gap: float) -> Callable[[Message, Exchange], None]:
    """A stream with pauses."""

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(events):
            data = b'data: {"choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n' % number
            exchange.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            time.sleep(gap)
        exchange.send(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    return answer


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files"], ids=["inspected", "streamed"])
@pytest.mark.parametrize("model", ["no-route", CLAUDE])
def test_a_client_that_breaks_off_before_the_answer(
    model: str, path: str, end: str, start_sidecar: Callable[..., Sidecar]
) -> None:
    """The upstream connection is closed within a second."""
    left_after: list[float] = []
    broke_off = threading.Event()

    def answer(_: Message, exchange: Exchange) -> None:
        broke_off.wait(10)
        begun = time.monotonic()
        assert exchange.closes_within(10)
        left_after.append(time.monotonic() - begun)

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        client = Client(sidecar.port)
        client.send(chat(model).replace(b"/v1/chat/completions", path.encode()))
        assert wait_for(lambda: len(upstream.requests) == 1)
        if end == "reset":
            client.break_off()
        else:
            client.socket.close()
        broke_off.set()
        assert wait_for(lambda: len(left_after) == 1, 12)
    assert left_after[0] < 1


def test_a_client_that_leaves_a_stream(start_sidecar: Callable[..., Sidecar]) -> None:
    """Mid-stream a closed client ends the upstream's connection within a second."""
    ended: list[float] = []

    def answer(request: Message, exchange: Exchange) -> None:
        try:
            paced(200, 0.05)(request, exchange)
        except OSError:
            ended.append(time.monotonic())
            raise

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        client = Client(sidecar.port)
        client.send(chat(stream=True))
        assert client.socket.recv(1)
        client.socket.close()
        closed = time.monotonic()
        assert wait_for(lambda: len(ended) == 1, 15)
    assert ended[0] - closed < 1


async def test_a_client_that_leaves_stops_the_provider(
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
) -> None:
    """Behind a real LiteLLM too: the provider's call ends soon after its client has gone."""
    sidecar = start_routed()
    provider.play(CLAUDE, "ok", text="word " * 400, chunks=200, pace=0.1)
    messages = [{"role": "user", "content": "hello"}]
    stream = await client_of(sidecar.gateway).chat.completions.create(model=CLAUDE, messages=messages, stream=True)
    await stream.__anext__()
    await stream.close()
    assert wait_for(lambda: provider.record(CLAUDE)["left"] == 1, 10)


def test_drain(start_sidecar: Callable[..., Sidecar]) -> None:
    """SIGTERM: no new connection, the stream in flight ends whole, exit status 0."""
    with Upstream(paced(20, 0.1)) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client, Client(sidecar.port) as idle:
            client.send(chat(stream=True))
            assert client.socket.recv(1, socket.MSG_PEEK)
            sidecar.process.send_signal(signal.SIGTERM)
            sidecar.stopped_by_test = True
            time.sleep(0.3)
            with pytest.raises(OSError):
                Client(sidecar.port)
            assert idle.is_closed(), "an idle connection is kept while draining"
            answer = client.read()
        assert answer.complete
        assert answer.body.count(b"data: ") == 21 and answer.body.endswith(b"data: [DONE]\n\n")
        assert sidecar.process.wait(20) == 0
