"""Where a conversation goes after its model had to rest, and how long somebody waits for a model."""

import json
import time
from collections.abc import Callable

from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, GEMINI, ROUTES, Sidecar

USER = {"role": "user", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TOOL_TURN = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
TOOL_TURN += [{"role": "tool", "tool_call_id": "c1", "content": "seen"}]


class Provider:
    """Answers for each model as it is told, and keeps the names of those that were asked."""

    def __init__(self) -> None:
        self.limited: dict[str, int] = {}
        """Seconds of rest that a model asks for."""
        self.asked: list[str] = []

    def __call__(self, request: Message, _: Exchange) -> bytes:
        model = json.loads(request.body)["model"]
        self.asked.append(model)
        if model in self.limited:
            fields = f"Content-Type: application/json\r\nRetry-After: {self.limited[model]}\r\nContent-Length: 2"
            return f"HTTP/1.1 429 Slow\r\n{fields}\r\n\r\n{{}}".encode()
        return ok()


def ask(
    client: Client, chat: str, messages: list[dict] | None = None, key: str = "sk-a", model: str = CLAUDE
) -> str:
    """Who answered a request of a conversation."""
    body = json.dumps({"model": model, "messages": messages or [USER]}).encode()
    head = f"X-OpenWebUI-Chat-Id: {chat}\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}"
    client.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\n{head}\r\n\r\n".encode() + body)
    return client.read().header("x-sidecar-model")


def start(start_sidecar: Callable[..., Sidecar], upstream: Upstream, **fallback: float) -> Sidecar:
    breaker = {"cooldownSeconds": 1, "maxCooldownSeconds": 1}
    return start_sidecar(upstream.url, routes=ROUTES, breaker=breaker, fallback=fallback)


def test_a_moved_conversation_stays(start_sidecar: Callable[..., Sidecar]) -> None:
    """It stays for stickySeconds while others go back, and also after that until a turn begins."""
    provider = Provider()
    with Upstream(provider) as upstream:
        sidecar = start(start_sidecar, upstream, stickySeconds=4)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            assert ask(client, "moved") == GEMINI
            moved = time.monotonic()
            del provider.limited[CLAUDE]
            time.sleep(1.2)
            assert ask(client, "other") == CLAUDE, "the probe"
            assert ask(client, "moved") == GEMINI
            assert ask(client, "moved", key="sk-b") == CLAUDE, "nobody can name another's conversation"
            assert ask(client, "other", TOOL_TURN) == CLAUDE
            time.sleep(max(0, moved + 4.2 - time.monotonic()))
            assert ask(client, "moved", TOOL_TURN) == GEMINI, "not between a tool call and its result"
            assert ask(client, "moved") == CLAUDE
            assert ask(client, "moved", TOOL_TURN) == CLAUDE


def test_models_side_by_side_go_their_own_ways(start_sidecar: Callable[..., Sidecar]) -> None:
    """One chat asks two models: that the one is well does not bring the other back."""
    provider = Provider()
    with Upstream(provider) as upstream:
        sidecar = start(start_sidecar, upstream, stickySeconds=600)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            assert ask(client, "chat") == GEMINI
            del provider.limited[CLAUDE]
            assert ask(client, "chat", model="claude-other") == "claude-other"
            time.sleep(1.2)
            assert ask(client, "another chat") == CLAUDE
            assert ask(client, "chat") == GEMINI


def test_time_that_is_over_is_nobody_elses_fault(start_sidecar: Callable[..., Sidecar]) -> None:
    """The limit of the whole request ends it: the next target is not asked without any time left."""
    asked: list[str] = []

    def answer(request: Message, exchange: Exchange) -> bytes:
        asked.append(json.loads(request.body)["model"])
        if asked[-1] == CLAUDE:
            exchange.closes_within(5)
        return ok()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, timeouts={"totalSeconds": 1})
        with Client(sidecar.port) as client:
            body = json.dumps({"model": CLAUDE, "messages": [USER]}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: {len(body)}\r\n\r\n"
            client.send(head.encode() + body)
            refused = client.read()
        assert refused.status == 504
        assert refused.header("x-sidecar-attempts") == f"{CLAUDE}=timeout"
        assert asked == [CLAUDE]
        assert wait_for(lambda: any(line.get("attempts") == [f"{CLAUDE}=timeout"] for line in sidecar.log_lines()))


def test_a_probe_that_uses_up_the_limit(start_sidecar: Callable[..., Sidecar]) -> None:
    """It was answered, and yet the next request would be too much: the breaker opens again."""
    name = "llm_provider-anthropic-ratelimit-requests"
    provider = Provider()

    def answer(request: Message, exchange: Exchange) -> bytes:
        response = provider(request, exchange)
        if not response.startswith(b"HTTP/1.1 200") or provider.asked[-1] != CLAUDE:
            return response
        reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))
        return response.replace(b"\r\n", f"\r\n{name}-remaining: 0\r\n{name}-reset: {reset}\r\n".encode(), 1)

    with Upstream(answer) as upstream:
        sidecar = start(start_sidecar, upstream)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            assert ask(client, "one") == GEMINI
            del provider.limited[CLAUDE]
            time.sleep(1.2)
            assert ask(client, "two") == CLAUDE, "the probe"
            assert ask(client, "three") == GEMINI


