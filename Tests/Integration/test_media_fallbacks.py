"""Images when a target cannot fetch, is limited, or cannot see."""

import json
import re
from collections.abc import Callable

import pytest

from images import (
    BLIND,
    CLIENT_KEY,
    SIGNED,
    TAKES_INLINE,
    TAKES_URLS,
    ask,
    assert_no_secret,
    body_of_chat,
    data_url,
    digest,
    fetch,
    image_urls,
    jpeg,
    media_sections,
    png,
    request_lines,
    start_with_store,
)
from images import quiet_logs as quiet_logs
from rawhttp import Exchange, Message, Upstream, ok, wait_for
from stack import Sidecar, get

CHAT = "/v1/chat/completions"
Start = Callable[..., Sidecar]


# MARK: - Targets that cannot fetch


def failure(message: str, status: int = 400, code: str | None = None) -> bytes:
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code or str(status)}})
    return (
        f"HTTP/1.1 {status} No\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    ).encode()


CANNOT_FETCH = [
    failure(
        "litellm.BadRequestError: AnthropicException - Unable to fetch image from URL. Status code: 403, url=ADDRESS"
    ),
    failure("litellm.APIConnectionError: Unable to fetch image from URL ADDRESS: not in user_url_allowed_hosts", 500),
    failure("litellm.BadRequestError: OpenAIException - Error while downloading ADDRESS."),
    failure("Invalid image.", 400, "invalid_image_url"),
    failure("Timeout while downloading ADDRESS."),
    failure("litellm.BadRequestError: AnthropicException - Unable to download the file. Please verify the URL."),
]


def cannot_fetch(refusal: bytes) -> Callable[[Message, Exchange], bytes]:
    """As LiteLLM does, with the address and its signature in the message."""

    def answer(request: Message, _: Exchange) -> bytes:
        if b";base64," in request.body:
            return ok()
        head, _, body = refusal.partition(b"\r\n\r\n")
        body = body.replace(b"ADDRESS", SIGNED.search(request.body)[0])
        return re.sub(rb"content-length: \d+", b"content-length: %d" % len(body), head) + b"\r\n\r\n" + body

    return answer


@pytest.mark.parametrize("refusal", CANNOT_FETCH, ids=range(len(CANNOT_FETCH)))
@pytest.mark.parametrize("routed", [False, True], ids=["unrouted", "routed"])
def test_a_target_that_cannot_fetch_gets_the_image_inline(routed: bool, refusal: bytes, start_sidecar: Start) -> None:
    """Once more with the image in the body; from then on so at once."""
    sections = {"routes": [{"name": "all", "when": {}, "chain": ["$requested", TAKES_INLINE]}]} if routed else {}
    image = png(13)
    body = body_of_chat(data_url(image))
    with Upstream(cannot_fetch(refusal)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, **sections)
        answer = ask(sidecar, body)
        assert answer.status == 200
        assert answer.header("x-sidecar-model") == TAKES_URLS
        assert [json.loads(request.body)["model"] for request in upstream.requests] == [TAKES_URLS] * 2
        assert image_urls(upstream.requests[0].body)[0].startswith("http")
        assert image_urls(upstream.requests[1].body) == [data_url(image)]

        address = image_urls(upstream.requests[0].body)[0]
        again = ask(sidecar, body_of_chat(data_url(image), address, text="another chat"))
        assert again.status == 200
        assert len(upstream.requests) == 3, "it was not remembered"
        assert image_urls(upstream.requests[2].body) == [data_url(image)] * 2

        other = ask(sidecar, body_of_chat(data_url(image), model=f"{TAKES_URLS}-2"))
        assert other.status == 200
        assert len(upstream.requests) == 5, "another model is asked by itself"


@pytest.mark.parametrize(
    "refusal",
    [failure("messages: field required"), failure("Unable to fetch image from URL", 404)],
    ids=["another failure", "still fails inline"],
)
def test_other_failures_are_passed_on(refusal: bytes, start_sidecar: Start) -> None:
    """Never asked a third time, and not a second time for what inline images would not mend."""
    with Upstream(lambda request, _: refusal) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body_of_chat(data_url(png(14))))
        assert answer.body == refusal.partition(b"\r\n\r\n")[2]
        assert len(upstream.requests) == (2 if b"fetch" in refusal else 1)


