"""A rate-limited Claude behind a real LiteLLM: the client gets Gemini's answer, and Claude gets its rest."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable

import openai
import pytest

from chat import TOOL
from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, GEMINI, GPT, GUARDED, RESERVE, ROUTES, LiteLLM, Provider, Sidecar

RETRY_AFTER = 11
STREAMING = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


async def ask(client: openai.AsyncOpenAI, text: str, stream: bool = False, model: str = CLAUDE, **more: object):
    """The answer's text and headers."""
    messages = [{"role": "user", "content": text}]
    raw = await client.chat.completions.with_raw_response.create(model=model, messages=messages, stream=stream, **more)
    answer = raw.parse()
    if not stream:
        return answer.choices[0].message.content, raw.headers
    pieces = [chunk.choices[0].delta.content or "" async for chunk in answer if chunk.choices]
    return "".join(pieces), raw.headers


def whole_answer(model: str) -> str:
    return f"This is the whole answer of {model}, from the first word to the last one."


@STREAMING
async def test_failover_and_return(
    stream: bool,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
    report: Callable[[str], None],
) -> None:
    """429 with retry-after → Gemini; nothing to Claude while it rests; one probe; then Claude again."""
    sidecar = start_routed(breaker={"cooldownSeconds": 1, "maxCooldownSeconds": 1})
    client = client_of(sidecar.gateway)
    provider.play(CLAUDE, "status", status=429, retry_after=RETRY_AFTER)

    begun = time.monotonic()
    text, headers = await ask(client, "first", stream)
    tripped = time.monotonic()

    assert text == whole_answer(GEMINI)
    assert headers["x-sidecar-attempts"] == f"{CLAUDE}=rate_limited, {GEMINI}=ok"
    assert headers["x-sidecar-model"] == GEMINI
    assert headers["x-sidecar-route"] == "claude"
    assert headers["x-sidecar-request-id"]
    assert provider.record(CLAUDE)["requests"] == 1, "LiteLLM must not retry while a fallback is left"
    report(f"429 to the whole answer of the fallback ({'stream' if stream else 'whole'}): {tripped - begun:.3f} s")

    for number in range(20):
        text, headers = await ask(client, f"in the cooldown {number}", stream)
        assert text == whole_answer(GEMINI)
        assert headers["x-sidecar-attempts"] == f"{CLAUDE}=open, {GEMINI}=ok"
    assert time.monotonic() - tripped < RETRY_AFTER, "the machine is too slow to tell"
    spared = provider.record(CLAUDE)
    assert spared["requests"] == 1

    await asyncio.sleep(RETRY_AFTER + 1 - (time.monotonic() - tripped))
    provider.play(CLAUDE, "slow", seconds=2)
    answers = await asyncio.gather(*(ask(client, f"probe {number}", stream) for number in range(10)))
    models = sorted(headers["x-sidecar-model"] for _, headers in answers)
    assert models == [CLAUDE] + [GEMINI] * 9
    assert all(text == whole_answer(headers["x-sidecar-model"]) for text, headers in answers)
    assert provider.record(CLAUDE)["requests"] == 2

    provider.play(CLAUDE, "ok")
    for number in range(5):
        text, headers = await ask(client, f"afterwards {number}", stream)
        assert text == whole_answer(CLAUDE)
        assert headers["x-sidecar-attempts"] == f"{CLAUDE}=ok"


@STREAMING
async def test_own_fallbacks_of_litellm(
    stream: bool,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
) -> None:
    """A fallback that LiteLLM itself has configured never gets the request that the sidecar sends elsewhere."""
    sidecar = start_routed()
    provider.play(GUARDED, "status", status=429, retry_after=RETRY_AFTER)

    text, headers = await ask(client_of(sidecar.gateway), "hello", stream, model=GUARDED)

    assert text == whole_answer(GEMINI)
    assert headers["x-sidecar-attempts"] == f"{GUARDED}=rate_limited, {GEMINI}=ok"
    assert provider.record(GUARDED)["requests"] == 1
    assert provider.record(RESERVE)["requests"] == 0
    assert "disable_fallbacks" not in provider.record(GUARDED)["bodies"][0]


async def test_stock_litellm_for_comparison(
    litellm: LiteLLM,
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
    report: Callable[[str], None],
) -> None:
    """LiteLLM alone hides the 429 behind its own retries and then gives up."""
    provider.play(CLAUDE, "status", status=429, retry_after=RETRY_AFTER)

    async def refused(stream: bool) -> float:
        begun = time.monotonic()
        with pytest.raises(openai.RateLimitError):
            await ask(client_of(litellm.url), "hello", stream)
        return time.monotonic() - begun

    whole, streamed = await asyncio.gather(refused(False), refused(True))
    calls = provider.record(CLAUDE)["requests"]
    assert calls > 2, "without retries of its own LiteLLM needs no telling"
    report(
        f"the same through stock LiteLLM alone: 429 after {whole:.1f} s whole, {streamed:.1f} s streamed, {calls} calls"
    )


