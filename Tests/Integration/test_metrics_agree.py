"""Counters against the log of those who made and answered the requests: to the request, the token and the byte."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families

import images
from image_answers import completion
from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import Sidecar
from test_moments import STREAM_HEAD, chunk, delta

PLAIN, BUSY, RESERVE, BROKEN, CUT, DRAWS = "plain", "busy", "reserve", "broken", "cut", "draws"
PRICE = {"inputPerMillion": 3.0, "outputPerMillion": 15.0, "cachedInputPerMillion": 0.3}
PROMPT, CACHED, OUTPUT = 100, 40, 20
USAGE = {
    "prompt_tokens": PROMPT,
    "completion_tokens": OUTPUT,
    "prompt_tokens_details": {"cached_tokens": CACHED},
}
STATED_COST = 0.0123
WORDS = 7
REQUESTS = 300


@dataclass
class Log:
    """What both sides of the sidecar saw."""

    requests: Counter = field(default_factory=Counter)
    """By route, model, class of status and whether it was streamed."""
    attempts: Counter = field(default_factory=Counter)
    fallbacks: Counter = field(default_factory=Counter)
    tokens: Counter = field(default_factory=Counter)
    cost: Counter = field(default_factory=Counter)
    body_bytes: Counter = field(default_factory=Counter)
    first_tokens: Counter = field(default_factory=Counter)


def reported(log: Log, model: str) -> None:
    log.tokens[model, "input", "reported"] += PROMPT - CACHED
    log.tokens[model, "cached_input", "reported"] += CACHED
    log.tokens[model, "output", "reported"] += OUTPUT


def price() -> float:
    return ((PROMPT - CACHED) * 3.0 + CACHED * 0.3 + OUTPUT * 15.0) / 1e6


class Answering:
    """The upstream: answers by model and logs what it was sent and what it sent."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def __call__(self, request: Message, exchange: Exchange) -> bytes | None:
        self.log.body_bytes["upstream_out"] += len(request.body)
        if request.path.startswith("/v1/models"):
            return self.sent(b'{"data":[]}')
        try:
            body = json.loads(request.body)
        except ValueError:
            return self.sent(b'{"error":{"message":"no JSON","type":"invalid_request_error","code":"400"}}', 400)
        model = body["model"]
        if model == BUSY:
            return self.sent(b'{"error":{"message":"slow down","type":"throttling_error","code":"429"}}', 429)
        if model == BROKEN:
            return self.sent(b'{"error":{"message":"bad","type":"invalid_request_error","code":"400"}}', 400)
        if model == DRAWS:
            return self.sent(completion([images.data_url(images.png(seed=7))]))
        if body.get("stream"):
            return self.stream(body, exchange)
        answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Done."}}], "usage": USAGE}
        return self.sent(json.dumps(answer).encode(), cost=STATED_COST)

    def sent(self, body: bytes, status: int = 200, cost: float | None = None) -> bytes:
        self.log.body_bytes["upstream_in"] += len(body)
        stated = f"x-litellm-response-cost: {cost}\r\n" if cost else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{stated}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def stream(self, body: dict, exchange: Exchange) -> bytes | None:
        pieces = [delta(f"word {number} ") for number in range(WORDS)]
        if body["model"] == CUT:
            self.log.body_bytes["upstream_in"] += sum(map(len, pieces))
            exchange.send(STREAM_HEAD + b"".join(map(chunk, pieces)))
            exchange.connection.close()
            return None
        if body.get("stream_options"):
            pieces.append(b"data: %s\n\n" % json.dumps({"choices": [], "usage": USAGE}).encode())
        pieces.append(b"data: [DONE]\n\n")
        self.log.body_bytes["upstream_in"] += sum(map(len, pieces))
        return STREAM_HEAD + b"".join(map(chunk, pieces)) + b"0\r\n\r\n"


