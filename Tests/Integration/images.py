"""Images for the tests: files of each format, a gateway that stores them, and what must never be in its log."""

import base64
import hashlib
import http.client
import itertools
import json
import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rawhttp import Client, Message
from stack import Sidecar, free_port

# Secrets of these tests: wherever they come up in a log, something is wrong.
CLIENT_KEY = "sk-canary-of-the-client"
ACCESS_KEY = "canary-access-key"
SECRET_KEY = "canary-secret-key"

TAKES_URLS = "takes-urls"
TAKES_INLINE = "takes-inline"
BLIND = "blind"
PUBLIC_URL = "https://ai.example.org"
MODELS = [
    {"match": [f"{TAKES_URLS}*"], "vision": True, "images": "url"},
    {"match": [f"{TAKES_INLINE}*"], "vision": True, "images": "inline"},
    {"match": [f"{BLIND}*"], "vision": False},
]

SIGNED = re.compile(rb"http://127\.0\.0\.1:\d+/media/signed/[0-9a-f]{64}\.[a-z]+\?expires=\d+&signature=[0-9a-f]{64}")
"""A signed URL of the embedded store."""

made: set[str] = set()
"""A stretch of the Base64 of every image made, to look for in logs."""


def filling(seed: int, count: int) -> bytes:
    return random.Random(seed).randbytes(max(0, count))


def png(seed: int = 1, size: int = 4096) -> bytes:
    """A true PNG of noise, of about that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    width = 32
    height = max(1, size // (3 * width + 1))
    noise = filling(seed, 3 * width * height)
    rows = b"".join(b"\0" + noise[y * 3 * width : (y + 1) * 3 * width] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def jpeg(seed: int = 1, size: int = 4096) -> bytes:
    """A grey point with comments (ITU T.81, B.2)."""
    comments = b""
    while len(comments) < size:
        comments += b"\xff\xfe" + struct.pack(">H", 1002) + filling(seed + len(comments), 1000)
    tables = b"\xff\xdb\x00\x43\x00" + bytes([1] * 64)
    frame = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
    codes = b"\xff\xc4\x00\x14\x00\x01" + bytes(15) + b"\x00\xff\xc4\x00\x14\x10\x01" + bytes(15) + b"\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f"
    jfif = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    return jfif + comments + tables + frame + codes + scan + b"\xff\xd9"


def gif(seed: int = 1, size: int = 4096) -> bytes:
    """A point with comments (GIF89a, section 24)."""
    blocks = b"".join(b"\xff" + filling(seed + n, 255) for n in range(size // 256 + 1))
    colours = b"\x00\x00\x00\xff\xff\xff"
    image = b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    return b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + colours + b"\x21\xfe" + blocks + b"\x00" + image + b"\x3b"


def webp(seed: int = 1, size: int = 4096) -> bytes:
    """A point in VP8, and a chunk that readers skip."""
    vp8 = base64.b64decode("VlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
    noise = filling(seed, size // 2 * 2)
    body = b"WEBP" + vp8 + b"JUNK" + struct.pack("<I", len(noise)) + noise
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(seed: int = 1, size: int = 4096) -> bytes:
    width, height = 32, max(1, size // 96)
    pixels = filling(seed, width * height * 3)
    information = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + information + pixels


def isobmff(brand: bytes, codec: bytes, seed: int, size: int) -> bytes:
    """The boxes that tell an AVIF from a HEIC, and noise where the picture would be (ISO/IEC 23008-12)."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + kind + data

    extents = box(b"ispe", bytes(4) + struct.pack(">II", 64, 48))
    # Item 1 has the first property, its size, and the second, its codec's settings.
    associations = box(b"ipma", bytes(4) + struct.pack(">IHBBB", 1, 1, 2, 1, 2))
    properties = box(b"iprp", box(b"ipco", extents + box(codec + b"C", bytes(8))) + associations)
    handler = box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    meta = box(b"meta", bytes(4) + handler + box(b"pitm", bytes(4) + b"\0\1") + properties)
    return box(b"ftyp", brand + bytes(4) + b"mif1" + brand) + meta + box(b"mdat", filling(seed, size))


def avif(seed: int = 1, size: int = 4096) -> bytes:
    return isobmff(b"avif", b"av1", seed, size)


def heic(seed: int = 1, size: int = 4096) -> bytes:
    return isobmff(b"heic", b"hvc", seed, size)


@dataclass(frozen=True)
class Format:
    """A kind of file that is stored."""

    extension: str
    content_type: str
    make: Callable[[int, int], bytes]


FORMATS = [
    Format("png", "image/png", png),
    Format("jpg", "image/jpeg", jpeg),
    Format("gif", "image/gif", gif),
    Format("webp", "image/webp", webp),
    Format("bmp", "image/bmp", bmp),
    Format("avif", "image/avif", avif),
    Format("heic", "image/heic", heic),
]


