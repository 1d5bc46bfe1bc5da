"""Many large bodies at once: none fails, memory stays bounded, and other streams do not notice.

    MEDIA_LOAD=100x10 pytest Tests/Integration/test_media_load.py     100 clients with bodies of 10 MB

Times are reported and never asserted.
"""

import contextlib
import json
import multiprocessing
import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from image_answers import STREAMED, chunked, event, link, serves, with_images
from images import (
    TAKES_INLINE,
    TAKES_URLS,
    ask,
    body_of_chat,
    data_url,
    digest,
    image_counts,
    image_urls,
    png,
    post,
    start_with_store,
    stored,
    unfinished,
)
from images import quiet_logs as quiet_logs
from rawhttp import Client, Exchange, Listener, Message, Upstream, ok, wait_for
from stack import Sidecar

Start = Callable[..., Sidecar]
CLIENTS, MEGABYTES = (int(number) for number in os.environ.get("MEDIA_LOAD", "40x3").split("x"))
MOST_RSS = 300_000_000
GAP = 0.01


def peak(sidecar: Sidecar) -> int:
    """The most resident memory so far, in bytes."""
    status = Path(f"/proc/{sidecar.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


# MARK: - A stream beside the load


def play(pipe: Connection) -> None:
    """An upstream that streams an event every 10 ms until its client leaves, with the instant of each in it."""

    def answer(_: Message, exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            data = b'data: {"at":%d}\n\n' % time.perf_counter_ns()
            exchange.send(b"%x\r\n%s\r\n" % (len(data), data))
            time.sleep(GAP)

    with Upstream(answer) as upstream:
        pipe.send(upstream.url)
        port = pipe.recv()
        stop = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            # The one that goes straight tells what the machine itself makes late.
            through, straight = (pool.submit(read_delays, place, stop) for place in (port, upstream.port))
            pipe.recv()
            stop.set()
            pipe.send((through.result(), straight.result()))


def read_delays(port: int, stop: threading.Event) -> list[float]:
    """How late each event of the stream came, in seconds, until told to stop."""
    delays = []
    with Client(port) as client:
        body = json.dumps({"model": "paced", "stream": True, "messages": [{"role": "user", "content": "a"}]})
        client.send(post(body.encode()))
        received = b""
        while not stop.is_set():
            received += client.socket.recv(1 << 16)
            now = time.perf_counter_ns()
            *whole, received = received.split(b"\n\n")
            delays += [(now - int(at)) / 1e9 for at in re.findall(rb'"at":(\d+)', b"".join(whole))]
    return delays


def described(delays: list[float]) -> str:
    assert len(delays) > 40, "the stream stood still"
    delays.sort()
    middle, late = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    return f"median {middle * 1000:.2f} ms late, p99 {late * 1000:.2f} ms, most {delays[-1] * 1000:.1f} ms"


class PacedStream:
    """An upstream and a client in a process of their own, so that what loads this one does not delay them."""

    def __init__(self) -> None:
        self.pipe, there = multiprocessing.Pipe()
        # Forked children would inherit the sockets of the other upstreams.
        self.process = multiprocessing.get_context("spawn").Process(target=play, args=[there], daemon=True)
        self.process.start()
        self.url = self.pipe.recv()

    def start(self, sidecar: Sidecar) -> None:
        self.pipe.send(sidecar.port)
        time.sleep(0.5)

    def stop(self) -> str:
        """How late the events came."""
        self.pipe.send("stop")
        through, straight = self.pipe.recv()
        self.process.join()
        return f"{len(through)} events beside it: {described(through)}; without the sidecar {described(straight)}"


@pytest.fixture
def start_beside_stream(start_sidecar: Start) -> Iterator[Callable[..., tuple[Sidecar, PacedStream]]]:
    """Starts a sidecar with a paced stream through it, from an upstream of its own."""
    streams: list[PacedStream] = []

    def start(upstream: str, **sections: object) -> tuple[Sidecar, PacedStream]:
        stream = PacedStream()
        streams.append(stream)
        upstreams = {"litellm": {"kind": "litellm", "url": upstream}, "beside": {"kind": "litellm", "url": stream.url}}
        routes = [{"name": "paced", "when": {"model": ["paced"]}, "chain": ["paced@beside"]}]
        sidecar = start_with_store(start_sidecar, upstream, upstreams=upstreams, routes=routes, **sections)
        stream.start(sidecar)
        return sidecar, stream

    yield start
    for stream in streams:
        stream.process.kill()


# MARK: - Requests


def bodies(model: str, images: list[bytes]) -> list[bytes]:
    """A body of that many megabytes for each client, with one image of its own and others that all share."""
    return [
        body_of_chat(data_url(image), *(data_url(shared) for shared in SHARED), model=model, text=f"client {number}")
        for number, image in enumerate(images)
    ]


SHARED = [png(300 + n, MEGABYTES * 180_000) for n in range(2)]


@pytest.mark.parametrize("model", [TAKES_URLS, TAKES_INLINE])
def test_many_large_bodies_at_once(
    model: str, start_beside_stream: Callable[..., tuple[Sidecar, PacedStream]], report: Callable[[str], None]
) -> None:
    """Every one is answered, with every image; memory stays bounded and comes back."""
    images = [png(310 + number, MEGABYTES * 390_000) for number in range(CLIENTS)]
    sent = bodies(model, images)
    with Upstream() as upstream:
        sidecar, stream = start_beside_stream(upstream.url)
        before = sidecar.rss()
        gate = threading.Barrier(CLIENTS)

        def send(body: bytes) -> int:
            gate.wait()
            return ask(sidecar, body).status

        begun = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            statuses = Counter(pool.map(send, sent))
        took = time.perf_counter() - begun
        assert statuses == {200: CLIENTS}
        beside = stream.stop()
        most = peak(sidecar)
        figures = (
            f"{CLIENTS} bodies of {len(sent[0]) / 1e6:.1f} MB at once to {model}: {took:.2f} s, "
            f"RSS {before >> 20} MB before, {most >> 20} MB at most; {beside}"
        )
        report(figures)
        assert most <= MOST_RSS, figures

        if model == TAKES_URLS:
            assert {len(image_urls(request.body)) for request in upstream.requests} == {3}
            assert len(stored(sidecar)) == CLIENTS + len(SHARED) and not unfinished(sidecar)
            assert sorted(path.stem for path in stored(sidecar)) == sorted(map(digest, images + SHARED))
            assert image_counts(sidecar)[("request", "uploaded")] == CLIENTS + len(SHARED)
        else:
            assert sorted(request.body for request in upstream.requests) == sorted(sent)
        assert ("request", "failed") not in image_counts(sidecar)
        # Freed memory goes back to the system when the allocator gets to it.
        came_back = wait_for(lambda: sidecar.rss() < before + (most - before) // 2 + 20_000_000, 15)
        report(f"RSS afterwards {sidecar.rss() >> 20} MB")
        assert came_back


def test_many_large_images_in_answers_at_once(
    start_beside_stream: Callable[..., tuple[Sidecar, PacedStream]], report: Callable[[str], None]
) -> None:
    """Streams whose one event is an image: held back only as far as there is room, and none is lost."""
    images = [png(400 + number, MEGABYTES * 700_000) for number in range(8)]
    streams = [
        chunked(event(with_images(data_url(image))) + b"data: [DONE]\n\n", "text/event-stream") for image in images
    ]

    def answer(request: Message, _: Exchange) -> bytes:
        return streams[int(re.search(rb"image (\d+)", request.body)[1])]

    with Upstream(answer) as upstream:
        sidecar, stream = start_beside_stream(upstream.url)

        def read(number: int) -> bool:
            which = number % len(images)
            body = json.dumps({
                "model": TAKES_INLINE, "stream": True, "messages": [{"role": "user", "content": f"image {which}"}]
            }).encode()  # fmt: skip
            expected = event(with_images(link(images[which]))) + b"data: [DONE]\n\n"
            return ask(sidecar, body).body == expected

        begun = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            assert all(pool.map(read, range(CLIENTS)))
        took = time.perf_counter() - begun
        beside = stream.stop()
        most = peak(sidecar)
        report(
            f"{CLIENTS} streams with an image of {len(images[0]) / 1e6:.1f} MB at once: {took:.2f} s, "
            f"RSS {most >> 20} MB at most; {beside}"
        )
        assert most <= MOST_RSS
        assert len(stored(sidecar)) == len(images)


def test_a_large_image_delays_no_other_stream(
    start_beside_stream: Callable[..., tuple[Sidecar, PacedStream]], report: Callable[[str], None]
) -> None:
    """20 MB as one event in pieces of 3 KB, several times, with a paced stream beside it."""
    image = png(122, 20_000_000)
    with Upstream() as upstream:
        large = chunked(event(with_images(data_url(image))) + b"data: [DONE]\n\n", "text/event-stream", 3000)
        upstream.answer = lambda request, exchange: large
        sidecar, stream = start_beside_stream(upstream.url)
        before = sidecar.rss()
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            answer = ask(sidecar, STREAMED)
            times.append(time.perf_counter() - begun)
            assert answer.body == event(with_images(link(image))) + b"data: [DONE]\n\n"
        beside = stream.stop()
        assert serves(sidecar, link(image)) == image
        report(
            f"image of 20 MB as one event: {times[0]:.2f} s, again {min(times):.2f} s, RSS {before >> 20} MB before, "
            f"{peak(sidecar) >> 20} MB at most; {beside}"
        )


def test_images_seen_before_cost_their_recognition_only(
    start_sidecar: Start, report: Callable[[str], None]
) -> None:
    """Bodies of 10 MB with images that are new, then the same again: how fast they are stored, and recognised."""
    sent = [body_of_chat(*(data_url(png(600 + 8 * n + i, 1_000_000)) for i in range(8))) for n in range(8)]
    megabytes = sum(map(len, sent)) / 1e6

    def seconds(sidecar: Sidecar) -> tuple[float, float]:
        """Spent on the images, by its own measure, and of processor time in all."""
        stat = Path(f"/proc/{sidecar.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        spent = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        upload = re.search(r'^sidecar_overhead_seconds_sum\{phase="upload"\} (\S+)', sidecar.metrics(), re.MULTILINE)
        return float(upload[1]) if upload else 0, spent

    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        for result in ("uploaded", "deduplicated"):
            images, process = seconds(sidecar)
            for body in sent:
                assert ask(sidecar, body).header("x-sidecar-images") == f"{result}=8"
            images, process = (now - before for now, before in zip(seconds(sidecar), (images, process), strict=True))
            report(f"{result}: {megabytes / images:.0f} MB/s, {megabytes / process:.0f} MB per processor second in all")


# MARK: - Pieces


def test_slow_senders_hold_up_no_other_body(start_sidecar: Start) -> None:
    """Bodies of which a little comes at a time, beside others that come at once."""
    sent = [body_of_chat(data_url(png(530 + n, 2_000_000)), model=TAKES_INLINE, text=f"client {n}") for n in range(22)]
    slow, fast = sent[:12], sent[12:]
    others_are_answered = threading.Event()

    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)

        def send_slowly(body: bytes) -> int:
            request = post(body)
            with Client(sidecar.port) as client:
                at = len(request) // 2
                client.send(request[:at])
                while at < len(request) * 9 // 10 and not others_are_answered.wait(0.01):
                    client.send(request[at : at + 17_000])
                    at += 17_000
                assert others_are_answered.wait(30)
                client.send(request[at:])
                return client.read().status

        with ThreadPoolExecutor(len(sent)) as pool:
            answers = [pool.submit(send_slowly, body) for body in slow]
            others = [pool.submit(ask, sidecar, body) for body in fast]
            try:
                assert {answer.result(timeout=20).status for answer in others} == {200}
                assert sorted(request.body for request in upstream.requests) == sorted(fast)
            finally:
                others_are_answered.set()
            assert {answer.result(timeout=20) for answer in answers} == {200}
        assert sorted(request.body for request in upstream.requests) == sorted(sent)


def test_large_bodies_in_chunks_arrive_whole(start_sidecar: Start) -> None:
    """Their size is not known beforehand."""
    sent = [body_of_chat(data_url(png(560 + n, 2_000_000)), model=TAKES_INLINE) for n in range(8)]
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)

        def send(body: bytes) -> int:
            head = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            chunks = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
            with Client(sidecar.port) as client:
                client.send(head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n")
                return client.read().status

        with ThreadPoolExecutor(len(sent)) as pool:
            assert set(pool.map(send, sent)) == {200}
        assert sorted(request.body for request in upstream.requests) == sorted(sent)


class Hasty(Listener):
    """An upstream that answers the first bytes of a request, and reads the rest later."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        with connection:
            came = connection.recv(1 << 16)
            connection.sendall(ok())
            time.sleep(0.3)
            with contextlib.suppress(ConnectionResetError):
                while more := connection.recv(1 << 20):
                    came += more
            self.received.append(came)


def test_a_connection_is_not_used_again_in_the_middle_of_a_body(start_sidecar: Start) -> None:
    """The answer comes before most of the body was sent: what is sent next would be taken for the rest of it."""
    large, small = (body_of_chat(data_url(png(570, size)), model=TAKES_INLINE) for size in (25_000_000, 20_000))
    with Hasty() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        assert ask(sidecar, large).status == 200
        assert wait_for(lambda: len(upstream.received) == 1)
        assert len(upstream.received[0]) < len(large) and large.startswith(upstream.received[0].partition(b"\r\n\r\n")[2])
        assert ask(sidecar, small).status == 200
        assert upstream.connections == 2


# MARK: - Waiting for room


LIMITS = {"maxBodyBytes": 3_000_000, "maxBufferedBytes": 4_000_000}
HALF = 2_000_000


def test_bodies_wait_for_room_as_long_as_others_move(start_sidecar: Start) -> None:
    """Five bodies where one or two fit, each answered after some time: the last waits long, and is answered."""
    waits = 2.5

    def slow(_: Message, __: Exchange) -> bytes:
        time.sleep(waits)
        return ok()

    with Upstream(slow) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, limits=LIMITS)
        sent = [body_of_chat(data_url(png(500 + n, HALF * 7 // 10)), model=TAKES_INLINE) for n in range(5)]
        begun = time.monotonic()
        with ThreadPoolExecutor(len(sent)) as pool:
            statuses = list(pool.map(lambda body: ask(sidecar, body).status, sent))
        assert statuses == [200] * len(sent)
        assert time.monotonic() - begun > 2 * waits, "all fitted at once: the limit was not tried"
        assert sorted(request.body for request in upstream.requests) == sorted(sent)


def test_bodies_that_wait_are_refused_when_nothing_moves(start_sidecar: Start) -> None:
    """After ten seconds with the buffers full of bodies that wait for a silent upstream."""
    quiet = threading.Event()

    def silent(_: Message, __: Exchange) -> bytes:
        quiet.wait(30)
        return ok()

    with Upstream(silent) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, limits=LIMITS)
        sent = [body_of_chat(data_url(png(510 + n, HALF * 7 // 10)), model=TAKES_INLINE) for n in range(4)]

        def timed(body: bytes) -> tuple[int, float]:
            begun = time.monotonic()
            status = ask(sidecar, body).status
            if status == 503:
                quiet.set()
            return status, time.monotonic() - begun

        with ThreadPoolExecutor(len(sent)) as pool:
            results = list(pool.map(timed, sent))
        refused = [seconds for status, seconds in results if status == 503]
        assert refused and all(seconds > 9 for seconds in refused), results
        assert {status for status, _ in results} == {200, 503}


def test_images_that_are_put_back_count_as_buffered(start_sidecar: Start, report: Callable[[str], None]) -> None:
    """Forty small requests that each become one of 2.4 MB take turns where two fit."""

    def slow(_: Message, __: Exchange) -> bytes:
        time.sleep(0.05)
        return ok()

    with Upstream(slow) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, limits=LIMITS | {"maxBufferedBytes": 6_000_000})
        ask(sidecar, body_of_chat(data_url(png(520, 900_000))))
        address = image_urls(upstream.requests[0].body)[0]
        before = peak(sidecar)
        body = body_of_chat(address, address, model=TAKES_INLINE)
        with ThreadPoolExecutor(40) as pool:
            statuses = Counter(pool.map(lambda _: ask(sidecar, body).status, range(40)))
        assert statuses == {200: 40}
        more = peak(sidecar) - before
        report(f"40 bodies of 2.4 MB made of addresses at once, 6 MB allowed: {more >> 20} MB more at most")
        assert more < 30_000_000
