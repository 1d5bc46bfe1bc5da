"""Plays three model providers for a real LiteLLM: OpenAI chat, Anthropic messages and Gemini.

    python provider.py [--port N]      prints the port it listens on, then serves until it is stopped

LiteLLM is pointed at /openai/v1, /anthropic and /gemini/v1beta. What a model does is a scenario that can be
switched while it runs: `POST /control/scenario {"model": NAME, "kind": KIND, …}`. What every model was sent
is recorded: `GET /control/record`, and `POST /control/reset` forgets both.

| kind | does | options |
|---|---|---|
| ok | answers with `text`, in `chunks` pieces when streamed | text, chunks, pace (seconds after each piece) |
| status | answers with a provider's error of that status | status, retry_after, message |
| quota | says that the account is out of money | |
| slow | waits `seconds`, then as ok | seconds |
| error | an error event after `after` pieces of a stream | after, pieces as ok |
| cut | breaks the connection after `after` pieces of a stream | after |
| tool | asks for the tool `name` with `arguments` | name, arguments |

Any kind may carry `times`: after so many requests the model is back at ok.
"""

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from provider_apis import Anthropic, Gemini, OpenAI, event, pieces_of

KEPT_BODIES = 64
PROVIDER: web.AppKey["Provider"] = web.AppKey("provider")


@dataclass
class Record:
    """What one model was sent."""

    requests: int = 0
    bytes: int = 0
    bodies: list = field(default_factory=list)
    open: int = 0
    left: int = 0


class Provider:
    """The scenarios and records of all models."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.scenarios: dict[str, dict] = {}
        self.records: dict[str, Record] = defaultdict(Record)

    def scenario(self, model: str) -> dict:
        scenario = self.scenarios.get(model, {"kind": "ok"})
        if "times" in scenario:
            if scenario["times"] <= 0:
                return {"kind": "ok"}
            scenario["times"] -= 1
        return scenario


async def stream_pieces(api: OpenAI | Anthropic | Gemini, scenario: dict) -> AsyncIterator[bytes]:
    """The events of a streamed answer, up to where the scenario breaks it off."""
    for part in api.opening(scenario):
        yield part
    if scenario["kind"] == "tool":
        yield api.tool(scenario)
    else:
        for index, piece in enumerate(pieces_of(api.model, scenario)):
            if scenario["kind"] in ("error", "cut") and index == scenario.get("after", 3):
                return
            yield api.piece(piece)
            await asyncio.sleep(scenario.get("pace", 0.02 if scenario["kind"] == "cut" else 0))
    for part in api.closing(scenario):
        yield part


async def answer_stream(request: web.Request, api: OpenAI | Anthropic | Gemini, scenario: dict) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    async for part in stream_pieces(api, scenario):
        await response.write(part)
    if scenario["kind"] == "cut":
        request.transport.abort()
    elif scenario["kind"] == "error":
        failure = event(api.failure(500, "The provider broke off"))
        await response.write(b"event: error\n" + failure if isinstance(api, Anthropic) else failure)
    return response


async def answer(request: web.Request, api: OpenAI | Anthropic | Gemini, streams: bool) -> web.StreamResponse:
    provider = request.app[PROVIDER]
    body = await request.read()
    record = provider.records[api.model]
    record.requests += 1
    record.bytes += len(body)
    record.bodies = (record.bodies + [json.loads(body)])[-KEPT_BODIES:]
    scenario = provider.scenario(api.model)

    record.open += 1
    try:
        return await play(request, api, scenario, streams or record.bodies[-1].get("stream") is True)
    except (asyncio.CancelledError, ConnectionError):
        record.left += 1
        raise
    finally:
        record.open -= 1


async def play(
    request: web.Request, api: OpenAI | Anthropic | Gemini, scenario: dict, streams: bool
) -> web.StreamResponse:
    if scenario["kind"] == "status":
        status = scenario["status"]
        headers = {"retry-after": str(scenario["retry_after"])} if "retry_after" in scenario else {}
        message = scenario.get("message", f"The provider says {status}")
        return web.json_response(api.failure(status, message), status=status, headers=headers)
    if scenario["kind"] == "quota":
        status, failure = api.quota()
        return web.json_response(failure, status=status)
    if scenario["kind"] == "slow":
        await asyncio.sleep(scenario.get("seconds", 1))
    if streams:
        return await answer_stream(request, api, scenario)
    return web.json_response(api.answer(scenario))


async def openai_chat(request: web.Request) -> web.StreamResponse:
    return await answer(request, OpenAI(json.loads(await request.read())["model"]), streams=False)


async def anthropic_messages(request: web.Request) -> web.StreamResponse:
    return await answer(request, Anthropic(json.loads(await request.read())["model"]), streams=False)


async def gemini_content(request: web.Request) -> web.StreamResponse:
    model, _, method = request.match_info["call"].partition(":")
    return await answer(request, Gemini(model), streams=method == "streamGenerateContent")


async def set_scenario(request: web.Request) -> web.Response:
    scenario = await request.json()
    request.app[PROVIDER].scenarios[scenario.pop("model")] = scenario
    return web.json_response({})


async def show_record(request: web.Request) -> web.Response:
    records = request.app[PROVIDER].records
    return web.json_response({model: vars(record) for model, record in records.items()})


async def reset(request: web.Request) -> web.Response:
    request.app[PROVIDER].reset()
    return web.json_response({})


async def start(request: web.Request) -> web.Response:
    return web.Response(text="ready")


def application() -> web.Application:
    app = web.Application(client_max_size=256 << 20)
    app[PROVIDER] = Provider()
    app.add_routes([
        web.post("/openai/v1/chat/completions", openai_chat),
        web.post("/anthropic/v1/messages", anthropic_messages),
        web.post("/gemini/v1beta/models/{call}", gemini_content),
        web.post("/control/scenario", set_scenario),
        web.get("/control/record", show_record),
        web.post("/control/reset", reset),
        web.get("/", start),
    ])  # fmt: skip
    return app


async def serve(port: int) -> None:
    # The handler has to be cancelled when LiteLLM leaves, or a departed client could not be seen here.
    runner = web.AppRunner(application(), handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    try:
        asyncio.run(serve(parser.parse_args().port))
    except KeyboardInterrupt:
        sys.exit(0)
