"""Answers with images, whole and as streams, as LiteLLM writes them."""

import json
from collections.abc import Callable

from images import PUBLIC_URL, TAKES_INLINE, digest, fetch
from rawhttp import Exchange, Message
from stack import Sidecar

MODEL = TAKES_INLINE
ASKED = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "draw"}]}).encode()
STREAMED = ASKED[:-1] + b',"stream":true}'


def link(image: bytes, extension: str = "png") -> str:
    return f"{PUBLIC_URL}/media/{digest(image)}.{extension}"


def serves(sidecar: Sidecar, address: str) -> bytes:
    """What a browser gets that reaches the gateway by its public address."""
    assert address.startswith(f"{PUBLIC_URL}/media/")
    answer = fetch(address.replace(PUBLIC_URL, sidecar.gateway))
    assert answer.status == 200
    return answer.body


def chunked(body: bytes, content_type: str = "application/json", size: int = 3000, headers: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{headers}Transfer-Encoding: chunked\r\n\r\n".encode()
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def until_close(body: bytes, content_type: str = "application/json") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode() + body


def answers(sent: bytes) -> Callable[[Message, Exchange], bytes]:
    return lambda request, _: sent


def completion(images: list[str], content: str = "Here it is") -> bytes:
    """As LiteLLM writes them, with a number and a space that no encoder of ours would write."""
    parts = [
        {"image_url": {"url": url, "detail": "auto"}, "index": n, "type": "image_url"} for n, url in enumerate(images)
    ]
    message = json.dumps({"content": content, "role": "assistant", "images": parts})
    return (
        '{"id":"chatcmpl-1", "x":1.50e0,"choices":[{"finish_reason":"stop","index":0,"message":%s}],'
        '"usage":{"completion_tokens":68,"prompt_tokens":12,"total_tokens":80}}\n' % message
    ).encode()


def event(delta: dict, end: str = "\n\n") -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}
    return f"data: {json.dumps(chunk)}{end}".encode()


def with_images(*urls: str) -> dict:
    return {"images": [{"type": "image_url", "index": n, "image_url": {"url": url}} for n, url in enumerate(urls)]}


USAGE = {"prompt_tokens": 12, "completion_tokens": 68, "total_tokens": 80}


def events(*urls: str, end: str = "\n\n") -> bytes:
    """Text, an event with two images, text, one with an image in Markdown, usage and [DONE]."""
    newline = end[: len(end) // 2]
    return b"".join([
        event({"role": "assistant", "content": "Here "}, end),
        f": a comment{end}".encode(),
        event(with_images(*urls), end),
        event({"content": "is "}, end),
        event({"content": f"![it]({urls[0]})"}, end),
        f"event: note{newline}id: 7{newline}data: {{}}{end}".encode(),
        f"data: {json.dumps({'choices': [], 'usage': USAGE})}{end}".encode(),
        f"data: [DONE]{end}".encode(),
    ])  # fmt: skip
