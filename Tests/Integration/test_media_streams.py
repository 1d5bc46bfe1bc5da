"""Images of answers while they stream: stored and linked to, and nothing else of the stream changes or waits."""

import json
import random
import threading
import time
from collections.abc import Callable

import openai
import pytest

from image_answers import (
    MODEL,
    STREAMED,
    answers,
    chunked,
    event,
    events,
    link,
    serves,
    until_close,
    with_images,
)
from images import (
    ask,
    data_url,
    jpeg,
    png,
    post,
    request_lines,
    start_with_store,
    stored,
    unfinished,
)
from images import quiet_logs as quiet_logs
from rawhttp import Client, Exchange, Message, Upstream, wait_for
from stack import Sidecar

Start = Callable[..., Sidecar]
# MARK: - Streams


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("size", [1, 37, 3000, 1 << 20], ids=lambda size: f"{size} bytes a chunk")
def test_images_of_a_stream_become_links(size: int, end: str, start_sidecar: Start) -> None:
    """However the stream is cut, all else arrives byte for byte, [DONE] and usage included."""
    images = [png(114, 4000), jpeg(115, 4000)]
    urls = [data_url(images[0]), data_url(images[1], "image/jpeg")]
    sent = events(*urls, end=end)
    expected = sent.replace(urls[0].encode(), link(images[0]).encode())
    expected = expected.replace(urls[1].encode(), link(images[1], "jpg").encode())
    with Upstream(answers(chunked(sent, "text/event-stream", size))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            for _ in range(2):
                client.send(post(STREAMED))
                answer = client.read()
                assert answer.complete
                assert answer.body == expected
        assert serves(sidecar, link(images[0])) == images[0]
        assert serves(sidecar, link(images[1], "jpg")) == images[1]
        # The usage that came behind the images was read.
        assert wait_for(lambda: any(line.get("tokens_in") == 12 for line in request_lines(sidecar)))


def test_images_of_a_routed_stream(start_sidecar: Start) -> None:
    """While there is still a fallback, the start of the stream is held; also when it starts with an image."""
    image = png(125, 40_000)
    routes = [{"name": "all", "when": {}, "chain": ["$requested", "other"]}]
    early = event(with_images(data_url(image))) + b"data: [DONE]\n\n"
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        for sent in (events(data_url(image)), early):
            upstream.answer = answers(chunked(sent, "text/event-stream"))
            answer = ask(sidecar, STREAMED)
            assert answer.body == sent.replace(data_url(image).encode(), link(image).encode())
            assert answer.header("x-sidecar-attempts") == f"{MODEL}=ok"


IMAGES = [png(600 + n, 2500 + 700 * n) for n in range(6)]
KINDS = ["text", "image", "two images", "markdown", "comment", "named", "tight", "lines", "small", "long text"]


def random_stream(source: random.Random) -> tuple[bytes, bytes]:
    """A stream of events of every kind, and what the client is to get."""
    sent, expected = b"", b""
    for _ in range(source.randrange(1, 12)):
        images = source.sample(IMAGES, 2)
        urls = [data_url(image) for image in images]
        end = source.choice(["\n\n", "\r\n\r\n"])
        newline = end[: len(end) // 2]
        piece = {
            "text": event({"content": "word \u00e9 " * source.randrange(1, 30)}, end),
            "image": event(with_images(urls[0]), end),
            "two images": event(with_images(*urls), end),
            "markdown": event({"content": f"a ![b]({urls[0]}) c ![d]({urls[1]})"}, end),
            "comment": f": ;base64, {urls[0][:40]}{end}".encode(),
            "named": f"event: x{newline}".encode() + event(with_images(urls[1]), end),
            "tight": event(with_images(urls[0]), end).replace(b"data: ", b"data:", 1),
            "lines": event({"content": "a"}, newline) + event(with_images(urls[0]), end),
            "small": event(with_images(data_url(png(1, 500))), end),
            "long text": event({"content": "x" * source.randrange(60_000, 140_000)}, end),
        }[source.choice(KINDS)]
        sent += piece
        for image, url in zip(images, urls, strict=True):
            if not piece.startswith(b":"):
                piece = piece.replace(url.encode(), link(image).encode())
        expected += piece
    return sent + b"data: [DONE]\n\n", expected + b"data: [DONE]\n\n"


@pytest.mark.parametrize("seed", range(4))
def test_random_streams(seed: int, start_sidecar: Start) -> None:
    """Cut at random places, with pauses; on one connection."""
    source = random.Random(seed)
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            for number in range(25):
                sent, expected = random_stream(source)
                upstream.answer = answers(chunked(sent, "text/event-stream", source.randrange(5, 20_000)))
                upstream.step = source.choice([None, None, source.randrange(500, 50_000)])
                client.send(post(STREAMED))
                answer = client.read()
                assert answer.complete
                assert answer.body == expected, f"stream {number}"


def test_streams_without_a_length_and_for_old_clients(start_sidecar: Start) -> None:
    image = png(116, 4000)
    sent = events(data_url(image))
    expected = sent.replace(data_url(image).encode(), link(image).encode())
    with Upstream(answers(until_close(sent, "text/event-stream"))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, STREAMED).body == expected

        upstream.answer = answers(chunked(sent, "text/event-stream"))
        with Client(sidecar.port) as client:
            client.send(post(STREAMED).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
            answer = client.read()
            assert answer.header("transfer-encoding") is None
            # Nobody streams images by HTTP/1.0: they come as they are.
            assert answer.body == sent


def test_a_stream_without_images_passes_byte_for_byte(start_sidecar: Start) -> None:
    """Its chunk framing too."""
    text = b"".join(event({"content": f"word {n} "}) for n in range(50)) + b"data: [DONE]\n\n"
    framed = chunked(text, "text/event-stream", size=100)
    with Upstream(answers(framed)) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        answer = ask(sidecar, STREAMED)
        assert answer.body == text


def test_an_image_that_is_split_over_events_stays(start_sidecar: Start) -> None:
    """Text that a model writes piece by piece is never held back until it might be an image."""
    url = data_url(png(117, 4000))
    pieces = [url[at : at + 2600] for at in range(0, len(url), 2600)]
    sent = b"".join(event({"content": piece}) for piece in ["![it](", *pieces, ")"]) + b"data: [DONE]\n\n"
    with Upstream(answers(chunked(sent, "text/event-stream"))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, STREAMED).body == sent


def test_text_is_passed_on_at_once(start_sidecar: Start) -> None:
    """What comes before an image does not wait for it, nor what is a part of an event."""
    image = png(118, 50_000)
    first, second = event({"content": "Here "}), event(with_images(data_url(image)))
    seen = threading.Event()

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        exchange.send(b"%x\r\n%s\r\n" % (len(first), first))
        assert seen.wait(20), "the text waited for the image"
        exchange.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(second), second))

    with Upstream(answer) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            client.send(post(STREAMED))
            received = b""
            while first not in received:
                received += client.socket.recv(1 << 16)
            seen.set()
            client.unread = received
            assert client.read().body == first + second.replace(data_url(image).encode(), link(image).encode())


@pytest.mark.parametrize("routed", [False, True], ids=["unrouted", "routed"])
@pytest.mark.parametrize("where", ["within the image", "behind the image"])
def test_a_stream_that_is_cut(where: str, routed: bool, start_sidecar: Start) -> None:
    """Never a half event, and never an end that looks complete."""
    image = png(119, 50_000)
    first, second = event({"content": "Here "}), event(with_images(data_url(image)))
    linked = second.replace(data_url(image).encode(), link(image).encode())

    def cut(_: Message, exchange: Exchange) -> None:
        part = first + (second[:30_000] if where == "within the image" else second)
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        exchange.send(b"%x\r\n%s\r\n" % (len(part), part))
        time.sleep(0.2)
        exchange.abort()

    routes = [{"name": "all", "when": {}, "chain": ["$requested", "other"]}] if routed else []
    with Upstream(cut) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, routes=routes)
        answer = ask(sidecar, STREAMED)
        whole = first if where == "within the image" else first + linked
        assert answer.body.startswith(whole)
        rest = answer.body.removeprefix(whole)
        assert b"[DONE]" not in rest
        # A routed stream ends with an error of its own; another breaks off, as it did.
        if rest.startswith(b'data: {"error'):
            assert json.loads(rest.removeprefix(b"data: ").strip())["error"]["message"]
        else:
            assert not answer.complete and not routed
            assert second.startswith(rest)


