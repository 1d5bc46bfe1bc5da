"""Keys with limits: what LiteLLM refuses a caller stays between the two, and nobody else feels it."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from postgres import LiteLLMWithKeys, PostgreSQL
from rawhttp import Client, Exchange, Message, Upstream, ok
from stack import CLAUDE, GEMINI, GPT, ROUTES, Provider, Sidecar

HOUSE_KEY = "house-key-of-the-operator"
NEXT_TO_NOTHING = 1e-8
STREAMING = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, LiteLLMWithKeys]]:
    folder = tmp_path_factory.mktemp("limits")
    provider = Provider(folder)
    database = PostgreSQL()
    litellm = LiteLLMWithKeys(folder, provider, database)
    try:
        litellm.wait_ready()
        yield provider, litellm
    finally:
        litellm.stop()
        database.stop()
        provider.stop()


@pytest.fixture
def keys(stack: tuple[Provider, LiteLLMWithKeys]) -> LiteLLMWithKeys:
    return stack[1]


@pytest.fixture
def models(stack: tuple[Provider, LiteLLMWithKeys]) -> Provider:
    stack[0].reset()
    return stack[0]


def ask(url: str, key: str, model: str = CLAUDE, stream: bool = False, headers: str = "") -> Message:
    """The answer to a chat, as it was on the wire."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: house\r\nAuthorization: Bearer {key}\r\n{headers}"
    with Client(int(url.rpartition(":")[2])) as client:
        client.send(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        return client.read()


def used_up(keys: LiteLLMWithKeys, key: str) -> str:
    """The same key, after LiteLLM has refused it for the first time."""
    deadline = time.monotonic() + 30
    while ask(keys.url, key).status == 200:
        assert time.monotonic() < deadline, "LiteLLM does not keep the limit"
    return key


def without_times(answer: Message) -> tuple[int, bytes]:
    return answer.status, re.sub(rb"\d{4}-\d\d-\d\d [0-9:.+]*", rb"then", answer.body)


def breakers(sidecar: Sidecar) -> dict[str, str]:
    """The state of each breaker that there is, by target."""
    return dict(re.findall(r'^sidecar_breaker_state\{target="([^"]*)"\} (\S+)$', sidecar.metrics(), re.MULTILINE))


LIMITS: dict[str, tuple[int, Callable[[LiteLLMWithKeys], str]]] = {
    "requests of a key": (429, lambda keys: keys.make_key(rpm_limit=1)),
    "tokens of a key": (429, lambda keys: keys.make_key(tpm_limit=20)),
    "budget of a key": (422, lambda keys: keys.make_key(max_budget=NEXT_TO_NOTHING)),
    "requests of a team": (429, lambda keys: keys.make_key(team_id=keys.make_team(rpm_limit=1))),
    "budget of a team": (422, lambda keys: keys.make_key(team_id=keys.make_team(max_budget=NEXT_TO_NOTHING))),
}


@STREAMING
@pytest.mark.parametrize("limit", LIMITS)
def test_limit_of_a_caller(
    limit: str,
    stream: bool,
    start_sidecar: Callable[..., Sidecar],
    keys: LiteLLMWithKeys,
    models: Provider,
) -> None:
    """LiteLLM's answer comes through unchanged, opens no breaker, and the next key is served by the primary."""
    status, make = LIMITS[limit]
    limited, free = used_up(keys, make(keys)), keys.make_key()
    direct = ask(keys.url, limited, stream=stream)
    models.reset()
    sidecar = start_sidecar(keys.url, routes=ROUTES)

    with ThreadPoolExecutor(8) as pool:
        refused = [pool.submit(ask, sidecar.gateway, limited, stream=stream) for _ in range(4)]
        served = [pool.submit(ask, sidecar.gateway, free, stream=stream) for _ in range(4)]

    for answer in (future.result() for future in refused):
        assert without_times(answer) == without_times(direct)
        assert (answer.status, answer.header("retry-after")) == (status, direct.header("retry-after"))
        assert answer.header("x-sidecar-attempts") == f"{CLAUDE}=caller_limited"
    for answer in (future.result() for future in served):
        assert (answer.status, answer.header("x-sidecar-model")) == (200, CLAUDE)
    assert models.record(CLAUDE)["requests"] == 4
    assert models.record(GEMINI)["requests"] == 0
    assert set(breakers(sidecar).values()) == {"0"}


def test_requests_at_the_same_time(
    start_sidecar: Callable[..., Sidecar], keys: LiteLLMWithKeys, models: Provider
) -> None:
    """A key's second request while its first is under way: refused by LiteLLM, and by nobody else."""
    limited, free = keys.make_key(max_parallel_requests=1), keys.make_key()
    sidecar = start_sidecar(keys.url, routes=ROUTES)
    models.play(CLAUDE, "slow", seconds=2)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, sidecar.gateway, limited)
        while models.record(CLAUDE)["requests"] == 0:
            time.sleep(0.01)
        other = pool.submit(ask, sidecar.gateway, free)
        second = ask(sidecar.gateway, limited)

    assert second.status == 429
    assert b"max_parallel_requests" in second.body
    assert second.header("x-sidecar-attempts") == f"{CLAUDE}=caller_limited"
    assert [future.result().status for future in (first, other)] == [200, 200]
    assert set(breakers(sidecar).values()) == {"0"}