class Asking:
    """The client: sends a request of some kind, reads the answer, logs both."""

    def __init__(self, log: Log, port: int) -> None:
        self.log = log
        self.port = port
        self.client = Client(port)

    def ask(self, kind: str, number: int) -> None:
        getattr(self, kind)(number)

    def exchange(self, body: bytes, path: str = "/v1/chat/completions", method: str = "POST") -> Message:
        head = f"{method} {path} HTTP/1.1\r\nHost: s\r\nContent-Type: application/json\r\n"
        self.client.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = self.client.read()
        self.log.body_bytes["client_in"] += len(body)
        self.log.body_bytes["client_out"] += len(answer.body)
        if not answer.complete or (answer.header("connection") or "").lower() == "close":
            self.client.socket.close()
            self.client = Client(self.port)
        return answer

    def chat(self, model: str, number: int, stream: bool = False, usage: bool = False) -> Message:
        body = {"model": model, "messages": [{"role": "user", "content": f"Question {number}" * (number % 50)}]}
        body |= {"stream": True} if stream else {}
        body |= {"stream_options": {"include_usage": True}} if usage else {}
        return self.exchange(json.dumps(body).encode())

    def plain(self, number: int) -> None:
        assert self.chat(PLAIN, number).status == 200
        self.log.requests["chat", PLAIN, "2xx", "false"] += 1
        self.log.attempts[PLAIN, "ok"] += 1
        self.log.cost[PLAIN] += price()
        reported(self.log, PLAIN)

    def stated(self, number: int) -> None:
        """No price is configured for it."""
        assert self.chat(RESERVE, number).status == 200
        self.log.requests["chat", RESERVE, "2xx", "false"] += 1
        self.log.attempts[RESERVE, "ok"] += 1
        self.log.cost[RESERVE] += STATED_COST
        reported(self.log, RESERVE)

    def fallback(self, number: int) -> None:
        assert self.chat(BUSY, number).header("x-sidecar-model") == RESERVE
        self.log.requests["chat", RESERVE, "2xx", "false"] += 1
        self.log.attempts[BUSY, "rate_limited"] += 1
        self.log.attempts[RESERVE, "ok"] += 1
        self.log.fallbacks[BUSY, RESERVE, "rate_limited"] += 1
        self.log.cost[RESERVE] += STATED_COST
        reported(self.log, RESERVE)

    def streamed(self, number: int) -> None:
        assert self.chat(PLAIN, number, stream=True, usage=True).body.endswith(b"data: [DONE]\n\n")
        self.log.requests["chat", PLAIN, "2xx", "true"] += 1
        self.log.attempts[PLAIN, "ok"] += 1
        self.log.first_tokens[PLAIN] += 1
        self.log.cost[PLAIN] += price()
        reported(self.log, PLAIN)

    def unreported(self, number: int) -> None:
        assert self.chat(RESERVE, number, stream=True).status == 200
        self.log.requests["chat", RESERVE, "2xx", "true"] += 1
        self.log.attempts[RESERVE, "ok"] += 1
        self.log.first_tokens[RESERVE] += 1
        self.log.tokens[RESERVE, "output", "counted"] += WORDS

    def cut(self, number: int) -> None:
        answer = self.chat(CUT, number, stream=True)
        assert b"[DONE]" not in answer.body and b'"error"' in answer.body
        self.log.requests["chat", CUT, "2xx", "true"] += 1
        self.log.attempts[CUT, "upstream_fault"] += 1
        self.log.first_tokens[CUT] += 1
        self.log.tokens[CUT, "output", "counted"] += WORDS

    def refused(self, number: int) -> None:
        assert self.chat(BROKEN, number).status == 400
        self.log.requests["chat", BROKEN, "4xx", "false"] += 1
        self.log.attempts[BROKEN, "caller_fault"] += 1

    def unknown(self, number: int) -> None:
        """A model that no list has."""
        assert self.chat(f"model-{number}", number).status == 200
        self.log.requests["chat", "other", "2xx", "false"] += 1
        self.log.attempts["other", "ok"] += 1
        self.log.cost["other"] += STATED_COST
        reported(self.log, "other")

    def garbage(self, _: int) -> None:
        assert self.exchange(b'{"model": ').status == 400
        self.log.requests["", "", "4xx", "false"] += 1
        self.log.attempts["other", "caller_fault"] += 1

    def passed(self, _: int) -> None:
        assert self.exchange(b"", "/v1/models", "GET").status == 200
        self.log.requests["", "", "2xx", "false"] += 1

    def too_large(self, _: int) -> None:
        """Refused by its head: nothing of the body is read."""
        self.client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: 99999999\r\n\r\n")
        answer = self.client.read()
        assert answer.status == 413
        self.log.body_bytes["client_out"] += len(answer.body)
        self.client.socket.close()
        self.client = Client(self.port)
        self.log.requests["", "", "4xx", "false"] += 1

    def draws(self, number: int) -> None:
        picture = images.data_url(images.png(seed=number))
        body = images.body_of_chat(picture, model=DRAWS)
        assert self.exchange(body).status == 200
        self.log.requests["chat", DRAWS, "2xx", "false"] += 1
        self.log.attempts[DRAWS, "ok"] += 1
        self.log.tokens[DRAWS, "input", "reported"] += 12
        self.log.tokens[DRAWS, "output", "reported"] += 68


