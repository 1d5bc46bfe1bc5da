"""Answers that lie about their length, framing or number: the lie ends with the request that it was told to.

While every lie is told, other clients ask for a word of their own each, and get that word. What an upstream sends
beyond an answer holds a whole second answer, which must never come up anywhere.
"""

import contextlib
import itertools
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rawhttp import Client, Exchange, Incomplete, Message, Upstream, ok, parse_head, wait_for
from stack import Sidecar

STOLEN = b"STOLEN"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + STOLEN
PATHS = {"inspected": "/v1/chat/completions", "routed": "/v1/chat/completions", "streamed": "/v1/files"}
LATE = 0.015
"""Seconds after which an upstream is late with what nobody asked for."""
SEEN = 0.1
"""Seconds after which the sidecar has seen it, on a busy machine too."""


def request(road: str, word: str, method: str = "POST") -> bytes:
    """Asks for that word, or for a lie by its name."""
    model = "routed" if road == "routed" else "unrouted"
    body = b'{"model":"%b","messages":[{"role":"user","content":"hi"}]}' % model.encode()
    head = f"{method} {PATHS[road]} HTTP/1.1\r\nHost: s\r\nX-Word: {word}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass
class Liar:
    """The upstream's side: honest to everybody who does not ask for a lie."""

    pieces: list[bytes] = field(default_factory=list)
    """What the lie consists of; between them it waits."""
    closes: bool = False
    lied_to: set[socket.socket] = field(default_factory=set)
    """The connections on which it has lied."""
    reused: list[str] = field(default_factory=list)
    """Requests on a connection after a lie."""
    has_told: threading.Event = field(default_factory=threading.Event)
    """Whether all of the lie has been sent."""

    def answer(self, message: Message, exchange: Exchange) -> bytes | None:
        word = message.header("x-word") or "no word"
        if exchange.connection in self.lied_to:
            self.reused.append(word)
        if word != "lie":
            return ok(word.encode(), "text/plain")
        self.lied_to.add(exchange.connection)
        # Else the later pieces would wait for the acknowledgement that the next request brings.
        exchange.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, piece in enumerate(self.pieces):
            if number:
                time.sleep(LATE)
            exchange.send(piece)
        if self.closes:
            exchange.connection.close()
        self.has_told.set()
        return None

    def tells(self, pieces: list[bytes], closes: bool) -> None:
        self.pieces, self.closes = pieces, closes
        self.lied_to.clear()
        self.reused.clear()
        self.has_told.clear()


class Bystanders:
    """Clients on connections of their own that ask for one word after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_over = threading.Event()
        self.answered = 0
        self.wrong: list[tuple[str, Message]] = []
        self.turns = [threading.Lock() for _ in range(4)]
        self.threads = [threading.Thread(target=self.ask, args=[number]) for number in range(4)]
        for thread in self.threads:
            thread.start()

    def ask(self, number: int) -> None:
        road = ["inspected", "streamed"][number % 2]
        with Client(self.port) as client:
            for turn in itertools.count():
                if self.is_over.is_set():
                    return
                word = f"bystander-{number}-{turn}"
                with self.turns[number]:
                    client.send(request(road, word))
                    answer = client.read()
                if (answer.status, answer.body, client.unread) != (200, word.encode(), b""):
                    self.wrong.append((word, answer))
                    return
                self.answered += 1
                time.sleep(0.01)

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Nobody asks for anything.

        An answer that comes unasked when the connection has its next request cannot be told from that one's: where an
        upstream is late with it, nobody may be there to ask.
        """
        with contextlib.ExitStack() as turns:
            for turn in self.turns:
                turns.enter_context(turn)
            yield

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()


@dataclass
class Stage:
    sidecar: Sidecar
    liar: Liar
    bystanders: Bystanders


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    liar = Liar()
    with Upstream(liar.answer) as upstream:
        routes = [{"name": "routed", "when": {"model": ["routed"]}, "chain": ["$requested"]}]
        sidecar = Sidecar(tmp_path_factory.mktemp("liar"), upstream.url, routes=routes)
        bystanders = Bystanders(sidecar.port)
        yield Stage(sidecar, liar, bystanders)
        bystanders.stop()
        assert sidecar.process.poll() is None, sidecar.output()[-4000:]
        assert sidecar.stop() == 0
        assert bystanders.answered > 100
        assert bystanders.wrong == []


