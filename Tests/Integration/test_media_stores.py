"""Images in a real S3 server, and `sidecar sign`."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from images import (
    ACCESS_KEY,
    SECRET_KEY,
    TAKES_INLINE,
    TAKES_URLS,
    ask,
    assert_nothing_leaked,
    body_of_chat,
    data_url,
    digest,
    fetch,
    image_counts,
    image_urls,
    png,
    start_with_store,
)
from objectstores import ObjectStore, Relay, start_object_store
from rawhttp import Exchange, Message, Upstream, ok, wait_for
from stack import SIDECAR, Sidecar

BUCKET = "sidecar-images"
Start = Callable[..., Sidecar]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    server = start_object_store(tmp_path_factory.mktemp("s3"), ACCESS_KEY, SECRET_KEY)
    yield server
    server.stop()


@pytest.fixture
def relay(s3: ObjectStore) -> Iterator[Relay]:
    with Relay(s3.port) as relay:
        yield relay


@pytest.fixture(autouse=True)
def quiet_logs(tmp_path: Path) -> Iterator[None]:
    yield
    assert_nothing_leaked(tmp_path)


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[bytes]]]:
    """An upstream that keeps the bodies that it gets."""
    bodies: list[bytes] = []

    def answer(request: Message, exchange: Exchange) -> bytes:
        bodies.append(request.body)
        return ok()

    with Upstream(answer) as server:
        yield f"http://127.0.0.1:{server.port}", bodies


def bucket(url: str, name: str = BUCKET, **more: object) -> dict:
    """The section of a store."""
    return {"kind": "s3", "endpoint": url, "bucket": name, "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY, **more}


def key_of(image: bytes) -> str:
    return f"{digest(image)[:2]}/{digest(image)}.png"


def send(sidecar: Sidecar, *images: bytes, model: str = TAKES_URLS) -> Message:
    return ask(sidecar, body_of_chat(*map(data_url, images), model=model))


def test_an_image_is_stored_and_fetched(s3: ObjectStore, relay: Relay, upstream: tuple, start_sidecar: Start) -> None:
    """The bucket is made, the link gives the image to a plain client, and the same image is not sent twice."""
    url, bodies = upstream
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(relay.url, publicEndpoint=s3.url)})
    image = png(1, 300_000)
    for _ in range(3):
        assert send(sidecar, image).status == 200

    assert wait_for(lambda: s3.objects(BUCKET).get(key_of(image)) == image)
    links = [image_urls(body) for body in bodies]
    assert links[0] == links[1] == links[2], "a link changes within its window"
    assert links[0][0].startswith(f"{s3.url}/{BUCKET}/{key_of(image)}?")
    fetched = fetch(links[0][0])
    assert (fetched.status, fetched.body) == (200, image)
    assert fetched.headers["content-type"] == "image/png"
    assert sum(line.startswith(f"PUT /{BUCKET}/") for line in relay.lines) == 1
    assert relay.methods().count("HEAD") == 1
    assert image_counts(sidecar) == {("request", "uploaded"): 1, ("request", "deduplicated"): 2}


def test_many_requests_make_one_upload(relay: Relay, upstream: tuple, start_sidecar: Start) -> None:
    url, bodies = upstream
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(relay.url)})
    image = png(2, 500_000)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: send(sidecar, image).status, range(20)))

    assert answers == [200] * 20
    assert len({tuple(image_urls(body)) for body in bodies}) == 1
    assert sum(key_of(image) in line for line in relay.lines if line.startswith("PUT")) == 1


def test_a_changed_link_is_refused(s3: ObjectStore, upstream: tuple, start_sidecar: Start) -> None:
    """Another name, host, time or signature: the server gives nothing."""
    url, bodies = upstream
    public = f"http://localhost:{s3.port}"
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(s3.url, publicEndpoint=public)})
    images = [png(3), png(4)]
    send(sidecar, *images)
    link, other = image_urls(bodies[0])
    assert fetch(link).body == images[0]

    signature = re.search("X-Amz-Signature=([0-9a-f]+)", link).group(1)
    turned = signature.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    for changed in (
        link.replace(key_of(images[0]), key_of(images[1])),
        link.replace("localhost", "127.0.0.1"),
        link.replace("X-Amz-Expires=604800", "X-Amz-Expires=604799"),
        link.replace(signature, turned),
        link.split("?")[0],
    ):
        assert changed != link
        answer = fetch(changed)
        assert answer.status in (400, 401, 403), changed
        assert images[0] not in answer.body and images[1] not in answer.body


def test_a_stored_image_goes_back_into_the_body(s3: ObjectStore, upstream: tuple, start_sidecar: Start) -> None:
    """A target that takes no addresses gets the image itself, and so does one of a chat that is months old."""
    url, bodies = upstream
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(s3.url)})
    image = png(5)
    send(sidecar, image)
    link = image_urls(bodies[0])[0]

    old = re.sub("X-Amz-Date=[0-9]{8}", "X-Amz-Date=20200101", link)
    for address in (link, old):
        assert ask(sidecar, body_of_chat(address, model=TAKES_INLINE)).status == 200
        assert image_urls(bodies[-1]) == [data_url(image)]
    assert ask(sidecar, body_of_chat(old)).status == 200
    assert image_urls(bodies[-1]) == [link], "an old link is not signed anew"


@pytest.mark.parametrize(("then", "status"), [("inline", 200), ("reject", 503)])
@pytest.mark.parametrize("error", ["denied", "unreachable", "timeout"])
def test_a_store_that_fails(
    error: str, then: str, status: int, s3: ObjectStore, relay: Relay, upstream: tuple, start_sidecar: Start
) -> None:
    """The body goes on as it came, or the answer is 503, and nobody waits for long."""
    url, bodies = upstream
    relay.is_stuck = error == "timeout"
    store = {
        "denied": bucket(s3.url, secretKey="not-the-secret"),
        "unreachable": bucket("http://127.0.0.1:9"),
        "timeout": bucket(relay.url),
    }[error]
    sidecar = start_with_store(start_sidecar, url, {"store": store, "onStoreFailure": then})
    image = png(len(error + then) + 100)
    body = body_of_chat(data_url(image))
    begun = time.monotonic()

    assert ask(sidecar, body).status == status
    assert time.monotonic() - begun < 7
    assert bodies == ([body] if then == "inline" else [])
    assert image_counts(sidecar) == {("request", "failed"): 1}
    assert key_of(image) not in s3.objects(BUCKET)

    def told() -> list[str]:
        return [line["error"] for line in sidecar.log_lines() if line["msg"].startswith("images cannot be stored")]

    assert wait_for(lambda: told() != []), "the log says nothing"
    assert told() == [error]

    begun = time.monotonic()
    assert ask(sidecar, body).status == status
    assert time.monotonic() - begun < 1, "a store that is known to be away is waited for again"


def test_an_upload_that_is_cut_off_is_tried_again(
    s3: ObjectStore, relay: Relay, upstream: tuple, start_sidecar: Start
) -> None:
    url, bodies = upstream
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(relay.url, publicEndpoint=s3.url)})
    relay.cuts = 1
    image = png(7, 1_000_000)
    assert send(sidecar, image).status == 200

    assert sum(key_of(image) in line for line in relay.lines if line.startswith("PUT")) == 2
    assert fetch(image_urls(bodies[0])[0]).body == image


def test_half_an_image_is_never_linked(s3: ObjectStore, relay: Relay, upstream: tuple, start_sidecar: Start) -> None:
    """Every upload breaks off: the image goes on within the body, and the store has no half of it."""
    url, bodies = upstream
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(relay.url, publicEndpoint=s3.url)})
    relay.cuts = 1000
    image = png(8, 1_000_000)
    body = body_of_chat(data_url(image))
    assert ask(sidecar, body).status == 200
    assert bodies == [body]
    assert s3.objects(BUCKET).get(key_of(image)) in (None, image)

    relay.cuts = 0

    def is_linked() -> bool:
        send(sidecar, image)
        return not image_urls(bodies[-1])[0].startswith("data:")

    assert wait_for(is_linked, 20)
    assert fetch(image_urls(bodies[-1])[0]).body == image


def test_a_server_that_dies_in_an_upload(s3: ObjectStore, relay: Relay, upstream: tuple, start_sidecar: Start) -> None:
    """The image goes on within the body; whatever the server has of it when it is back, only the whole is linked."""
    url, bodies = upstream
    sidecar = start_with_store(start_sidecar, url, {"store": bucket(relay.url, publicEndpoint=s3.url)})
    send(sidecar, png(11))
    relay.cuts, relay.cut_after, relay.at_cut = 1, 500_000, s3.kill
    image = png(12, 1_000_000)
    try:
        assert send(sidecar, image).header("x-sidecar-images") == "failed=1"
        assert image_urls(bodies[-1]) == [data_url(image)]
    finally:
        s3.start()

    def is_linked() -> bool:
        send(sidecar, image)
        return not image_urls(bodies[-1])[0].startswith("data:")

    assert wait_for(is_linked, 20)
    assert fetch(image_urls(bodies[-1])[0]).body == image
    assert s3.objects(BUCKET)[key_of(image)] == image


# MARK: - The command


def sign(folder: Path, media: dict | None, *arguments: str) -> subprocess.CompletedProcess:
    path = folder / "sign.json"
    path.write_text(json.dumps({"version": 1} | ({"media": media} if media is not None else {})))
    command = [str(SIDECAR), "sign", "--config", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, check=False)


def test_sign_prints_a_link(s3: ObjectStore, upstream: tuple, start_sidecar: Start, tmp_path: Path) -> None:
    """It works for as long as it says, and not longer."""
    sidecar = start_with_store(start_sidecar, upstream[0], {"store": bucket(s3.url)})
    image = png(9)
    send(sidecar, image)
    done = sign(tmp_path, {"store": bucket(s3.url)}, key_of(image), "--expires", "3")
    assert done.returncode == 0, done.stderr
    link = done.stdout.strip()
    assert "X-Amz-Expires=3&" in link
    assert fetch(link).body == image

    time.sleep(4)
    assert fetch(link).status in (400, 403)


def test_sign_agrees_with_another_signer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials

    store = bucket("http://minio:9000", publicEndpoint="https://images.example.org", region="eu-central-1")
    link = sign(tmp_path, {"store": store}, key_of(b"x")).stdout.strip()
    stamp = re.search(r"X-Amz-Date=(\w+)", link).group(1)
    instant = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ")
    assert abs((datetime.datetime.utcnow() - instant).total_seconds()) < 30
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: instant)
    request = botocore.awsrequest.AWSRequest("GET", f"https://images.example.org/{BUCKET}/{key_of(b'x')}")
    credentials = botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY)
    botocore.auth.S3SigV4QueryAuth(credentials, "s3", "eu-central-1", expires=604_800).add_auth(request)

    assert set(urlsplit(link).query.split("&")) == set(urlsplit(request.url).query.split("&"))


def test_sign_for_a_folder(upstream: tuple, start_sidecar: Start, tmp_path: Path) -> None:
    """The command and the gateway share the secret in the folder."""
    sidecar = start_with_store(start_sidecar, upstream[0], {})
    image = png(10)
    send(sidecar, image)
    path = str(sidecar.log.parent / "media")
    media = {"store": {"kind": "directory", "path": path, "endpointForUpstream": sidecar.gateway}}
    link = sign(tmp_path, media, key_of(image)).stdout.strip()

    assert fetch(link).body == image
    public = sign(tmp_path, media | {"publicURL": "https://ai.example.org"}, key_of(image)).stdout.strip()
    assert public.startswith(f"https://ai.example.org/media/signed/{digest(image)}.png?")
    assert fetch(sidecar.gateway + public.removeprefix("https://ai.example.org")).body == image


@pytest.mark.parametrize(
    ("media", "arguments", "status", "told"),
    [
        ({}, ["../etc/passwd"], 64, "no key of an image"),
        ({}, [f"ab/{'ab' * 32}.svg"], 64, "no key of an image"),
        ({}, [f"cd/{'ab' * 32}.png"], 64, "no key of an image"),
        ({}, [f"ab/{'ab' * 32}.png", "--expires", "604801"], 64, "604800"),
        ({}, [f"ab/{'ab' * 32}.png", "--expires", "0"], 64, "604800"),
        (None, [f"ab/{'ab' * 32}.png"], 78, "no store is configured"),
        ({"store": {"kind": "s3"}}, [f"ab/{'ab' * 32}.png"], 78, "/media/store/bucket"),
        ({"store": {"path": "/dev/null/x"}}, [f"ab/{'ab' * 32}.png"], 78, "media.store.path"),
    ],
    ids=["path", "extension", "folder", "too long", "no time", "no store", "half a store", "no folder"],
)
def test_sign_refuses(media: dict | None, arguments: list[str], status: int, told: str, tmp_path: Path) -> None:
    done = sign(tmp_path, media, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr
