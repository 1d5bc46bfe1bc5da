"""Answers whose end is known in unusual ways, and connections that end at unusual moments."""

import json
import time
from collections.abc import Callable

import pytest

from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, ROUTES, Sidecar

CHAT = b'{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}'


def request(method: str = "GET", path: str = "/v1/models", body: bytes = b"", *fields: str) -> bytes:
    lines = "".join(f"{field}\r\n" for field in fields)
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: s\r\n{lines}{length}\r\n".encode() + body


WITHOUT_BODY = [
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX-A: 1\r\n\r\n"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("GET", b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
    ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 1234\r\n\r\n'),
]


@pytest.mark.parametrize(("method", "answer"), WITHOUT_BODY, ids=["head", "chunked head", "204", "304"])
def test_answers_without_a_body(method: str, answer: bytes, start_sidecar: Callable[..., Sidecar]) -> None:
    """The next answer on the connection is not taken for their body."""
    answers = iter([answer, ok(b"second")])
    with Upstream(lambda *_: next(answers)) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(request(method))
            while b"\r\n\r\n" not in client.unread:
                client.unread += client.socket.recv(1 << 16)
            head, _, client.unread = client.unread.partition(b"\r\n\r\n")
            assert head.split(b" ")[1] == answer.split(b" ")[1]
            client.send(request())
            assert client.read().body == b"second"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"], ids=["streamed", "inspected"])
def test_interim_answers(path: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """100 and 103 of the upstream are not the answer; the final one is."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    with Upstream(lambda *_: interim + ok(b"final")) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            for _ in range(2):
                client.send(request("POST", path, CHAT))
                assert client.read().body == b"final"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"], ids=["streamed", "inspected"])
def test_answer_that_ends_with_its_connection(path: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """No length and no chunks: the body arrives whole, and its end can be told."""

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nfirst ")
        time.sleep(0.1)
        exchange.send(b"second")
        exchange.connection.close()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            client.send(request("POST", path, CHAT))
            answered = client.read()
    assert answered.body == b"first second"
    assert answered.complete


def test_chunk_extensions_and_trailers_of_an_answer(start_sidecar: Callable[..., Sidecar]) -> None:
    """The body is what the chunks hold; the connection serves the next request."""
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"

    with Upstream(lambda *_: data) as upstream:
        sidecar = start_sidecar(upstream.url)
        for _ in range(2):
            with Client(sidecar.port) as client:
                client.send(request() + request())
                received = b""
                while received.count(b"hello") < 2 or not received.endswith(b"\r\n\r\n"):
                    more = client.socket.recv(1 << 16)
                    assert more, received
                    received += more
        assert received.count(b"HTTP/1.1 200") == 2


def test_answer_before_the_body_has_been_sent(start_sidecar: Callable[..., Sidecar]) -> None:
    """An upstream that refuses an upload early is heard while the client still sends."""
    with Upstream() as upstream:
        upstream.early = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            client.send(b"POST /v1/files HTTP/1.1\r\nHost: s\r\nContent-Length: 100000000\r\n\r\n" + b"a" * 1000)
            answered = client.read()
    assert (answered.status, answered.body) == (413, b"big")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"], ids=["streamed", "inspected"])
def test_kept_connection_that_the_upstream_has_closed(path: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """A reused connection that ends before one byte of the answer costs the client nothing."""
    answered: list[Message] = []

    def answer(message: Message, exchange: Exchange) -> bytes | None:
        if len(upstream.requests) == 2:
            exchange.connection.close()
            return None
        answered.append(message)
        return ok()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            for _ in range(3):
                client.send(request("POST", path, CHAT))
                assert client.read().status == 200
    assert len(upstream.requests) == 4
    assert all(message.body == answered[0].body for message in answered)


def test_one_hiccup_of_the_primary(start_sidecar: Callable[..., Sidecar]) -> None:
    """A first 5xx is asked again at the same model before the fallback is tried."""
    failure = b'{"error":{"message":"litellm.InternalServerError: oops","type":"None","code":"500"}}'

    def answer(message: Message, _: Exchange) -> bytes:
        if len(upstream.requests) > 1:
            return ok()
        return f"HTTP/1.1 500 No\r\nContent-Length: {len(failure)}\r\n\r\n".encode() + failure

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            client.send(request("POST", "/v1/chat/completions", CHAT))
            answered = client.read()
    assert answered.status == 200
    assert answered.header("x-sidecar-model") == CLAUDE
    assert [json.loads(message.body)["model"] for message in upstream.requests] == [CLAUDE, CLAUDE]


def test_buffers_are_bounded(start_sidecar: Callable[..., Sidecar]) -> None:
    """Bodies that are being collected stay under the limit together; who waits too long for room gets 503."""
    limit = 4 << 20
    with Upstream() as upstream:
        sidecar = start_sidecar(
            upstream.url,
            routes=ROUTES,
            limits={"maxBodyBytes": 3 << 20, "maxBufferedBytes": limit, "maxConnections": 100},
        )
        before = sidecar.rss()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: {3 << 20}\r\n\r\n".encode()
        clients = [Client(sidecar.port) for _ in range(8)]
        for client in clients:
            client.socket.setblocking(False)
            client.send_what_fits(head + b"a" * (2 << 20))
        time.sleep(1)
        assert sidecar.rss() - before < limit + (24 << 20)
        clients[-1].socket.setblocking(True)
        clients[-1].socket.settimeout(30)
        assert clients[-1].read().status == 503
        for client in clients:
            client.socket.close()
        assert wait_for(lambda: served(sidecar), 10)


def served(sidecar: Sidecar) -> bool:
    with Client(sidecar.port) as client:
        client.send(request("POST", "/v1/chat/completions", CHAT))
        return client.read().status == 200
