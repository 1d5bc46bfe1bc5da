"""Spans: the tree of a request, what it tells and what it never tells, and receivers that are no good."""

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest

from images import (
    ACCESS_KEY,
    CLIENT_KEY,
    SECRET_KEY,
    TAKES_URLS,
    ask,
    body_of_chat,
    data_url,
    png,
    post,
    start_with_store,
)
from objectstores import start_object_store
from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from spans import CLIENT, INTERNAL, TAKEN, Receiver, assert_tree, everything_sent
from stack import CLAUDE, GEMINI, ROUTES, Sidecar, free_port, get

CHAT = "/v1/chat/completions"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FROM_CLIENT = f"traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: rojo=1,congo=2\r\n"
PROMPT = "canary of a prompt"
Start = Callable[..., Sidecar]
Answer = Callable[[Message, Exchange], bytes | None]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> pytest.MonkeyPatch:
    """Sidecars that are started now send their spans to the receiver, soon."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    return monkeypatch


def completion(model: str) -> bytes:
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    return ok(json.dumps({"model": model, "choices": [choice], "usage": usage}).encode())


def limited() -> bytes:
    body = b'{"error":{"message":"slow down","type":"throttling_error","code":"429"}}'
    return f"HTTP/1.1 429 Too Many Requests\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def model_of(request: Message) -> str:
    return json.loads(request.body)["model"]


def chat(model: str = CLAUDE) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": PROMPT}]}).encode()


def egress_port(sidecar: Sidecar) -> int:
    [line] = [line for line in sidecar.log_lines() if line.get("listener") == "egress" and "address" in line]
    return int(line["address"].rpartition(":")[2])


def answered(sidecar: Sidecar, body: bytes | None = None, headers: str = "", path: str = CHAT) -> Message:
    message = ask(sidecar, body or chat(), path, headers)
    assert message.complete
    return message


# MARK: - The tree


def test_plain_chat(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """The caller's trace is continued: its span is the parent, and the upstream hears of the attempt's."""
    with Upstream(lambda request, _: completion(model_of(request))) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=[{"match": [CLAUDE]}])
        began = time.time_ns()
        answered(sidecar, headers=FROM_CLIENT + "x-request-id: mine-1\r\n")
        ended = time.time_ns()
        [sent] = upstream.requests
    spans = receiver.wait(2)

    root = assert_tree(spans)
    [attempt] = [span for span in spans if span.kind == CLIENT]
    assert (root.trace, root.parent, root.state, root.flags) == (TRACE, PARENT, "rojo=1,congo=2", 0x301)
    assert began - 5_000_000 <= root.started <= attempt.started <= attempt.ended <= root.ended <= ended + 5_000_000
    assert root.name == attempt.name == f"chat {CLAUDE}"
    assert not root.failed and not attempt.failed
    assert sent.header("traceparent") == f"00-{TRACE}-{attempt.id}-01"
    assert sent.header("tracestate") == "rojo=1,congo=2"
    usage = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 5}
    model = {"gen_ai.operation.name": "chat", "gen_ai.request.model": CLAUDE, "gen_ai.response.model": CLAUDE}
    method = {"http.request.method": "POST", "http.response.status_code": 200}
    assert root.attributes.items() >= (usage | model | method).items()
    assert root.attributes.items() >= {
        "http.route": CHAT, "sidecar.request_id": "mine-1", "sidecar.route": "claude", "sidecar.listener": "gateway",
        "sidecar.stream": False, "http.request.body.size": len(chat()),
    }.items()  # fmt: skip
    assert attempt.attributes.items() >= (usage | model | method).items()
    assert attempt.attributes.items() >= {
        "server.address": "127.0.0.1", "server.port": upstream.port, "gen_ai.provider.name": "litellm",
        "sidecar.target": f"{CLAUDE}@litellm", "sidecar.outcome": "ok", "sidecar.attempt": 1,
    }.items()  # fmt: skip
    assert receiver.resource["service.name"] == "sidecar"


def test_fallback(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """A 429 and the model that answers in its place: two attempts, one after the other."""
    with Upstream(lambda r, _: limited() if model_of(r) == CLAUDE else completion(GEMINI)) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES, models=[{"match": [CLAUDE]}])
        answer = answered(sidecar)
        sent = [request.header("traceparent") for request in upstream.requests]
    spans = receiver.wait(3)

    root = assert_tree(spans)
    first, second = sorted((span for span in spans if span.kind == CLIENT), key=lambda span: span.started)
    assert root.parent == "" and root.flags == 0x101
    assert (first.name, second.name) == (f"chat {CLAUDE}", f"chat {GEMINI}")
    assert first.ended <= second.started
    assert first.failed and first.message == first.attributes["error.type"] == "rate_limited"
    assert first.attributes["http.response.status_code"] == 429
    assert "gen_ai.usage.input_tokens" not in first.attributes
    assert not second.failed and not root.failed
    assert root.attributes["gen_ai.request.model"] == CLAUDE
    assert root.attributes["gen_ai.response.model"] == second.attributes["gen_ai.response.model"] == GEMINI
    assert sent == [f"00-{root.trace}-{first.id}-01", f"00-{root.trace}-{second.id}-01"]
    assert sidecar.log_lines()[-1]["trace_id"] == root.trace
    assert answer.header("x-sidecar-request-id") == root.attributes["sidecar.request_id"]


def test_failures(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """What the server is to blame for is an error of its span; what the client asked for wrongly is none."""
    answers = {
        CLAUDE: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}",
        GEMINI: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}",
    }
    with Upstream(lambda r, _: answers[model_of(r)]) as upstream:
        sidecar = start_sidecar(upstream.url)
        assert answered(sidecar, chat(CLAUDE)).status == 400
        refused = receiver.wait(2)
        assert answered(sidecar, chat(GEMINI)).status == 500
    broken = receiver.wait(4)[2:]

    root = assert_tree(refused)
    assert not root.failed and refused[0].failed
    root = assert_tree(broken)
    assert root.failed and root.attributes["error.type"] == "500"


def test_other_requests(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """What is not looked into has spans too; no path that is not known beforehand is in them."""
    with Upstream() as upstream, Client((sidecar := start_sidecar(upstream.url)).port) as client:
        client.send(b"GET /key/canary-in-a-path?key=canary-in-a-query HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.read().status == 200
        client.send(b"BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.read().status == 200
        spans = receiver.wait(4)
        assert sidecar.process.poll() is None
    assert [span.name for span in spans] == ["GET", "GET", "_OTHER", "_OTHER"]
    assert "http.route" not in spans[0].attributes
    assert "canary" not in everything_sent(receiver)


def test_models_that_nobody_configured(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """Such a name is an attribute, cut to a bearable length, and never part of a span's name."""
    long = "m" * 600
    with Upstream(lambda r, _: completion("x")) as upstream:
        sidecar = start_sidecar(upstream.url)
        answered(sidecar, chat("nobody-knows-it"))
        answered(sidecar, chat(long))
    spans = receiver.wait(4)
    assert {span.name for span in spans} == {"chat"}
    models = {span.attributes.get("gen_ai.request.model", "") for span in spans}
    assert "nobody-knows-it" in models and max(map(len, models)) <= 512


