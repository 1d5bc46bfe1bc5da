"""Arms of an experiment, as clients and metrics see them."""

import json
from collections.abc import Callable

import pytest

from rawhttp import Client, Message, Upstream, ok
from stack import CLAUDE, ROUTES, Sidecar

EXPERIMENT = {
    "name": "other-model",
    "by": "conversation",
    "arms": [
        {"name": "control", "weight": 50},
        {"name": "tried", "weight": 50, "patch": {"routes": [{"name": "new", "when": {}, "chain": ["tried-model"]}]}},
    ],
}
CONVERSATIONS = 300


def model_of(request: Message) -> str:
    return json.loads(request.body)["model"]


def ask(client: Client, chat: str, text: str = "hello", **headers: str) -> Message:
    body = json.dumps({"model": CLAUDE, "messages": [{"role": "user", "content": text}]}).encode()
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"X-OpenWebUI-Chat-Id: {chat}\r\nAuthorization: Bearer sk-a\r\n{lines}Content-Length: {len(body)}"
    client.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\n{head}\r\n\r\n".encode() + body)
    return client.read()


def arms(sidecar: Sidecar) -> list[str]:
    with Client(sidecar.port) as client:
        return [ask(client, f"chat-{number}").header("x-sidecar-arm") for number in range(CONVERSATIONS)]


def test_arms_are_the_same_everywhere(start_sidecar: Callable[..., Sidecar]) -> None:
    """A conversation has the same arm in another process, and each arm its settings, header, labels and log."""
    with Upstream() as upstream:
        first, second = (
            start_sidecar(upstream.url, routes=ROUTES, experiments=[EXPERIMENT]) for _ in range(2)
        )
        drawn = arms(first)
        assert drawn == arms(second)
        assert set(drawn) == {"control", "tried"}
        asked = [model_of(request) for request in upstream.requests[:CONVERSATIONS]]
        assert asked == [CLAUDE if arm == "control" else "tried-model" for arm in drawn]
        labels = 'model="tried-model",experiment="other-model",arm="tried",status="2xx"'
        line = next(line for line in first.metrics().splitlines() if labels in line)
        assert int(line.split()[-1]) == drawn.count("tried")
        logged = [line["arm"] for line in first.log_lines() if line["msg"] == "request"]
        assert logged == drawn[: len(logged)]


def test_tasks_take_no_part(start_sidecar: Callable[..., Sidecar]) -> None:
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, experiments=[EXPERIMENT])
        with Client(sidecar.port) as client:
            assert ask(client, "chat", "### Task:\nWrite a title.").header("x-sidecar-arm") is None


@pytest.mark.parametrize("allowed", [True, False])
def test_a_forced_arm(allowed: bool, start_sidecar: Callable[..., Sidecar], monkeypatch: pytest.MonkeyPatch) -> None:
    """`x-sidecar-arm` is obeyed only where SIDECAR_ALLOW_ARM_HEADER=1, and goes to no upstream."""
    monkeypatch.setenv("SIDECAR_ALLOW_ARM_HEADER", "1" if allowed else "0")
    with Upstream(lambda *_: ok()) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, experiments=[EXPERIMENT])
        with Client(sidecar.port) as client:
            drawn = {ask(client, f"chat-{n}", x_sidecar_arm="tried").header("x-sidecar-arm") for n in range(40)}
            assert drawn == ({"tried"} if allowed else {"control", "tried"})
        assert all(request.header("x-sidecar-arm") is None for request in upstream.requests)
