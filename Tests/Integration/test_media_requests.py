"""Images of requests: stored once, sent as each target takes them, and nothing else of the body touched."""

import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from images import (
    FORMATS,
    PUBLIC_URL,
    SIGNED,
    TAKES_INLINE,
    TAKES_URLS,
    Format,
    ask,
    body_of_chat,
    data_url,
    digest,
    fetch,
    image_bytes,
    image_counts,
    image_urls,
    jpeg,
    png,
    post,
    request_lines,
    start_with_store,
    stored,
    text_of,
    unfinished,
)
from images import quiet_logs as quiet_logs
from rawhttp import Client, Upstream, wait_for
from stack import Sidecar

CHAT = "/v1/chat/completions"
Start = Callable[..., Sidecar]


# MARK: - Every dialect


@dataclass
class Row:
    """A body with an image, and what an upstream that takes addresses is sent in its place.

    DATA stands for the Base64, TYPE for the declared type, ADDRESS for the address.
    """

    what: str
    path: str
    sent: str
    got: str

    def request(self, image: bytes, model: str, content_type: str = "image/png") -> tuple[str, bytes]:
        body = self.sent.replace("MODEL", model).replace("TYPE", content_type).replace("DATA", text_of(image))
        return self.path.replace("MODEL", model), body.encode()

    def expected(self, address: str, model: str, content_type: str = "image/png") -> bytes:
        return self.got.replace("MODEL", model).replace("TYPE", content_type).replace("ADDRESS", address).encode()


def same_frame(what: str, path: str, frame: str, image: str, address: str) -> Row:
    return Row(what, path, frame.replace("IMAGE", image), frame.replace("IMAGE", address))


# Numbers, escapes, spaces and fields as no encoder writes them: all of it has to arrive as it is.
CHAT_FRAME = (
    '{ "temperature" : 1.50e0,"x_new":{"b":[1, 2],"a":null},"model":"MODEL", "messages":[{"role":"system","content":'
    '"caf\\u00e9 \\/"},IMAGE ,{"role":"user","content":"go on"}],"user":"\\ud83d\\ude00" }\n'
)
DATA_URL, ADDRESS = "data:TYPE;base64,DATA", "ADDRESS"


def in_chat(what: str, message: str) -> Row:
    frame = CHAT_FRAME.replace("IMAGE", message)
    return same_frame(what, CHAT, frame, DATA_URL, ADDRESS)


RESPONSES_FRAME = '{"model":"MODEL","input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},PART]}'
BASE64_SOURCE = '{"type":"base64","media_type":"TYPE","data":"DATA"}'
URL_SOURCE = '{"type":"url","url":"ADDRESS"}'
GEMINI_FRAME = '{"contents":[{"role":"user","parts":[{"text":"a"},{IMAGE}]}],"generationConfig":{"temperature":1.0}}'

ROWS = [
    in_chat(
        "a chat's user",
        '{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url",  "image_url":{"detail":"high",'
        '"url":"IMAGE" ,"x":0.10}} ]}',
    ),
    in_chat(
        "a chat's tool result",
        '{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f",'
        '"arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"image_url","image_url":'
        '{"url":"IMAGE"}}]}',
    ),
    in_chat(
        "a chat's assistant images",
        '{"role":"assistant","content":"here","images":[{"type":"image_url","index":0,"image_url":{"url":"IMAGE"}}]}',
    ),
    in_chat("an address without an object", '{"role":"user","content":[{"type":"image_url","image_url":"IMAGE"}]}'),
    same_frame(
        "Anthropic's block in a chat",
        CHAT,
        CHAT_FRAME.replace("IMAGE", '{"role":"user","content":[{"type":"image","source":IMAGE}]}'),
        BASE64_SOURCE,
        URL_SOURCE,
    ),
    same_frame(
        "a Responses input",
        "/v1/responses",
        RESPONSES_FRAME.replace(
            "PART", '{"role":"user","content":[{"type":"input_image","detail":"low","image_url":"IMAGE"}]}'
        ),
        DATA_URL,
        ADDRESS,
    ),
    same_frame(
        "a Responses tool result",
        "/v1/responses",
        RESPONSES_FRAME.replace(
            "PART",
            '{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"IMAGE"}]}',
        ),
        DATA_URL,
        ADDRESS,
    ),
    same_frame(
        "a Claude message",
        "/v1/messages",
        '{"max_tokens":10,"model":"MODEL","messages":[{"role":"user","content":[{"source":IMAGE, "type":"image",'
        '"cache_control":{"type":"ephemeral"}}]}]}',
        BASE64_SOURCE,
        URL_SOURCE,
    ),
    same_frame(
        "a Claude tool result",
        "/v1/messages",
        '{"model":"MODEL","max_tokens":10,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":'
        '"t","content":[{"type":"text","text":"x"},{"type":"image","source":IMAGE}],"is_error":false}]}]}',
        BASE64_SOURCE,
        URL_SOURCE,
    ),
    same_frame(
        "Gemini in camel case",
        "/v1beta/models/MODEL:generateContent",
        GEMINI_FRAME,
        '"inlineData":{"mimeType":"TYPE","data":"DATA"}',
        '"fileData":{"mimeType":"TYPE","fileUri":"ADDRESS"}',
    ),
    same_frame(
        "Gemini in snake case",
        "/v1beta/models/MODEL:streamGenerateContent?alt=sse",
        GEMINI_FRAME,
        '"inline_data": {"data":"DATA", "mime_type":"TYPE"} ,"thought_signature":"c2ln"',
        '"file_data": {"file_uri":"ADDRESS", "mime_type":"TYPE"} ,"thought_signature":"c2ln"',
    ),
]
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)