async def test_switch_cost(
    start_routed: Callable[..., Sidecar],
    litellm: LiteLLM,
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
    report: Callable[[str], None],
) -> None:
    """What the switch costs beyond LiteLLM's own time for the 429 and for the answer."""
    sidecar = start_routed(breaker={"rateLimitsToOpen": 1000})
    direct, through = client_of(litellm.url), client_of(sidecar.gateway)
    provider.play(CLAUDE, "status", status=429, retry_after=1)
    alone = {"extra_headers": {"x-litellm-num-retries": "0"}}
    times: dict[str, list[float]] = {"refused": [], "answered": [], "switched": []}

    async def timed(kind: str, client: openai.AsyncOpenAI, model: str, **more: object) -> None:
        begun = time.perf_counter()
        try:
            # Each a conversation of its own, because a conversation that was moved stays moved.
            await ask(client, f"hello {len(times[kind])}", model=model, **more)
        except openai.RateLimitError:
            assert kind == "refused"
        times[kind].append(time.perf_counter() - begun)

    for _ in range(25):
        await timed("refused", direct, CLAUDE, **alone)
        await timed("answered", direct, GEMINI, **alone)
        await timed("switched", through, CLAUDE)

    assert provider.record(CLAUDE)["requests"] == 50
    median = {kind: statistics.median(values) * 1000 for kind, values in times.items()}
    cost = median["switched"] - median["refused"] - median["answered"]
    report(
        f"switch, medians of 25: {median['switched']:.1f} ms = LiteLLM's 429 {median['refused']:.1f} ms"
        f" + its answer {median['answered']:.1f} ms + {cost:.1f} ms"
    )


def chat_request(model: str, stream: bool = False, text: str = "hi") -> bytes:
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":"{text}"}}],"stream":{str(stream).lower()}}}'
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: sidecar\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def refusal(message: str, retry_after: int | None = None, status: int = 429) -> bytes:
    """A failure as LiteLLM answers it."""
    body = f'{{"error":{{"message":"{message}","type":"throttling_error","param":null,"code":"{status}"}}}}'
    stated = "" if retry_after is None else f"llm_provider-retry-after: {retry_after}\r\n"
    return (
        f"HTTP/1.1 {status} No\r\ncontent-type: application/json\r\n{stated}content-length: {len(body)}\r\n\r\n{body}"
    ).encode()


RATE_LIMITED = "litellm.RateLimitError: AnthropicException - slow down"
KEY_LIMITED = "LiteLLM Rate Limit Handler for rate limit type = key. Crossed TPM / RPM / Max Parallel Request Limit."


def by_model(answers: dict[str, bytes]) -> Callable[[Message, Exchange], bytes]:
    def answer(request: Message, _: Exchange) -> bytes:
        return next(answer for model, answer in answers.items() if f'"{model}"'.encode() in request.body)

    return answer


def test_switch_cost_without_litellm(start_sidecar: Callable[..., Sidecar], report: Callable[[str], None]) -> None:
    """The sidecar's own share of a switch, before an upstream that answers at once."""
    with Upstream(by_model({CLAUDE: refusal(RATE_LIMITED), GEMINI: ok()})) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, breaker={"rateLimitsToOpen": 1000})
        times: dict[str, list[float]] = {CLAUDE: [], GEMINI: []}
        with Client(sidecar.port) as client:
            for number, model in enumerate([CLAUDE, GEMINI] * 100):
                request = chat_request(model, text=f"conversation {number}")
                begun = time.perf_counter()
                client.send(request)
                assert client.read().status == 200
                times[model].append(time.perf_counter() - begun)
    median = {model: statistics.median(values) * 1000 for model, values in times.items()}
    report(f"two attempts instead of one, instant upstream: {median[CLAUDE]:.2f} ms against {median[GEMINI]:.2f} ms")