def test_image_upload(
    traced: object, receiver: Receiver, start_sidecar: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The wait for the store, and below it what is asked of the store."""
    s3 = start_object_store(tmp_path_factory.mktemp("s3"), ACCESS_KEY, SECRET_KEY)
    store = {
        "kind": "s3", "endpoint": s3.url, "publicEndpoint": s3.url, "bucket": "traces", "region": "us-east-1",
        "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY,
    }  # fmt: skip
    with Upstream(lambda r, _: completion(model_of(r))) as upstream:
        sidecar = start_with_store(start_sidecar, upstream.url, {"store": store})
        answer = answered(sidecar, body_of_chat(data_url(png())))
    assert answer.header("x-sidecar-images") == "uploaded=1"
    assert wait_for(lambda: any(span.name == "prepare images" for span in receiver.spans))
    time.sleep(0.3)
    spans = receiver.spans
    s3.stop()

    root = assert_tree(spans)
    [upload] = [span for span in spans if span.name == "prepare images"]
    assert (upload.kind, upload.parent) == (INTERNAL, root.id)
    assert upload.attributes == {"sidecar.images.uploaded": 1}
    assert root.attributes["sidecar.images.uploaded"] == 1
    asked = [span for span in spans if span.parent == upload.id]
    assert {"HEAD", "PUT"} <= {span.name for span in asked} and {span.kind for span in asked} == {CLIENT}
    put = next(span for span in asked if span.name == "PUT" and span.attributes["url.path"].endswith(".png"))
    assert put.attributes["http.response.status_code"] == 200 and put.attributes["server.port"] == s3.port
    assert not any("url.full" in span.attributes or "url.query" in span.attributes for span in spans)
    for secret in (ACCESS_KEY, SECRET_KEY, CLIENT_KEY, "Signature", "X-Amz"):
        assert secret not in everything_sent(receiver)


def test_hop(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """Each rung that was tried, below the attempt that needed it; the second request has the connection already."""
    user, password = "user-canary", "password-canary"
    rungs = [f"socks5://{user}:{password}@127.0.0.1:{free_port()}", "direct"]
    with Upstream(lambda r, _: completion(model_of(r))) as upstream:
        upstreams = {"litellm": {"kind": "litellm", "url": upstream.url, "egress": "google"}}
        sidecar = start_sidecar(upstream.url, upstreams=upstreams, egress={"hops": {"google": rungs}})
        answered(sidecar)
        spans = receiver.wait(4)
        answered(sidecar)
        assert len(receiver.wait(6)[4:]) == 2

    root = assert_tree(spans)
    [attempt] = [span for span in spans if span.parent == root.id]
    failed, opened = sorted((span for span in spans if span.parent == attempt.id), key=lambda span: span.started)
    assert failed.name == opened.name == "open hop google"
    assert failed.failed and failed.attributes["error.type"] == "unreachable"
    assert not opened.failed and opened.attributes == {"sidecar.hop": "google", "sidecar.rung": "direct"}
    assert attempt.attributes["sidecar.rung"] == root.attributes["sidecar.rung"] == "direct"
    assert user not in everything_sent(receiver) and password not in everything_sent(receiver)


def egress_sections(upstream: Upstream, hops: list[str]) -> dict:
    return {
        "listen": {
            "gateway": {"address": "127.0.0.1:0", "upstream": "litellm"},
            "admin": {"address": "127.0.0.1:0", "token": ""},
            "egress": {"address": "127.0.0.1:0"},
        },
        "egress": {
            "hops": {"google": hops}, "forward": [{"hosts": [f"127.0.0.1:{upstream.port}"], "via": "google"}],
        },
    }  # fmt: skip


def test_forward_proxy(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """A connection by CONNECT: its span has the rungs that were tried below it."""
    with Upstream() as upstream:
        sections = egress_sections(upstream, [f"socks5://127.0.0.1:{free_port()}", "direct"])
        sidecar = start_sidecar(upstream.url, **sections)
        with Client(egress_port(sidecar)) as client:
            client.send(f"CONNECT 127.0.0.1:{upstream.port} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert b" 200 " in client.socket.recv(1 << 16)
            client.send(b"GET /canary-path HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.socket.recv(1 << 16).startswith(b"HTTP/1.1 200")
        spans = receiver.wait(3)

    root = assert_tree(spans)
    failed, opened = sorted((span for span in spans if span is not root), key=lambda span: span.started)
    assert failed.parent == opened.parent == root.id and failed.failed and not opened.failed
    assert root.name == "CONNECT" and not root.failed
    assert root.attributes.items() >= {
        "http.request.method": "CONNECT", "server.address": "127.0.0.1", "server.port": upstream.port,
        "sidecar.hop": "google", "sidecar.rung": "direct", "sidecar.listener": "egress",
    }.items()  # fmt: skip
    assert "canary" not in everything_sent(receiver)


def test_reverse_path(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """Its spans tell no path and no key; the far end speaks no TLS here, so that the road's failure is seen too."""
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url, **egress_sections(upstream, ["direct"]))
        target = f"/to/127.0.0.1:{upstream.port}/bot-canary/send?key=canary"
        with Client(egress_port(sidecar)) as client:
            client.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n{FROM_CLIENT}x-goog-api-key: canary\r\n\r\n".encode())
            assert client.read().status == 502
        spans = receiver.wait(3)

    root = assert_tree(spans)
    assert (root.trace, root.parent, root.name) == (TRACE, PARENT, "GET")
    assert root.failed and root.attributes["error.type"] == sidecar.log_lines()[-1]["error"]
    [opening] = [span for span in spans if span.name == "open hop google"]
    assert opening.failed and opening.attributes["sidecar.rung"] == "direct"
    assert "canary" not in everything_sent(receiver)


