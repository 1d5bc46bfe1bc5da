"""What Open WebUI, the SDKs and LiteLLM really sent: every image in it is found, and nothing else changes."""

import base64
import re
from collections.abc import Callable

import pytest

from images import PUBLIC_URL, digest, fetch, image_counts, start_with_store
from images import quiet_logs as quiet_logs
from rawhttp import Client, Upstream, capture, capture_names, ok, parse
from stack import Sidecar

Start = Callable[..., Sidecar]
DATA_URL = re.compile(rb"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+=*)")
SIGNED = re.compile(rb"http://127\.0\.0\.1:\d+/media/signed/([0-9a-f]{64})\.[a-z]+\?expires=\d+&signature=[0-9a-f]{64}")
INSPECTED = re.compile(r"(/v1)?/(chat/completions|messages|responses)$")
MODELS = [{"match": ["*"], "vision": True, "images": "url"}]
# The images in the captures are small.
MEDIA = {"minBytes": 1}


def with_data_urls(which: int) -> list[str]:
    """The captures of requests (0) or responses (1) to inspected paths that hold data URLs."""
    return [
        name
        for name in capture_names()
        if INSPECTED.search(parse(capture(name)[0]).path.partition("?")[0])
        and DATA_URL.search(parse(capture(name)[which], closed=True).body)
    ]


def test_there_are_captures() -> None:
    assert len(with_data_urls(0)) >= 8 and len(with_data_urls(1)) >= 6


@pytest.mark.parametrize("name", with_data_urls(0))
def test_captured_requests(name: str, start_sidecar: Start) -> None:
    request, response = capture(name)
    sent = parse(request)
    images = [base64.b64decode(match[2]) for match in DATA_URL.finditer(sent.body)]
    with Upstream(lambda _, __: ok()) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, MEDIA, models=MODELS)
        with Client(sidecar.port) as client:
            client.send(request)
            assert client.read().status == 200
        forwarded = upstream.requests[0].body
        addresses = [match[0].decode() for match in SIGNED.finditer(forwarded)]
        assert [fetch(address).body for address in addresses] == images
        assert SIGNED.split(forwarded)[::2] == DATA_URL.split(sent.body)[::3]
        assert sum(image_counts(sidecar).values()) == len(images)


@pytest.mark.parametrize("name", with_data_urls(1))
def test_captured_answers(name: str, start_sidecar: Start) -> None:
    request, response = capture(name)
    body = parse(response, closed=True).body
    assert {match[1] for match in DATA_URL.finditer(body)} == {b"png"}
    expected = DATA_URL.sub(lambda match: f"{PUBLIC_URL}/media/{digest(base64.b64decode(match[2]))}.png".encode(), body)
    with Upstream(lambda _, __: response) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, MEDIA, models=MODELS)
        with Client(sidecar.port) as client:
            client.send(request)
            answer = client.read()
        assert answer.complete
        assert answer.body == expected
