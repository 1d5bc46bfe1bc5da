"""Images that are not what they seem: passed on as they came, never stored, never rewritten wrongly."""

import base64
import json
from collections.abc import Callable

import pytest

from images import (
    TAKES_INLINE,
    TAKES_URLS,
    ask,
    body_of_chat,
    data_url,
    fetch,
    image_counts,
    image_urls,
    png,
    start_with_store,
    stored,
    text_of,
    unfinished,
)
from images import quiet_logs as quiet_logs
from rawhttp import Upstream
from stack import Sidecar

Start = Callable[..., Sidecar]
PATIENCE = 5.0
"""The longest time that a store may delay a request, as the contract says."""


# MARK: - Input that is not what it seems


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<path d='M0 0'/>" * 300 + b"</svg>"
HTML = b"<!doctype html><script>alert(1)</script>" + b" " * 5000
GOOD = base64.b64encode(png(21, 5001)).decode()
assert GOOD.endswith("="), "its padding is needed below"
NOT_CANONICAL = GOOD.rstrip("=")[:-1] + chr(ord(GOOD.rstrip("=")[-1]) + 1) + "=" * GOOD.count("=")


def part(url: str, encode: bool = True) -> str:
    quoted = json.dumps(url) if encode else f'"{url}"'
    return f'{{"type":"image_url","image_url":{{"url":{quoted}}}}}'


UNTOUCHED = {
    "cut Base64": part(f"data:image/png;base64,{GOOD[:-5]}"),
    "without padding": part(f"data:image/png;base64,{GOOD.rstrip('=')}"),
    "not canonical": part(f"data:image/png;base64,{NOT_CANONICAL}"),
    "URL-safe digits": part("data:image/png;base64," + GOOD.replace("/", "_").replace("+", "-")),
    "a line break": part(f"data:image/png;base64,{GOOD[:76]}\n{GOOD[76:]}"),
    "a space": part(f"data:image/png;base64,{GOOD[:76]} {GOOD[76:]}"),
    "bytes after the end": part(f"data:image/png;base64,{GOOD}AAAA"),
    "SVG": part("data:image/svg+xml;base64," + base64.b64encode(SVG).decode()),
    "SVG that claims to be PNG": part("data:image/png;base64," + base64.b64encode(SVG).decode()),
    "HTML that claims to be JPEG": part("data:image/jpeg;base64," + base64.b64encode(HTML).decode()),
    "nothing": part("data:image/png;base64,"),
    "an empty address": part(""),
    "a data URL without Base64": part("data:image/png," + "%89PNG" * 1000),
    "a data URL of text": part("data:text/plain;base64," + base64.b64encode(b"word " * 1000).decode()),
    "another scheme": part("blob:https://example.org/" + "a" * 4000),
    "the address twice": '{"type":"image_url","image_url":{"url":"data:image/png;base64,%s","url":"https://e.org"}}'
    % GOOD,
    "the image twice": '{"type":"image_url","image_url":{"url":"https://e.org"},"image_url":{"url":'
    '"data:image/png;base64,%s"}}' % GOOD,
    "the type twice": '{"type":"text","image_url":{"url":"data:image/png;base64,%s"},"type":"image_url"}' % GOOD,
}  # fmt: skip


@pytest.mark.parametrize("image", UNTOUCHED.values(), ids=UNTOUCHED.keys())
@pytest.mark.parametrize("model", [TAKES_URLS, TAKES_INLINE])
def test_what_is_no_proper_image_passes_untouched(model: str, image: str, start_sidecar: Start) -> None:
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":[{image}]}}]}}'.encode()
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body)
        assert answer.status == 200
        assert upstream.requests[0].body == body
        assert stored(sidecar) == [] and unfinished(sidecar) == []
        assert set(image_counts(sidecar)) <= {("request", "passed")}


def test_an_image_of_sixty_megabytes_passes_untouched(start_sidecar: Start) -> None:
    """Over the limit of 50 MB, within a body that may be as large."""
    image = png(22, 30_000) + bytes(60_000_000)
    body = body_of_chat("data:image/png;base64," + base64.b64encode(image).decode())
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, limits={"maxBodyBytes": 100_000_000})
        answer = ask(sidecar, body)
        assert answer.status == 200
        assert upstream.requests[0].body == body
        assert answer.header("x-sidecar-images") == "passed=1"
        assert stored(sidecar) == []


@pytest.mark.parametrize("spell", ["slashes", "unicode", "mixed"])
def test_escapes_in_the_string_are_read(spell: str, start_sidecar: Start) -> None:
    r"""`\/` and `\u002b` mean what they say: the image that is stored is the one that was meant."""
    image = png(23, 6000)
    text = text_of(image)
    if spell in ("slashes", "mixed"):
        text = text.replace("/", "\\/")
    if spell in ("unicode", "mixed"):
        text = text.replace("+", "\\u002b").replace("A", "\\u0041", 20)
    body = (
        f'{{"model":"{TAKES_URLS}","messages":[{{"role":"user","content":['
        f"{part(f'data:image{chr(92)}/png;base64,{text}', encode=False)}]}}]}}"
    ).encode()
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, body).status == 200
        forwarded = upstream.requests[0].body
        if forwarded != body:
            assert fetch(image_urls(forwarded)[0]).body == image
        assert len(stored(sidecar)) == (forwarded != body)


def test_bodies_that_are_not_understood_pass_untouched(start_sidecar: Start) -> None:
    url = data_url(png(24))
    bodies = [
        b'{"model":"%s","messages":[{"role":"user","content":[' % TAKES_URLS.encode() + part(url).encode(),
        b"[" + body_of_chat(url) + b"]",
        body_of_chat(url) + b"x",
        b'{"model":"%s","messages":"%s"}' % (TAKES_URLS.encode(), url.encode()),
    ]
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        for body in bodies:
            assert ask(sidecar, body).status == 200
            assert upstream.requests[-1].body == body
        assert stored(sidecar) == []


def test_images_in_arguments_of_calls_are_not_touched(start_sidecar: Start) -> None:
    """What a model wrote as arguments is text that it will read again, not an image."""
    arguments = json.dumps({"image_url": {"url": data_url(png(25))}, "type": "image_url"})
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [{"role": "user", "content": data_url(png(26))}, {"role": "assistant", "tool_calls": [call]}]
    body = json.dumps({"model": TAKES_URLS, "messages": messages, "tools": [{"type": "function"}]}).encode()
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body)
        assert upstream.requests[0].body == body


def test_without_media_nothing_is_touched(start_sidecar: Start) -> None:
    body = body_of_chat(data_url(png(27)))
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, {"requests": False})
        answer = ask(sidecar, body)
        assert upstream.requests[0].body == body
        assert answer.header("x-sidecar-images") is None