# MARK: - Which traces


@pytest.mark.parametrize(
    ("sampler", "argument", "flags", "kept"),
    [
        ("", "", "00", False),
        ("", "", "01", True),
        ("", "", "", True),
        ("always_on", "", "00", True),
        ("always_off", "", "01", False),
        ("parentbased_always_off", "", "01", True),
        ("parentbased_always_off", "", "", False),
        ("traceidratio", "0", "01", False),
        ("parentbased_traceidratio", "0", "01", True),
        ("parentbased_traceidratio", "1", "", True),
    ],
)
def test_sampled_flag(
    sampler: str, argument: str, flags: str, kept: bool,
    traced: pytest.MonkeyPatch, receiver: Receiver, start_sidecar: Start,
) -> None:  # fmt: skip
    """The caller's decision and the sampler's; the upstream is told of it either way."""
    traced.setenv("OTEL_TRACES_SAMPLER", sampler)
    traced.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    with Upstream(lambda r, _: completion(model_of(r))) as upstream:
        sidecar = start_sidecar(upstream.url)
        answered(sidecar, headers=f"traceparent: 00-{TRACE}-{PARENT}-{flags}\r\n" if flags else "")
        told = upstream.requests[0].header("traceparent")
    assert sidecar.stop() == 0

    assert len(receiver.spans) == (2 if kept else 0)
    assert re.fullmatch(f"00-{TRACE if flags else '[0-9a-f]{32}'}-[0-9a-f]{{16}}-0{int(kept)}", told)
    assert PARENT not in told


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("OTEL_SDK_DISABLED", "true", None),
        ("OTEL_TRACES_EXPORTER", "none", None),
        ("OTEL_TRACES_EXPORTER", "zipkin", "set otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "only http/protobuf is spoken"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "only http/protobuf is spoken"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4317", "write it like http://"),
    ],
)
def test_switched_off(
    name: str, value: str, problem: str | None,
    traced: pytest.MonkeyPatch, receiver: Receiver, start_sidecar: Start,
) -> None:  # fmt: skip
    """The client's traceparent passes as it came, as without tracing; a setting that cannot be obeyed says so."""
    traced.setenv(name, value)
    with Upstream(lambda r, _: completion(model_of(r))) as upstream:
        sidecar = start_sidecar(upstream.url)
        answered(sidecar, headers=FROM_CLIENT)
        told = upstream.requests[0].header("traceparent")
    assert told == f"00-{TRACE}-{PARENT}-01"
    assert "sidecar_spans_dropped_total 0" in sidecar.metrics()
    assert sidecar.stop() == 0 and not receiver.requests
    problems = [line["problem"] for line in sidecar.log_lines() if "problem" in line]
    assert [problem in line for line in problems] == ([True] if problem else [])