KINDS = [
    "plain", "stated", "fallback", "streamed", "unreported", "cut", "refused", "unknown", "garbage", "passed",
    "too_large", "draws",
]  # fmt: skip


def sections() -> dict:
    named = [BUSY, RESERVE, BROKEN, CUT, DRAWS]
    return {
        # Only names that stand here are labels.
        "models": [{"match": [PLAIN], "price": PRICE}, {"match": named, "vision": True}],
        "routes": [{"name": "chat", "when": {}, "chain": ["$requested", RESERVE]}],
        "breaker": {"rateLimitsToOpen": 1000, "failuresToOpen": 1000},
        # A conversation that was moved goes back at once.
        "fallback": {"stickySeconds": 0},
    }


def samples(text: str, name: str, *labels: str) -> Counter:
    """Values of a metric that are not 0, added up by these labels."""
    found: Counter = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.value:
                key = tuple(sample.labels[label] for label in labels)
                found[key if len(labels) > 1 else key[0]] += sample.value
    return found


def counted(sidecar: Sidecar) -> float:
    """Requests of all kinds."""
    return sum(samples(sidecar.metrics(), "sidecar_requests_total", "status").values())


@pytest.mark.parametrize("seed", [1, 2])
def test_counters_agree_with_both_sides(seed: int, start_sidecar: Callable[..., Sidecar]) -> None:
    """Whatever comes in whatever order: each request, attempt, token and byte is counted once, and under its name."""
    log = Log()
    draw = random.Random(seed)
    with Upstream(Answering(log)) as upstream:
        sidecar = start_sidecar(upstream.url, **sections())
        asking = Asking(log, sidecar.port)
        for number, kind in enumerate(KINDS + draw.choices(KINDS, k=REQUESTS)):
            asking.ask(kind, number)
        wanted = sum(log.requests.values())
        assert wait_for(lambda: counted(sidecar) == wanted), (counted(sidecar), wanted)
        text = sidecar.metrics()
    seen = samples(text, "sidecar_requests_total", "route", "model", "status", "stream")
    assert seen == log.requests
    assert samples(text, "sidecar_upstream_attempts_total", "target", "outcome") == log.attempts
    assert samples(text, "sidecar_fallbacks_total", "from", "to", "reason") == log.fallbacks
    assert samples(text, "sidecar_body_bytes_total", "hop") == log.body_bytes
    tokens = samples(text, "sidecar_tokens_total", "model", "kind", "source")
    prompts = {key: tokens.pop(key) for key in list(tokens) if key[1:] == ("input", "counted")}
    assert {key[0] for key in prompts} == {RESERVE, CUT}, "prompts are counted where nobody reports them"
    assert tokens == log.tokens
    assert samples(text, "sidecar_cost_usd_total", "model") == pytest.approx(log.cost)
    durations = samples(text, "sidecar_request_duration_seconds_count", "route")
    assert durations[""] + durations["chat"] == wanted
    assert samples(text, "sidecar_time_to_first_token_seconds_count", "model") == log.first_tokens
    ended_well = {PLAIN: log.first_tokens[PLAIN], RESERVE: log.first_tokens[RESERVE]}
    assert samples(text, "sidecar_output_token_seconds_count", "model") == ended_well
    phases = samples(text, "sidecar_overhead_seconds_count", "phase")
    inspected = wanted - durations[""]
    assert phases["plan"] >= inspected and phases["accept"] >= inspected and phases["transform"] == inspected
    assert phases["relay"] >= inspected


