"""A sidecar under a small scripted load: two arms, one of them slower, rate limits, clipping and images."""

import json
import time
from pathlib import Path

import images
from image_answers import completion
from rawhttp import Client, Exchange, Message, Upstream, ok
from stack import Sidecar, free_port, get, post

QUICK, SLOW, BUSY, RESERVE, DRAWS = "claude-quick", "claude-slow", "claude-busy", "gemini-reserve", "claude-draws"
BROKEN_PATH = "/v1/broken"
EXPERIMENT = "other-model"
ARMS = ("control", "slow")
PAUSE_SECONDS = 0.02
ADDED_SECONDS = 0.2
"""What the upstream waits before any answer, and longer for the arm that is to be found slower."""

PRICE = {"inputPerMillion": 3.0, "outputPerMillion": 15.0, "cachedInputPerMillion": 0.3}
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40},
}


def sections(folder: Path) -> dict:
    slower = {"routes": [{"name": "chat", "when": {}, "chain": [SLOW, RESERVE]}]}
    arms = [{"name": ARMS[0], "weight": 50}, {"name": ARMS[1], "weight": 50, "patch": slower}]
    return {
        "listen": {
            "gateway": {"address": f"127.0.0.1:{free_port()}", "upstream": "litellm"},
            "admin": {"address": "127.0.0.1:0", "token": ""},
        },
        # Only names that stand here are labels of metrics.
        "models": [{"match": [QUICK, SLOW, BUSY, RESERVE, DRAWS], "vision": True, "images": "url", "price": PRICE}],
        "routes": [{"name": "chat", "when": {}, "chain": ["$requested", RESERVE]}],
        "clip": {"maxContextTokens": 1200, "on": "always", "blockTokens": 0},
        "breaker": {"cooldownSeconds": 1, "maxCooldownSeconds": 1},
        "experiments": [{"name": EXPERIMENT, "by": "conversation", "when": {"model": [QUICK]}, "arms": arms}],
        "media": {"store": {"kind": "directory", "path": str(folder / "media")}, "publicURL": images.PUBLIC_URL},
    }


def stream(model: str) -> bytes:
    deltas = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("One ", "two ", "three.")]
    events = [*deltas, {"choices": [{"index": 0, "delta": {}}], "usage": USAGE}]
    return b"".join(b"data: %s\n\n" % json.dumps({"model": model, **event}).encode() for event in events)


def answer(request: Message, _: Exchange) -> bytes:
    if request.path == BROKEN_PATH:
        return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    model = body.get("model", "")
    if model == BUSY:
        text = b'{"error":{"message":"litellm.RateLimitError: slow down","type":"throttling_error","code":"429"}}'
        return b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: %d\r\n\r\n" % len(text) + text
    if model == DRAWS:
        return ok(completion([images.data_url(images.png(seed=7))]))
    time.sleep(PAUSE_SECONDS + (ADDED_SECONDS if model == SLOW else 0))
    if body.get("stream"):
        return ok(stream(model) + b"data: [DONE]\n\n", "text/event-stream")
    choice = {"index": 0, "message": {"role": "assistant", "content": "Done."}, "finish_reason": "stop"}
    return ok(json.dumps({"model": model, "choices": [choice], "usage": USAGE}).encode())


def chat(model: str, number: int, streamed: bool = False, turns: int = 1) -> bytes:
    said = [
        {"role": role, "content": f"{number} {turn} " + "move the caption a little " * 40}
        for turn in range(turns)
        for role in ("user", "assistant")
    ]
    messages = [*said, {"role": "user", "content": "And now?"}]
    body = json.dumps({"model": model, "messages": messages, "stream": streamed}).encode()
    return images.post(body, headers=f"X-OpenWebUI-Chat-Id: chat-{number}\r\n")


class Load:
    """The sidecar, its upstream, and what clients do."""

    def __init__(self, folder: Path) -> None:
        self.upstream = Upstream(answer)
        folder.mkdir()
        self.sidecar = Sidecar(folder, self.upstream.url, **self.sections(folder))
        self.conversations = 0

    def sections(self, folder: Path) -> dict:
        """What is configured."""
        return sections(folder)

    def stop(self) -> int:
        status = self.sidecar.stop()
        self.upstream.__exit__()
        return status

    def requests(self) -> list[bytes]:
        """Every kind of request; four conversations take part in the experiment."""
        first = self.conversations
        self.conversations += 4
        pictures = [images.data_url(images.png(seed=seed)) for seed in (1, first + 2)]
        return [
            *(chat(QUICK, first + number, streamed=True, turns=8) for number in range(4)),
            chat(BUSY, first),
            chat(BUSY, first + 1),
            chat(RESERVE, first),
            images.post(images.body_of_chat(*pictures, model=DRAWS)),
            images.post(b'{"model": '),
            f"GET {BROKEN_PATH} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode(),
        ]

    def round(self) -> None:
        with Client(self.sidecar.port) as client:
            for request in self.requests():
                client.send(request)
                client.read()
        post(f"{self.sidecar.admin}/reload", {})
        get(f"{self.sidecar.admin}/status")
