"""Images of answers: stored, and linked to, in whole ones; nothing else of the answer changes."""

import base64
import gzip
import json
from collections.abc import Callable

import pytest

from image_answers import (
    ASKED,
    MODEL,
    STREAMED,
    answers,
    chunked,
    completion,
    events,
    link,
    serves,
)
from images import (
    ACCESS_KEY,
    SECRET_KEY,
    ask,
    body_of_chat,
    data_url,
    image_bytes,
    image_counts,
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
from rawhttp import Client, Upstream, ok, wait_for
from stack import Sidecar

Start = Callable[..., Sidecar]
# MARK: - Whole answers


FRAMINGS = {"length": ok, "chunked": chunked, "tiny chunks": lambda body: chunked(body, size=37)}


@pytest.mark.parametrize("frame", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_images_of_an_answer_become_links(frame: Callable[[bytes], bytes], start_sidecar: Start) -> None:
    images = [png(100, 30_000), png(101, 30_000)]
    photo = jpeg(102, 30_000)
    urls = [data_url(images[0]), data_url(images[1]), data_url(photo, "image/jpeg")]
    text = f"Look: ![a poster]({urls[2]}) and ![again]({urls[0]}) \\ \u00e9"
    body = completion(urls[:2], text)
    with Upstream(answers(frame(body))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            for _ in range(2):
                client.send(post(ASKED))
                answer = client.read()
                expected = body
                for url, address in zip(urls, [link(images[0]), link(images[1]), link(photo, "jpg")], strict=True):
                    expected = expected.replace(url.encode(), address.encode())
                assert answer.status == 200 and answer.complete
                assert answer.body == expected
                assert len(answer.body) < 2048 * 4
                assert answer.header("x-sidecar-model") == MODEL
        assert [serves(sidecar, link(image)) for image in images] == images
        assert serves(sidecar, link(photo, "jpg")) == photo
        assert len(stored(sidecar)) == 3 and not unfinished(sidecar)
        counts = {result: count for (direction, result), count in image_counts(sidecar).items()}
        assert counts == {"uploaded": 3, "deduplicated": 5}
        assert wait_for(lambda: sum(line["dialect"] != "other" for line in request_lines(sidecar)) == 2)


FORMS = {
    "a Responses text": (
        "/v1/responses",
        '{"output":[{"type":"message","content":[{"type":"output_text","text":TEXT}]}]}',
    ),
    "a Claude text": ("/v1/messages", '{"type":"message","role":"assistant","content":[{"type":"text","text":TEXT}]}'),
    "a Gemini text": ("/v1beta/models/m:generateContent", '{"candidates":[{"content":{"parts":[{"text":TEXT}]}}]}'),
    "a chat's text": ("/v1/chat/completions", '{"choices":[{"message":{"content":TEXT}}]}'),
    "two choices": ("/chat/completions", '{"choices":[{"message":{"content":TEXT}},{"message":{"content":TEXT}}]}'),
    "a part": ("/v1/chat/completions", '{"choices":[{"message":{"content":[{"image_url":{"url":URL}}]}}]}'),
}


@pytest.mark.parametrize(("path", "form"), FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("escapes", [False, True], ids=["plain", "escaped"])
def test_images_in_the_text_of_every_dialect(escapes: bool, path: str, form: str, start_sidecar: Start) -> None:
    image = png(126, 20_000)
    url = data_url(image)
    text = f'a ![b]({url}) [c]({url}) ![d]({url} "title") ![e](<{url}>) \n```\n![f]({url})\n```'
    body = form.replace("TEXT", json.dumps(text)).replace("URL", json.dumps(url))
    expected = body.replace(url, link(image))
    if escapes:
        body = body.replace("/", "\\/")
    asked = '{"model":"%s","input":"a","contents":[{"parts":[{"text":"a"}]}],"messages":[]}' % MODEL
    with Upstream(answers(ok(body.encode()))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, asked.encode(), path)
        assert json.loads(answer.body) == json.loads(expected)
        assert len(answer.body) < 2048
        assert serves(sidecar, link(image)) == image


def test_bytes_of_answers_are_counted_at_each_hop(start_sidecar: Start) -> None:
    image = png(103, 30_000)
    with Upstream(answers(ok(completion([data_url(image)])))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, ASKED)
        hops = image_bytes(sidecar)
        assert abs(hops["upstream_in"] - len(image)) <= 2
        assert hops["store_out"] == len(image)
        assert hops.get("client_out", 0) == 0


UNCHANGED = {
    "a small image": completion([data_url(png(104, 1000))]),
    "a text about data URLs": completion([], "write data:image/png;base64, and then the digits"),
    "an address": completion(["https://example.org/a.png"]),
    "SVG": completion(["data:image/svg+xml;base64," + base64.b64encode(b"<svg/>" * 1000).decode()]),
    "HTML posing as PNG": completion(["data:image/png;base64," + base64.b64encode(b"<script>" * 1000).decode()]),
    "cut Base64": completion([data_url(png(105, 5001))[:-3]]),
    "arguments of a call": json.dumps(
        {"choices": [{"message": {"tool_calls": [{"function": {"arguments": json.dumps(data_url(png(106)))}}]}}]}
    ).encode(),
    "no JSON": completion([data_url(png(107))])[:-5],
}


@pytest.mark.parametrize("body", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_what_is_no_proper_image_stays(body: bytes, start_sidecar: Start) -> None:
    with Upstream(answers(ok(body))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, ASKED).body == body
        assert stored(sidecar) == []


def test_answers_that_are_not_read_stay(start_sidecar: Start) -> None:
    """Errors, answers to other paths, and everything while there is no public address."""
    body = completion([data_url(png(108))])
    error = b"HTTP/1.1 400 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with Upstream(answers(error)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, ASKED).body == body
        upstream.answer = answers(ok(body))
        assert ask(sidecar, ASKED, "/v1/moderations").body == body
        upstream.answer = answers(ok(body, "text/plain"))
        assert ask(sidecar, ASKED).body == body
        assert stored(sidecar) == []

        upstream.answer = answers(ok(body))
        private = start_with_store(start_sidecar, upstream.url, {"responses": False})
        assert ask(private, ASKED).body == body


def test_a_compressed_answer(start_sidecar: Start) -> None:
    """The upstream is asked not to compress; if it does, its bytes go on as they are."""
    body = completion([data_url(png(109))])
    packed = gzip.compress(body)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}"
    )
    with Upstream(answers(head.encode() + b"\r\n\r\n" + packed)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, ASKED, headers="Accept-Encoding: gzip, deflate, br\r\n")
        assert upstream.requests[0].header("accept-encoding") == "identity"
        assert answer.header("content-encoding") == "gzip"
        assert gzip.decompress(answer.body) == body


@pytest.mark.parametrize("body", [ASKED, STREAMED], ids=["whole", "stream"])
def test_an_answer_while_the_store_is_away(body: bytes, start_sidecar: Start) -> None:
    """The image stays in the answer, and the client has it."""
    url = data_url(png(110))
    sent = events(url) if body == STREAMED else completion([url])
    framed = chunked(sent, "text/event-stream") if body == STREAMED else ok(sent)
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with Upstream(answers(framed)) as upstream, Upstream(answers(refusal)) as bucket:
        store = {
            "kind": "s3", "endpoint": bucket.url, "bucket": "designs",
            "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY,
        }  # fmt: skip
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": store, "onStoreFailure": "reject"})
        answer = ask(sidecar, body)
        assert answer.status == 200 and answer.body == sent
        assert [result for _, result in image_counts(sidecar)] == ["failed"]


# MARK: - The images API


def generated(image: bytes, **more: object) -> bytes:
    """LiteLLM writes an empty `url` beside `b64_json`."""
    item = {"b64_json": text_of(image), "revised_prompt": None, "url": None, **more}
    return json.dumps({"created": 1760000000, "data": [item, item], "usage": {"total_tokens": 10}}).encode()


def drawing(**more: object) -> bytes:
    return json.dumps({"model": MODEL, "prompt": "a poster", **more}).encode()


def only_last(pairs: list[tuple[str, object]]) -> dict:
    assert len(dict(pairs)) == len(pairs), f"a key stands there twice: {[key for key, _ in pairs]}"
    return dict(pairs)


@pytest.mark.parametrize("more", [{}, {"size": "1024x1024"}], ids=["with an empty url", "with more"])
def test_b64_json_becomes_a_link_when_addresses_were_asked_for(more: dict, start_sidecar: Start) -> None:
    image = png(111, 30_000)
    with Upstream(answers(ok(generated(image, **more)))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, drawing(response_format="url"), "/v1/images/generations")
        data = json.loads(answer.body, object_pairs_hook=only_last)["data"]
        assert [item["url"] for item in data] == [link(image)] * 2
        assert all(not item.get("b64_json") for item in data)
        assert len(answer.body) < 2 * 2048
        assert serves(sidecar, link(image)) == image


@pytest.mark.parametrize("asked", [{}, {"response_format": "b64_json"}], ids=["nothing", "b64_json"])
def test_b64_json_stays_when_it_was_asked_for(asked: dict, start_sidecar: Start) -> None:
    body = generated(png(112, 30_000))
    with Upstream(answers(ok(body))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, drawing(**asked), "/v1/images/generations").body == body
        assert stored(sidecar) == []


def test_a_data_url_where_an_address_was_asked_for(start_sidecar: Start) -> None:
    image = png(113, 30_000)
    body = json.dumps({"created": 1, "data": [{"url": data_url(image)}]}).encode()
    with Upstream(answers(ok(body))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, drawing(response_format="url"), "/v1/images/generations")
        assert json.loads(answer.body)["data"] == [{"url": link(image)}]


# MARK: - Other dialects


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1beta/models/gemini:generateContent", {"candidates": [{"content": {"parts": [{"inlineData": "IMAGE"}]}}]}),
        ("/v1/responses", {"output": [{"type": "image_generation_call", "result": "BASE64"}]}),
    ],
    ids=["Gemini", "Responses"],
)
def test_forms_for_which_an_api_has_no_address_stay(path: str, body: dict, start_sidecar: Start) -> None:
    image = png(123)
    data = {"mimeType": "image/png", "data": text_of(image)}
    sent = json.dumps(body).replace('"IMAGE"', json.dumps(data)).replace("BASE64", text_of(image)).encode()
    asked = b'{"model":"%s","input":"a","contents":[{"parts":[{"text":"a"}]}]}' % MODEL.encode()
    with Upstream(answers(ok(sent))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, asked, path).body == sent


def test_an_image_that_was_answered_is_sent_back_as_its_link(start_sidecar: Start) -> None:
    """The whole circle: an answer's link comes back in the next turn, to a model that takes images inline."""
    image = png(124, 30_000)
    with Upstream(answers(ok(completion([data_url(image)])))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        address = json.loads(ask(sidecar, ASKED).body)["choices"][0]["message"]["images"][0]["image_url"]["url"]
        ask(sidecar, body_of_chat(address, model=MODEL))
        assert data_url(image).encode() in upstream.requests[-1].body
