"""Times when the machine fails: the process is killed, the disk is full, descriptors run out, the clock jumps.

Nothing that was promised is lost, what cannot be done is said, and when the trouble ends so do its effects, without
anybody's help.
"""

import contextlib
import json
import os
import random
import re
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import preload
from images import (
    ask,
    body_of_chat,
    data_url,
    digest,
    fetch,
    image_counts,
    image_urls,
    media_sections,
    png,
    post,
    start_with_store,
    stored,
    unfinished,
)
from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, GEMINI, ROUTES, SIDECAR, Sidecar

Start = Callable[..., Sidecar]
DAY = 86_400


# MARK: - Killed under load


class Customers:
    """Clients that ask until they are answered, one image after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_over = threading.Event()
        self.served = [0] * 6
        self.breaks = 0
        """Requests that had to be asked again."""
        self.wrong: list[Message] = []
        self.threads = [threading.Thread(target=self.work, args=[number]) for number in range(6)]
        for thread in self.threads:
            thread.start()

    def work(self, number: int) -> None:
        for turn in range(1_000_000):
            if self.is_over.is_set():
                return
            image = png(10_000 * number + turn, 200_000 if number % 2 else 5_000)
            self.ask_until_served(body_of_chat(data_url(image)))
            self.served[number] += 1

    def ask_until_served(self, body: bytes) -> None:
        while not self.is_over.is_set():
            with contextlib.suppress(OSError), Client(self.port) as client:
                client.socket.settimeout(5)
                client.send(post(body))
                answer = client.read()
                if answer.complete and answer.status == 200:
                    return
                if answer.complete:
                    self.wrong.append(answer)
            self.breaks += 1
            time.sleep(0.01)

    def everybody_is_served(self) -> bool:
        """Whether each of them gets another answer soon."""
        before = list(self.served)
        return wait_for(lambda: all(now > then for now, then in zip(self.served, before, strict=True)))

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def kill(sidecar: Sidecar) -> None:
    """As the kernel does it when memory has run out."""
    sidecar.stopped_by_test = True
    sidecar.process.kill()
    sidecar.process.wait()


def test_killed_under_load(start_sidecar: Start, tmp_path: Path) -> None:
    """Clients go on where the next process listens; every link that was sent out leads to its image, whole."""
    store = {"kind": "directory", "path": str(tmp_path / "kept")}
    choose = random.Random(5)
    with Upstream() as upstream:
        sections = media_sections(upstream.url, store=store)
        sidecar = start_sidecar(upstream.url, **sections)
        configuration = (sidecar.log.parent / "sidecar.json").read_bytes()
        customers = Customers(sidecar.port)
        try:
            for _ in range(6):
                assert customers.everybody_is_served(), sidecar.output()[-2000:]
                time.sleep(choose.random() / 10)
                kill(sidecar)
                assert (sidecar.log.parent / "sidecar.json").read_bytes() == configuration
                assert_whole(tmp_path / "kept")
                sidecar = start_sidecar(upstream.url, **sections)
            assert customers.everybody_is_served()
        finally:
            customers.stop()
        assert customers.breaks > 0, "nobody was there when it was killed"
        assert customers.wrong == []
        links = {link for message in upstream.requests for link in image_urls(message.body)}
        assert len(links) > 50
        for link in links:
            image = fetch(link)
            assert image.status == 200, link
            assert digest(image.body) in link
        # What dead processes were writing is thrown away an hour later: another process may still be at it.
        for path in unfinished(sidecar, str(tmp_path / "kept")):
            os.utime(path, (time.time() - 7200,) * 2)
        assert sidecar.stop() == 0
        sidecar = start_sidecar(upstream.url, **sections)
        assert wait_for(lambda: unfinished(sidecar, str(tmp_path / "kept")) == [])


def assert_whole(store: Path) -> None:
    """Every object hashes to its name, whenever it is looked at."""
    for path in store.rglob("*.*"):
        if path.is_file() and path.parent.name != "incoming":
            assert digest(path.read_bytes()) == path.stem


# MARK: - A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = tmp_path / "small-disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Takes all of the room that is left."""
    path = disk / "filling"
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return path