def text_of(image: bytes) -> str:
    """Its Base64, noted as something that no log may hold."""
    text = base64.b64encode(image).decode()
    middle = len(text) // 2
    if len(text) > 512:
        made.add(text[middle : middle + 48])
    return text


def data_url(image: bytes, content_type: str = "image/png") -> str:
    return f"data:{content_type};base64,{text_of(image)}"


def digest(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def body_of_chat(*images: str, model: str = TAKES_URLS, text: str = "What is this?", **more: object) -> bytes:
    """A chat with these addresses or data URLs as images."""
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in images]
    content = [{"type": "text", "text": text}, *parts]
    return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more}).encode()


def post(body: bytes, path: str = "/v1/chat/completions", headers: str = "") -> bytes:
    """The request as it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {CLIENT_KEY}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def ask(sidecar: Sidecar, body: bytes, path: str = "/v1/chat/completions", headers: str = "") -> Message:
    with Client(sidecar.port) as client:
        client.send_what_is_taken(post(body, path, headers))
        return client.read()


def image_urls(body: bytes) -> list[str]:
    """Every image address of a chat, in its order."""
    contents = [message.get("content") for message in json.loads(body)["messages"]]
    parts = itertools.chain.from_iterable(content for content in contents if isinstance(content, list))
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


@dataclass
class Fetched:
    """An answer to a plain HTTP client that follows no redirect."""

    status: int
    headers: dict[str, str]
    body: bytes


def fetch(url: str, method: str = "GET", **headers: str) -> Fetched:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    fetched = Fetched(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    connection.close()
    return fetched


def media_sections(upstream: str, **media: object) -> dict:
    """A configuration with a folder as store; `media` replaces members of that section."""
    port = free_port()
    return {
        "listen": {
            "gateway": {"address": f"127.0.0.1:{port}", "upstream": "litellm"},
            "admin": {"address": "127.0.0.1:0", "token": ""},
        },
        "models": MODELS,
        "log": {"level": "debug"},
        "media": {"store": {"kind": "directory", "path": "media"}, "publicURL": PUBLIC_URL, **media},
    }


def start_with_store(
    start: Callable[..., Sidecar], upstream: str, media: dict | None = None, **sections: object
) -> Sidecar:
    return start(upstream, **(media_sections(upstream, **(media or {})) | sections))


def stored(sidecar: Sidecar, folder: str = "media") -> list[Path]:
    """The files of images in the store, whatever came how."""
    images = (sidecar.log.parent / folder).rglob("*.*")
    return sorted(path for path in images if path.is_file() and path.parent.name != "incoming")


def unfinished(sidecar: Sidecar, folder: str = "media") -> list[Path]:
    return list((sidecar.log.parent / folder / "incoming").glob("*"))


def image_counts(sidecar: Sidecar) -> dict[tuple[str, str], int]:
    """`sidecar_images_total` by direction and result, without zeros."""
    found = re.findall(
        r'^sidecar_images_total\{direction="(\w+)",result="(\w+)"\} (\d+)', sidecar.metrics(), re.MULTILINE
    )
    return {(direction, result): int(count) for direction, result, count in found if count != "0"}


def image_bytes(sidecar: Sidecar) -> dict[str, int]:
    """`sidecar_image_bytes_total` by hop."""
    found = re.findall(r'^sidecar_image_bytes_total\{hop="(\w+)"\} (\d+)', sidecar.metrics(), re.MULTILINE)
    return {hop: int(count) for hop, count in found}


def request_lines(sidecar: Sidecar) -> list[dict]:
    return [line for line in sidecar.log_lines() if "request_id" in line]


SECRETS = re.compile(r"signature=[0-9a-f]{8}|X-Amz-(?:Signature|Credential)|;base64,|/media/signed/[0-9a-f]", re.I)


def assert_no_secret(text: str) -> None:
    """It holds no key, no signature, no signed address and no piece of an image."""
    assert not (found := SECRETS.search(text)), text[max(0, found.start() - 300) : found.end() + 100]
    for key in (CLIENT_KEY, ACCESS_KEY, SECRET_KEY, *made):
        assert key not in text, f"{key} is there"


def assert_nothing_leaked(folder: Path) -> None:
    """No log of a sidecar below the folder holds a secret."""
    for log in folder.rglob("sidecar.log"):
        text = log.read_text(errors="replace")
        assert_no_secret(text)
        for secret in log.parent.rglob("secret"):
            content = secret.read_bytes()
            assert content.hex() not in text and base64.b64encode(content).decode() not in text


@pytest.fixture(autouse=True)
def quiet_logs(start_sidecar: Callable[..., Sidecar], tmp_path: Path) -> Iterator[None]:
    """Whatever a test does, no log of it holds a secret or an image; on in every file that imports it."""
    yield
    assert_nothing_leaked(tmp_path)