def test_a_client_that_leaves_while_an_image_arrives(start_sidecar: Start) -> None:
    """The upstream's stream is ended, and nothing half-written is left."""
    left = threading.Event()
    start = event(with_images(data_url(png(120, 400_000))))

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        exchange.send(b"%x\r\n%s\r\n" % (300_000, start[:300_000]))
        if exchange.closes_within(20):
            left.set()

    with Upstream(answer) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        with Client(sidecar.port) as client:
            client.send(post(STREAMED))
            assert wait_for(lambda: upstream.requests != [])
            time.sleep(0.2)
        assert left.wait(10)
        assert stored(sidecar) == [] and unfinished(sidecar) == []


async def test_the_openai_sdk_reads_it(start_sidecar: Start) -> None:
    image = png(121, 50_000)
    with Upstream(answers(chunked(events(data_url(image)), "text/event-stream"))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        client = openai.AsyncOpenAI(base_url=f"{sidecar.gateway}/v1", api_key="sk-canary-of-the-client", max_retries=0)
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "draw"}], stream=True
        )
        texts, images, usage = [], [], None
        async for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices or []:
                texts.append(choice.delta.content or "")
                images += getattr(choice.delta, "images", None) or []
        assert "".join(texts) == f"Here is ![it]({link(image)})"
        assert [part["image_url"]["url"] for part in images] == [link(image)]
        assert usage.total_tokens == 80
