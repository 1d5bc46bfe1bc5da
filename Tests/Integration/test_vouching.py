"""Where the sidecar spends a key of its own: who may use it, and what leaves the house."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rawhttp import Client, Message, Upstream, ok
from stack import CLAUDE, GEMINI, Sidecar

HOUSE_KEY = "house-key-7f3a"
LEAKS = ["sk-", "session=", "x-openwebui", "x-forwarded", "via", "cookie", "x-sidecar"]


class House:
    """A LiteLLM that knows some keys, and a provider outside that records what it is sent."""

    def __init__(self) -> None:
        self.models = {"sk-good": [CLAUDE, GEMINI], "sk-other": ["gpt-5-test"], "sk-all": ["claude*"]}
        self.is_up = True
        self.status = 429
        self.questions = self.answered = self.most_at_once = 0
        self.asking = threading.Lock()
        self.pause = 0.0
        self.litellm = Upstream(self.answer_inside)
        self.provider = Upstream(lambda *_: ok(b'{"from":"outside"}'))

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        self.litellm.__exit__()
        self.provider.__exit__()

    def answer_inside(self, request: Message, _: object) -> bytes:
        key = (request.header("authorization") or "").removeprefix("Bearer ")
        if request.path == "/v1/models":
            self.questions += 1
            with self.asking:
                self.most_at_once = max(self.most_at_once, self.questions - self.answered)
            time.sleep(self.pause)
            self.answered += 1
            if not self.is_up:
                return error(503, "down")
            if key not in self.models:
                return error(401, "Invalid proxy server token passed")
            return ok(json.dumps({"object": "list", "data": [{"id": name} for name in self.models[key]]}).encode())
        if not self.is_up:
            return error(503, "down")
        return error(self.status, "slow down") if key in self.models or key == "sk-listed" else error(401, "no key")

    def sidecar(self, start_sidecar: Callable[..., Sidecar], **listener: object) -> Sidecar:
        anywhere = "127.0.0.1:0"
        return start_sidecar(
            self.litellm.url,
            listen={
                "gateway": {"address": anywhere, "upstream": "litellm", **listener},
                "admin": {"address": anywhere},
            },
            upstreams={
                "litellm": {"kind": "litellm", "url": self.litellm.url},
                "google": {"kind": "openai", "url": f"{self.provider.url}/v1beta/openai", "bearer": HOUSE_KEY},
            },
            models=[{"match": ["gemini*"], "contextTokens": 8_000}],
            routes=[{"name": "claude", "when": {"model": ["claude*"]}, "chain": ["$requested", f"{GEMINI}@google"]}],
            breaker={"rateLimitsToOpen": 1000, "failuresToOpen": 1000},
        )


def error(status: int, message: str) -> bytes:
    body = json.dumps({"error": {"message": message, "type": "x", "param": None, "code": str(status)}}).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def ask(sidecar: Sidecar, key: str | None, **fields: object) -> Message:
    body = {"model": CLAUDE, "messages": [{"role": "user", "content": "hi"}], **fields}
    data = json.dumps(body).encode()
    lines = [f"Authorization: Bearer {key}"] if key else []
    lines += ["Cookie: session=1", "X-OpenWebUI-User-Email: a@b.c", "X-Api-Key: sk-second", "User-Agent: sdk/1"]
    if key is None:
        lines.remove("X-Api-Key: sk-second")
    lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: house\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    with Client(sidecar.port) as client:
        client.send(head.encode() + data)
        return client.read()


def test_a_known_client_reaches_the_provider(start_sidecar: Callable[..., Sidecar]) -> None:
    """LiteLLM is asked once; the provider sees the house's key, standard fields and nothing of the client's."""
    with House() as house:
        sidecar = house.sidecar(start_sidecar)
        private = {"user": "sk-me", "metadata": {"chat_id": "1"}, "max_tokens": 64_000, "vendor": 1, "top_p": 0.5}
        for _ in range(3):
            assert ask(sidecar, "sk-good", **private).body == b'{"from":"outside"}'
        assert house.questions == 1
        for request in house.provider.requests:
            assert request.path == "/v1beta/openai/chat/completions"
            assert request.header("authorization") == f"Bearer {HOUSE_KEY}"
            assert request.header("host") == house.provider.url.removeprefix("http://")
            assert request.header("user-agent") == "sdk/1"
            text = "\n".join(f"{name}: {value}" for name, value in request.headers).lower()
            assert not [leak for leak in LEAKS if leak in text]
            body = json.loads(request.body)
            assert set(body) == {"model", "messages", "max_tokens", "top_p"}
            assert (body["model"], body["max_tokens"]) == (GEMINI, 8_000)


@pytest.mark.parametrize("key", ["sk-unknown", "sk-other", None], ids=["unknown", "other model", "no key"])
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_who_is_not_vouched_for(key: str | None, is_up: bool, start_sidecar: Callable[..., Sidecar]) -> None:
    """An unknown key, one for another model, none at all: never, whether LiteLLM is up or down."""
    with House() as house:
        house.is_up = is_up
        sidecar = house.sidecar(start_sidecar)
        for _ in range(3):
            answer = ask(sidecar, key)
            assert answer.status in (401, 429, 503)
        assert not house.provider.requests
        assert house.questions <= 1


def test_a_known_client_while_litellm_is_down(start_sidecar: Callable[..., Sidecar]) -> None:
    """Who was vouched for stays so; who was not, is not."""
    with House() as house:
        sidecar = house.sidecar(start_sidecar)
        assert ask(sidecar, "sk-good").status == 200
        house.is_up = False
        assert ask(sidecar, "sk-good").status == 200
        assert ask(sidecar, "sk-new").status == 503


def test_a_revoked_key(start_sidecar: Callable[..., Sidecar]) -> None:
    """LiteLLM's own 401 to a request ends it at once."""
    texts = [{"messages": [{"role": "user", "content": f"chat {number}"}]} for number in range(3)]
    with House() as house:
        sidecar = house.sidecar(start_sidecar)
        assert ask(sidecar, "sk-good", **texts[0]).status == 200
        del house.models["sk-good"]
        assert ask(sidecar, "sk-good", **texts[1]).status == 401
        house.is_up = False
        assert ask(sidecar, "sk-good", **texts[2]).status == 503
        assert ask(sidecar, "sk-good", **texts[0]).status == 503, "its moved conversation neither"
        assert len(house.provider.requests) == 1


