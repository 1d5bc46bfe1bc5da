"""A long chat reaches the fallback shortened to its budget, and stays cacheable while it grows."""

import json
import math
import random
from collections.abc import Callable

import openai
import pytest

from chat import SYSTEM, TOOL, gemini_tokens, history, openai_tokens, orphans, turn
from rawhttp import Client, Exchange, Message, Upstream, ok
from stack import CLAUDE, GEMINI, ROUTES, Provider, Sidecar

BUDGET = 32_000
BLOCK = 4_000
LARGEST_TURN = 1_000
MODELS = [{"match": ["gemini*"], "encoding": "o200k_base", "contextTokens": 1_048_576}]


def receipt(header: str) -> dict[str, str]:
    return dict(member.split("=", 1) for member in header.split(";"))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_long_chat_reaches_gemini_within_the_budget(
    stream: bool,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
    report: Callable[[str], None],
) -> None:
    """120 turns with tool calls, 60,000 tokens: at most 32,000 arrive at Google, by an independent count."""
    messages = [*history(120), {"role": "user", "content": "And now the whole newest question, please: which grid?"}]
    before = openai_tokens(messages)
    assert before >= 60_000
    sidecar = start_routed(models=MODELS)
    provider.play(CLAUDE, "status", status=429, retry_after=11)

    raw = await client_of(sidecar.gateway).chat.completions.with_raw_response.create(
        model=CLAUDE, messages=messages, tools=[TOOL], stream=stream
    )
    answer = raw.parse()
    if stream:
        assert [chunk async for chunk in answer]

    body = provider.record(GEMINI)["bodies"][0]
    after = gemini_tokens(body)
    assert after <= BUDGET
    assert after > BUDGET - BLOCK - LARGEST_TURN, "more was dropped than the rule asks for"
    assert body["system_instruction"]["parts"][0]["text"] == SYSTEM["content"]
    assert body["contents"][0]["role"] == "user"
    assert body["contents"][-1]["parts"][-1]["text"] == messages[-1]["content"]
    called = sum("function_call" in part or "functionCall" in part for part in parts(body))
    answered = sum("function_response" in part or "functionResponse" in part for part in parts(body))
    assert called == answered > 0

    told = receipt(raw.headers["x-sidecar-clip"])
    assert int(told["dropped"]) + int(told["kept"]) == len(messages)
    assert int(told["before"]) > BUDGET >= int(told["after"])
    assert told["budget"] == str(BUDGET)
    assert told["encoding"] == "o200k_base"
    assert openai_tokens(messages) <= int(told["before"])
    report(
        f"clipped chat: {before} tokens before, {after} at Gemini by tiktoken; receipt {raw.headers['x-sidecar-clip']}"
    )


def parts(body: dict) -> list[dict]:
    return [part for content in body["contents"] for part in content["parts"]]


def refuse_claude(request: Message, _: Exchange) -> bytes:
    if json.loads(request.body)["model"] == GEMINI:
        return ok()
    body = b'{"error":{"message":"litellm.RateLimitError: slow down","type":"throttling_error","code":"429"}}'
    head = f"HTTP/1.1 429 Too Many Requests\r\nllm_provider-retry-after: 3600\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def post_chat(client: Client, messages: list[dict], **members: object) -> Message:
    body = json.dumps({"model": CLAUDE, "messages": messages, "tools": [TOOL], **members}, ensure_ascii=False).encode()
    client.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: sidecar\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return client.read()