def test_a_probe_ends_the_stay(start_sidecar: Callable[..., Sidecar]) -> None:
    """One designer alone: the start of a turn may be the probe, and its success ends the stay."""
    provider = Provider()
    with Upstream(provider) as upstream:
        sidecar = start(start_sidecar, upstream, stickySeconds=600)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            assert ask(client, "alone") == GEMINI
            assert ask(client, "alone") == GEMINI
            assert provider.asked.count(CLAUDE) == 1
            del provider.limited[CLAUDE]
            time.sleep(1.2)
            assert ask(client, "alone", TOOL_TURN) == GEMINI, "a tool turn is no probe"
            assert ask(client, "alone") == CLAUDE
            assert ask(client, "alone") == CLAUDE


def test_tasks_are_not_kept_anywhere(start_sidecar: Callable[..., Sidecar]) -> None:
    """A background task neither moves its conversation nor follows it."""
    provider = Provider()
    task = [{"role": "user", "content": "### Task:\nWrite a title."}]
    with Upstream(provider) as upstream:
        sidecar = start(start_sidecar, upstream, stickySeconds=600)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            assert ask(client, "chat", task) == GEMINI
            del provider.limited[CLAUDE]
            time.sleep(1.2)
            assert ask(client, "other") == CLAUDE
            assert ask(client, "chat") == CLAUDE


def test_patience(start_sidecar: Callable[..., Sidecar]) -> None:
    """A target that says to come back soon is waited for and asked once more."""
    provider = Provider()

    def answer(request: Message, exchange: Exchange) -> bytes:
        response = provider(request, exchange)
        provider.limited.pop(CLAUDE, None)
        return response

    with Upstream(answer) as upstream:
        sidecar = start(start_sidecar, upstream, patienceSeconds=3)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            begun = time.monotonic()
            assert ask(client, "chat") == CLAUDE
            assert time.monotonic() - begun >= 1
            assert provider.asked == [CLAUDE, CLAUDE]
            time.sleep(1.2)
            provider.limited[CLAUDE] = 30
            assert ask(client, "chat") == GEMINI, "too long to be waited for"


def test_a_client_that_leaves_while_a_target_is_waited_for(start_sidecar: Callable[..., Sidecar]) -> None:
    """Nothing is sent for it any more."""
    provider = Provider()
    with Upstream(provider) as upstream:
        sidecar = start(start_sidecar, upstream, patienceSeconds=3)
        with Client(sidecar.port) as client:
            provider.limited[CLAUDE] = 1
            body = json.dumps({"model": CLAUDE, "messages": [USER]}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: {len(body)}\r\n\r\n"
            client.send(head.encode() + body)
            time.sleep(0.4)
            client.break_off()
        time.sleep(1.5)
        assert provider.asked == [CLAUDE]
        with Client(sidecar.port) as client:
            assert ask(client, "next") == GEMINI


def test_a_limit_that_is_used_up(start_sidecar: Callable[..., Sidecar]) -> None:
    """A good answer that says that nothing remains opens the breaker before the first 429."""
    asked: list[str] = []

    def answer(request: Message, _: Exchange) -> bytes:
        asked.append(json.loads(request.body)["model"])
        if asked[-1] != CLAUDE:
            return ok()
        reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))
        name = "llm_provider-anthropic-ratelimit-requests"
        fields = f"{name}-remaining: 0\r\n{name}-reset: {reset}\r\nContent-Type: application/json"
        return f"HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: 2\r\n\r\n{{}}".encode()

    with Upstream(answer) as upstream:
        sidecar = start(start_sidecar, upstream)
        with Client(sidecar.port) as client:
            assert ask(client, "one") == CLAUDE
            assert ask(client, "two") == GEMINI
    assert asked == [CLAUDE, GEMINI]
