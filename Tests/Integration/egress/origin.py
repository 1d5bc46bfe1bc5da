"""Plays generativelanguage.googleapis.com over TLS: the chat endpoints, and what shows how bytes came.

    python origin.py SETTINGS.json      prints the ports that it was given, then serves

| path | does |
|---|---|
| /v1beta/models/M:generateContent, :streamGenerateContent, :countTokens | Gemini's own endpoints |
| /v1beta/openai/chat/completions | the OpenAI-compatible one; errors come as an array, as Google's do |
| /echo | tells of the request: source address, server name, headers, digest of the body |
| /bytes/N?seed=S | N bytes of that seed |
| /gather/KEY/N | answers when N such requests are open at a time, then streams five events |
| /slow/SECONDS | the head of the answer after that time |
| /control/block | `{"sources": […]}`: addresses that are told that their region is not supported |
| /control/fail | `{"status": N, "times": N}`: what the chat endpoints answer |
| /control/record, /control/reset | what came, and forgetting it |

Two listeners speak no HTTP: one reads to the end of the client's bytes and then tells their digest and how many, one
greets before the client has said anything and repeats what it then says.
"""

import asyncio
import hashlib
import json
import random
import ssl
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from provider_apis import Gemini, OpenAI, pieces_of  # noqa: E402

REGION_BLOCK = "User location is not supported for the API use."
PIECE = 1 << 16


def pieces(count: int, seed: int) -> Iterator[bytes]:
    """Bytes that are the same for the same seed and compress badly, a megabyte at a time."""
    block = random.Random(seed).randbytes(min(count, 1 << 20))
    for at in range(0, count, 1 << 20):
        yield block[: count - at]


def content(count: int, seed: int) -> bytes:
    return b"".join(pieces(count, seed))


def digest(count: int, seed: int) -> str:
    """SHA-256 of these."""
    sum_of_all = hashlib.sha256()
    for piece in pieces(count, seed):
        sum_of_all.update(piece)
    return sum_of_all.hexdigest()


class Origin:
    """What it was told to do and what came."""

    def __init__(self) -> None:
        self.gatherings: dict[str, tuple[list, asyncio.Event]] = {}
        self.reset()

    def reset(self) -> None:
        self.blocked: set[str] = set()
        self.status = 0
        self.failures = 0
        self.requests: list[dict] = []
        self.connections: Counter[str] = Counter()

    def failure(self, request: web.Request) -> tuple[int, dict] | None:
        """The error that this request gets, in Google's form."""
        if request.remote in self.blocked:
            return 400, {"code": 400, "message": REGION_BLOCK, "status": "FAILED_PRECONDITION"}
        if self.failures > 0:
            self.failures -= 1
            state = Gemini.statuses.get(self.status, "INTERNAL")
            return self.status, {"code": self.status, "message": f"Google says {self.status}", "status": state}
        return None


ORIGIN: web.AppKey[Origin] = web.AppKey("origin")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def description(request: web.Request) -> dict:
    """What one request looked like from here."""
    connection = request.transport.get_extra_info("ssl_object")
    return {
        "source": request.remote,
        "name": getattr(connection, "asked_for", None),
        "method": request.method,
        "path": request.raw_path,
        "headers": [[name, value] for name, value in request.headers.items()],
    }