def lie_to(stage: Stage, road: str, pieces: list[bytes], closes: bool, method: str = "POST") -> Message:
    """The client's view of the lie; asserts that no one else has any of it."""
    stage.liar.tells(pieces, closes)
    is_late = len(pieces) > 1 or len(pieces[0]) > 4096
    with stage.bystanders.silent() if is_late else contextlib.nullcontext(), Client(stage.sidecar.port) as client:
        client.socket.settimeout(5)
        client.send(request(road, "lie", method))
        answer = read_head_only(client) if method == "HEAD" else client.read()
        if is_late:
            # The sidecar may have ended the connection before all was sent.
            stage.liar.has_told.wait(0.5)
            time.sleep(SEEN)
        if answer.complete and (answer.header("connection") or "").lower() != "close":
            assert_next_is_own(client)
        else:
            # What is left of an answer that was broken off has been looked at.
            client.unread = client.unread if answer.complete else b""
            assert client.is_closed(), "the connection stays open behind a broken answer"
    with Client(stage.sidecar.port) as client:
        for _ in range(3):
            assert_next_is_own(client)
    assert stage.bystanders.wrong == []
    return answer


WORDS = itertools.count()


def assert_next_is_own(client: Client) -> None:
    """The next request's answer is its own, with nothing before or behind."""
    assert client.unread == b"", client.unread
    word = f"next-{next(WORDS)}"
    client.send(request("streamed", word))
    answer = client.read()
    assert (answer.status, answer.body, client.unread) == (200, word.encode(), b"")


def read_head_only(client: Client) -> Message:
    """The answer to HEAD."""
    while b"\r\n\r\n" not in client.unread:
        more = client.socket.recv(1 << 16)
        if not more:
            raise Incomplete(client.unread)
        client.unread += more
    head, _, client.unread = client.unread.partition(b"\r\n\r\n")
    return parse_head(head)


@pytest.fixture(params=list(PATHS))
def road(request: pytest.FixtureRequest) -> str:
    return request.param


# MARK: - Heads that can be read in two ways


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, b"Content-Type: application/json", *lines, b"", b""])


