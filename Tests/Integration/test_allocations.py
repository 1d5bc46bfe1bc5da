"""What the sidecar allocates for a request: a gate against costs that come back unseen.

Allocations are counted by a preloaded library. Unlike times they are the same on every machine: what is asserted is
a tenth above what was measured.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import preload
from rawhttp import Client, Exchange, Message, Upstream, ok
from stack import Sidecar

WARM_UP = 100
ROUNDS = 200
EVENTS = 100
ROUTES = [{"name": "chat", "when": {}, "chain": ["$requested", "other"]}]
MODELS = [{"match": ["*"], "contextTokens": 200_000}]


@dataclass
class Allocations:
    """As counted up to now."""

    path: Path

    def read(self) -> tuple[int, int]:
        count, size = struct.unpack("<QQ", self.path.read_bytes())
        return count, size


@pytest.fixture
def allocations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Allocations:
    counts = tmp_path / "allocations"
    monkeypatch.setenv("LD_PRELOAD", str(preload.build("allocations", tmp_path)))
    monkeypatch.setenv("ALLOCATION_COUNTS", str(counts))
    return Allocations(counts)


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 400, "completion_tokens": 5, "total_tokens": 405},
}
EVENT = b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'


def whole(_: Message, __: Exchange) -> bytes:
    return ok(json.dumps(ANSWER).encode())


def stream(_: Message, __: Exchange) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [EVENT] * EVENTS + [b"data: [DONE]\n\n"])
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n\r\n"


def chat(turns: int, words: int, **members: object) -> bytes:
    roles = ["user", "assistant"]
    history = [{"role": roles[turn % 2], "content": f"{turn} " + "word " * words} for turn in range(turns)]
    return json.dumps({"model": "m", "messages": history} | members).encode()


SHORT = chat(5, 70)
HISTORY = chat(61, 650)


@pytest.mark.parametrize(
    ("path", "body", "answer", "most"),
    [
        ("/v1/chat/completions", SHORT, whole, 45),
        ("/v1/chat/completions", HISTORY, whole, 50),
        ("/v1/chat/completions", chat(5, 70, stream=True), stream, 47),
        ("/v1/files", SHORT, whole, 16),
    ],
    ids=["2 KB", "200 KB", "stream of 100 events", "not inspected"],
)
def test_allocations_of_a_request(
    path: str,
    body: bytes,
    answer: Callable[[Message, Exchange], bytes],
    most: float,
    allocations: Allocations,
    start_sidecar: Callable[..., Sidecar],
) -> None:
    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=MODELS)
        with Client(sidecar.port) as client:
            send(client, path, body, WARM_UP)
            before, _ = allocations.read()
            send(client, path, body, ROUNDS)
            after, _ = allocations.read()
    each = (after - before) / ROUNDS
    print(f"{each:.1f} allocations")
    assert each <= most


def send(client: Client, path: str, body: bytes, count: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer sk-1\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(count):
        client.send(head.encode() + body)
        assert client.read().status == 200