def test_addresses_headers_and_names(
    traced: pytest.MonkeyPatch, receiver: Receiver, start_sidecar: Start
) -> None:
    """A trace endpoint is taken as it is, headers and resource from the variables."""
    traced.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.url}/own/path?tenant=1")
    traced.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-unused=1")
    traced.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization=Basic%20c4n4ry, x-scope = a%2Cb ,,")
    traced.setenv("OTEL_SERVICE_NAME", "edge")
    traced.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=lost,deployment.environment.name=studio%201")
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url)
        answered(sidecar)
        receiver.wait(2)
    [request] = receiver.requests
    assert request.start == "POST /own/path?tenant=1 HTTP/1.1"
    assert request.header("content-type") == "application/x-protobuf"
    assert request.header("authorization") == "Basic c4n4ry" and request.header("x-scope") == "a,b"
    assert request.header("x-unused") is None
    assert receiver.resource["service.name"] == "edge"
    assert receiver.resource["deployment.environment.name"] == "studio 1"
    assert "c4n4ry" not in sidecar.output()


# MARK: - Batches


def test_batches(traced: pytest.MonkeyPatch, receiver: Receiver, start_sidecar: Start) -> None:
    """A full batch goes at once, the rest when the process ends; every span arrives once."""
    traced.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    traced.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "20")
    with Upstream(lambda r, _: completion(model_of(r))) as upstream:
        sidecar = start_sidecar(upstream.url)
        with Client(sidecar.port) as client:
            for _ in range(105):
                client.send(post(chat()))
                assert client.read().status == 200
        assert wait_for(lambda: len(receiver.spans) >= 180)
        assert len(receiver.spans) < 210
        assert sidecar.stop() == 0
    spans = receiver.wait(210)
    assert len({span.id for span in spans}) == 210
    assert max(map(len, receiver.batches)) <= 20
    assert len(receiver.batches) <= 16, [len(batch) for batch in receiver.batches]


# MARK: - Receivers that are no good


def hang(request: Message, exchange: Exchange) -> bytes | None:
    exchange.closes_within(30)
    return None