def test_an_error_that_names_a_signed_address_is_not_logged(start_sidecar: Start) -> None:
    """The client gets the message as it is; logs, receipts and the admin pages get nothing of it."""
    refusal = failure("no such image: ADDRESS", 404)
    with Upstream(cannot_fetch(refusal)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, body_of_chat(data_url(png(14))))
        assert answer.status == 404 and SIGNED.search(answer.body)
        assert wait_for(lambda: request_lines(sidecar) != [])
        for path in ("/status", "/metrics", f"/receipts/{answer.header('x-sidecar-request-id')}", "/"):
            assert_no_secret(get(f"{sidecar.admin}{path}")[1])


# MARK: - Fallbacks


LIMITED = failure("litellm.RateLimitError: slow down", 429)


def limited(*models: str) -> Callable[[Message, Exchange], bytes]:
    return lambda request, _: LIMITED if json.loads(request.body)["model"] in models else ok()


def test_a_fallback_gets_the_form_that_it_takes(start_sidecar: Start) -> None:
    images = [png(15), jpeg(16)]
    old = png(17)
    routes = [{"name": "all", "when": {"model": [TAKES_URLS]}, "chain": ["$requested", TAKES_INLINE]}]
    with Upstream(limited(TAKES_URLS)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        ask(sidecar, body_of_chat(data_url(old), model=f"{TAKES_URLS}-free"))
        address = image_urls(upstream.requests[0].body)[0]
        urls = [data_url(images[0]), data_url(images[1], "image/jpeg"), address, "https://example.org/a.png"]
        answer = ask(sidecar, body_of_chat(*urls))
        assert answer.status == 200
        assert answer.header("x-sidecar-attempts") == f"{TAKES_URLS}=rate_limited, {TAKES_INLINE}=ok"
        first, second = upstream.requests[1:]
        sent = image_urls(first.body)
        assert [digest(fetch(url).body) for url in sent[:3]] == [digest(image) for image in [*images, old]]
        assert image_urls(second.body) == [*urls[:2], data_url(old), "https://example.org/a.png"]


def test_an_upstream_of_our_own_gets_images_inline(start_sidecar: Start) -> None:
    """Whatever the rule of the model says: Google fetches nothing from us, and sees none of our addresses."""
    image, old = png(18), png(19)
    routes = [{"name": "all", "when": {"model": [TAKES_URLS]}, "chain": ["$requested", f"{TAKES_URLS}@google"]}]
    with Upstream(limited(TAKES_URLS)) as upstream, Upstream() as google:
        upstreams = {
            "litellm": {"kind": "litellm", "url": upstream.url},
            "google": {"kind": "openai", "url": f"{google.url}/v1beta/openai", "bearer": "canary-of-the-upstream"},
        }
        sections = media_sections(upstream.url)
        sections["listen"]["gateway"]["clientKeys"] = [CLIENT_KEY]
        sidecar = start_sidecar(upstream.url, **(sections | {"upstreams": upstreams, "routes": routes}))
        ask(sidecar, body_of_chat(data_url(old), model=f"{TAKES_URLS}-free"))
        address = image_urls(upstream.requests[0].body)[0]
        answer = ask(sidecar, body_of_chat(data_url(image), address))
        assert answer.status == 200
        assert image_urls(google.requests[0].body) == [data_url(image), data_url(old)]
        assert b"/media/" not in google.requests[0].body
        assert "canary-of-the-upstream" not in sidecar.output()


def test_images_of_turns_that_are_clipped_are_gone_whole(start_sidecar: Start) -> None:
    """Clip and images change one body together: what is left is valid, complete and has the newest image."""
    messages: list[dict] = [{"role": "system", "content": "short"}]
    for turn in range(12):
        url = {"url": data_url(png(30 + turn, 3000))}
        parts = [{"type": "text", "text": f"turn {turn} " + "word " * 400}, {"type": "image_url", "image_url": url}]
        messages += [{"role": "user", "content": parts}, {"role": "assistant", "content": "fine " * 100}]
    body = json.dumps({"model": TAKES_URLS, "messages": messages[:-1]}).encode()
    routes = [{"name": "all", "when": {"model": [TAKES_URLS]}, "chain": ["$requested", f"{TAKES_URLS}-spare"]}]
    clip = {"maxContextTokens": 6000, "on": "fallback"}
    with Upstream(limited(TAKES_URLS)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes, clip=clip)
        answer = ask(sidecar, body)
        assert answer.status == 200
        dropped = int(re.search(r"dropped=(\d+)", answer.header("x-sidecar-clip"))[1])
        assert dropped > 0
        whole, clipped = (json.loads(request.body)["messages"] for request in upstream.requests)
        assert len(whole) == 24 and len(image_urls(upstream.requests[0].body)) == 12
        assert len(clipped) == 24 - dropped
        assert clipped[0]["role"] == "system" and clipped[1]["role"] == "user"
        assert clipped == [whole[0], *whole[1 + dropped :]]
        newest = image_urls(upstream.requests[1].body)[-1]
        assert fetch(newest).body == png(41, 3000)


def test_images_go_to_a_model_that_can_see(start_sidecar: Start) -> None:
    routes = [{"name": "vision", "when": {"images": True, "vision": False}, "chain": [TAKES_INLINE, BLIND]}]
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        answer = ask(sidecar, body_of_chat(data_url(png(18)), model=BLIND))
        assert answer.header("x-sidecar-model") == TAKES_INLINE
        assert answer.header("x-sidecar-route") == "vision"
        assert image_urls(upstream.requests[0].body) == [data_url(png(18))]

        answer = ask(sidecar, json.dumps({"model": BLIND, "messages": [{"role": "user", "content": "hi"}]}).encode())
        assert answer.header("x-sidecar-model") == BLIND


def test_a_chain_in_which_nobody_sees_keeps_the_text(start_sidecar: Start) -> None:
    """Pictures are left out for a model that nobody asked for, text is not, and no list of parts becomes empty."""
    image = {"type": "image_url", "image_url": {"url": data_url(png(19))}}
    text = {"type": "text", "text": "What is this?"}
    messages = [
        {"role": "user", "content": [text, image]},
        {"role": "assistant", "content": "a poster"},
        {"role": "user", "content": [image, image]},
        {"role": "user", "content": [image, text, image]},
    ]
    body = json.dumps({"model": BLIND, "messages": messages}).encode()
    spare = f"{BLIND}-spare"
    routes = [{"name": "all", "when": {"model": [BLIND]}, "chain": ["$requested", spare]}]
    with Upstream(limited(BLIND)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        answer = ask(sidecar, body)
        assert answer.status == 200
        assert answer.header("x-sidecar-attempts") == f"{BLIND}=rate_limited, {spare}=ok"
        got = json.loads(upstream.requests[-1].body)["messages"]
        assert [message["role"] for message in got] == ["user", "assistant", "user", "user"]
        assert b"image_url" not in upstream.requests[-1].body
        assert got[0]["content"] == [text] and got[3]["content"] == [text]
        assert got[1] == messages[1]
        assert [part["type"] for part in got[2]["content"]] == ["text"]
        assert "dropped=5" in answer.header("x-sidecar-images")


def test_a_receipt_tells_which_images_were_left_out(start_sidecar: Start) -> None:
    routes = [{"name": "all", "when": {"model": [BLIND]}, "chain": ["$requested", f"{BLIND}-spare"]}]
    with Upstream(limited(BLIND)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        answer = ask(sidecar, body_of_chat(data_url(png(19)), model=BLIND))
        assert get(f"{sidecar.admin}/receipts/{answer.header('x-sidecar-request-id')}")[0] == 200


def test_a_chain_member_that_cannot_see_is_skipped_while_one_is_left_that_can(start_sidecar: Start) -> None:
    routes = [{"name": "all", "when": {"model": [TAKES_URLS]}, "chain": ["$requested", BLIND, TAKES_INLINE]}]
    with Upstream(limited(TAKES_URLS)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        answer = ask(sidecar, body_of_chat(data_url(png(20))))
        assert answer.header("x-sidecar-model") == TAKES_INLINE
        assert image_urls(upstream.requests[-1].body) == [data_url(png(20))]