@pytest.mark.parametrize("answer", ["inline", "reject"])
def test_no_room_for_images(answer: str, small_disk: Path, start_sidecar: Start) -> None:
    """The original is sent on, or refused, as configured; stored images stay; with room it goes on by itself."""
    store = {"kind": "directory", "path": str(small_disk / "media")}
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": store, "onStoreFailure": answer})
        ask(sidecar, body_of_chat(data_url(png(1))))
        link = image_urls(upstream.requests[0].body)[0]
        filling = fill(small_disk)

        for seed in range(2, 8):
            body = body_of_chat(data_url(png(seed, 20_000)))
            upstream.requests.clear()
            got = ask(sidecar, body)
            if answer == "inline":
                assert (got.status, got.header("x-sidecar-images")) == (200, "failed=1")
                assert [message.body for message in upstream.requests] == [body]
            else:
                assert got.status == 503 and json.loads(got.body)["error"]["message"]
                assert upstream.requests == []
        assert image_counts(sidecar)["request", "failed"] == 6
        assert unfinished(sidecar, str(small_disk / "media")) == []
        assert fetch(link).body == png(1)
        assert any("No space left" in json.dumps(line) for line in sidecar.log_lines()), sidecar.output()[-2000:]

        filling.unlink()
        body = body_of_chat(data_url(png(9, 20_000)))
        assert wait_for(lambda: ask(sidecar, body).header("x-sidecar-images") in ("uploaded=1", "deduplicated=1"))
        assert fetch(image_urls(upstream.requests[-1].body)[0]).body == png(9, 20_000)
        assert len(stored(sidecar, str(small_disk / "media"))) == 2


def test_no_room_for_the_log(small_disk: Path) -> None:
    """Without a log the work goes on; with room the lines come again, each whole, and the lost ones are counted."""
    with Upstream() as upstream:
        sidecar = Sidecar(small_disk, upstream.url, routes=ROUTES)
        try:
            filling = fill(small_disk)
            for _ in range(200):
                assert is_served(sidecar)
            filling.unlink()
            with Client(sidecar.port) as client:
                client.send(chat())
                request_id = client.read().header("x-sidecar-request-id")
            assert wait_for(lambda: f'"request_id":"{request_id}"' in sidecar.output())
            lines = [line for line in sidecar.output().splitlines() if f'"{request_id}"' in line]
            assert [json.loads(line)["status"] for line in lines] == [200]
            lost = int(re.search(r"sidecar_log_lines_dropped_total (\d+)", sidecar.metrics())[1])
            assert lost + sidecar.output().count('"msg":"request"') >= 201
        finally:
            assert sidecar.stop() == 0


def is_served(sidecar: Sidecar) -> bool:
    with contextlib.suppress(OSError), Client(sidecar.port) as client:
        client.socket.settimeout(2)
        client.send(chat())
        return client.read().status == 200
    return False


def chat(model: str = CLAUDE, text: str = "hi") -> bytes:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]})
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


# MARK: - No descriptors left


def test_no_descriptors_left(start_sidecar: Start) -> None:
    """Who cannot be served is told so or waits; who is being served is; soon after the crowd has left all is well."""
    release = threading.Event()

    def answer(message: Message, _: Exchange) -> bytes:
        if b"wait" in message.body:
            release.wait(30)
        return ok()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        with Client(sidecar.port) as early:
            early.send(chat(text="wait"))
            assert wait_for(lambda: len(upstream.requests) == 1)
            limit = sidecar.descriptors() + 8
            resource.prlimit(sidecar.process.pid, resource.RLIMIT_NOFILE, (limit, limit + 4096))
            crowd = [Client(sidecar.port) for _ in range(60)]
            for client in crowd:
                client.send(chat())
            assert wait_for(lambda: sidecar.descriptors() >= limit - 1)
            for client in crowd:
                assert_clear_answer(client)
            assert "raise its limit of open files" in sidecar.output()
            assert processor_seconds(sidecar, during=1) < 0.2, "the listener does not rest"
            release.set()
            assert early.read().status == 200
        for client in crowd:
            client.socket.close()
        assert wait_for(lambda: all(is_served(sidecar) for _ in range(10)))
        assert wait_for(lambda: sidecar.descriptors() < limit)