def busy_once() -> Answer:
    asked = []

    def answer(request: Message, exchange: Exchange) -> bytes:
        asked.append(time.monotonic())
        if len(asked) > 1:
            return TAKEN
        return b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

    return answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (hang, None),
        (lambda request, exchange: exchange.abort(), None),
        (lambda request, exchange: b"\x00\xff garbage \r\n\r\n" * 20, None),
        (lambda request, exchange: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "status 400"),
    ],
    ids=["hangs", "resets", "garbage", "400"],
)
def test_bad_receivers(
    answer: Answer, error: str | None, monkeypatch: pytest.MonkeyPatch, start_sidecar: Start
) -> None:
    """Every request is answered as ever; spans are dropped and counted, and the log says so once."""
    with Receiver(answer) as receiver, Upstream(lambda r, _: completion(model_of(r))) as upstream:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "32")
        sidecar = start_sidecar(upstream.url)
        slowest = 0.0
        with Client(sidecar.port) as client:
            for _ in range(100):
                began = time.monotonic()
                client.send(post(chat()))
                assert client.read().status == 200
                slowest = max(slowest, time.monotonic() - began)
            time.sleep(1.5)
        dropped = re.search(r"^sidecar_spans_dropped_total (\d+)$", sidecar.metrics(), re.M)
        stopping = time.monotonic()
        assert sidecar.stop() == 0
        stopped = time.monotonic() - stopping
    assert slowest < 0.5, "nobody waits for the receiver"
    assert int(dropped[1]) >= 100
    assert stopped < 7
    told = [line for line in sidecar.log_lines() if line["msg"].startswith("spans cannot be sent")]
    assert len(told) == 1 and (error is None or told[0]["error"] == error)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch, start_sidecar: Start) -> None:
    """A receiver that is not up: requests go on, and the process ends in time."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}/")
    with Upstream(lambda r, _: completion(model_of(r))) as upstream:
        sidecar = start_sidecar(upstream.url)
        assert answered(sidecar).status == 200
        began = time.monotonic()
        assert sidecar.stop() == 0
    assert time.monotonic() - began < 3
    assert sum(line["msg"].startswith("spans cannot be sent") for line in sidecar.log_lines()) == 1


def test_receiver_that_is_busy(monkeypatch: pytest.MonkeyPatch, start_sidecar: Start) -> None:
    """503 with Retry-After: the same batch again, after that time."""
    with Receiver(busy_once()) as receiver, Upstream(lambda r, _: completion(model_of(r))) as upstream:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        sidecar = start_sidecar(upstream.url)
        began = time.monotonic()
        answered(sidecar)
        receiver.wait(2)
        assert time.monotonic() - began >= 1
        first, second = receiver.requests
        assert first.body == second.body
        assert "sidecar_spans_dropped_total 0" in get(f"{sidecar.admin}/metrics")[1]


# MARK: - Secrets


def test_no_secret_shows(traced: object, receiver: Receiver, start_sidecar: Start) -> None:
    """No prompt, key, query or address of the client is in any span, whatever the request."""
    bearer = "sk-canary-of-the-sidecar"
    listed = ok(json.dumps({"data": [{"id": CLAUDE}]}).encode())
    with Upstream(lambda r, _: listed if r.start.startswith("GET /v1/models") else completion("x")) as upstream:
        foreign = {"kind": "openai", "url": f"{upstream.url}/v1", "bearer": bearer}
        sidecar = start_with_store(
            start_sidecar, upstream.url,
            upstreams={"litellm": {"kind": "litellm", "url": upstream.url}, "foreign": foreign},
            routes=[{"name": "claude", "when": {"model": ["claude*"]}, "chain": ["gemini-x@foreign", "$requested"]}],
        )  # fmt: skip
        credentials = "x-api-key: sk-canary-x\r\nCookie: canary-cookie\r\nx-goog-api-key: canary-goog\r\n"
        paths = [
            f"{CHAT}?key=canary-query", "/v1/messages?key=canary-query", "/v1/embeddings#canary-fragment",
            "/v1beta/models/gemini-of-nobody:generateContent?key=canary-query", "/nowhere/canary-path",
        ]  # fmt: skip
        for path in paths:
            answered(sidecar, path=path, headers=credentials)
        answered(sidecar, body_of_chat(data_url(png()), model=TAKES_URLS, text=PROMPT), headers=credentials)
        answered(sidecar, b'{"model": 1, "messages": "' + PROMPT.encode() + b'"}', headers=credentials)
    assert sidecar.stop() == 0
    sent = everything_sent(receiver)
    assert any(request.header("authorization") == f"Bearer {bearer}" for request in upstream.requests)
    # A target with a fragment is refused before it is a request.
    assert len([span for span in receiver.spans if span.parent == ""]) == 6
    for secret in (PROMPT, CLIENT_KEY, bearer, "canary-query", "canary-fragment", "canary-path", "canary-x",
                   "canary-cookie", "canary-goog", "iVBOR", "127.0.0.1:" + str(sidecar.port)):  # fmt: skip
        assert secret not in sent, secret