def test_when_all_fail(start_sidecar: Callable[..., Sidecar]) -> None:
    """The client gets the primary's own answer, unchanged; then 429 with the time to wait, and nothing is sent."""
    first, second = refusal(RATE_LIMITED, 7), refusal("litellm.RateLimitError: the other one", 9)
    with Upstream(by_model({CLAUDE: first, GEMINI: second})) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, breaker={"cooldownSeconds": 1, "maxCooldownSeconds": 1})
        with Client(sidecar.port) as client:
            client.send(chat_request(CLAUDE))
            answer = client.read()
            assert answer.status == 429
            assert answer.body == first.partition(b"\r\n\r\n")[2]
            assert answer.header("x-sidecar-attempts") == f"{CLAUDE}=rate_limited, {GEMINI}=rate_limited"
            assert answer.header("llm_provider-retry-after") == "7"

            client.send(chat_request(CLAUDE))
            refused = client.read()
        assert refused.status == 429
        assert 1 <= int(refused.header("retry-after")) <= 7
        assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("LiteLLM's own limit of a key", refusal(KEY_LIMITED)),
        ("content policy", refusal("litellm.ContentPolicyViolationError: refused by the content filter", status=400)),
        ("a bad request", refusal("litellm.BadRequestError: messages: field required", status=400)),
        ("a wrong key", refusal("Authentication Error, Invalid proxy server token passed", status=401)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_never_routed_around(what: str, answer: bytes, start_sidecar: Callable[..., Sidecar]) -> None:
    """An answer that another model would give as well, or that is meant for this caller, goes back as it is."""
    with Upstream(by_model({CLAUDE: answer, GEMINI: ok()})) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            client.send(chat_request(CLAUDE))
            assert client.read().body == answer.partition(b"\r\n\r\n")[2]
        assert len(upstream.requests) == 1


@STREAMING
async def test_failover_between_a_tool_call_and_its_result(
    stream: bool,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
) -> None:
    """Claude asked for a tool and is limited when the result comes: Gemini gets call and result, and answers."""
    sidecar = start_routed()
    client = client_of(sidecar.gateway)
    provider.play(CLAUDE, "tool", name="find_asset", arguments={"query": "poster"})
    messages = [{"role": "user", "content": f"which assets? {stream}"}]
    first = await client.chat.completions.create(model=CLAUDE, messages=messages, tools=[TOOL])
    call = first.choices[0].message.tool_calls[0]
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "three posters"},
    ]
    provider.play(CLAUDE, "status", status=429, retry_after=RETRY_AFTER)

    raw = await client.chat.completions.with_raw_response.create(
        model=CLAUDE, messages=messages, tools=[TOOL], stream=stream
    )
    answer = raw.parse()
    if stream:
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in answer if chunk.choices])
    else:
        text = answer.choices[0].message.content

    assert text == whole_answer(GEMINI)
    assert raw.headers["x-sidecar-attempts"] == f"{CLAUDE}=rate_limited, {GEMINI}=ok"
    sent = json.dumps(provider.record(GEMINI)["bodies"][-1])
    assert "find_asset" in sent and "three posters" in sent


@pytest.mark.parametrize("end", ["abort", "error event"])
async def test_cut_stream_is_never_presented_as_complete(
    end: str,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
) -> None:
    """The text so far arrives, then an error; no [DONE] and no finish."""
    sidecar = start_routed()
    provider.play(GPT, "cut" if end == "abort" else "error", after=3, pace=0.05)
    provider.play(CLAUDE, "cut" if end == "abort" else "error", after=3, pace=0.05)

    for model in (CLAUDE, GPT):
        messages = [{"role": "user", "content": "hello"}]
        stream = await client_of(sidecar.gateway).chat.completions.create(model=model, messages=messages, stream=True)
        pieces, finishes = [], []
        with pytest.raises(openai.APIError):
            async for chunk in stream:
                pieces += [choice.delta.content or "" for choice in chunk.choices]
                finishes += [choice.finish_reason for choice in chunk.choices]
        text = "".join(pieces)
        assert text and whole_answer(model).startswith(text) and text != whole_answer(model)
        assert not any(finishes)


def test_stream_cut_by_the_upstream(start_sidecar: Callable[..., Sidecar]) -> None:
    """When the connection to LiteLLM breaks in a routed stream, the client is sent an error event and no [DONE]."""
    events = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'

    def cut(_: Message, exchange: Exchange) -> None:
        chunk = f"{len(events):x}\r\n".encode() + events + b"\r\n"
        exchange.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunk
        )
        time.sleep(0.2)
        exchange.abort()

    with Upstream(cut) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as client:
            client.send(chat_request(CLAUDE, stream=True))
            answer = client.read()
    assert answer.status == 200
    assert answer.body.startswith(events)
    rest = answer.body.removeprefix(events)
    assert b"[DONE]" not in rest
    assert rest.startswith(b"data: ") and b'"error"' in rest


def test_unreachable_primary(start_sidecar: Callable[..., Sidecar]) -> None:
    """No answer at all is 502 in the shape of the client's dialect."""
    with Upstream() as upstream:
        url = upstream.url
    sidecar = start_sidecar(url, routes=ROUTES)
    with Client(sidecar.port) as client:
        client.send(chat_request(CLAUDE))
        answer = client.read()
        assert answer.status == 502
        assert b'"error"' in answer.body and b'"message"' in answer.body

        client.send(chat_request("no-route"))
        assert client.read().status == 502

        client.send(chat_request(CLAUDE).replace(b"/v1/chat/completions", b"/v1/messages"))
        answer = client.read()
        assert answer.status == 502
        assert json.loads(answer.body)["type"] == "error"
    assert wait_for(lambda: sidecar.process.poll() is None, 1)
