"""Stores that fail: the request goes on as it was sent, or is refused, as configured, and in time."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from images import (
    ACCESS_KEY,
    SECRET_KEY,
    TAKES_INLINE,
    TAKES_URLS,
    ask,
    assert_no_secret,
    body_of_chat,
    data_url,
    fetch,
    image_counts,
    image_urls,
    png,
    post,
    request_lines,
    start_with_store,
    stored,
    text_of,
    unfinished,
)
from images import quiet_logs as quiet_logs
from rawhttp import Client, Exchange, Listener, Message, Upstream, parse_head, wait_for
from stack import Sidecar, free_port

Start = Callable[..., Sidecar]
PATIENCE = 5.0
"""The longest time that a store may delay a request, as the contract says."""


# MARK: - Stores that fail


def bucket(endpoint: str) -> dict:
    return {
        "kind": "s3",
        "endpoint": endpoint,
        "publicEndpoint": "https://media.example.org",
        "bucket": "designs",
        "accessKey": ACCESS_KEY,
        "secretKey": SECRET_KEY,
    }


def s3_error(status: int, code: str) -> bytes:
    # The error names the key, as that of AWS does.
    body = f"<Error><Code>{code}</Code><Message>No</Message><AWSAccessKeyId>{ACCESS_KEY}</AWSAccessKeyId></Error>"
    return (
        f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )


def not_there(request: Message) -> bytes:
    if request.start.startswith("HEAD"):
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    return s3_error(404, "NoSuchKey")


def refuses(request: Message, _: Exchange) -> bytes:
    if request.start.startswith("HEAD"):
        return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    return s3_error(403, "SignatureDoesNotMatch")


def fails(request: Message, _: Exchange) -> bytes:
    return s3_error(503, "SlowDown") if request.start.startswith("PUT") else not_there(request)


def never_answers(_: Message, exchange: Exchange) -> None:
    exchange.closes_within(30)


class DyingStore(Listener):
    """An S3 server that takes a part of every upload and breaks the connection."""

    def __init__(self) -> None:
        self.uploads = 0
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        received = b""
        with connection:
            while data := connection.recv(1 << 14):
                received += data
                head, separator, rest = received.partition(b"\r\n\r\n")
                if not separator:
                    continue
                request = parse_head(head)
                if request.start.startswith("PUT"):
                    if len(rest) < 50_000:
                        continue
                    self.uploads += 1
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                connection.sendall(not_there(request))
                received = rest


def closed_port() -> dict:
    return bucket(f"http://127.0.0.1:{free_port()}")


FAILING = {"wrong credentials": refuses, "busy": fails, "silent": never_answers}
KINDS = [*FAILING, "dead", "dies in the middle of an upload", "full"]


@pytest.fixture
def failing_store(request: pytest.FixtureRequest) -> Iterator[dict]:
    """The settings of a store that fails in that way."""
    if request.param == "dead":
        yield closed_port()
    elif request.param == "full":
        yield {"kind": "directory", "path": "media", "maxBytes": 10_000}
    elif request.param in FAILING:
        with Upstream(FAILING[request.param]) as server:
            yield bucket(server.url)
    else:
        with DyingStore() as server:
            yield bucket(server.url)
            assert server.uploads > 0, "it was not asked"


@pytest.mark.parametrize("failing_store", KINDS, indirect=True)
def test_a_store_that_fails(failing_store: dict, start_sidecar: Start) -> None:
    """The original goes on, or the answer is 503, in time; what is not stored is not linked."""
    with Upstream() as upstream, ThreadPoolExecutor(2) as pool:
        tries = []
        for then in ("inline", "reject"):
            sidecar = start_with_store(start_sidecar, upstream.url, {"store": failing_store, "onStoreFailure": then})
            tries.append(pool.submit(try_failing_store, then, sidecar, upstream))
        for attempt in tries:
            attempt.result()
        # One of the two gateways sent nothing on.
        assert [request.header("x-who") for request in upstream.requests] == ["inline"] * 2
        if failing_store["kind"] == "directory":
            assert stored(sidecar) == [] and unfinished(sidecar) == []


def try_failing_store(then: str, sidecar: Sidecar, upstream: Upstream) -> None:
    body = body_of_chat(data_url(png(60, 300_000)), data_url(png(61, 300_000)))
    for _ in range(2):
        begun = time.monotonic()
        answer = ask(sidecar, body, headers=f"x-who: {then}\r\n")
        assert time.monotonic() - begun < PATIENCE + 1.5
        if then == "inline":
            assert answer.status == 200
            assert upstream.requests[-1].body == body
            assert answer.header("x-sidecar-images") == "failed=2"
        else:
            assert answer.status == 503
            assert json.loads(answer.body)["error"]["message"]
            assert_no_secret(answer.body.decode())
    assert image_counts(sidecar) == {("request", "failed"): 4}
    assert wait_for(lambda: len(request_lines(sidecar)) == 2)
    assert [line["images"] for line in request_lines(sidecar)] == [{"failed": 2}] * 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/messages", {"source": {"type": "base64", "media_type": "image/png", "data": "DATA"}, "type": "image"}),
        ("/v1/responses", {"type": "input_image", "image_url": "data:image/png;base64,DATA"}),
    ],
)
def test_a_refusal_has_the_shape_of_the_dialect(path: str, message: dict, start_sidecar: Start) -> None:
    content = json.dumps([message]).replace("DATA", text_of(png(62, 5000)))
    list_name = "input" if "responses" in path else "messages"
    body = f'{{"model":"{TAKES_URLS}","{list_name}":[{{"role":"user","content":{content}}}]}}'.encode()
    with Upstream() as upstream, Upstream(refuses) as store:
        settings = {"store": bucket(store.url), "onStoreFailure": "reject"}
        sidecar = start_with_store(start_sidecar, upstream.url, settings)
        answer = ask(sidecar, body, path)
        assert answer.status == 503
        failure = json.loads(answer.body)
        assert failure["error"]["message"]
        assert path != "/v1/messages" or failure["type"] == "error"
        assert upstream.requests == []


def test_inline_targets_do_not_need_the_store(start_sidecar: Start) -> None:
    body = body_of_chat(data_url(png(63, 5000)), model=TAKES_INLINE)
    with Upstream() as upstream, Upstream(refuses) as store:
        settings = {"store": bucket(store.url), "onStoreFailure": "reject"}
        sidecar = start_with_store(start_sidecar, upstream.url, settings)
        assert ask(sidecar, body).status == 200
        assert upstream.requests[0].body == body


def test_an_old_address_while_the_store_is_away(start_sidecar: Start) -> None:
    """To a target that takes addresses it is signed without asking; to another the address goes on, counted."""
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": closed_port()})
        sha = "ab" * 32
        address = f"https://media.example.org/designs/ab/{sha}.png"
        assert ask(sidecar, body_of_chat(address)).header("x-sidecar-images") == "resigned=1"
        begun = time.monotonic()
        answer = ask(sidecar, body_of_chat(address, model=TAKES_INLINE))
        assert time.monotonic() - begun < PATIENCE + 1.5
        assert answer.status == 200
        assert answer.header("x-sidecar-images") == "failed=1"
        assert image_urls(upstream.requests[-1].body)[0].startswith(f"{address}?X-Amz-")


def test_old_addresses_while_the_store_is_silent(start_sidecar: Start) -> None:
    """However many there are, the request waits no longer than for one."""
    with Upstream() as upstream, Upstream(never_answers) as store:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": bucket(store.url)})
        names = [f"{n:02x}/{n:02x}{'0' * 62}.png" for n in range(4)]
        addresses = [f"https://media.example.org/designs/{name}" for name in names]
        with Client(sidecar.port) as client:
            client.socket.settimeout(PATIENCE + 1.5)
            client.send(post(body_of_chat(*addresses, model=TAKES_INLINE)))
            answer = client.read()
        assert answer.status == 200
        assert answer.header("x-sidecar-images") == "failed=4"


def test_addresses_do_not_multiply(start_sidecar: Start) -> None:
    """A small body with many addresses of one large image does not become one that is larger than any may be."""
    limits = {"maxBodyBytes": 3_000_000, "maxBufferedBytes": 4_000_000}
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, limits=limits)
        ask(sidecar, body_of_chat(data_url(png(68, 1_000_000))))
        address = image_urls(upstream.requests[0].body)[0]
        answer = ask(sidecar, body_of_chat(*[address] * 20, model=TAKES_INLINE))
        assert answer.status in (200, 413)
        assert all(len(request.body) <= limits["maxBufferedBytes"] for request in upstream.requests)


def test_an_address_of_an_image_that_is_gone(start_sidecar: Start) -> None:
    """Deleted from the store: an inline target gets the address, and the request is not lost."""
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body_of_chat(data_url(png(64))))
        address = image_urls(upstream.requests[0].body)[0]
        stored(sidecar)[0].unlink()
        assert fetch(address).status == 404
        answer = ask(sidecar, body_of_chat(address, model=TAKES_INLINE))
        assert answer.status == 200
        assert answer.header("x-sidecar-images") == "failed=1"

        assert ask(sidecar, body_of_chat(data_url(png(64)))).header("x-sidecar-images") == "uploaded=1"
        assert fetch(address).body == png(64)


def test_a_damaged_object_is_not_sent_on(start_sidecar: Start) -> None:
    """Its name is its digest: what does not hash to it is not put into a request."""
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        ask(sidecar, body_of_chat(data_url(png(65))))
        address = image_urls(upstream.requests[0].body)[0]
        stored(sidecar)[0].write_bytes(png(66))
        answer = ask(sidecar, body_of_chat(address, model=TAKES_INLINE))
        assert answer.status == 200
        assert answer.header("x-sidecar-images") == "failed=1"
        assert b"base64" not in upstream.requests[-1].body


def test_room_is_made_by_the_images_of_requests(start_sidecar: Start) -> None:
    """At its limit the store deletes what clients send again, the least recently used first."""
    with Upstream() as upstream:
        store = {"kind": "directory", "path": "media", "maxBytes": 70_000}
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": store})
        for seed in range(6):
            answer = ask(sidecar, body_of_chat(data_url(png(70 + seed, 20_000))))
            assert answer.header("x-sidecar-images") == "uploaded=1"
            assert fetch(image_urls(upstream.requests[-1].body)[0]).body == png(70 + seed, 20_000)
            assert sum(path.stat().st_size for path in stored(sidecar)) <= 70_000
        assert len(stored(sidecar)) == 3
        assert fetch(image_urls(upstream.requests[0].body)[0]).status == 404


def test_the_store_comes_back(start_sidecar: Start) -> None:
    """After a pause it is asked again, without a restart."""
    with Upstream() as upstream, Upstream(refuses) as server:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": bucket(server.url)})
        body = body_of_chat(data_url(png(67)))
        assert ask(sidecar, body).header("x-sidecar-images") == "failed=1"
        objects: dict[str, bytes] = {}

        def works(request: Message, _: Exchange) -> bytes:
            if request.start.startswith("PUT"):
                objects[request.path] = request.body
                return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            return not_there(request)

        server.answer = works
        deadline = time.monotonic() + 10
        while (answer := ask(sidecar, body)).header("x-sidecar-images") == "failed=1":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert answer.header("x-sidecar-images") == "uploaded=1"
        assert list(objects.values()) == [png(67)]
        address = image_urls(upstream.requests[-1].body)[0]
        assert address.removeprefix("https://media.example.org").partition("?")[0] in objects


# MARK: - Ends in the middle of an upload


def takes_a_second(request: Message, _: Exchange) -> bytes:
    if not request.start.startswith("PUT"):
        return not_there(request)
    time.sleep(1)
    return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_a_client_that_leaves_during_an_upload(start_sidecar: Start) -> None:
    """Nothing is sent on for it, and the next one is served."""
    body = body_of_chat(data_url(png(80, 300_000)))
    with Upstream() as upstream, Upstream(takes_a_second) as store:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": bucket(store.url)})
        with Client(sidecar.port) as client:
            client.send(post(body))
            assert wait_for(lambda: any(request.start.startswith("PUT") for request in store.requests))
        assert wait_for(lambda: len(request_lines(sidecar)) == 1)
        assert upstream.requests == []
        assert ask(sidecar, body).status == 200
        uploads = [request for request in store.requests if request.start.startswith("PUT")]
        assert {len(request.body) for request in uploads} == {len(png(80, 300_000))}


def test_a_request_in_an_upload_ends_before_the_process(start_sidecar: Start) -> None:
    with Upstream() as upstream, Upstream(takes_a_second) as store, ThreadPoolExecutor(1) as pool:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": bucket(store.url)})
        asked = pool.submit(ask, sidecar, body_of_chat(data_url(png(81, 300_000))))
        assert wait_for(lambda: any(request.start.startswith("PUT") for request in store.requests))
        assert sidecar.stop() == 0
        answer = asked.result()
        assert answer.status == 200 and answer.header("x-sidecar-images") == "uploaded=1"