def processor_seconds(sidecar: Sidecar, during: float) -> float:
    """What the process uses of its processors in that time."""

    def used() -> float:
        fields = Path(f"/proc/{sidecar.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(during)
    return used() - before


def assert_clear_answer(client: Client) -> None:
    """An answer, an error that says something, or none yet."""
    client.socket.settimeout(0.02)
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        answer = client.read()
        assert answer.status in (200, 503), answer
        assert answer.status == 200 or json.loads(answer.body)["error"]["message"]


# MARK: - No memory left


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("room", [16, 48, 80, 112, 144], ids=lambda room: f"{room}MiB")
def test_no_memory_for_a_body(room: int, framing: str, start_sidecar: Start) -> None:
    """Who sends what there is no room for is told so or served, and nobody else notices."""
    content = b'{"model":"%b","messages":[{"role":"user","content":"%b"}]}' % (CLAUDE.encode(), b"a" * (60 << 20))
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        assert is_served(sidecar)
        status = Path(f"/proc/{sidecar.process.pid}/status").read_text()
        size = int(re.search(r"VmSize:\s+(\d+)", status)[1]) * 1024
        resource.prlimit(sidecar.process.pid, resource.RLIMIT_AS, (size + (room << 20), resource.RLIM_INFINITY))
        with Client(sidecar.port) as client:
            client.send_what_is_taken(post(content) if framing == "length" else in_chunks(content))
            answer = client.read()
        assert answer.status in (200, 503), answer
        assert answer.status == 200 or "memory" in json.loads(answer.body)["error"]["message"]
        assert is_served(sidecar)


def in_chunks(content: bytes) -> bytes:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# MARK: - A clock that jumps


class WallClock:
    """The time of day that the sidecar sees; intervals stay what they are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.jump(0)

    def jump(self, seconds: int) -> None:
        """Sets it so far from the true time."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.rename(self.path)


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that shifts a program's clock."""
    return preload.build("wallclock", tmp_path_factory.mktemp("clock"))


@pytest.fixture
def clock(shift: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WallClock:
    clock = WallClock(tmp_path / "time")
    monkeypatch.setenv("LD_PRELOAD", str(shift))
    monkeypatch.setenv("WALL_CLOCK_OFFSET", str(clock.path))
    return clock


def time_of(line: dict) -> float:
    return time.mktime(time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone


JUMPS = pytest.mark.parametrize("seconds", [DAY, -DAY], ids=["a day ahead", "a day back"])


@JUMPS
def test_an_open_breaker_when_the_clock_jumps(seconds: int, clock: WallClock, start_sidecar: Start) -> None:
    """It stays open for the time that was said and no longer, whatever the clock shows."""
    sick = threading.Event()
    sick.set()

    def answer(message: Message, _: Exchange) -> bytes:
        if sick.is_set() and json.loads(message.body)["model"] == CLAUDE:
            return b"HTTP/1.1 429 No\r\nRetry-After: 2\r\nContent-Length: 2\r\n\r\n{}"
        return ok()

    with Upstream(answer) as upstream:
        breaker = {"cooldownSeconds": 1, "maxCooldownSeconds": 1}
        sidecar = start_sidecar(upstream.url, routes=ROUTES, fallback={"stickySeconds": 0}, breaker=breaker)
        opened = time.monotonic()
        assert answered_by(sidecar) == GEMINI
        sick.clear()
        clock.jump(seconds)
        asked = len([message for message in upstream.requests if CLAUDE.encode() in message.body])
        while time.monotonic() - opened < 1.5:
            assert answered_by(sidecar) == GEMINI, "the clock has closed the breaker"
        assert len([message for message in upstream.requests if CLAUDE.encode() in message.body]) == asked
        assert wait_for(lambda: answered_by(sidecar) == CLAUDE, 6), "the clock keeps the breaker open"
        shift = time_of(sidecar.log_lines()[-1]) - time.time()
        assert abs(shift - seconds) < 60, "the log does not tell the time of day"


def answered_by(sidecar: Sidecar) -> str | None:
    with Client(sidecar.port) as client:
        client.send(chat(text=str(time.monotonic())))
        answer = client.read()
        assert answer.status == 200, answer
        return answer.header("x-sidecar-model")


@JUMPS
def test_a_request_during_which_the_clock_jumps(seconds: int, clock: WallClock, start_sidecar: Start) -> None:
    """No limit of time is reached by it, and those that there are hold."""
    arrived = threading.Event()

    def answer(message: Message, exchange: Exchange) -> bytes | None:
        arrived.set()
        if b"silent" in message.body and CLAUDE.encode() in message.body:
            exchange.closes_within(20)
            return None
        time.sleep(0.5)
        return ok()

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, timeouts={"firstByteSeconds": 2, "totalSeconds": 6})
        for text, least, model in (("slow", 0.5, CLAUDE), ("silent", 2, GEMINI)):
            arrived.clear()
            with Client(sidecar.port) as client, Client(sidecar.port) as idle:
                begun = time.monotonic()
                client.send(chat(text=text))
                assert arrived.wait(5)
                clock.jump(seconds)
                answered = client.read()
                took = time.monotonic() - begun
                assert (answered.status, answered.header("x-sidecar-model")) == (200, model)
                assert least - 0.2 < took < least + 4
                # A connection that was idle meanwhile is still there.
                idle.send(chat(model="no-route"))
                assert idle.read().status == 200
            clock.jump(0)


@JUMPS
def test_signed_links_when_the_clock_jumps(seconds: int, clock: WallClock, start_sidecar: Start) -> None:
    """A new link holds from the present day on; one of yesterday holds until its day, and both lead to the image."""
    with Upstream() as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url)
        links = []
        for offset in (0, seconds, 0):
            clock.jump(offset)
            assert ask(sidecar, body_of_chat(data_url(png(1)))).status == 200
            links.append(image_urls(upstream.requests[-1].body)[0])
            left = int(re.search(r"expires=(\d+)", links[-1])[1]) - time.time() - offset
            # The beginning of a window of half a day, and seven days on.
            assert 6.4 * DAY < left <= 7 * DAY
            assert fetch(links[-1]).body == png(1)
        assert links[0] == links[2] != links[1]
        clock.jump(seconds)
        assert fetch(links[0]).body == png(1)
        clock.jump(8 * DAY)
        assert fetch(links[0]).status == 403
        assert len(stored(sidecar)) == 1


def test_a_reload_and_a_restart_when_the_clock_jumps(clock: WallClock, start_sidecar: Start, tmp_path: Path) -> None:
    """What was written tomorrow is read today: no time of a file is compared with the clock."""
    store = {"kind": "directory", "path": str(tmp_path / "kept"), "maxBytes": 70_000}
    with Upstream() as upstream:
        sections = media_sections(upstream.url, store=store)
        for offset in (DAY, 0, -DAY):
            clock.jump(offset)
            sidecar = start_sidecar(upstream.url, **sections)
            image = png(offset % 97, 20_000)
            assert ask(sidecar, body_of_chat(data_url(image))).header("x-sidecar-images") == "uploaded=1"
            assert fetch(image_urls(upstream.requests[-1].body)[0]).body == image
            assert sidecar.stop() == 0
        assert subprocess.run([SIDECAR, "check", "--config", sidecar.log.parent / "sidecar.json"]).returncode == 0