def test_a_wildcard_in_the_list(start_sidecar: Callable[..., Sidecar]) -> None:
    with House() as house:
        assert ask(house.sidecar(start_sidecar), "sk-all").status == 200


def test_client_keys(start_sidecar: Callable[..., Sidecar]) -> None:
    """A key of the configuration needs nobody else's word."""
    with House() as house:
        sidecar = house.sidecar(start_sidecar, clientKeys=["sk-listed"])
        assert ask(sidecar, "sk-listed").status == 200
        assert house.questions == 0
        assert ask(sidecar, "sk-listed2").status == 401
        assert "sk-listed" not in sidecar.output()
        assert HOUSE_KEY not in sidecar.output() + sidecar.metrics()


def test_a_flood_of_unknown_keys(start_sidecar: Callable[..., Sidecar]) -> None:
    """LiteLLM is asked a bounded number of questions at a time; who is known is served meanwhile."""
    with House() as house:
        sidecar = house.sidecar(start_sidecar)
        assert ask(sidecar, "sk-good").status == 200
        # LiteLLM knows them all, so that its 429 sends each to the provider, where it has to be vouched for.
        house.models = dict.fromkeys([f"sk-{number}" for number in range(200)], ["gpt-5-test"]) | house.models
        house.pause = 0.5
        with ThreadPoolExecutor(200) as pool:
            answers = [pool.submit(ask, sidecar, f"sk-{number}") for number in range(200)]
            assert ask(sidecar, "sk-good").status == 200
            assert {answer.result().status for answer in answers} == {429}
        assert 0 < house.most_at_once <= 64
        assert len(house.provider.requests) == 2