def test_output_token_time_is_that_of_the_stream(start_sidecar: Callable[..., Sidecar]) -> None:
    """Ten deltas a fiftieth of a second apart, and a first token that took longer."""
    pause, deltas = 0.05, 11

    def answer(request: Message, exchange: Exchange) -> None:
        time.sleep(4 * pause)
        exchange.send(STREAM_HEAD)
        for number in range(deltas):
            exchange.send(chunk(delta(f"{number}")))
            time.sleep(pause if number < deltas - 1 else 0)
        exchange.send(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, **sections())
        with Client(sidecar.port) as client:
            client.send(images.post(b'{"model":"plain","stream":true,"messages":[{"role":"user","content":"x"}]}'))
            client.read()
        [seconds] = samples(sidecar.metrics(), "sidecar_output_token_seconds_sum", "route").values()
    # Never faster than it was sent; slower by what a busy machine adds.
    assert pause * 0.98 <= seconds < pause * 2.5


def test_requests_that_wait_for_their_turn_are_not_timed(start_sidecar: Callable[..., Sidecar]) -> None:
    """The clock of a request that was sent behind another starts when it is read, and so does its reading."""
    pause, count = 0.3, 4

    def answer(*_: object) -> bytes:
        time.sleep(pause)
        return ok()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, **sections())
        with Client(sidecar.port) as client:
            client.send(images.post(b'{"model":"plain","messages":[]}') * count)
            assert [client.read().status for _ in range(count)] == [200] * count
        text = sidecar.metrics()
    [total] = samples(text, "sidecar_request_duration_seconds_sum", "route").values()
    assert count * pause * 0.98 <= total < count * pause * 1.8
    assert samples(text, "sidecar_overhead_seconds_sum", "phase")["accept"] < pause


def test_prefix_kept(start_sidecar: Callable[..., Sidecar]) -> None:
    """All of it while a chat only grows, nothing once its start is clipped, and by arm, route and conversation."""
    said = [f"{number} " + "move the caption a little to the left " * 20 for number in range(12)]

    def turn(count: int, chat: str) -> bytes:
        roles = ("user", "assistant")
        messages = [{"role": roles[at % 2], "content": said[at]} for at in range(count)]
        return images.post(
            json.dumps({"messages": messages, "model": PLAIN, "metadata": {"tail": "t" * 4000 * (count % 3)}}).encode(),
            headers=f"X-OpenWebUI-Chat-Id: {chat}\r\n",
        )

    with Upstream(Answering(Log())) as upstream:
        clip = {"maxContextTokens": 1200, "on": "always", "blockTokens": 0}
        sidecar = start_sidecar(upstream.url, **sections() | {"clip": clip})
        with Client(sidecar.port) as client:
            for count in (1, 3, 5, 11):
                for chat in ("a", "b"):
                    client.send(turn(count, chat))
                    assert client.read().status == 200
        text = sidecar.metrics()
    assert samples(text, "sidecar_prefix_kept_ratio_count", "route") == {"chat": 6}
    assert samples(text, "sidecar_clips_total", "route") == {"chat": 2}
    buckets = samples(text, "sidecar_prefix_kept_ratio_bucket", "le")
    assert (buckets["0.1"], buckets["0.99"], buckets["1.0"]) == (2, 2, 6)
    assert samples(text, "sidecar_prefix_kept_ratio_sum", "route")["chat"] == pytest.approx(4, abs=0.1)


def requests_of(sidecar: Sidecar) -> list[dict]:
    return [line for line in sidecar.log_lines() if line["msg"] == "request"]


@pytest.mark.parametrize("leaves", ["before", "within"])
def test_a_client_that_leaves(leaves: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """Before the answer it counts as nginx's 499 would, a 4xx; later it has the status that it was sent."""

    def answer(_: Message, exchange: Exchange) -> None:
        if leaves == "within":
            exchange.send(STREAM_HEAD + chunk(delta("one")))
        exchange.closes_within(20)

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, **sections())
        with Client(sidecar.port) as client:
            client.send(images.post(b'{"model":"plain","stream":true,"messages":[{"role":"user","content":"x"}]}'))
            assert wait_for(lambda: len(upstream.requests) == 1)
            if leaves == "within":
                assert client.socket.recv(1 << 16)
            client.break_off()
        wanted = {"4xx": 1} if leaves == "before" else {"2xx": 1}
        assert wait_for(lambda: samples(sidecar.metrics(), "sidecar_requests_total", "status") == wanted)
        outcomes = samples(sidecar.metrics(), "sidecar_upstream_attempts_total", "outcome")
    assert outcomes == ({} if leaves == "before" else {"ok": 1})
    assert wait_for(lambda: bool(requests_of(sidecar)))
    [line] = requests_of(sidecar)
    assert line["status"] == (499 if leaves == "before" else 200) and line["error"] == "client_left"
