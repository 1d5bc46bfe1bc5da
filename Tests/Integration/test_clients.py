"""The clients of the house: Open WebUI as captured, the OpenAI SDK with tools, WebSockets, Dify."""

import asyncio
import json
import socket
import time
from collections.abc import Callable

import openai
import pytest
import websockets

from chat import TOOL
from rawhttp import Client, Exchange, Message, Upstream, capture, ok, parse
from stack import CLAUDE, GEMINI, Provider, Sidecar

CALLS = ["owui-chat-stream", "owui-task-followups", "owui-task-title", "owui-task-tags"]


def test_open_webui_conversation(start_sidecar: Callable[..., Sidecar]) -> None:
    """The four calls of one user message, on one connection that stays open."""
    responses = iter([capture(name)[1] for name in CALLS])
    with Upstream(lambda request, _: next(responses)) as upstream:
        sidecar = start_sidecar(upstream.url, routes=[])
        with Client(sidecar.port) as client:
            for name in CALLS:
                request, response = capture(name)
                client.send(request)
                assert client.read().body == parse(response).body
        bodies = [json.loads(request.body) for request in upstream.requests]
    assert len(bodies[0]["tools"]) == 28
    assert [body["stream"] for body in bodies] == [True, False, False, False]
    chats = {request.header("x-openwebui-chat-id") for request in upstream.requests}
    assert len(chats) <= 2 and all(chats)


def test_open_webui_tasks_take_their_route(start_sidecar: Callable[..., Sidecar]) -> None:
    """Titles, tags and follow-ups go to the small model; the chat itself does not."""
    routes = [{"name": "tasks", "when": {"task": True}, "chain": ["gemini-3-flash", "$requested"]}]
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes)
        with Client(sidecar.port) as client:
            for name in CALLS:
                client.send(capture(name)[0])
                assert client.read().status == 200
        models = [json.loads(request.body)["model"] for request in upstream.requests]
    assert models == [json.loads(parse(capture(CALLS[0])[0]).body)["model"], *["gemini-3-flash"] * 3]


def test_open_webui_images_survive_a_fallback(start_sidecar: Callable[..., Sidecar]) -> None:
    """A chat that carries its pictures again on every turn reaches the fallback with every one of them."""
    request = capture("owui-chat-multiturn-image-by-file-id")[0]
    requested = json.loads(parse(request).body)["model"]
    limited = b'{"error":{"message":"litellm.RateLimitError: slow down","type":"throttling_error","code":"429"}}'

    def answer(request: Message, _: Exchange) -> bytes:
        if json.loads(request.body)["model"] == requested:
            head = f"HTTP/1.1 429 Too Many Requests\r\nContent-Length: {len(limited)}\r\n\r\n"
            return head.encode() + limited
        return ok(b"data: [DONE]\n\n", "text/event-stream")

    routes = [{"name": "all", "when": {"model": [requested]}, "chain": ["$requested", GEMINI]}]
    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes)
        with Client(sidecar.port) as client:
            client.send(request)
            assert client.read().header("x-sidecar-model") == GEMINI
        sent, fallback = parse(request).body, upstream.requests[1].body
    assert json.loads(fallback)["messages"] == json.loads(sent)["messages"]


