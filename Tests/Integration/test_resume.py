"""`stream.onCut: resume`: streamed answers that break off, and what the client gets then."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import openai
import pytest

from rawhttp import Client, Exchange, Message, Upstream, wait_for
from stack import CLAUDE, GEMINI, Provider, Sidecar

FIRST, SECOND, THIRD = "claude-a", "gemini-b", "gpt-c"
ROUTES = [{"name": "claude", "when": {"model": ["claude*"]}, "chain": ["$requested", SECOND, THIRD]}]
PREFILL = [{"match": ["gemini*"], "prefill": True}]
WORDS = [f"word{number} " for number in range(59)] + ["end."]
TEXT = "".join(WORDS)
NOTICE = "\n\n[sidecar: the answer broke off here and starts again on {}]\n\n"


def chunk(finish: str | None = None, **delta: object) -> dict:
    """An event as LiteLLM sends it."""
    choice = {"index": 0, "delta": delta}
    if finish:
        choice["finish_reason"] = finish
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@dataclass
class Play:
    """What a model does with one request: events, and how they end."""

    words: list[str] = field(default_factory=list)
    """Pieces of the answer; a dict is an event, bytes are sent as they are."""
    end: str = "done"
    """done, finish (without [DONE]), missing (neither), abort, close (chunk left open), stall, error, junk"""
    status: int = 200
    id: str = "chatcmpl-1"

    def events(self) -> list[bytes]:
        events = [chunk(role="assistant", content="")]
        events += [word if isinstance(word, dict | bytes) else chunk(content=word) for word in self.words]
        if self.end in ("done", "finish"):
            events += [chunk("stop")]
        if self.end == "error":
            events += [{"error": {"message": "overloaded_error: Overloaded", "type": "None", "code": "529"}}]
        lines = [event if isinstance(event, bytes) else json.dumps(event | self.name(event)).encode() for event in events]
        lines += [b"[DONE]"] * (self.end == "done") + [b'{"choices": [{"delta": {"con'] * (self.end == "junk")
        return [b"data: " + line + b"\n\n" for line in lines]

    def name(self, event: dict) -> dict:
        return {"id": self.id} if "choices" in event else {}

    def perform(self, exchange: Exchange) -> None:
        if self.status != 200:
            body = b'{"error": {"message": "This model does not support assistant message prefill.", "code": "400"}}'
            head = f"HTTP/1.1 {self.status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            exchange.send(head.encode() + body)
            return
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in self.events():
            exchange.send(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        if self.end == "stall":
            exchange.closes_within(10)
        elif self.end == "abort":
            # A reset takes what was not read yet with it.
            time.sleep(0.2)
            exchange.abort()
        elif self.end == "close":
            exchange.send(b"20\r\ndata: ")
            exchange.connection.close()
        else:
            exchange.send(b"0\r\n\r\n")


def chat_request(body: dict) -> bytes:
    data = json.dumps(body).encode()
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


@dataclass
class Stage:
    """A sidecar before models that play their parts in turn."""

    sidecar: Sidecar
    parts: dict[str, list[Play]]
    asked: list[dict]

    def ask(self, messages: list[dict] | None = None, **more: object) -> "Heard":
        body = {"model": FIRST, "stream": True, "messages": messages or [{"role": "user", "content": "hi"}]} | more
        with Client(self.sidecar.port) as client:
            client.send(chat_request(body))
            return Heard(client.read().body.decode())

    def logged(self) -> dict:
        """The line of the first request; it is written when the answer is out."""
        assert wait_for(lambda: any(line["msg"] == "request" for line in self.sidecar.log_lines()))
        return next(line for line in self.sidecar.log_lines() if line["msg"] == "request")


@dataclass
class Heard:
    """An answer as a client reads it."""

    stream: str

    @property
    def payloads(self) -> list[str]:
        assert self.stream.endswith("\n\n")
        return [line[6:] for line in self.stream.splitlines() if line.startswith("data: ")]

    @property
    def events(self) -> list[dict]:
        return [json.loads(payload) for payload in self.payloads if payload != "[DONE]"]

    @property
    def deltas(self) -> list[dict]:
        return [choice["delta"] for event in self.events for choice in event.get("choices", [])]

    @property
    def text(self) -> str:
        return "".join(delta.get("content") or "" for delta in self.deltas)

    @property
    def is_complete(self) -> bool:
        return self.payloads[-1] == "[DONE]"

    @property
    def errors(self) -> list[dict]:
        return [event["error"] for event in self.events if "error" in event]


@pytest.fixture
def stage(start_sidecar: Callable[..., Sidecar]) -> Callable[..., Stage]:
    """Opens a stage; `parts` are the plays of each model, in the order of its requests."""

    def open_stage(parts: dict[str, list[Play]], on_cut: str = "resume", **sections: object) -> Stage:
        asked: list[dict] = []
        left = {model: list(plays) for model, plays in parts.items()}

        def answer(request: Message, exchange: Exchange) -> None:
            body = json.loads(request.body)
            asked.append(body)
            left[body["model"]].pop(0).perform(exchange)

        upstream = Upstream(answer)
        sidecar = start_sidecar(
            upstream.url,
            **{"routes": ROUTES, "stream": {"onCut": on_cut}, "timeouts": {"idleSeconds": 0.5}} | sections,
        )
        return Stage(sidecar, left, asked)

    return open_stage


CUTS = ["abort", "close", "stall", "error", "junk", "missing"]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("prefill", [False, True], ids=["again", "prefill"])
def test_the_whole_answer_from_two_targets(cut: str, prefill: bool, stage: Callable[..., Stage]) -> None:
    """Cut after 40 of 60 words: the client gets all 60, once, in one answer."""
    rest = WORDS[40:] if prefill else WORDS
    play = stage(
        {FIRST: [Play(WORDS[:40], cut)], SECOND: [Play(rest, id="another")]}, models=PREFILL if prefill else []
    )
    heard = play.ask()
    assert heard.text == TEXT
    assert heard.is_complete and not heard.errors
    assert {event["id"] for event in heard.events} == {"chatcmpl-1"}
    assert [delta for delta in heard.deltas if "role" in delta] == [{"role": "assistant", "content": ""}]
    sent = play.asked[1]["messages"]
    assert sent[0] == {"role": "user", "content": "hi"}
    given = [{"role": "assistant", "content": "".join(WORDS[:40]).rstrip()}] if prefill else []
    assert sent[1:] == given
    reason = {"stall": "timeout", "error": "overloaded"}.get(cut, "upstream_fault")
    line = play.logged()
    assert line["attempts"] == [f"{FIRST}={reason}", f"{SECOND}=ok"]
    assert line["status"] == 200 and line["model"] == SECOND and "error" not in line
    assert f'to="{SECOND}",reason="{reason}"}} 1' in play.sidecar.metrics()


@pytest.mark.parametrize("echo", ["whole", "trimmed", "start", "none"])
@pytest.mark.parametrize("space", ["", " ", "\n\n"], ids=["bare", "blank", "lines"])
def test_a_prefilled_answer_is_joined_without_seam(echo: str, space: str, stage: Callable[..., Stage]) -> None:
    """What the target repeats of its prefill is left out only if it is all of it; white space comes once."""
    begun = "The quick brown fox" + space
    rest = ["jumps", " over"] if space else [" jumps", " over"]
    said = {
        "whole": [begun[:7], begun[7:], *rest],
        "trimmed": [begun.rstrip(), space + rest[0], rest[1]],
        "start": ["The quick", " red one"],
        "none": [space + rest[0], rest[1]],
    }[echo]
    play = stage({FIRST: [Play([begun], "close")], SECOND: [Play(said)]}, models=PREFILL)
    expected = begun + ("The quick red one" if echo == "start" else "".join(rest))
    heard = play.ask()
    assert heard.text == expected
    assert heard.is_complete


def test_a_different_answer_starts_again_behind_a_notice(stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(["Hello ", "there, "], "close")], SECOND: [Play(["Hello ", "you. ", "Fine?"])]})
    heard = play.ask()
    assert heard.text == "Hello there, " + NOTICE.format(SECOND) + "Hello you. Fine?"
    assert heard.is_complete


@pytest.mark.parametrize("said", [["Hello "], ["Hello"], ["He", "llo"]])
def test_a_shorter_answer_is_a_different_one(said: list[str], stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(["Hello ", "there, "], "close")], SECOND: [Play(said)]})
    heard = play.ask()
    assert heard.text == "Hello there, " + NOTICE.format(SECOND) + "".join(said)
    assert heard.is_complete


def test_an_empty_answer_goes_on_with_nothing(stage: Callable[..., Stage]) -> None:
    """LiteLLM makes an empty `stop` of a silence; the next target is asked."""
    play = stage({FIRST: [Play(WORDS[:20], "close")], SECOND: [Play([])], THIRD: [Play(WORDS)]})
    heard = play.ask()
    assert heard.text == TEXT
    assert heard.is_complete


@pytest.mark.parametrize("second", ["same", "other"])
@pytest.mark.parametrize("cut", CUTS)
def test_two_cuts_in_a_row(cut: str, second: str, stage: Callable[..., Stage]) -> None:
    """Nothing of the first two answers is said twice, and the third is whole."""
    middle = WORDS[:50] if second == "same" else ["Other ", "words "]
    play = stage({FIRST: [Play(WORDS[:40], cut)], SECOND: [Play(middle, cut)], THIRD: [Play(WORDS)]})
    heard = play.ask()
    begun = "".join(WORDS[:40])
    again = NOTICE.format(SECOND) + "Other words " + NOTICE.format(THIRD) + TEXT
    assert heard.text == (TEXT if second == "same" else begun + again)
    assert heard.is_complete


@pytest.mark.parametrize("cut", CUTS)
def test_cut_before_the_first_token(cut: str, stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play([], cut)], SECOND: [Play(WORDS)]})
    heard = play.ask()
    assert heard.text == TEXT
    assert heard.is_complete


def test_a_target_that_refuses_prefill_is_asked_without(stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(WORDS[:40], "close")], SECOND: [Play(status=400), Play(WORDS)]}, models=PREFILL)
    heard = play.ask()
    assert heard.text == TEXT
    assert heard.is_complete
    assert [len(body["messages"]) for body in play.asked] == [1, 2, 1]


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "missing"])
def test_nobody_left(cut: str, stage: Callable[..., Stage]) -> None:
    """The answer ends with an error event and no [DONE]."""
    play = stage({model: [Play(WORDS[:20], cut)] for model in (FIRST, SECOND, THIRD)})
    heard = play.ask()
    assert heard.text == "".join(WORDS[:20])
    assert not heard.is_complete
    assert len(heard.errors) == 1 and "error" in heard.events[-1]
    assert len(play.asked) == 3


@pytest.mark.parametrize("status", [400, 500, 503])
def test_the_others_fail_by_status(status: int, stage: Callable[..., Stage]) -> None:
    others = {model: [Play(status=status)] * 2 for model in (SECOND, THIRD)}
    heard = stage({FIRST: [Play(WORDS[:20], "close")], **others}).ask()
    assert heard.text == "".join(WORDS[:20])
    assert not heard.is_complete and len(heard.errors) == 1


CALL = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a'}}]}


@pytest.mark.parametrize(
    ("request_members", "words"),
    [
        ({"n": 2}, WORDS[:9]),
        ({"logprobs": True}, WORDS[:9]),
        ({"logprobs": True, "top_logprobs": 3}, WORDS[:9]),
        ({"response_format": {"type": "json_object"}}, ['{"a": ']),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, ['{"a": ']),
        ({}, ["I look. ", chunk(**CALL)]),
        ({}, ["I look. ", chunk(function_call={"name": "f", "arguments": "{"})]),
        ({}, ["Here: ", chunk(images=[{"type": "image_url", "image_url": {"url": "https://a/b.png"}}])]),
    ],
    ids=["n", "logprobs", "top-logprobs", "json", "schema", "tool-call", "function-call", "image"],
)
def test_what_cannot_be_spliced_ends_with_an_error(
    request_members: dict, words: list, stage: Callable[..., Stage]
) -> None:
    play = stage({FIRST: [Play(words, "close")], SECOND: [Play(WORDS)]})
    heard = play.ask(**request_members)
    assert len(play.asked) == 1
    assert heard.text == "".join(word for word in words if isinstance(word, str))
    assert not heard.is_complete and len(heard.errors) == 1
    assert play.logged()["attempts"] == [f"{FIRST}=upstream_fault"]


@pytest.mark.parametrize("members", [{"n": 1}, {"response_format": {"type": "text"}}, {"logprobs": False, "n": None}])
def test_what_asks_for_plain_text_is_spliced(members: dict, stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(WORDS[:9], "close")], SECOND: [Play(WORDS)]})
    heard = play.ask(**members)
    assert heard.text == TEXT and heard.is_complete


def test_an_answer_whose_end_is_lost_is_whole(stage: Callable[..., Stage]) -> None:
    """The model had said why it stopped: nobody else is asked, and the stream gets its end."""
    for end in ("finish", "close", "stall"):
        words = WORDS if end == "finish" else [*WORDS, chunk("stop")]
        play = stage({FIRST: [Play(words, end)], SECOND: []})
        heard = play.ask()
        assert heard.text == TEXT and heard.is_complete
        assert heard.payloads.count("[DONE]") == 1


def test_thoughts_are_not_repeated(stage: Callable[..., Stage]) -> None:
    first = [chunk(reasoning_content="I think "), chunk(reasoning_content="so. "), *WORDS[:9]]
    second = [chunk(reasoning_content="Other "), *WORDS]
    heard = stage({FIRST: [Play(first, "close")], SECOND: [Play(second)]}).ask()
    assert "".join(delta.get("reasoning_content") or "" for delta in heard.deltas) == "I think so. "
    assert heard.text == TEXT and heard.is_complete
    heard = stage({FIRST: [Play(first[:2], "close")], SECOND: [Play(second)]}).ask()
    assert "".join(delta.get("reasoning_content") or "" for delta in heard.deltas) == "I think so. "
    assert heard.text == TEXT and heard.is_complete


def test_a_tool_call_may_follow_a_spliced_text(stage: Callable[..., Stage]) -> None:
    said = [*WORDS, chunk(**CALL)]
    heard = stage({FIRST: [Play(WORDS[:9], "close")], SECOND: [Play(said)]}).ask()
    assert heard.text == TEXT
    assert [delta["tool_calls"] for delta in heard.deltas if "tool_calls" in delta] == [CALL["tool_calls"]]
    heard = stage({FIRST: [Play(WORDS[:9], "close")], SECOND: [Play([*WORDS[:3], chunk(**CALL)])]}).ask()
    assert heard.text == "".join(WORDS[:9]) + NOTICE.format(SECOND) + "".join(WORDS[:3])
    assert [delta["tool_calls"] for delta in heard.deltas if "tool_calls" in delta] == [CALL["tool_calls"]]


def test_the_notice_is_taken_out_of_later_requests(stage: Callable[..., Stage]) -> None:
    """However the client's JSON writer escapes, and whether or not a route takes the request."""
    play = stage({FIRST: [Play(["Hello ", "there, "], "close"), Play(WORDS)], SECOND: [Play(["Hi!"])], "free": [Play()]})
    text = play.ask().text
    history = [
        {"role": "user", "content": f"hi {NOTICE.format('x')}"},
        {"role": "assistant", "content": text},
        {"role": "assistant", "content": [{"type": "text", "text": f"ü{NOTICE.format('m')}"}]},
        {"role": "user", "content": "go on"},
    ]
    expected = [
        history[0],
        {"role": "assistant", "content": "Hello there, \n\nHi!"},
        {"role": "assistant", "content": [{"type": "text", "text": "ü\n\n"}]},
        history[3],
    ]
    play.ask(history)
    play.ask(history, model="free")
    assert [body["messages"] for body in play.asked[2:]] == [expected, expected]


