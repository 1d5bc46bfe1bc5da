"""`explain` says what `serve` then does: the same route, arm, target, clip and bytes."""

import json
import random
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rawhttp import Client, Message, Upstream, capture, capture_names, ok, parse
from stack import GEMINI, Sidecar

GENERATED = 1000
SECTIONS = {
    "models": [
        {"match": ["claude*"], "vision": True, "contextTokens": 200_000, "tokenScale": 1.25},
        {"match": ["gemini*"], "vision": True, "contextTokens": 4_000},
        {"match": ["blind*"], "vision": False},
    ],
    "routes": [
        {"name": "tasks", "when": {"task": True}, "chain": ["gemini-3-flash", "$requested"]},
        {"name": "vision", "when": {"images": True, "vision": False}, "chain": [GEMINI]},
        {"name": "urgent", "when": {"contains": ["urgent"]}, "chain": ["gemini-3-flash"]},
        {"name": "long", "when": {"minTokens": 2_500}, "chain": [GEMINI, "$requested"]},
        {"name": "vip", "when": {"header": {"x-tier": "gold*"}}, "chain": ["$requested", GEMINI]},
        {"name": "claude", "when": {"model": ["claude*", "blind*"]}, "chain": ["$requested", GEMINI]},
    ],
    "clip": {"maxContextTokens": 1_500, "on": "always", "blockTokens": 500, "pin": ["keep this"]},
    "experiments": [
        {
            "name": "tight",
            "when": {"model": ["claude*"]},
            "arms": [
                {"name": "control", "weight": 50},
                {"name": "half", "weight": 50, "patch": {"clip": {"maxContextTokens": 750}}},
            ],
        }
    ],
}


@dataclass
class Request:
    """A POST with its headers less those about framing."""

    path: str
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


def fixtures() -> Iterator[Request]:
    """Every captured POST whose body is whole."""
    for name in capture_names():
        message = parse(capture(name)[0])
        if message.start.startswith("POST "):
            framing = {"content-length", "transfer-encoding", "connection", "host", "accept-encoding"}
            headers = [(key, value) for key, value in message.headers if key.lower() not in framing]
            yield Request(message.path, message.body, headers)


def generated(seed: int) -> Request:
    """A request by chance: any mixture of what routes, clip and experiments look at."""
    chance = random.Random(seed)
    if chance.random() < 0.03:
        return Request("/v1/chat/completions", chance.choice([b"{", b"[]", b'{"messages":1}', b"null"]))
    messages = [{"role": "system", "content": "Be brief. " * chance.randrange(20)}] if chance.random() < 0.6 else []
    for turn in range(chance.randrange(1, 14)):
        messages += generated_turn(chance, turn)
    if chance.random() < 0.1:
        messages.append({"role": "user", "content": "### Task:\nWrite a title."})
    model = chance.choice(["claude-sonnet-4-5", "claude-busy", "gemini-3-pro", "blind-1", "gpt-5-test", "unknown"])
    body = {"model": model, "messages": messages, "stream": chance.random() < 0.5, "vendor_field": {"x": [1.50, "é"]}}
    headers = [("Authorization", f"Bearer sk-{chance.randrange(4)}")]
    if chance.random() < 0.5:
        headers.append(("X-OpenWebUI-Chat-Id", f"chat-{chance.randrange(50)}"))
    if chance.random() < 0.2:
        headers.append(("X-Tier", chance.choice(["gold-1", "silver"])))
    path = chance.choice(["/v1/chat/completions", "/chat/completions"])
    return Request(path, json.dumps(body, ensure_ascii=chance.random() < 0.5).encode(), headers)


def generated_turn(chance: random.Random, turn: int) -> list[dict]:
    words = chance.choice(["apple ", "Größe ", "字体 ", "urgent " if chance.random() < 0.1 else "font "])
    text = f"turn {turn}: " + words * chance.randrange(1, 160)
    if chance.random() < 0.05:
        text += " keep this"
    content: object = text
    if chance.random() < 0.1:
        url = {"url": "data:image/png;base64," + "iVBORw0KGgo" * chance.randrange(1, 30)}
        content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": url}]
    messages: list[dict] = [{"role": "user", "content": content}]
    if chance.random() < 0.3:
        call = {"id": f"call_{turn}", "type": "function", "function": {"name": "look", "arguments": '{"q":"x"}'}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        if chance.random() < 0.95:
            messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": words * chance.randrange(200)})
    if chance.random() < 0.8:
        messages.append({"role": "assistant", "content": words * chance.randrange(1, 120)})
    return messages


def explained(sidecar: Sidecar, request: Request) -> dict:
    renamed = {"authorization": "x-explain-authorization"}
    headers = {renamed.get(name.lower(), name): value for name, value in request.headers}
    headers["x-explain-path"] = request.path
    asked = urllib.request.Request(f"{sidecar.admin}/explain", request.body, headers, method="POST")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)


def served(client: Client, request: Request) -> Message:
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
    head = f"POST {request.path} HTTP/1.1\r\nHost: s\r\n{lines}Content-Length: {len(request.body)}\r\n\r\n"
    client.send(head.encode() + request.body)
    return client.read()


def model_of(body: bytes) -> str | None:
    try:
        return json.loads(body)["model"]
    except (ValueError, TypeError, KeyError):
        return None


def test_explain_equals_serve(start_sidecar: Callable[..., Sidecar], report: Callable[[str], None]) -> None:
    """Over all captured requests and 1,000 generated ones."""
    requests = [*fixtures(), *map(generated, range(GENERATED))]
    clipped = armed = refused = 0
    with Upstream(lambda *_: ok()) as upstream:
        sidecar = start_sidecar(upstream.url, **SECTIONS)
        with Client(sidecar.port) as client:
            for place, request in enumerate(requests):
                plan = explained(sidecar, request)
                step = next((step for step in plan["attempts"] if "problem" not in step), None)
                count = len(upstream.requests)
                answer = served(client, request)
                if step is None:
                    assert answer.status == 400 and len(upstream.requests) == count, (place, plan)
                    refused += 1
                    continue
                sent = upstream.requests[-1]
                assert answer.header("x-sidecar-route") == plan.get("route"), (place, plan)
                assert answer.header("x-sidecar-arm") == plan.get("arm"), (place, plan)
                assert answer.header("x-sidecar-clip") == step.get("clip"), (place, plan)
                assert len(sent.body) == step["bytes"], (place, plan)
                if plan["understood"]:
                    assert step["target"] == f"{model_of(sent.body) or ''}@litellm", (place, plan)
                clipped, armed = clipped + ("clip" in step), armed + ("arm" in plan)
    assert clipped > 100 and armed > 100, "hardly any request was clipped or took part in the experiment"
    report(f"explain = serve over {len(requests)} requests: {clipped} clipped, {armed} in an arm, {refused} refused")