def test_growing_chat_keeps_its_prefix(start_sidecar: Callable[..., Sidecar], report: Callable[[str], None]) -> None:
    """Over 40 following turns the cut moves at most ⌈tokens added / B⌉ + 1 times; between moves the prefix stays."""
    source = random.Random(11)
    messages = history(120)
    moves, forwarded = 0, None
    with Upstream(refuse_claude) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=MODELS)
        with Client(sidecar.port) as client:
            start = openai_tokens(messages)
            for number in range(121, 161):
                messages = messages + turn(number, source)
                asked = [*messages, {"role": "user", "content": f"Question {number}"}]
                assert post_chat(client, asked).status == 200

                sent = json.loads(upstream.requests[-1].body)["messages"]
                assert openai_tokens(sent) <= BUDGET
                assert sent[0] == SYSTEM and sent[-1] == asked[-1]
                assert sent[1]["role"] == "user"
                assert orphans(sent) == []
                assert sent[1:] == asked[len(asked) - len(sent) + 1 :], "the kept part is not the end of the chat"
                if forwarded is not None and sent[: len(forwarded) - 1] != forwarded[:-1]:
                    moves += 1
                forwarded = sent
            added = openai_tokens(messages) - start
    allowed = math.ceil(added / BLOCK) + 1
    assert 0 < moves <= allowed
    report(f"cut moves over 40 turns with {added} tokens added: {moves}, allowed {allowed}")


def test_tool_round_in_the_newest_turn_stays_whole(start_sidecar: Callable[..., Sidecar]) -> None:
    """A request in the middle of a tool round keeps the question, the call and the result."""
    source = random.Random(3)
    newest = turn(300, source)[:3]
    with Upstream(refuse_claude) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=MODELS)
        with Client(sidecar.port) as client:
            assert post_chat(client, history(120) + newest).status == 200
        sent = json.loads(upstream.requests[-1].body)["messages"]
    assert sent[-3:] == newest
    assert orphans(sent) == []


def test_oversized_newest_turn_is_shortened(start_sidecar: Callable[..., Sidecar]) -> None:
    """A newest message beyond the budget is cut in its middle; system and ends stay."""
    text = "start of it " + " ".join(f"word{number}" for number in range(40_000)) + " end of it"
    with Upstream(refuse_claude) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=MODELS)
        with Client(sidecar.port) as client:
            assert post_chat(client, [SYSTEM, {"role": "user", "content": text}]).status == 200
        sent = json.loads(upstream.requests[-1].body)["messages"]
    assert openai_tokens(sent) <= BUDGET
    assert sent[0] == SYSTEM
    assert sent[1]["content"].startswith("start of it") and sent[1]["content"].endswith("end of it")


def test_what_cannot_be_shortened_is_refused(start_sidecar: Callable[..., Sidecar]) -> None:
    """A system message beyond the budget leaves no target: 400 with the figures, and nothing goes to the fallback."""
    system = {"role": "system", "content": " ".join(f"rule{number}" for number in range(40_000))}
    with Upstream(refuse_claude) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=MODELS, clip={"on": "always"})
        with Client(sidecar.port) as client:
            answer = post_chat(client, [system, {"role": "user", "content": "hi"}])
        assert answer.status == 400
        assert json.loads(answer.body)["error"]["code"] == "context_length_exceeded"
        assert upstream.requests == []


def test_edits_leave_every_other_byte_alone(start_sidecar: Callable[..., Sidecar]) -> None:
    """Odd spacing, escapes, numbers and unknown members survive on the way to the fallback."""
    body = (
        b'{ "model" : "claude-sonnet-4-5" ,\n\t"x_unknown":{"a":1.50e0,"b":[ 1 ,2]},"messages":[ '
        b'{"role":"user","content":"\\u00e9\\/ caf\xc3\xa9 \\ud83d\\ude00","extra":null} ],"temperature":0.70}'
    )
    with Upstream(refuse_claude) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=MODELS)
        with Client(sidecar.port) as client:
            client.send(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            assert client.read().status == 200
        primary, fallback = (request.body for request in upstream.requests)
    for part in (
        b'"x_unknown":{"a":1.50e0,"b":[ 1 ,2]}',
        b'{"role":"user","content":"\\u00e9\\/ caf\xc3\xa9 \\ud83d\\ude00","extra":null}',
        b'"temperature":0.70',
    ):
        assert part in primary and part in fallback
    assert json.loads(primary)["model"] == CLAUDE
    assert json.loads(fallback)["model"] == GEMINI
    assert json.loads(primary)["disable_fallbacks"] is True
    assert json.loads(fallback)["drop_params"] is True