def test_without_resume_it_ends_with_an_error(stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(WORDS[:9], "close")], SECOND: [Play(WORDS)]}, on_cut="error")
    heard = play.ask()
    assert heard.text == "".join(WORDS[:9])
    assert not heard.is_complete and len(heard.errors) == 1
    assert len(play.asked) == 1


def test_an_untouched_stream_passes_byte_for_byte(stage: Callable[..., Stage]) -> None:
    """Comments, usage and what comes in odd pieces included."""
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 60}}
    part = Play([*WORDS, b'{"choices":[{"index":0,"delta":{"content":"\\u00fc"},  "x":1 }]}', usage])
    play = stage({FIRST: [part], SECOND: []})
    assert play.ask().stream.encode() == b"".join(part.events())


def test_the_conversation_moves_with_the_answer(stage: Callable[..., Stage]) -> None:
    """The next request of the conversation goes to who finished the answer."""
    play = stage({FIRST: [Play(WORDS[:9], "close")], SECOND: [Play(WORDS), Play(["Again."])]})
    play.ask()
    assert play.ask().text == "Again."
    assert [body["model"] for body in play.asked] == [FIRST, SECOND, SECOND]


@pytest.mark.parametrize("seed", range(12))
def test_random_cuts(seed: int, stage: Callable[..., Stage]) -> None:
    """Wherever the answers break off, and however they are cut into pieces, the client gets the text once."""
    source = random.Random(seed)

    def pieces(text: str) -> list[str]:
        cuts = sorted(source.sample(range(1, len(text)), min(len(text) - 1, 12)))
        return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    text = "Grüße, 世界! 👩‍👩‍👧 " * 6 + "“quoted” \\ \n end"
    lengths = sorted(source.sample(range(1, len(text)), 2))
    plays = [Play(pieces(text[:length]), source.choice(CUTS)) for length in lengths]
    play = stage({FIRST: [plays[0]], SECOND: [plays[1]], THIRD: [Play(pieces(text))]})
    heard = play.ask()
    assert heard.text == text and heard.is_complete