def blocked(keys: LiteLLMWithKeys) -> str:
    keys.block(key := keys.make_key())
    return key


def deleted(keys: LiteLLMWithKeys) -> str:
    keys.delete(key := keys.make_key())
    return key


def expired(keys: LiteLLMWithKeys) -> str:
    key = keys.make_key(duration="1s")
    time.sleep(1.1)
    return key


REFUSALS: dict[str, tuple[int, Callable[[LiteLLMWithKeys], str]]] = {
    "unknown": (401, lambda keys: "sk-nobody-has-this-key"),
    "deleted": (401, deleted),
    "blocked": (401, blocked),
    "expired": (401, expired),
    "not for this model": (403, lambda keys: keys.make_key(models=[GEMINI])),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refused_key(kind: str, start_sidecar: Callable[..., Sidecar], keys: LiteLLMWithKeys, models: Provider) -> None:
    """What LiteLLM says about a key is passed on, and never a reason to ask another model."""
    status, make = REFUSALS[kind]
    key = make(keys)
    # The first answer names an expired key by its hash, the later ones by itself.
    direct = [ask(keys.url, key) for _ in range(2)][-1]
    sidecar = start_sidecar(keys.url, routes=ROUTES)

    answers = [ask(sidecar.gateway, key) for _ in range(6)]

    for answer in answers:
        assert without_times(answer) == without_times(direct)
        assert answer.status == status
        assert answer.header("x-sidecar-attempts") == f"{CLAUDE}=auth"
    assert ask(sidecar.gateway, keys.make_key()).header("x-sidecar-model") == CLAUDE
    assert models.record(GEMINI)["requests"] == 0
    assert set(breakers(sidecar).values()) == {"0"}


def answer_outside(_: Message, __: Exchange) -> bytes:
    return ok(b'{"from":"outside"}')


def start_with_house_key(start_sidecar: Callable[..., Sidecar], litellm: str, outside: Upstream) -> Sidecar:
    """Claude falls back to a provider that the sidecar has a key for; Gemini is asked nowhere else."""
    return start_sidecar(
        litellm,
        upstreams={
            "litellm": {"kind": "litellm", "url": litellm},
            "google": {"kind": "openai", "url": f"{outside.url}/v1beta/openai", "bearer": HOUSE_KEY},
        },
        routes=[
            {"name": "claude", "when": {"model": ["claude*"]}, "chain": ["$requested", f"{GEMINI}@google"]},
            {"name": "gemini", "when": {"model": ["gemini*"]}, "chain": [f"{GEMINI}@google"]},
        ],
        breaker={"rateLimitsToOpen": 1000},
    )


def test_vouched_for_by_litellm(start_sidecar: Callable[..., Sidecar], keys: LiteLLMWithKeys, models: Provider) -> None:
    """Who has a key for the model reaches the provider; what the client sent about itself does not."""
    private = "Cookie: session=secret\r\nX-OpenWebUI-User-Email: a@example.org\r\nX-Api-Key: sk-second-key\r\n"
    key = keys.make_key()
    models.play(CLAUDE, "status", status=429, retry_after=1)
    with Upstream(answer_outside) as outside:
        sidecar = start_with_house_key(start_sidecar, keys.url, outside)

        answers = [ask(sidecar.gateway, key, headers=private) for _ in range(3)]

        assert [answer.body for answer in answers] == [b'{"from":"outside"}'] * 3
        for request in outside.requests:
            assert request.header("authorization") == f"Bearer {HOUSE_KEY}"
            sent = "\n".join(f"{name}: {value}" for name, value in request.headers).lower()
            for own in (key.lower(), "sk-second-key", "session", "example.org", "cookie", "x-openwebui", "x-api-key"):
                assert own not in sent
        assert key not in sidecar.output() and HOUSE_KEY not in sidecar.output()


NOBODY: dict[str, Callable[[LiteLLMWithKeys], str]] = {
    **{kind: make for kind, (_, make) in REFUSALS.items() if kind != "not for this model"},
    "not for this model": lambda keys: keys.make_key(models=[GPT]),
    "over budget": lambda keys: used_up(keys, keys.make_key(max_budget=NEXT_TO_NOTHING)),
}


@pytest.mark.parametrize("kind", NOBODY)
def test_not_vouched_for(
    kind: str, start_sidecar: Callable[..., Sidecar], keys: LiteLLMWithKeys, models: Provider
) -> None:
    """A key that LiteLLM would not serve the model for never reaches the provider, by whatever route."""
    key = NOBODY[kind](keys)
    models.play(CLAUDE, "status", status=429, retry_after=1)
    with Upstream(answer_outside) as outside:
        sidecar = start_with_house_key(start_sidecar, keys.url, outside)

        answers = [ask(sidecar.gateway, key, model) for model in (CLAUDE, GEMINI, GEMINI)]

        assert all(answer.status in (401, 403, 422, 429) for answer in answers), answers
        assert not outside.requests


@pytest.mark.parametrize("end", ["deleted", "blocked"])
def test_revoked_key(end: str, start_sidecar: Callable[..., Sidecar], keys: LiteLLMWithKeys, models: Provider) -> None:
    """Once LiteLLM has refused a key that it vouched for, the provider is out of its reach."""
    key = keys.make_key()
    with Upstream(answer_outside) as outside:
        sidecar = start_with_house_key(start_sidecar, keys.url, outside)
        assert ask(sidecar.gateway, key, GEMINI).status == 200
        {"deleted": keys.delete, "blocked": keys.block}[end](key)

        assert ask(sidecar.gateway, key, CLAUDE).status == 401
        assert ask(sidecar.gateway, key, GEMINI).status == 401
        assert len(outside.requests) == 1


def encoded(message: Message) -> bytes:
    head = [message.start, *(f"{name}: {value}" for name, value in message.headers)]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + message.framed


def test_while_litellm_cannot_be_reached(
    start_sidecar: Callable[..., Sidecar], keys: LiteLLMWithKeys, models: Provider
) -> None:
    """Who was vouched for is still served; an unknown key is not, before, while and after."""
    is_gone = threading.Event()

    def litellm_or_nothing(request: Message, exchange: Exchange) -> bytes | None:
        if is_gone.is_set():
            return exchange.abort()
        with Client(int(keys.url.rpartition(":")[2])) as client:
            client.send(encoded(request))
            return encoded(client.read())

    known = keys.make_key()
    with Upstream(litellm_or_nothing) as inside, Upstream(answer_outside) as outside:
        sidecar = start_with_house_key(start_sidecar, inside.url, outside)
        for gone in (False, True, False):
            (is_gone.set if gone else is_gone.clear)()
            assert ask(sidecar.gateway, known, GEMINI).status == 200
            served = len(outside.requests)
            for model in (CLAUDE, GEMINI):
                assert ask(sidecar.gateway, "sk-nobody-has-this-key", model).status in (401, 502, 503)
            assert len(outside.requests) == served