def address_in(body: bytes) -> str:
    found = set(SIGNED.findall(body))
    assert len(found) == 1, body[:2000]
    return found.pop().decode()


@EVERY_ROW
def test_an_image_becomes_an_address_that_a_plain_client_fetches(row: Row, start_sidecar: Start) -> None:
    image = png(3, 5000)
    path, body = row.request(image, TAKES_URLS)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body, path)
        assert answer.status == 200
        assert answer.header("x-sidecar-images") == "uploaded=1"
        forwarded = upstream.requests[0].body

        address = address_in(forwarded)
        assert forwarded == row.expected(address, TAKES_URLS)
        fetched = fetch(address)
        assert (fetched.status, fetched.body == image) == (200, True)
        assert fetched.headers["content-type"] == "image/png"
        assert digest(fetched.body) in address
        assert len(stored(sidecar)) == 1 and not unfinished(sidecar)


@EVERY_ROW
def test_a_target_that_takes_no_addresses_gets_the_same_bytes(row: Row, start_sidecar: Start) -> None:
    path, body = row.request(png(4, 5000), TAKES_INLINE)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body, path)
        assert answer.status == 200
        assert upstream.requests[0].body == body
        assert upstream.requests[0].path == path
        assert stored(sidecar) == []


@EVERY_ROW
def test_an_address_of_ours_is_signed_anew_or_turned_back(row: Row, start_sidecar: Start) -> None:
    """Whatever became of its query: the image arrives, as the target takes it."""
    image = png(5, 5000)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        path, body = row.request(image, TAKES_URLS)
        ask(sidecar, body, path)
        address = address_in(upstream.requests[0].body)
        bare = address.partition("?")[0]
        old = [f"{bare}?expires=1790000000&signature={'0' * 64}", bare, f"{bare}?", f"{bare}?a?b=../c&d=%2f"]
        link = f"{PUBLIC_URL}/media/{bare.rpartition('/')[2]}"
        for spelling in [address, *old, link]:
            for model in (TAKES_URLS, TAKES_INLINE):
                answer = ask(sidecar, row.expected(spelling, model), row.path.replace("MODEL", model))
                assert answer.status == 200
                forwarded = upstream.requests[-1].body
                if model == TAKES_URLS:
                    assert answer.header("x-sidecar-images") == "resigned=1", spelling
                    assert forwarded == row.expected(address, model), spelling
                else:
                    assert answer.header("x-sidecar-images") == "inlined=1", spelling
                    # A source of Anthropic's is written anew: its members differ by type.
                    assert forwarded.replace(b" ", b"") == row.request(image, model)[1].replace(b" ", b""), spelling
        assert len(stored(sidecar)) == 1


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.extension)
def test_kind_and_name_come_from_the_bytes(format: Format, start_sidecar: Start) -> None:
    """The declared type may be wrong."""
    image = format.make(6, 5000)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body_of_chat(data_url(image, "image/x-unknown")))
        address = address_in(upstream.requests[0].body)
        assert f"/{digest(image)}.{format.extension}?" in address
        fetched = fetch(address)
        assert fetched.headers["content-type"] == format.content_type
        assert fetched.body == image
        assert [path.name for path in stored(sidecar)] == [f"{digest(image)}.{format.extension}"]

        ask(sidecar, body_of_chat(address, model=TAKES_INLINE))
        assert image_urls(upstream.requests[1].body) == [data_url(image, format.content_type)]