def test_what_came_before_the_cut_is_not_held_back(start_sidecar: Callable[..., Sidecar]) -> None:
    """The client reads it while the next target thinks, though cut and words came in one piece."""
    has_read = threading.Event()

    def answer(request: Message, exchange: Exchange) -> None:
        is_first = json.loads(request.body)["model"] == FIRST
        if not is_first:
            assert has_read.wait(10)
        Play(WORDS[:9] if is_first else WORDS, "error" if is_first else "done").perform(exchange)

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, stream={"onCut": "resume"})
        with Client(sidecar.port) as client:
            client.send(chat_request({"model": FIRST, "stream": True, "messages": [{"role": "user", "content": "hi"}]}))
            while b"word8" not in client.unread:
                client.unread += client.socket.recv(1 << 16)
            has_read.set()
            assert Heard(client.read().body.decode()).text == TEXT


@pytest.mark.parametrize("event", [b"ping", b"null", b"[]", b'"text"', b" ", b'{"choices":[]}\ndata: {"choices":[]}'])
def test_events_that_say_nothing_of_the_answer_pass(event: bytes, stage: Callable[..., Stage]) -> None:
    part = Play([*WORDS[:9], event, *WORDS[9:]])
    play = stage({FIRST: [part], SECOND: []})
    assert play.ask().stream.encode() == b"".join(part.events())


