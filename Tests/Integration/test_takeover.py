"""Upgrade without a failed request: one process takes the listening sockets of another over."""

import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postgres import without_root
from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, ROUTES, SIDECAR, Program, Sidecar, free_port, get
from test_endings import chat, paced

HELLO = b"sidecar-takeover/1 hello"
MODELS = b"GET /v1/models HTTP/1.1\r\nHost: s\r\n\r\n"


class Served(Sidecar):
    """One of several processes that serve one after another."""

    def __init__(self, log: Path, configuration: Path, *options: str) -> None:
        self.stopped_by_test = True
        self.listeners = set(json.loads(configuration.read_text())["listen"])
        Program.__init__(self, [str(SIDECAR), "serve", "--config", str(configuration), *options], log)

    def wait_serving(self) -> None:
        """Returns when it serves alone and waits for the next."""
        assert wait_for(lambda: self.says("can be taken over") or self.process.poll() is not None, 30), self.output()
        assert self.process.poll() is None, self.output()
        addresses = self.addresses(self.listeners)
        self.gateway, self.admin = addresses["gateway"], addresses["admin"]

    def says(self, message: str) -> dict | None:
        return next((line for line in self.log_lines() if line.get("msg") == message), None)


class Succession:
    """Processes at one socket, each with a configuration of its own."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder = folder
        self.path = folder / "takeover"
        self.upstream = upstream
        self.processes: list[Served] = []

    def configure(self, **listen: str) -> Path:
        addresses = {"gateway": "127.0.0.1:0", "admin": "127.0.0.1:0"} | listen
        configuration = {
            "version": 1,
            "listen": {name: {"address": address} for name, address in addresses.items()},
            "upstreams": {"litellm": {"kind": "litellm", "url": self.upstream}},
            "routes": ROUTES,
        }
        configuration["listen"]["gateway"]["upstream"] = "litellm"
        path = self.folder / f"{len(self.processes)}.json"
        path.write_text(json.dumps(configuration))
        return path

    def begin(self, *options: str, **listen: str) -> Served:
        """Starts the next one, and does not wait for it."""
        log = self.folder / f"{len(self.processes)}.log"
        options = ("--takeover", str(self.path), *options)
        self.processes.append(Served(log, self.configure(**listen), *options))
        return self.processes[-1]

    def start(self, *options: str, **listen: str) -> Served:
        process = self.begin(*options, **listen)
        process.wait_serving()
        return process

    def call(self) -> socket.socket:
        """Calls the process that waits, as the next one would."""
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        caller.settimeout(15)
        caller.connect(str(self.path))
        return caller

    def stop(self) -> None:
        for process in self.processes:
            process.process.kill()
            process.process.wait()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    stream = paced(30, 0.05)

    def answer(request: Message, exchange: Exchange) -> bytes | None:
        return stream(request, exchange) if b'"stream": true' in request.body else ok()

    with Upstream(answer) as upstream:
        yield upstream


@pytest.fixture
def succession(upstream: Upstream) -> Iterator[Succession]:
    # Not below pytest's folder: the path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="sidecar-takeover-"))
    succession = Succession(folder, upstream.url)
    yield succession
    succession.stop()
    shutil.rmtree(folder)


def serves(process: Served) -> bool:
    with Client(process.port) as client:
        client.send(MODELS)
        return client.read().status == 200


class Load:
    """Clients of four kinds that write down every request that was not answered whole."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ended = threading.Event()
        self.failures: list[str] = []
        self.answered: dict[str, int] = {}
        self.lock = threading.Lock()
        kinds = [self.connecting] * 3 + [self.keeping] * 3 + [self.pausing] * 3 + [self.streaming] * 4
        self.threads = [threading.Thread(target=self.run, args=[kind], daemon=True) for kind in kinds]
        for thread in self.threads:
            thread.start()

    def run(self, kind: Callable[[], None]) -> None:
        while not self.ended.is_set():
            try:
                kind()
            except Exception as error:  # noqa: BLE001 - whatever a client can see is a failed request
                self.failures.append(f"{kind.__name__}: {error!r}")

    def finish(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def ask(self, client: Client, request: bytes, kind: str) -> Message:
        client.send(request)
        answer = client.read()
        assert answer.complete and answer.status == 200, f"{answer.start!r} {answer.body!r}"
        with self.lock:
            self.answered[kind] = self.answered.get(kind, 0) + 1
        return answer

    def connecting(self) -> None:
        """A connection for each request."""
        with Client(self.port) as client:
            self.ask(client, MODELS, "connecting")

    def keeping(self, pause: float = 0, kind: str = "keeping") -> None:
        """A connection for as many requests as the server allows; it may end only after saying so."""
        with Client(self.port) as client:
            while not self.ended.is_set():
                if self.ask(client, MODELS, kind).header("connection") == "close":
                    return
                time.sleep(pause)

    def pausing(self) -> None:
        """Nothing to ask at most moments."""
        self.keeping(0.3, "pausing")

    def streaming(self) -> None:
        with Client(self.port) as client:
            answer = self.ask(client, chat(CLAUDE, stream=True), "streaming")
        assert answer.body.count(b"data: ") == 31 and answer.body.endswith(b"data: [DONE]\n\n")


def test_takeovers_under_load(succession: Succession, report: Callable[[str], None]) -> None:
    """No request fails and no connection is reset, whoever serves; each old process ends by itself with status 0."""
    rounds = int(os.environ.get("TAKEOVERS", "8"))
    processes = [succession.start()]
    load = Load(processes[0].port)
    for _ in range(rounds):
        time.sleep(0.5)
        processes.append(succession.start())
        assert processes[-1].port == load.port
        taken, given = processes[-1].says("took over"), processes[-2].says("handed over")
        assert taken["from_pid"] == str(processes[-2].process.pid)
        assert given["to_pid"] == str(processes[-1].process.pid)
        assert given["listeners"] == "gateway,admin"
    time.sleep(0.5)
    load.finish()
    assert load.failures == []
    assert set(load.answered) == {"connecting", "keeping", "pausing", "streaming"}
    for process in processes[:-1]:
        assert process.process.wait(40) == 0
        assert process.says("stopped")["connections_cut"] == "0"
    assert processes[-1].stop() == 0
    assert not succession.path.exists()
    report(f"takeover: {rounds} under load, 0 failed of {json.dumps(load.answered)}")


def test_an_idle_connection_has_one_more_answer(succession: Succession) -> None:
    """It is told to close with that answer, and the process it belongs to ends then."""
    old = succession.start()
    with Client(old.port) as fresh, Client(old.port) as used:
        used.send(MODELS)
        assert used.read().header("connection") is None
        assert serves(old)
        succession.start()
        time.sleep(0.3)
        assert old.process.poll() is None
        for client in (fresh, used):
            client.send(MODELS)
            answer = client.read()
            assert answer.status == 200 and answer.header("connection") == "close"
            assert client.is_closed()
    assert old.process.wait(10) == 0


def test_a_stream_in_flight(succession: Succession) -> None:
    """It ends whole; since its head promised to keep the connection, one more request is answered there."""
    old = succession.start()
    with Client(old.port) as client:
        client.send(chat(CLAUDE, stream=True))
        assert client.socket.recv(1, socket.MSG_PEEK)
        succession.start()
        answer = client.read()
        assert answer.complete and answer.header("connection") is None
        client.send(MODELS)
        assert client.read().header("connection") == "close"
    assert old.process.wait(10) == 0


def test_a_stream_longer_than_the_limit(succession: Succession) -> None:
    """`--drain-seconds` bounds how long the old process stays."""
    old = succession.start("--drain-seconds", "1")
    with Client(old.port) as client:
        client.send(chat(CLAUDE, stream=True))
        assert client.socket.recv(1, socket.MSG_PEEK)
        succession.start()
        assert not client.read().complete
    assert old.process.wait(5) == 0
    assert old.says("stopped")["connections_cut"] == "1"


def test_other_addresses(succession: Succession) -> None:
    """What listens elsewhere is bound anew; an admin listener that stays alone tells that its process drains."""
    old = succession.start()
    with Client(old.port) as client:
        client.send(chat(CLAUDE, stream=True))
        assert client.socket.recv(1, socket.MSG_PEEK)
        new = succession.start(gateway=f"127.0.0.1:{free_port()}", admin=f"127.0.0.1:{free_port()}")
        assert new.port != old.port and serves(new)
        assert get(f"{old.admin}/health/ready") == (503, "draining\n")
        assert get(f"{new.admin}/health/ready") == (200, "ready\n")
        with pytest.raises(OSError):
            Client(old.port)
        assert client.read().complete
    assert old.process.wait(10) == 0


def test_a_listener_under_another_name(succession: Succession) -> None:
    """A socket belongs to its address: what cannot be bound twice changes hands."""
    first, second = (f"127.0.0.1:{free_port()}" for _ in range(2))
    old = succession.start(gateway=first, admin=second)
    new = succession.start(gateway=second, admin=first)
    # Until it has let go of the sockets it may answer at them as what it is.
    assert old.process.wait(10) == 0
    assert new.gateway == f"http://{second}" and serves(new)
    assert get(f"http://{first}/health/ready") == (200, "ready\n")


def test_a_new_process_that_cannot_serve(succession: Succession) -> None:
    """A bad configuration, or an address that is taken: the old process serves on, and can be taken over later."""
    old = succession.start()
    bad = succession.begin(gateway="nonsense")
    assert bad.process.wait(30) == 78
    load = Load(old.port)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for name in ("gateway", "egress", "admin"):
            failing = succession.begin(**{name: f"127.0.0.1:{taken.getsockname()[1]}"})
            assert failing.process.wait(30) == 71
            assert "cannot serve" in failing.output()
            assert failing.says("ready") is None
    load.finish()
    assert load.failures == []
    refused = [line for line in old.log_lines() if line["msg"] == "takeover not completed, this process serves on"]
    assert [line["pid"] for line in refused] == [str(process.process.pid) for process in succession.processes[2:]]
    assert get(f"{old.admin}/health/ready") == (200, "ready\n")
    assert succession.start().port == old.port
    assert old.process.wait(40) == 0


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [b""],
        [b"nonsense"],
        [HELLO.replace(b"/1", b"/2")],
        [b"sidecar-takeover/1 ready\ngateway 127.0.0.1:0"],
        [b"x" * 5_000],
        [HELLO],
        [HELLO, HELLO],
        [HELLO, b"sidecar-takeover/1 ready\n" + b"\0" * 9],
        [HELLO, b"sidecar-takeover/1 ready\ngateway"],
    ],
    ids=["silence", "nothing", "nonsense", "version", "early", "long", "greeting", "twice", "zeros", "cut"],
)
def test_a_caller_that_does_not_keep_to_the_protocol(messages: list[bytes], succession: Succession) -> None:
    """Whatever it says or where it leaves: the old process serves on, keeps no descriptor, and waits for the next."""
    old = succession.start()
    before = old.descriptors()
    with succession.call() as caller:
        for message in messages:
            with open(os.devnull) as device:
                socket.send_fds(caller, [message], [device.fileno()] * 5)
            if message == HELLO:
                socket.recv_fds(caller, 5_000, 8)
    assert wait_for(lambda: old.descriptors() == before)
    assert all(serves(old) for _ in range(5))
    new = succession.start()
    assert serves(new)