@pytest.mark.parametrize("limited", [False, True], ids=["primary", "fallback"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tool_loop(
    stream: bool,
    limited: bool,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
) -> None:
    """The SDK's loop: the model asks for a tool, gets its result and answers; on the fallback too."""
    model = GEMINI if limited else CLAUDE
    if limited:
        provider.play(CLAUDE, "status", status=429, retry_after=60)
    provider.play(model, "tool", name="find_asset", arguments={"query": "Größe 字"}, times=1)
    client = client_of(start_routed().gateway)
    messages: list[dict] = [{"role": "user", "content": "Find the poster."}]

    first = await complete(client, messages, stream)
    assert [call["function"]["name"] for call in first["tool_calls"]] == ["find_asset"]
    assert json.loads(first["tool_calls"][0]["function"]["arguments"]) == {"query": "Größe 字"}
    messages += [first, {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "poster.png"}]
    second = await complete(client, messages, stream)

    assert second["content"] == f"This is the whole answer of {model}, from the first word to the last one."
    assert "poster.png" in json.dumps(provider.record(model)["bodies"][-1])


async def complete(client: openai.AsyncOpenAI, messages: list[dict], stream: bool) -> dict:
    """The assistant's message, put together from its deltas when streamed."""
    answer = await client.chat.completions.create(model=CLAUDE, messages=messages, tools=[TOOL], stream=stream)
    if not stream:
        return answer.choices[0].message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"})
    content, calls = "", {}
    async for chunk in answer:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            for part in choice.delta.tool_calls or []:
                call = calls.setdefault(part.index, {"type": "function", "function": {"name": "", "arguments": ""}})
                call["id"] = part.id or call["id"]
                call["function"]["name"] += part.function.name or ""
                call["function"]["arguments"] += part.function.arguments or ""
    message = {"role": "assistant", "content": content or None}
    return message | ({"tool_calls": list(calls.values())} if calls else {})


async def test_websocket_echo(start_sidecar: Callable[..., Sidecar]) -> None:
    """Text, binary, large and fragmented messages, pings and the closing handshake go through the upgrade."""

    async def echo(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        sidecar = start_sidecar(f"http://127.0.0.1:{port}")
        address = sidecar.gateway.replace("http", "ws") + "/v1/realtime?model=gpt"
        async with websockets.connect(address, max_size=None) as client:
            for message in ("hello", b"\x00\xff" * 100, "é" * 700_000, b"\x01" * (3 << 20)):
                await client.send(message)
                assert await client.recv() == message
            await client.send(iter(["in ", "three ", "parts"]))
            assert await client.recv() == "in three parts"
            await asyncio.wait_for(await client.ping(), 10)
        assert client.close_code == 1000

        many = await asyncio.gather(*(echo_once(address, number) for number in range(50)))
        assert many == [f"socket {number}" for number in range(50)]


async def echo_once(address: str, number: int) -> str:
    async with websockets.connect(address) as client:
        await client.send(f"socket {number}")
        return await client.recv()


DIFY_EVENTS = [
    b'data: {"event": "workflow_started", "task_id": "t-1", "workflow_run_id": "w-1", "data": {"id": "w-1"}}\n\n',
    b"event: ping\n\n",
    b'data: {"event": "message", "task_id": "t-1", "conversation_id": "c-1", "answer": "Caf\\u00e9"}\n\n',
    b'data: {"event": "message", "task_id": "t-1", "answer": " \xe5\xad\x97"}\n\n',
    b"event: ping\n\n",
    b'data: {"event": "some_new_event", "x": [1, 2.50]}\n\n',
    b'data: {"event": "message_end", "metadata": {"usage": {"total_tokens": 12, "total_price": "0.0001"}}}\n\n',
]


def test_dify_stream(start_sidecar: Callable[..., Sidecar]) -> None:
    """Dify's events pass as they are and when they are sent, pings among them."""
    gap = 0.15

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for event in DIFY_EVENTS:
            exchange.send(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            time.sleep(gap)
        exchange.send(b"0\r\n\r\n")

    body = (
        '{"inputs":{},"query":"Größe?","user":"u","response_mode":"streaming","conversation_id":"","files":[]}'.encode()
    )
    request = (
        b"POST /v1/chat-messages HTTP/1.1\r\nHost: dify\r\nAuthorization: Bearer app-key\r\n"
        + f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    with Upstream(answer) as dify, Upstream() as litellm:
        sidecar = start_sidecar(litellm.url, dify=dify.url)
        begun = time.monotonic()
        with Client(int(sidecar.dify.rpartition(":")[2])) as client:
            client.send(request)
            client.socket.recv(1, socket.MSG_PEEK)
            first_byte = time.monotonic() - begun
            whole = client.read()
        assert first_byte < gap * len(DIFY_EVENTS), "the stream was held back"
        assert whole.body == b"".join(DIFY_EVENTS)
        assert dify.requests[0].body == body
        assert dify.requests[0].header("authorization") == "Bearer app-key"
        assert litellm.requests == []
        assert 'listener="dify"' in sidecar.metrics()


def test_dify_error_and_upload(start_sidecar: Callable[..., Sidecar]) -> None:
    """A failure and a multipart upload pass unchanged; no retry, no fallback."""
    failure = b'{"code":"completion_request_error","message":"rate limited","status":400}'

    def answer(request: Message, _: Exchange) -> bytes:
        if request.path == "/v1/files/upload":
            return b"HTTP/1.1 201 CREATED\r\nContent-Length: 10\r\n\r\n" + b'{"id":"f"}'
        return f"HTTP/1.1 400 BAD REQUEST\r\nContent-Length: {len(failure)}\r\n\r\n".encode() + failure

    upload = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + bytes(range(256)) * 4000
    upload += b"\r\n--b--\r\n"
    with Upstream(answer) as dify:
        sidecar = start_sidecar("http://127.0.0.1:9", dify=dify.url)
        with Client(int(sidecar.dify.rpartition(":")[2])) as client:
            client.send(b"POST /v1/chat-messages HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}")
            answered = client.read()
            client.send(
                b"POST /v1/files/upload HTTP/1.1\r\nHost: d\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                + f"Content-Length: {len(upload)}\r\n\r\n".encode()
                + upload
            )
            uploaded = client.read()
    assert (answered.status, answered.body) == (400, failure)
    assert (uploaded.status, uploaded.body) == (201, b'{"id":"f"}')
    assert dify.requests[1].body == upload
    assert len(dify.requests) == 2