def test_a_notice_where_a_picture_is_taken_out(stage: Callable[..., Stage]) -> None:
    """Two edits of one message, of which the larger counts."""
    rules = [{"match": ["gemini*"], "vision": False}, {"match": ["claude*"], "vision": True}]
    odd = {"text": f"a{NOTICE.format('x')}b", "image_url": {"url": "https://example.org/a.png"}}
    messages = [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": [odd]}, {"role": "user", "content": "go on"},
    ]  # fmt: skip
    play = stage({FIRST: [Play(status=503)] * 2, SECOND: [Play(WORDS)]}, models=rules)
    assert play.ask(messages).text == TEXT


def test_a_client_that_leaves_between_two_targets(stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(WORDS[:9], "close")], SECOND: [Play([], "stall")], THIRD: [Play([], "stall")]})
    client = Client(play.sidecar.port)
    client.send(chat_request({"model": FIRST, "stream": True, "messages": [{"role": "user", "content": "hi"}]}))
    time.sleep(0.3)
    client.break_off()
    assert wait_for(lambda: "sidecar_streams_open 0" in play.sidecar.metrics())


async def test_the_sdk_sees_one_answer(stage: Callable[..., Stage]) -> None:
    play = stage({FIRST: [Play(WORDS[:40], "close")], SECOND: [Play(WORDS)]})
    client = openai.AsyncOpenAI(base_url=f"{play.sidecar.gateway}/v1", api_key="k", max_retries=0)
    stream = await client.chat.completions.create(
        model=FIRST, messages=[{"role": "user", "content": "hi"}], stream=True
    )
    events = [event async for event in stream]
    assert "".join(event.choices[0].delta.content or "" for event in events) == TEXT
    assert events[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("kind", ["cut", "error"])
@pytest.mark.parametrize("prefill", [False, True], ids=["again", "prefill"])
async def test_a_provider_that_dies_behind_a_real_litellm(
    kind: str,
    prefill: bool,
    start_routed: Callable[..., Sidecar],
    client_of: Callable[[str], openai.AsyncOpenAI],
    provider: Provider,
) -> None:
    """Claude dies in its answer, Gemini goes on with it: the SDK's client has the whole text and no error."""
    rules = [{"match": ["gemini*"], "prefill": prefill}]
    sidecar = start_routed(stream={"onCut": "resume"}, models=rules)
    provider.play(CLAUDE, kind, text=TEXT, chunks=20, after=8, pace=0.02)
    provider.play(GEMINI, "ok", text=TEXT, chunks=20)
    messages = [{"role": "user", "content": "hello"}]
    stream = await client_of(sidecar.gateway).chat.completions.create(model=CLAUDE, messages=messages, stream=True)
    chunks = [chunk async for chunk in stream]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert text == TEXT
    asked = provider.record(GEMINI)["bodies"][-1]["contents"]
    assert [content["role"] for content in asked] == (["user", "model"] if prefill else ["user"])
    if prefill:
        begun = asked[-1]["parts"][0]["text"]
        assert begun and TEXT.startswith(begun) and begun != TEXT
