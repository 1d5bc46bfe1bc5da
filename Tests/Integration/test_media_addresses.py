"""Addresses of ours and such as only look like it: what is signed, for how long, and what never is."""

import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from images import (
    ACCESS_KEY,
    SECRET_KEY,
    TAKES_INLINE,
    TAKES_URLS,
    ask,
    body_of_chat,
    data_url,
    digest,
    fetch,
    image_urls,
    png,
    start_with_store,
)
from images import quiet_logs as quiet_logs
from rawhttp import Upstream
from stack import Sidecar

CHAT = "/v1/chat/completions"
Start = Callable[..., Sidecar]


# MARK: - No signing oracle


def look_alikes(address: str) -> list[str]:
    """Addresses that are nearly those of an image of ours, but are not."""
    base, _, query = address.partition("?")
    origin, _, name = base.rpartition("/media/signed/")
    host, _, port = origin.removeprefix("http://").partition(":")
    sha, _, extension = name.partition(".")
    paths = [
        f"/media/signed/{sha[:-1]}.{extension}",
        f"/media/signed/{sha}0.{extension}",
        f"/media/signed/{sha.upper()}.{extension}",
        f"/media/signed/{sha}.{extension.upper()}",
        f"/media/signed/{sha}.exe",
        f"/media/signed/{sha}.svg",
        f"/media/signed/{sha}",
        f"/media/signed/{sha}%2e{extension}",
        f"/media/signed/%{ord(sha[0]):x}{sha[1:]}.{extension}",
        f"/media/signed/./{name}",
        f"/media/signed/../signed/{name}",
        f"/media/signed/..%2fsigned/{name}",
        f"/media/signed//{name}",
        f"//media/signed/{name}",
        f"/media/signed/{name}/",
        f"/media/signed/{name};v=1",
        f"/media/signed/{name}%00",
        f"/media/signed/{name} ",
        f"/Media/signed/{name}",
        f"/media/signed/{sha[:2]}/{name}",
        "/media/signed/secret",
        f"/other/media/signed/{name}",
    ]
    return [
        *(f"{origin}{path}?{query}" for path in paths),
        f"http://example.org:{port}/media/signed/{name}?{query}",
        f"http://{host}:{int(port) + 1}/media/signed/{name}?{query}",
        f"http://{host}/media/signed/{name}?{query}",
        f"https://{host}:{port}/media/signed/{name}?{query}",
        f"http://user@{host}:{port}/media/signed/{name}?{query}",
        f"http://{host}:{port}@example.org/media/signed/{name}",
        f"http://{host}:{port}.example.org/media/signed/{name}",
        f"http://example.org/?{origin}/media/signed/{name}",
        f"http://example.org/#{address}",
        f"http:\\\\{host}:{port}/media/signed/{name}",
        f" {address}",
        "https://example.org/photo.png?X-Amz-Signature=abc",
    ]


@pytest.mark.parametrize("model", [TAKES_URLS, TAKES_INLINE])
def test_foreign_addresses_are_never_signed(model: str, start_sidecar: Start) -> None:
    """Nor fetched by us: one image at a time, so that a mistake is told by its address."""
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body_of_chat(data_url(png(9))))
        address = image_urls(upstream.requests[0].body)[0]
        wrong = []
        for foreign in look_alikes(address):
            body = body_of_chat(foreign, model=model)
            answer = ask(sidecar, body)
            if upstream.requests[-1].body != body or answer.header("x-sidecar-images") != "passed=1":
                wrong.append((foreign, answer.header("x-sidecar-images"), upstream.requests[-1].body))
        assert wrong == []


BUCKET = {
    "kind": "s3",
    "endpoint": "http://127.0.0.1:1",
    "publicEndpoint": "https://media.example.org",
    "bucket": "designs",
    "accessKey": ACCESS_KEY,
    "secretKey": SECRET_KEY,
}


