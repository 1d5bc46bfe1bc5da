"""What the gateway hands out below /media/: images by their names, and by signed URLs while these last."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from image_answers import ASKED, completion
from images import (
    ACCESS_KEY,
    FORMATS,
    PUBLIC_URL,
    SECRET_KEY,
    TAKES_INLINE,
    Fetched,
    Format,
    ask,
    body_of_chat,
    data_url,
    digest,
    fetch,
    image_urls,
    media_sections,
    png,
    start_with_store,
    stored,
)
from images import quiet_logs as quiet_logs
from rawhttp import Client, Message, Upstream, ok
from stack import Sidecar

Start = Callable[..., Sidecar]
IMAGE = png(200, 300_000)
NAME = f"{digest(IMAGE)}.png"


@pytest.fixture
def gateway(start_sidecar: Start) -> Iterator[Sidecar]:
    """A gateway that has the image from an answer."""
    with Upstream(lambda request, _: ok(completion([data_url(IMAGE)]))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, ASKED).status == 200
        sidecar.upstream = upstream
        yield sidecar


@pytest.fixture
def signed(gateway: Sidecar) -> str:
    """A signed URL of the image."""
    ask(gateway, body_of_chat(data_url(IMAGE)))
    return image_urls(gateway.upstream.requests[-1].body)[0]


def get(sidecar: Sidecar, path: str, method: str = "GET", **headers: str) -> Fetched:
    return fetch(f"{sidecar.gateway}{path}", method, **headers)


def raw(sidecar: Sidecar, target: str, method: str = "GET", headers: str = "") -> Message:
    """With a target that no client library would send."""
    with Client(sidecar.port) as client:
        client.send_what_is_taken(f"{method} {target} HTTP/1.1\r\nHost: g\r\n{headers}\r\n".encode("latin-1"))
        return client.read()


def test_an_image_by_its_name(gateway: Sidecar) -> None:
    """Without credentials, for ever, and as nothing but an image."""
    answer = get(gateway, f"/media/{NAME}")
    assert answer.status == 200
    assert answer.body == IMAGE
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(IMAGE))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"] == f'"{digest(IMAGE)}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert {"public", "immutable"} <= set(answer.headers["cache-control"].replace(" ", "").split(","))
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.extension)
def test_every_format_has_its_type(format: Format, start_sidecar: Start) -> None:
    image = format.make(201, 5000)
    with Upstream(lambda request, _: ok(completion([data_url(image)]))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, ASKED)
        answer = get(sidecar, f"/media/{digest(image)}.{format.extension}")
        assert (answer.status, answer.body, answer.headers["content-type"]) == (200, image, format.content_type)


def test_head(gateway: Sidecar) -> None:
    whole, head = get(gateway, f"/media/{NAME}"), get(gateway, f"/media/{NAME}", "HEAD")
    assert head.status == 200 and head.body == b""
    per_request = {"x-sidecar-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in per_request} == {
        k: v for k, v in whole.headers.items() if k not in per_request
    }


COUNT = len(IMAGE)
RANGES = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-99", 0, 100),
    ("bytes=100-", 100, COUNT),
    ("bytes=-100", COUNT - 100, COUNT),
    (f"bytes=0-{COUNT * 2}", 0, COUNT),
    (f"bytes=-{COUNT * 2}", 0, COUNT),
    (f"bytes={COUNT - 1}-", COUNT - 1, COUNT),
    ("bytes=131000-262200", 131000, 262201),
]


@pytest.mark.parametrize(("asked", "start", "end"), RANGES, ids=[row[0] for row in RANGES])
def test_ranges(asked: str, start: int, end: int, gateway: Sidecar) -> None:
    answer = get(gateway, f"/media/{NAME}", Range=asked)
    assert answer.status == 206
    assert answer.body == IMAGE[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{COUNT}"
    assert answer.headers["content-length"] == str(end - start)
    assert get(gateway, f"/media/{NAME}", "HEAD", Range=asked).body == b""


@pytest.mark.parametrize("asked", [f"bytes={COUNT}-", f"bytes={COUNT * 10}-{COUNT * 11}", "bytes=-0"])
def test_ranges_that_are_not_there(asked: str, gateway: Sidecar) -> None:
    answer = get(gateway, f"/media/{NAME}", Range=asked)
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{COUNT}"
    assert answer.body == b""


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=", "bytes=0-1,5-6", "bytes=99999999999999999999-", "0-5"],
)
def test_ranges_that_are_none(asked: str, gateway: Sidecar) -> None:
    """An odd range is ignored or refused (RFC 9110, section 14.2), never answered with the wrong bytes."""
    answer = get(gateway, f"/media/{NAME}", Range=asked)
    if answer.status == 200:
        assert answer.body == IMAGE
    elif answer.status == 206:
        first, last = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/\d+", answer.headers["content-range"]).groups())
        assert answer.body == IMAGE[first : last + 1]
    else:
        assert answer.status == 416 and answer.body == b""


@pytest.mark.parametrize("tag", [f'"{digest(IMAGE)}"', f'W/"{digest(IMAGE)}"', "*", f'"x", "{digest(IMAGE)}"'])
def test_a_known_image_is_not_sent_again(tag: str, gateway: Sidecar) -> None:
    answer = get(gateway, f"/media/{NAME}", If_None_Match=tag)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == f'"{digest(IMAGE)}"'


def test_an_image_with_another_tag_is_sent(gateway: Sidecar) -> None:
    assert get(gateway, f"/media/{NAME}", If_None_Match='"abc"').body == IMAGE


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods(method: str, gateway: Sidecar) -> None:
    """Not allowed, and not sent on."""
    count = len(gateway.upstream.requests)
    answer = raw(gateway, f"/media/{NAME}", method)
    assert answer.status == 405
    assert answer.header("allow") == "GET, HEAD"
    assert len(gateway.upstream.requests) == count


SHA = digest(IMAGE)
TRICKS = [
    "/media/",
    "/media/x.png",
    f"/media/{'0' * 64}.png",
    f"/media/{SHA}",
    f"/media/{SHA}.",
    f"/media/{SHA}.jpg",
    f"/media/{SHA}.PNG",
    f"/media/{SHA.upper()}.png",
    f"/media/{SHA}.png/",
    f"/media/{SHA}.png/..",
    f"/media//{NAME}",
    f"/media/./{NAME}",
    f"/media/x/../{NAME}",
    f"/media/../media/{NAME}",
    f"/media/%2e%2e/media/{NAME}",
    f"/media/..%2f{NAME}",
    f"/media/{SHA}%2epng",
    f"/media/{NAME}%00",
    f"/media/{NAME}%00.html",
    f"/media/{NAME};a",
    "/media/../secret",
    "/media/secret",
    "/media/..%2fsecret",
    "/media/%2e%2e%2fsecret",
    "/media/..\\secret",
    "/media/....//secret",
    "/media/../../../../etc/passwd",
    "/media/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/media//etc/passwd",
    "/media/requests/",
    f"/media/answers/{SHA[:2]}/{NAME}",
    f"/media/{SHA[:2]}/{NAME}",
    "/media/incoming/",
    "/media/\xff\xfe",
    "/media/signed/",
    "/media/signed/../secret?expires=1&signature=0",
    f"/media/signed/{NAME}",
]


@pytest.mark.parametrize("target", TRICKS)
def test_nothing_else_is_handed_out(target: str, gateway: Sidecar) -> None:
    """No other spelling of a name, and no path; and none of it reaches the upstream."""
    count = len(gateway.upstream.requests)
    answer = raw(gateway, target)
    assert answer.status in (400, 403, 404)
    assert IMAGE[:100] not in answer.body and b"root:" not in answer.body
    assert len(gateway.upstream.requests) == count


def test_a_nul_in_the_path(gateway: Sidecar) -> None:
    assert raw(gateway, f"/media/{NAME}\0").status == 400


def test_the_connection_goes_on(gateway: Sidecar) -> None:
    """One connection for images, misses, ranges and chats, pipelined too."""
    with Client(gateway.port) as client:
        path = f"/media/{NAME}"
        requests = [("GET", path, ""), ("GET", "/media/x.png", ""), ("GET", path, "Range: bytes=0-9\r\n"),
                    ("GET", path, f'If-None-Match: "{SHA}"\r\n'), ("DELETE", path, ""),
                    ("GET", path, "Range: bytes=99999999-\r\n"), ("GET", path, "")]  # fmt: skip
        expected = [200, 404, 206, 304, 405, 416, 200]
        for request, status in zip(requests, expected, strict=True):
            client.send("{} {} HTTP/1.1\r\nHost: g\r\n{}\r\n".format(*request).encode())
            answer = client.read()
            assert answer.status == status, request
        client.send("".join("{} {} HTTP/1.1\r\nHost: g\r\n{}\r\n".format(*request) for request in requests).encode())
        assert [client.read().status for _ in requests] == expected
        client.send(f"GET {path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n".encode())
        assert client.read().body == IMAGE
        assert client.is_closed()


def test_a_slow_reader_holds_nobody_up(gateway: Sidecar) -> None:
    """An image that nobody takes is not read into memory, and others are served meanwhile."""
    large = png(202, 30_000_000)
    gateway.upstream.answer = lambda request, _: ok(completion([data_url(large)]))
    ask(gateway, ASKED)
    before = gateway.rss()
    slow = [Client(gateway.port) for _ in range(20)]
    for client in slow:
        client.send(f"GET /media/{digest(large)}.png HTTP/1.1\r\nHost: g\r\n\r\n".encode())
    time.sleep(0.5)
    assert get(gateway, f"/media/{NAME}").body == IMAGE
    assert gateway.rss() - before < 20 * 5_000_000
    assert slow[0].read().body == large
    for client in slow:
        client.break_off()


def test_many_readers_at_once(gateway: Sidecar) -> None:
    failures: list[object] = []

    def read() -> None:
        for _ in range(5):
            answer = get(gateway, f"/media/{NAME}")
            if answer.body != IMAGE:
                failures.append(answer.status)

    readers = [threading.Thread(target=read) for _ in range(20)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert failures == []


# MARK: - Signed URLs


def test_a_signed_url_is_served(gateway: Sidecar, signed: str) -> None:
    answer = fetch(signed)
    assert answer.status == 200 and answer.body == IMAGE
    assert fetch(signed, Range="bytes=0-9").body == IMAGE[:10]
    assert fetch(signed, "HEAD").status == 200
    assert fetch(signed, Host="another.example.org").body == IMAGE, "the base is not signed, as one store may have two"


def changes(url: str) -> list[str]:
    base, _, query = url.partition("?")
    expires, _, signature = query.partition("&")
    number = int(expires.removeprefix("expires="))
    digits = signature.removeprefix("signature=")
    other = "0" if digits[0] != "0" else "1"
    return [
        base,
        f"{base}?",
        f"{base}?{expires}",
        f"{base}?{signature}",
        f"{base}?{signature}&{expires}",
        f"{base}?expires={number + 1}&{signature}",
        f"{base}?expires={number * 10}&{signature}",
        f"{base}?expires=0{number}&{signature}",
        f"{base}?expires=+{number}&{signature}",
        f"{base}?expires={number}.0&{signature}",
        f"{base}?expires=99999999999999999999&{signature}",
        f"{base}?{expires}&signature={other}{digits[1:]}",
        f"{base}?{expires}&signature={digits.upper()}",
        f"{base}?{expires}&signature={digits[:-2]}",
        f"{base}?{expires}&signature=",
        f"{base}?{expires}&signature={digits}00",
        f"{base}?{query}&x=1",
        f"{base}?x=1&{query}",
        f"{base}?{query}&expires={number}",
        f"{base}%20?{query}",
        base.replace(SHA, "0" * 64) + f"?{query}",
        base.replace(".png", ".jpg") + f"?{query}",
    ]


def test_a_changed_signed_url_is_refused(gateway: Sidecar, signed: str) -> None:
    wrong = {url: answer.status for url in changes(signed) if (answer := fetch(url)).status != 403}
    assert wrong == {}
    assert fetch(signed).status == 200


def test_a_signed_url_ends(start_sidecar: Start) -> None:
    """After its lifetime it is refused; the same image is signed anew for the next request."""
    with Upstream() as upstream:
        settings = {"urlLifetimeSeconds": 2, "signWindowSeconds": 1}
        sidecar = start_with_store(start_sidecar, upstream.url, settings)
        ask(sidecar, body_of_chat(data_url(IMAGE)))
        first = image_urls(upstream.requests[0].body)[0]
        assert fetch(first).status == 200
        time.sleep(2.1)
        assert fetch(first).status == 403
        ask(sidecar, body_of_chat(first))
        second = image_urls(upstream.requests[1].body)[0]
        assert second != first
        assert fetch(second).body == IMAGE


def test_another_installation_refuses_it(signed: str, start_sidecar: Start, gateway: Sidecar) -> None:
    """The same image there, and yet its own secret."""
    other = start_with_store(start_sidecar, gateway.upstream.url)
    ask(other, body_of_chat(data_url(IMAGE)))
    assert len(stored(other)) == 1
    assert fetch(signed.replace(gateway.gateway, other.gateway)).status == 403


def test_a_signed_url_holds_after_a_restart(start_sidecar: Start, tmp_path: Path) -> None:
    store = {"kind": "directory", "path": str(tmp_path / "kept")}
    with Upstream() as upstream:
        sections = media_sections(upstream.url, store=store)
        first = start_sidecar(upstream.url, **sections)
        ask(first, body_of_chat(data_url(IMAGE)))
        address = image_urls(upstream.requests[0].body)[0]
        first.stop()
        second = start_sidecar(upstream.url, **sections)
        assert fetch(address).body == IMAGE
        answer = ask(second, body_of_chat(data_url(IMAGE)))
        assert answer.header("x-sidecar-images") == "deduplicated=1"
        assert image_urls(upstream.requests[1].body) == [address]


def test_the_secret_is_nobody_elses(gateway: Sidecar) -> None:
    secret = gateway.log.parent / "media/secret"
    assert secret.stat().st_mode & 0o077 == 0
    assert len(secret.read_bytes()) >= 32


# MARK: - A bucket


def test_a_link_leads_to_the_bucket(start_sidecar: Start) -> None:
    """Without asking it: a fresh address, that is kept for less than it lives."""
    store = {
        "kind": "s3", "endpoint": "http://127.0.0.1:1", "publicEndpoint": "https://media.example.org",
        "bucket": "designs", "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY,
    }  # fmt: skip
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": store})
        for method in ("GET", "HEAD"):
            answer = get(sidecar, f"/media/{NAME}", method)
            assert answer.status == 302
            place = answer.headers["location"]
            assert place.startswith(
                f"https://media.example.org/designs/{SHA[:2]}/{NAME}?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
            )
            lifetime = int(re.search(r"X-Amz-Expires=(\d+)", place)[1])
            kept = int(re.search(r"max-age=(\d+)", answer.headers["cache-control"])[1])
            assert 0 <= kept < lifetime
            assert SECRET_KEY not in place
        assert get(sidecar, f"/media/{SHA}.exe").status == 404
        assert get(sidecar, "/media/../passwords").status == 404
        assert upstream.requests == []


def test_without_a_store_the_path_is_the_upstreams(start_sidecar: Start) -> None:
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url)
        assert get(sidecar, f"/media/{NAME}").status == 200
        assert [request.path for request in upstream.requests] == [f"/media/{NAME}"]


def test_the_link_that_an_answer_named(gateway: Sidecar) -> None:
    """An image of an answer stays when requests need room."""
    assert f"{PUBLIC_URL}/media/{NAME}".encode() in ask(gateway, ASKED).body
    assert [path.parts[-3] for path in stored(gateway)] == ["answers"]
    ask(gateway, body_of_chat(data_url(IMAGE), model=TAKES_INLINE))
    assert get(gateway, f"/media/{NAME}").body == IMAGE