def test_small_images_stay(start_sidecar: Start) -> None:
    small, large = png(7, 1500), png(8, 3000)
    assert len(small) < 2048 < len(large)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body_of_chat(data_url(small), data_url(large)))
        assert answer.header("x-sidecar-images") == "uploaded=1;passed=1"
        first, second = image_urls(upstream.requests[0].body)
        assert first == data_url(small)
        assert fetch(second).body == large


KNOWN = {digest(image): image for image in [png(700, 2600), jpeg(701, 4000), png(702, 9000)]}


def random_part(source: random.Random) -> dict:
    image = source.choice(list(KNOWN.values()))
    small = png(703, 600)
    return source.choice([
        {"type": "text", "text": source.choice(["a", "data:image/png;base64,AAAA", "caf\u00e9 \\ \"", "\ud83d\ude00"])},
        {"type": "image_url", "image_url": {"url": data_url(image), "detail": "low"}},
        {"image_url": {"x": [1, {"y": None}], "url": data_url(image)}, "type": "image_url"},
        {"type": "image_url", "image_url": data_url(image)},
        {"type": "image_url", "image_url": {"url": data_url(small)}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/b.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64," + "A" * 4000}},
        {"type": "input_audio", "input_audio": {"data": "A" * 4000, "format": "wav"}},
    ])  # fmt: skip


def random_body(source: random.Random) -> bytes:
    """A chat as one of many encoders may write it."""
    messages = []
    for _ in range(source.randrange(1, 6)):
        parts = [random_part(source) for _ in range(source.randrange(0, 5))]
        content = source.choice([parts, parts, parts, "only text", None])
        messages.append({"role": source.choice(["user", "assistant", "tool"]), "content": content})
    body = {"model": TAKES_URLS, "messages": messages, "metadata": {"image_url": data_url(png(704, 3000))}}
    style = source.choice([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])
    return json.dumps(body, **style).encode("utf-8", "surrogatepass")


def with_meaning(value: object) -> object:
    """The same with every image, inline or by its signed address, replaced by its digest."""
    if isinstance(value, list):
        return [with_meaning(element) for element in value]
    if isinstance(value, dict):
        return {key: with_meaning(member) for key, member in value.items()}
    if isinstance(value, str):
        if signed := re.fullmatch(r"http://127.0.0.1:\d+/media/signed/(\w{64})\.\w+\?.*", value):
            return signed[1]
        for known, image in KNOWN.items():
            if value == data_url(image):
                return known
    return value


@pytest.mark.parametrize("seed", range(4))
def test_random_chats_mean_the_same(seed: int, start_sidecar: Start) -> None:
    source = random.Random(seed)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            for _ in range(40):
                body = random_body(source)
                client.send(post(body))
                assert client.read().status == 200
                forwarded = upstream.requests[-1].body
                assert with_meaning(json.loads(forwarded)) == with_meaning(json.loads(body))
                assert forwarded.count(data_url(png(704, 3000)).encode()) == 1, "metadata is no part of the chat"
                messages = forwarded[: forwarded.rindex(b'"metadata"')]
                assert not any(data_url(image).encode() in messages for image in KNOWN.values())
        assert {path.stem for path in stored(sidecar)} <= set(KNOWN)


# MARK: - Once


def test_one_object_for_fifty_requests_at_once(start_sidecar: Start) -> None:
    """The same image four times in each of fifty bodies: one upload; counts and bytes agree everywhere."""
    image = png(11, 200_000)
    body = body_of_chat(*[data_url(image)] * 4)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: ask(sidecar, body), range(50)))
        assert {answer.status for answer in answers} == {200}
        told = Counter()
        for answer in answers:
            told.update({k: int(v) for k, v in (p.split("=") for p in answer.header("x-sidecar-images").split(";"))})
        assert told == {"uploaded": 1, "deduplicated": 199}
        assert image_counts(sidecar) == {("request", "uploaded"): 1, ("request", "deduplicated"): 199}

        addresses = {address for request in upstream.requests for address in image_urls(request.body)}
        assert len(addresses) == 1
        assert len({request.body for request in upstream.requests}) == 1
        assert len(stored(sidecar)) == 1

        assert wait_for(lambda: len(request_lines(sidecar)) == 50)
        logged = Counter()
        for line in request_lines(sidecar):
            logged.update(line["images"])
        assert logged == told
        hops = image_bytes(sidecar)
        assert hops["store_out"] == len(image)
        # The size of Base64 tells it to within two bytes.
        assert abs(hops["client_in"] - 200 * len(image)) <= 400
        assert hops.get("upstream_out", 0) == 0