def test_only_images_of_our_bucket_are_signed(start_sidecar: Start) -> None:
    """Signing needs no store: an old chat is served while the store is away."""
    sha = digest(png(10))
    ours = f"https://media.example.org/designs/{sha[:2]}/{sha}.png"
    others = [
        f"https://media.example.org/designs/{sha}.png",
        f"https://media.example.org/designs/00/{sha}.png",
        f"https://media.example.org/designs/{sha[:2]}/{sha}.txt",
        f"https://media.example.org/designs/{sha[:2]}/{sha}.png.txt",
        f"https://media.example.org/designs/{sha[:2]}%2f{sha}.png",
        f"https://media.example.org/designs/backup/{sha[:2]}/{sha}.png",
        f"https://media.example.org/designs/{sha[:2]}/../{sha[:2]}/{sha}.png",
        f"https://media.example.org/designs-2/{sha[:2]}/{sha}.png",
        f"https://media.example.org/other/{sha[:2]}/{sha}.png",
        f"https://media.example.org/{sha[:2]}/{sha}.png",
        f"https://media.example.org:444/designs/{sha[:2]}/{sha}.png",
        f"http://media.example.org/designs/{sha[:2]}/{sha}.png",
        f"https://designs.media.example.org/{sha[:2]}/{sha}.png",
        f"http://127.0.0.1:1/designs/{sha[:2]}/{sha}.png",
        f"https://media.example.org/designs/{sha[:2]}/{sha.upper()}.png",
        "https://media.example.org/designs/?prefix=a",
        "https://media.example.org/designs/passwords.txt",
    ]
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": BUCKET})
        for query in ("", "?X-Amz-Date=20200101T000000Z&X-Amz-Signature=0"):
            answer = ask(sidecar, body_of_chat(ours + query, *others))
            assert answer.header("x-sidecar-images") == f"resigned=1;passed={len(others)}"
            signed, *rest = image_urls(upstream.requests[-1].body)
            assert signed.startswith(f"{ours}?X-Amz-Algorithm=AWS4-HMAC-SHA256&") and "X-Amz-Signature=" in signed
            assert "X-Amz-Date=2020" not in signed
            assert rest == others


def test_links_that_are_90_days_old(start_sidecar: Start) -> None:
    """The links of twenty images, signed three months ago: nobody can fetch them, and the chat shows every image."""
    images = [png(seed, 3000) for seed in range(20)]
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body_of_chat(*map(data_url, images)))
        now = image_urls(upstream.requests[0].body)
        secret = (sidecar.log.parent / "media/secret").read_bytes()
        expiry = int(time.time()) - 83 * 86400
        old = [signed_long_ago(address, secret, expiry) for address in now]
        assert signed_long_ago(now[0], secret, int(re.search(r"expires=(\d+)", now[0])[1])) == now[0]
        assert {fetch(address).status for address in old} == {403}

        answer = ask(sidecar, body_of_chat(*old))
        assert answer.header("x-sidecar-images") == "resigned=20"
        assert image_urls(upstream.requests[-1].body) == now
        assert [digest(fetch(address).body) for address in now] == [digest(image) for image in images]

        ask(sidecar, body_of_chat(*old, model=TAKES_INLINE))
        assert image_urls(upstream.requests[-1].body) == [data_url(image) for image in images]


def signed_long_ago(address: str, secret: bytes, expiry: int) -> str:
    """As the embedded store signs: written from its description, not from its code."""
    base = address.partition("?")[0]
    message = f"media URL\n{base.rpartition('/')[2]}\n{expiry}"
    return f"{base}?expires={expiry}&signature={hmac.digest(secret, message.encode(), 'sha256').hex()}"


FAKE_TIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


@pytest.mark.skipif(FAKE_TIME is None, reason="libfaketime is not installed")
def test_a_chat_after_90_days(start_sidecar: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock itself three months ahead: a new process, the old store, the old chat."""
    images = [png(seed, 3000) for seed in range(20)]
    store = {"kind": "directory", "path": str(tmp_path / "kept")}
    with Upstream() as upstream:
        first = start_with_store(start_sidecar, upstream.url, {"store": store})
        ask(first, body_of_chat(*map(data_url, images)))
        old = image_urls(upstream.requests[0].body)
        first.stop()

        monkeypatch.setenv("LD_PRELOAD", str(FAKE_TIME))
        monkeypatch.setenv("FAKETIME", "+90d")
        monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        # Otherwise the library sets it, and moves the environment to where Swift does not look for arguments.
        monkeypatch.setenv("FAKETIME_SHARED", "/none /none")
        # The same address as before, as a service keeps its port.
        listen = {"gateway": {"address": f"127.0.0.1:{first.port}", "upstream": "litellm"}}
        listen["admin"] = {"address": "127.0.0.1:0", "token": ""}
        later = start_with_store(start_sidecar, upstream.url, {"store": store}, listen=listen)
        monkeypatch.undo()

        assert {fetch(address).status for address in old} == {403}
        answer = ask(later, body_of_chat(*old))
        assert answer.header("x-sidecar-images") == "resigned=20"
        fresh = image_urls(upstream.requests[-1].body)
        assert int(re.search(r"expires=(\d+)", fresh[0])[1]) > time.time() + 90 * 86400
        assert [digest(fetch(address).body) for address in fresh] == [digest(image) for image in images]