def test_what_a_caller_gets(succession: Succession) -> None:
    """The listeners with their descriptors; one that dies with them in hand changes nothing."""
    old = succession.start()
    with succession.call() as caller:
        caller.send(HELLO)
        message, descriptors, _, _ = socket.recv_fds(caller, 5_000, 16)
        assert message == b"sidecar-takeover/1 offer\nadmin 127.0.0.1:0\ngateway 127.0.0.1:0"
        assert len(descriptors) == 3
        names = [socket.socket(fileno=descriptor).getsockname() for descriptor in descriptors[:2]]
        assert ("127.0.0.1", old.port) in names
        os.close(descriptors[2])
        caller.send(HELLO.replace(b"/1 hello", b"/1 done"))
        assert caller.recv(5_000).startswith(b"sidecar-takeover/1 refused\n")
    assert all(serves(old) for _ in range(20))


def test_a_running_process_of_another_version(succession: Succession) -> None:
    """The new process says what the old one says, and ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(succession.path))
        listener.listen()
        new = succession.begin()
        listener.settimeout(30)
        caller, _ = listener.accept()
        with caller:
            assert caller.recv(5_000) == HELLO
            caller.send(b"sidecar-takeover/1 refused\nit speaks version 2 of the takeover, not 1")
            assert new.process.wait(10) == 71
    assert "it speaks version 2 of the takeover, not 1" in new.output()
    assert new.says("listening") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
def test_other_users(succession: Succession) -> None:
    """Neither is anything handed to another user nor taken from one."""
    succession.folder.chmod(0o755)
    (succession.folder / "private").mkdir(0o700)
    shutil.chown(succession.folder / "private", "nobody")
    succession.path = succession.folder / "private/takeover"
    program = shutil.copy(SIDECAR, succession.folder / "sidecar")
    configuration = succession.configure()
    command = [*without_root("nobody"), str(program), "serve", "--config", str(configuration)]
    theirs = Program([*command, "--takeover", str(succession.path)], succession.folder / "theirs.log")
    try:
        assert wait_for(lambda: "can be taken over" in theirs.output())
        with succession.call() as caller:
            try:
                caller.send(HELLO)
                answer = caller.recv(5_000)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
            assert answer == b""
        assert wait_for(lambda: "takeover refused" in theirs.output())
        ours = succession.begin()
        assert ours.process.wait(30) == 71
        assert theirs.process.poll() is None
    finally:
        assert theirs.stop() == 0
    assert "make it private" in ours.output() or "another user" in ours.output()


def test_a_socket_that_was_left_behind(succession: Succession) -> None:
    """A process that was killed leaves one; the next takes its place."""
    killed = succession.start()
    killed.process.kill()
    killed.process.wait()
    assert succession.path.is_socket()
    new = succession.start()
    assert new.says("took over") is None and serves(new)
    assert succession.path.stat().st_mode & 0o777 == 0o600
    assert new.stop() == 0
    assert not succession.path.exists()


def test_paths_that_cannot_be(succession: Succession) -> None:
    """An error that says what to change, before anything listens."""
    (succession.folder / "file").write_text("kept")
    (succession.folder / "open").mkdir()
    (succession.folder / "open").chmod(0o777)
    for path, problem in [
        (succession.folder / ("x" * 120), "write one of 1 to 107"),
        (succession.folder / "file", "is no socket; name another path"),
        (succession.folder / "open/takeover", "make it private"),
        (succession.folder / "missing/takeover", "No such file or directory"),
    ]:
        succession.path = path
        process = succession.begin()
        assert process.process.wait(30) == 71
        line = process.output().strip()
        assert problem in line and line.startswith("sidecar: cannot take over:") and "\n" not in line, line
    assert (succession.folder / "file").read_text() == "kept"