@web.middleware
async def remember(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.path.startswith("/control/"):
        request.app[ORIGIN].requests.append(description(request))
    return await handler(request)


async def echo(request: web.Request) -> web.Response:
    received, count = hashlib.sha256(), 0
    async for piece in request.content.iter_chunked(PIECE):
        received.update(piece)
        count += len(piece)
    return web.json_response({**description(request), "digest": received.hexdigest(), "count": count})


async def give_bytes(request: web.Request) -> web.StreamResponse:
    count, seed = int(request.match_info["count"]), int(request.query.get("seed", "0"))
    response = web.StreamResponse(headers={"content-length": str(count)})
    await response.prepare(request)
    for piece in pieces(count, seed):
        await response.write(piece)
    return response


async def gather(request: web.Request) -> web.StreamResponse:
    present, full = request.app[ORIGIN].gatherings.setdefault(request.match_info["key"], ([], asyncio.Event()))
    present.append(request.remote)
    if len(present) == int(request.match_info["count"]):
        full.set()
    await asyncio.wait_for(full.wait(), 60)
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for number in range(5):
        await response.write(f"data: {number}\n\n".encode())
        await asyncio.sleep(0.02)
    return response


async def answer_late(request: web.Request) -> web.Response:
    await asyncio.sleep(float(request.match_info["seconds"]))
    return web.json_response({"late": True})


async def stream(request: web.Request, api: Gemini | OpenAI, scenario: dict) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    pieces = [api.piece(piece) for piece in pieces_of(api.model, scenario)]
    for part in [*api.opening(scenario), *pieces, *api.closing(scenario)]:
        await response.write(part)
        await asyncio.sleep(0.005)
    return response


async def gemini(request: web.Request) -> web.StreamResponse:
    model, _, method = request.match_info["call"].partition(":")
    await request.read()
    if failure := request.app[ORIGIN].failure(request):
        return web.json_response({"error": failure[1]}, status=failure[0])
    if method == "countTokens":
        details = [{"modality": "TEXT", "tokenCount": 7}]
        return web.json_response({"totalTokens": 7, "promptTokensDetails": details})
    scenario = {"kind": "ok"}
    if method == "streamGenerateContent":
        return await stream(request, Gemini(model), scenario)
    return web.json_response(Gemini(model).answer(scenario))


async def chat(request: web.Request) -> web.StreamResponse:
    body = json.loads(await request.read())
    if failure := request.app[ORIGIN].failure(request):
        return web.json_response([{"error": failure[1]}], status=failure[0])
    api, scenario = OpenAI(body["model"]), {"kind": "ok"}
    words = body["messages"][-1]["content"].split(" ", 2)
    if words[0] == "write":
        scenario["text"] = content(int(words[1]) // 2, 1).hex()
    if body.get("stream"):
        return await stream(request, api, scenario)
    size = len(json.dumps(body["messages"]))
    return web.json_response(api.answer(scenario) | {"source": request.remote, "messages_size": size})


async def block(request: web.Request) -> web.Response:
    request.app[ORIGIN].blocked = set((await request.json())["sources"])
    return web.json_response({})


async def fail(request: web.Request) -> web.Response:
    order = await request.json()
    request.app[ORIGIN].status, request.app[ORIGIN].failures = order["status"], order.get("times", 1)
    return web.json_response({})


async def show_record(request: web.Request) -> web.Response:
    origin = request.app[ORIGIN]
    return web.json_response({"requests": origin.requests, "connections": dict(origin.connections)})


async def reset(request: web.Request) -> web.Response:
    request.app[ORIGIN].reset()
    return web.json_response({})


def application() -> web.Application:
    app = web.Application(client_max_size=2 << 30, middlewares=[remember])
    app[ORIGIN] = Origin()
    app.add_routes([
        web.post("/v1beta/models/{call}", gemini),
        web.post("/v1alpha/models/{call}", gemini),
        web.post("/v1beta/openai/chat/completions", chat),
        web.route("*", "/echo", echo),
        web.get("/bytes/{count}", give_bytes),
        web.get("/gather/{key}/{count}", gather),
        web.get("/slow/{seconds}", answer_late),
        web.post("/control/block", block),
        web.post("/control/fail", fail),
        web.get("/control/record", show_record),
        web.post("/control/reset", reset),
    ])  # fmt: skip
    return app


class Listener:
    """The TLS side: one certificate for known names, others for names that play impostors."""

    def __init__(self, settings: dict, origin: Origin) -> None:
        self.origin = origin
        self.names = settings["names"]
        self.context = self.with_certificate(*settings["certificate"])
        self.impostors = {
            name: self.with_certificate(chain, key) for name, (chain, key) in settings["impostors"].items()
        }
        self.context.sni_callback = self.named

    @staticmethod
    def with_certificate(chain: str, key: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        return context

    def named(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        connection.asked_for = name
        self.origin.connections[name or "no name"] += 1
        if name in self.impostors:
            connection.context = self.impostors[name]
        elif name is not None and name not in self.names:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None


async def tell_after_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The plain listener: with `first N` as first bytes it sends N bytes and ends its side, then reads to the end."""
    received = await reader.read(PIECE)
    speaks_first = received.startswith(b"first ")
    if speaks_first:
        writer.write(content(int(received.split()[1]), 5))
        await writer.drain()
        writer.write_eof()
    whole, count = hashlib.sha256(), 0
    while received:
        whole.update(received)
        count += len(received)
        received = await reader.read(PIECE)
    print(json.dumps({"ended": count, "digest": whole.hexdigest()}), flush=True)
    if not speaks_first:
        writer.write(f"{whole.hexdigest()} {count}".encode())
    writer.close()


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    while piece := await reader.read(PIECE):
        writer.write(piece)
    writer.close()


async def serve(settings: dict) -> None:
    app = application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    listener = Listener(settings, app[ORIGIN])
    site = web.TCPSite(runner, settings["address"], 443, ssl_context=listener.context, backlog=1024)
    await site.start()
    control = web.TCPSite(runner, "127.0.0.1", 0)
    await control.start()
    plain = await asyncio.start_server(tell_after_end, settings["address"], 0)
    greeting = await asyncio.start_server(greet, settings["address"], 0)
    ports = {name: server.sockets[0].getsockname()[1] for name, server in (("plain", plain), ("greeting", greeting))}
    print(json.dumps({"control": runner.addresses[1][1], **ports}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
    except KeyboardInterrupt:
        sys.exit(0)