UNREADABLE = [
    ("two equal lengths", head(b"Content-Length: 2", b"Content-Length: 2") + b"{}"),
    ("two lengths, the longer first", head(b"Content-Length: 60", b"Content-Length: 2") + b"{}"),
    ("a list of lengths", head(b"Content-Length: 2, 2") + b"{}"),
    ("a negative length", head(b"Content-Length: -2") + b"{}"),
    ("a signed length", head(b"Content-Length: +2") + b"{}"),
    ("a hexadecimal length", head(b"Content-Length: 0x2") + b"{}"),
    ("a length with a space", head(b"Content-Length: 2 0") + b"{}"),
    ("an empty length", head(b"Content-Length:") + b"{}"),
    ("a length that is no number", head(b"Content-Length: two") + b"{}"),
    ("a length beyond 64 bits", head(b"Content-Length: 18446744073709551618") + b"{}"),
    ("a length and chunks", head(b"Content-Length: 2", b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n"),
    ("chunks and a length", head(b"Transfer-Encoding: chunked", b"Content-Length: 2") + b"2\r\n{}\r\n0\r\n\r\n"),
    ("an unknown coding", head(b"Transfer-Encoding: gzip") + b"{}"),
    ("a coding behind chunked", head(b"Transfer-Encoding: chunked, identity") + b"2\r\n{}\r\n0\r\n\r\n"),
    ("something like chunked", head(b"Transfer-Encoding: xchunked") + b"2\r\n{}\r\n0\r\n\r\n"),
    ("two codings", head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x") + b"2\r\n{}\r\n0\r\n\r\n"),
    ("a space before the colon", head(b"Content-Length : 2") + b"{}"),
    ("a folded line", head(b"X-A: 1", b" 2", b"Content-Length: 2") + b"{}"),
    ("a folded length", head(b"Content-Length:", b" 2") + b"{}"),
    ("a line without a colon", head(b"X-A", b"Content-Length: 2") + b"{}"),
    ("a line without a name", head(b": 1", b"Content-Length: 2") + b"{}"),
    ("bare LF in a value", head(b"X-A: 1\nContent-Length: 60", b"Content-Length: 2") + b"{}"),
    ("bare CR in a value", head(b"X-A: 1\rContent-Length: 60", b"Content-Length: 2") + b"{}"),
    ("two answers by bare LF", head(b"X-A: 1\n\nHTTP/1.1 200 OK\nContent-Length: 6\n\nSTOLEN", b"X-B: 1") + b"{}"),
    ("two answers by bare CR", head(b"X-A: 1\r\rHTTP/1.1 200 OK\r\rSTOLEN", b"Content-Length: 2") + b"{}"),
    ("NUL in a value", head(b"X-A: 1\0", b"Content-Length: 2") + b"{}"),
    ("NUL in a name", head(b"X\0A: 1", b"Content-Length: 2") + b"{}"),
    ("an escape in a value", head(b"X-A: \x1b[2J", b"Content-Length: 2") + b"{}"),
    ("a control character in the reason", head(b"Content-Length: 2", status=b"HTTP/1.1 200 O\x08K") + b"{}"),
    ("bare CR in the reason", head(b"Content-Length: 2", status=b"HTTP/1.1 200 O\rX-A: 1") + b"{}"),
    ("two status lines", head(b"Content-Length: 2", status=b"HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK") + b"{}"),
    ("a status line as a field", head(b"HTTP/1.1 200 OK", b"Content-Length: 2") + b"{}"),
    ("an empty line before", b"\r\n" + head(b"Content-Length: 2") + b"{}"),
    ("a space before", b" " + head(b"Content-Length: 2") + b"{}"),
    ("no status", head(b"Content-Length: 2", status=b"HTTP/1.1") + b"{}"),
    ("a status of two digits", head(b"Content-Length: 2", status=b"HTTP/1.1 20 OK") + b"{}"),
    ("a status of four digits", head(b"Content-Length: 2", status=b"HTTP/1.1 2000 OK") + b"{}"),
    ("a negative status", head(b"Content-Length: 2", status=b"HTTP/1.1 -20 OK") + b"{}"),
    ("a status below 100", head(b"Content-Length: 2", status=b"HTTP/1.1 099 OK") + b"{}"),
    ("two spaces", head(b"Content-Length: 2", status=b"HTTP/1.1  200 OK") + b"{}"),
    ("a tab", head(b"Content-Length: 2", status=b"HTTP/1.1\t200 OK") + b"{}"),
    ("another protocol", head(b"Content-Length: 2", status=b"ICY 200 OK") + b"{}"),
    ("HTTP/2", head(b"Content-Length: 2", status=b"HTTP/2 200 OK") + b"{}"),
    ("HTTP/1.2", head(b"Content-Length: 2", status=b"HTTP/1.2 200 OK") + b"{}"),
    ("101 that nobody asked for", head(b"Upgrade: x", b"Connection: Upgrade", status=b"HTTP/1.1 101 Now") + SECOND),
    ("only a body", SECOND.partition(b"\r\n\r\n")[2] + b"\r\n\r\n"),
    ("an interim answer that is none", b"HTTP/1.1 100 Continue\r\nContent-Length: +2\r\n\r\n" + SECOND),
]  # fmt: skip


@pytest.mark.parametrize("closes", [True, False], ids=["closing", "staying"])
@pytest.mark.parametrize(("what", "lie"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_heads_that_can_be_read_in_two_ways(what: str, lie: bytes, closes: bool, road: str, stage: Stage) -> None:
    """A 502 of the sidecar's own, with nothing of the lie in it, and the connection is not used again."""
    answer = lie_to(stage, road, [lie + SECOND], closes)
    assert (answer.status, answer.complete) == (502, True)
    assert STOLEN not in answer.body and b"error" in answer.body
    assert stage.liar.reused == []


# MARK: - Bodies that do not end where they should

CHUNKED = b"Transfer-Encoding: chunked"
NO_CONTENT, NOT_MODIFIED = b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"
CONTINUE, HINTS = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n"
HONEST = head(b"Content-Length: 2") + b"{}"
OLD_HONEST = head(b"Content-Length: 2", b"Connection: keep-alive", status=b"HTTP/1.0 200 OK") + b"{}"

BODIES = [
    ("shorter than said", [head(b"Content-Length: 60") + b"{}"], None),
    ("longer than said", [HONEST + SECOND], b"{}"),
    ("longer than said, later", [HONEST, SECOND], b"{}"),
    ("none said, one sent", [head(b"Content-Length: 0") + SECOND], b""),
    ("none said, one sent later", [head(b"Content-Length: 0"), SECOND], b""),
    ("more CRLF than said", [head(b"Content-Length: 2") + b"{}\r\n"], b"{}"),
    ("one byte more", [head(b"Content-Length: 2") + b"{}}"], b"{}"),
    ("chunks and a second answer", [head(CHUNKED) + b"2\r\n{}\r\n0\r\n\r\n" + SECOND], b"{}"),
    ("chunks and a second answer, later", [head(CHUNKED) + b"2\r\n{}\r\n0\r\n\r\n", SECOND], b"{}"),
    ("chunks behind the end", [head(CHUNKED) + b"2\r\n{}\r\n0\r\n\r\n6\r\nSTOLEN\r\n0\r\n\r\n"], b"{}"),
    ("chunks that stop", [head(CHUNKED) + b"2\r\n{}\r\n"], None),
    ("chunks that stop in one", [head(CHUNKED) + b"20\r\n{}"], None),
    ("chunks that stop before the last line", [head(CHUNKED) + b"2\r\n{}\r\n0\r\n"], None),
    ("a size that is none", [head(CHUNKED) + b"zz\r\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("a size with a sign", [head(CHUNKED) + b"+2\r\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("a negative size", [head(CHUNKED) + b"-2\r\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("a size with a prefix", [head(CHUNKED) + b"0x2\r\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("a size beyond 64 bits", [head(CHUNKED) + b"10000000000000002\r\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("a chunk longer than said", [head(CHUNKED) + b"2\r\n{}}\r\n0\r\n\r\n" + SECOND], None),
    ("a chunk shorter than said", [head(CHUNKED) + b"4\r\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("bare LF after a size", [head(CHUNKED) + b"2\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("bare LF after the data", [head(CHUNKED) + b"2\r\n{}\n0\r\n\r\n" + SECOND], None),
    ("bare LF at the end", [head(CHUNKED) + b"2\r\n{}\r\n0\r\n\n" + SECOND], None),
    ("bare LF in an extension", [head(CHUNKED) + b"2;a\n{}\r\n0\r\n\r\n" + SECOND], None),
    ("an endless extension", [head(CHUNKED) + b"2;" + b"a" * 100_000 + b"\r\n{}\r\n0\r\n\r\n"], None),
    ("no chunks at all", [head(CHUNKED) + SECOND], None),
    ("204 with a body", [head(status=NO_CONTENT) + SECOND], b""),
    ("204 with a body, later", [head(status=NO_CONTENT), SECOND], b""),
    ("204 with chunks", [head(CHUNKED, status=NO_CONTENT) + b"6\r\nSTOLEN\r\n0\r\n\r\n"], b""),
    ("304 with a body", [head(status=NOT_MODIFIED) + SECOND], b""),
    ("304 with a body, later", [head(status=NOT_MODIFIED), SECOND], b""),
    ("304 with chunks", [head(CHUNKED, status=NOT_MODIFIED) + b"6\r\nSTOLEN\r\n0\r\n\r\n"], b""),
    ("interim answers, final and second", [HINTS * 3 + HONEST + SECOND], b"{}"),
    ("a flood of interim answers", [CONTINUE * 20_000 + HONEST + SECOND], b"{}"),
    ("an interim answer with a length", [b"HTTP/1.1 102 Wait\r\nContent-Length: 2\r\n\r\n" + HONEST + SECOND], b"{}"),
    ("an interim answer later", [HONEST, CONTINUE + SECOND], b"{}"),
    ("close that stays", [head(b"Content-Length: 2", b"Connection: close") + b"{}", SECOND], b"{}"),
    ("HTTP/1.0 that stays", [head(b"Content-Length: 2", status=b"HTTP/1.0 200 OK") + b"{}", SECOND], b"{}"),
    (
        "chunks in HTTP/1.0",
        [head(b"Connection: keep-alive", CHUNKED, status=b"HTTP/1.0 200 OK") + b"2\r\n{}\r\n0\r\n\r\n"],
        b"{}",
    ),
    ("a request as a trailer", [head(CHUNKED) + b"2\r\n{}\r\n0\r\n" + SECOND], None),
    ("HTTP/1.0 with keep-alive and more", [OLD_HONEST + SECOND], b"{}"),
    ("a length that is named", [head(b"Content-Length: 2", b"Connection: content-length") + b"{}" + SECOND], b"{}"),
]  # fmt: skip


@pytest.mark.parametrize("closes", [True, False], ids=["closing", "staying"])
@pytest.mark.parametrize(("what", "pieces", "body"), BODIES, ids=[row[0] for row in BODIES])
def test_bodies_that_lie(
    what: str, pieces: list[bytes], body: bytes | None, closes: bool, road: str, stage: Stage
) -> None:
    """Exactly what was announced, or an answer that is seen to be broken off; the connection is not used again."""
    # A body that is shorter than said, and stays open, is a slow one.
    answer = lie_to(stage, road, pieces, closes or body is None)
    if body is None:
        assert not answer.complete or answer.status == 502, answer
        assert answer.status == 502 or answer.body in (b"", b"{}")
    else:
        assert (answer.complete, answer.body) == (True, body)
    assert STOLEN not in answer.body
    assert stage.liar.reused == []


@pytest.mark.parametrize("size", [1024 << power for power in range(9)])
def test_a_second_answer_behind_a_full_read(size: int, road: str, stage: Stage) -> None:
    """The sidecar's read ends where the answer ends: what follows is still nobody's."""
    start = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %07d\r\n\r\n"
    count = size - len(start % 0)
    with stage.bystanders.silent():
        for _ in range(3):
            stage.liar.tells([start % count + b"a" * count + SECOND], closes=False)
            with Client(stage.sidecar.port) as client:
                client.send(request(road, "lie") + request(road, "next"))
                assert client.read().body == b"a" * count
                assert client.read().body == b"next"
            assert stage.liar.reused == []


def test_a_length_that_is_named_by_connection_is_kept(road: str, stage: Stage) -> None:
    """A client that got the answer without its length would read on into the next one."""
    answer = lie_to(stage, road, [head(b"Content-Length: 2", b"Connection: content-length") + b"{}"], closes=False)
    assert (answer.header("content-length"), answer.body) == ("2", b"{}")


HEAD_ANSWERS = [
    ("length", [head(b"Content-Length: 63") + b"a" * 20 + SECOND]),
    ("length and body later", [head(b"Content-Length: 63"), b"a" * 20 + SECOND]),
    ("no length", [head() + SECOND]),
    ("chunks", [head(b"Transfer-Encoding: chunked") + b"6\r\nSTOLEN\r\n0\r\n\r\n"]),
    ("chunks later", [head(b"Transfer-Encoding: chunked"), b"6\r\nSTOLEN\r\n0\r\n\r\n" + SECOND]),
    ("two answers", [head(b"Content-Length: 0") + SECOND]),
]


@pytest.mark.parametrize("closes", [True, False], ids=["closing", "staying"])
@pytest.mark.parametrize(("what", "pieces"), HEAD_ANSWERS, ids=[row[0] for row in HEAD_ANSWERS])
def test_bodies_in_answer_to_head(what: str, pieces: list[bytes], closes: bool, road: str, stage: Stage) -> None:
    """HEAD has no body, whatever the upstream sends (RFC 9110, section 9.3.2)."""
    assert lie_to(stage, road, pieces, closes, method="HEAD").status == 200
    assert stage.liar.reused == []


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_body_that_lasts_until_the_end(version: bytes, road: str, stage: Stage) -> None:
    """Without a length all that comes is the body, keep-alive or not, second answers included."""
    status = b"HTTP/%b 200 OK" % version
    answer = lie_to(stage, road, [head(b"Connection: keep-alive", status=status) + b"{}", SECOND], closes=True)
    assert (answer.complete, answer.body) == (True, b"{}" + SECOND)
    assert stage.liar.reused == []


def test_bytes_before_any_request(road: str, stage: Stage) -> None:
    """An answer that was there before the question is not its answer."""
    lie_to(stage, road, [head(b"Content-Length: 2") + b"{}", SECOND, SECOND], closes=False)
    for _ in range(20):
        with Client(stage.sidecar.port) as client:
            assert_next_is_own(client)
    assert stage.liar.reused == []


# MARK: - Streams


def event(text: str) -> bytes:
    data = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"e\r\ndata: [DONE]\n\n\r\n"
BROKEN_STREAMS = [
    ("a size that is none", b"zz\r\n" + DONE + b"0\r\n\r\n" + SECOND),
    ("a second answer for a chunk", SECOND),
    ("a chunk longer than said", b"4\r\n" + DONE + b"0\r\n\r\n" + SECOND),
    ("bare LF", b"e\ndata: [DONE]\n\n\r\n0\r\n\r\n" + SECOND),
    ("a chunk that stops", b"ff\r\ndata: "),
    ("nothing more", b""),
    ("a size beyond 64 bits", b"10000000000000000" + DONE),
]


@pytest.mark.parametrize("is_apart", [True, False], ids=["apart", "together"])
@pytest.mark.parametrize(("what", "rest"), BROKEN_STREAMS, ids=[row[0] for row in BROKEN_STREAMS])
def test_streams_that_lie(what: str, rest: bytes, is_apart: bool, road: str, stage: Stage) -> None:
    """What came before the lie is passed on, and nothing says that the stream ended well."""
    start = STREAM + event("one") + event("two")
    pieces = [start, rest] if is_apart and rest else [start + rest]
    answer = lie_to(stage, road, pieces, closes=True)
    assert answer.status == 200
    assert STOLEN not in answer.body and b"[DONE]" not in answer.body
    assert not answer.complete or answer.body.rstrip().rpartition(b"data: ")[2].startswith(b'{"error"'), answer
    # Read together with the lie, the events may have been held back with it.
    assert not is_apart or b"two" in answer.body
    assert stage.liar.reused == []


def test_a_stream_and_a_second_answer(road: str, stage: Stage) -> None:
    """A whole stream stays whole with something behind it, which nobody gets."""
    whole = STREAM + event("one") + DONE + b"0\r\n\r\n"
    for pieces in ([whole + SECOND], [whole, SECOND]):
        answer = lie_to(stage, road, pieces, closes=False)
        assert answer.complete and answer.body.endswith(b"data: [DONE]\n\n")
        assert STOLEN not in answer.body
        assert stage.liar.reused == []


# MARK: - At random

GOOD = [
    head(b"Content-Length: 2") + b"{}",
    head(b"Transfer-Encoding: chunked") + b"1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Hints\r\n\r\n" + head(b"Content-Length: 2") + b"{}",
    head(b"Connection: keep-alive", b"Content-Length: 2", status=b"HTTP/1.0 200 OK") + b"{}",
]
PIECES = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\x0b", b"\x7f", b"\xff", b" ", b"\t", b":",
    b",", b";", b"0", b"1", b"-", b"+", b"0x",
    b"Content-Length: 6\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n", b"0\r\n\r\n",
    b"ffffffffffffffff\r\n", SECOND,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_damaged_answers(seed: int, road: str, stage: Stage) -> None:
    """Whatever an answer is damaged to, it stays with its request."""
    choose = random.Random(f"{seed} {road}")
    for _ in range(8):
        lie = choose.choice(GOOD)
        for _ in range(choose.randrange(1, 4)):
            at = choose.randrange(len(lie))
            lie = lie[:at] + choose.choice(PIECES) + lie[at + choose.choice([0, 0, 1, 2, 8]) :]
        pieces = [lie + SECOND] if choose.randrange(2) else [lie, SECOND]
        method = "HEAD" if choose.randrange(8) == 0 else "POST"
        lie_to(stage, road, pieces, closes=True, method=method)


def test_nobody_was_given_another_answer(stage: Stage) -> None:
    """After all of the lies: no client is left waiting, and every connection of theirs is gone."""
    assert stage.bystanders.wrong == []
    assert wait_for(lambda: stage.sidecar.descriptors() < 100)