def test_the_prefix_stays_the_same_within_a_window(start_sidecar: Start) -> None:
    """Each turn begins with the bytes of the turn before, so that the provider's prompt cache holds."""
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        messages: list[str] = []
        for turn in range(8):
            url = data_url(png(20 + turn, 4000))
            part = json.dumps({"type": "image_url", "image_url": {"url": url}})
            messages.append('{"role":"user","content":[' + part + "]}")
            ask(sidecar, f'{{"model":"{TAKES_URLS}","messages":[{",".join(messages)}]}}'.encode())
        for before, after in itertools.pairwise(upstream.requests):
            assert after.body.startswith(before.body.removesuffix(b"]}"))
        assert image_counts(sidecar) == {("request", "uploaded"): 8, ("request", "deduplicated"): 28}


def test_bytes_of_images_are_counted_at_each_hop(start_sidecar: Start) -> None:
    image = png(12, 30_000)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body_of_chat(data_url(image)))
        address = image_urls(upstream.requests[0].body)[0]
        once = image_bytes(sidecar)
        assert once["store_out"] == len(image)
        assert abs(once["client_in"] - len(image)) <= 2
        assert once.get("upstream_out", 0) == 0

        ask(sidecar, body_of_chat(address, model=TAKES_INLINE))
        after = image_bytes(sidecar)
        assert 'sidecar_overhead_seconds_count{phase="upload"} ' in sidecar.metrics()
        assert after["client_in"] == once["client_in"]
        assert after["upstream_out"] == len(image)
        assert after["store_out"] == len(image)

        ask(sidecar, body_of_chat(data_url(image), model=TAKES_INLINE))
        assert abs(image_bytes(sidecar)["upstream_out"] - 2 * len(image)) <= 2


# MARK: - Bodies in pieces


@pytest.mark.parametrize("step", [None, 1000], ids=["at once", "slowly"])
def test_a_body_in_chunks(step: int | None, start_sidecar: Start) -> None:
    """Without a length, in pieces that cut the image, on a connection that goes on."""
    image = png(28, 100_000)
    body = body_of_chat(data_url(image))
    pieces = [body[at : at + 7001] for at in range(0, len(body), 7001)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = f"POST {CHAT} HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            for _ in range(2):
                client.send(head + framed, step)
                assert client.read().status == 200
        for request in upstream.requests:
            assert fetch(image_urls(request.body)[0]).body == image
        assert [len(image_urls(request.body)) for request in upstream.requests] == [1, 1]


def test_many_images_in_one_body(start_sidecar: Start) -> None:
    images = [png(1000 + number, 3000) for number in range(300)]
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body_of_chat(*map(data_url, images)))
        assert answer.header("x-sidecar-images") == "uploaded=300"
        addresses = image_urls(upstream.requests[0].body)
        assert [re.search(r"/(\w{64})\.png", address)[1] for address in addresses] == list(map(digest, images))


SPELLINGS = [
    "data:image/png;charset=utf-8;base64,", "data:image/png;name=a.png;base64,", "DATA:IMAGE/PNG;BASE64,",
    "data:;base64,", "data:image/png; base64,", "data:image/png ;base64,", " data:image/png;base64,",
    "data:image/*;base64,", "data:image/png;base64;base64,", "data:,;base64,", "data:image/png;base64, ",
]  # fmt: skip


@pytest.mark.parametrize("start", SPELLINGS)
def test_odd_data_urls_are_read_rightly_or_not_at_all(start: str, start_sidecar: Start) -> None:
    image = png(29)
    body = body_of_chat(start + text_of(image))
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, body).status == 200
        forwarded = upstream.requests[0].body
        assert forwarded == body or fetch(image_urls(forwarded)[0]).body == image
