"""A stock LiteLLM whose Gemini models go by the sidecar's hop, and whose other models do not."""

import asyncio
import json

import openai
import pytest

from egress.addresses import NEEDS_ROOT
from egress.client import dial
from egress.lab import GOOGLE, Lab
from egress.litellm import BY_API_BASE, BY_PROXY, Hopping
from stack import GPT

pytest_plugins = ["egress.lab"]
pytestmark = NEEDS_ROOT

ANSWER = "This is the whole answer of gemini-3-pro, from the first word to the last one."


def client(hop: Hopping) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{hop.litellm.url}/v1", api_key=hop.litellm.key, max_retries=0, timeout=60)


# By its own address for Google LiteLLM asks for another version of the API.
PREFIX = {BY_API_BASE: "/v1beta/models/gemini-3-pro:", BY_PROXY: "/v1alpha/models/gemini-3-pro:"}
EITHER = pytest.mark.parametrize("model", [BY_API_BASE, BY_PROXY])
MESSAGES = [{"role": "user", "content": "hello"}]


def assert_only_by_the_hop(lab: Lab, path: str, peer: str = "xray-ws-tls") -> None:
    """What came to the origin came from the proxy, under Google's name, with LiteLLM's key for Google."""
    requests = lab.origin.record()["requests"]
    assert requests
    for request in requests:
        assert request["source"] == lab.proxies[peer].source
        assert request["name"] == GOOGLE
        assert request["path"].startswith(path)
        assert {name.lower(): value for name, value in request["headers"]}["x-goog-api-key"] == "provider-key"


@EITHER
async def test_chat(model: str, lab: Lab, hop: Hopping) -> None:
    before, counted = hop.passed, hop.counted
    answer = await client(hop).chat.completions.create(model=model, messages=MESSAGES)
    assert answer.choices[0].message.content == ANSWER
    assert_only_by_the_hop(lab, PREFIX[model] + "generateContent")
    assert hop.passed - before > 1000
    assert hop.counted - counted > 500


@EITHER
async def test_stream(model: str, lab: Lab, hop: Hopping) -> None:
    before = hop.passed
    stream = await client(hop).chat.completions.create(model=model, messages=MESSAGES, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert text == ANSWER
    assert_only_by_the_hop(lab, PREFIX[model] + "streamGenerateContent")
    assert hop.passed - before > 1000


@pytest.mark.parametrize(
    ("model", "path", "count"), [(BY_API_BASE, "/v1beta/v1beta/models/", 8), (BY_PROXY, "/v1beta/models/", 7)]
)
async def test_count_tokens(model: str, path: str, count: int, lab: Lab, hop: Hopping) -> None:
    """LiteLLM repeats the version behind `api_base`, is told 404 as by Google, and then counts by itself."""
    port = int(hop.litellm.url.rpartition(":")[2])
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}).encode()
    headers = {"x-goog-api-key": hop.litellm.key, "Content-Type": "application/json"}
    async with await dial(port) as connection:
        answer = await connection.ask("POST", f"/v1beta/models/{model}:countTokens", "l", body, headers)
    assert answer.status == 200, answer
    assert json.loads(answer.body)["totalTokens"] == count
    assert_only_by_the_hop(lab, f"{path}gemini-3-pro:countTokens")


async def test_other_models_do_not_touch_the_hop(lab: Lab, hop: Hopping) -> None:
    before, counted, tunnels = hop.passed, hop.counted, [relay.connections for relay in hop.relays]
    answer = await client(hop).chat.completions.create(model=GPT, messages=MESSAGES)
    assert answer.choices[0].message.content.startswith("This is the whole answer of gpt-5-test")
    assert (hop.passed, hop.counted) == (before, counted)
    assert [relay.connections for relay in hop.relays] == tunnels
    assert lab.origin.record()["requests"] == []


@EITHER
async def test_a_rung_that_fails_is_not_noticed(model: str, lab: Lab, hop: Hopping) -> None:
    """VLESS is gone, Shadowsocks takes over within the request."""
    hop.relays[0].refuses = True
    hop.relays[0].server.break_off()
    await asyncio.sleep(0.1)
    try:
        answer = await client(hop).chat.completions.create(model=model, messages=MESSAGES)
    finally:
        hop.relays[0].refuses = False
    assert answer.choices[0].message.content == ANSWER
    assert_only_by_the_hop(lab, PREFIX[model] + "generateContent", peer="ss-aes-256-gcm")
