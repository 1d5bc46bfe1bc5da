"""What a scrape holds and in which form: every metric, both formats, and no series that a client can add."""

import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import images
from observability.load import RESERVE, Load
from observability.prometheus import Prometheus, program
from rawhttp import Client, Exchange, Listener, Message, Upstream, ok, wait_for
from stack import SIDECAR, Sidecar, get
from test_metrics_agree import samples

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_ASKS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,*/*;q=0.2"
)
NAMES = 100_000
PIPELINED = 250


def promised() -> list[str]:
    """Every metric, as the program lists them for README."""
    table = subprocess.run([SIDECAR, "generate", "metrics"], capture_output=True, text=True, timeout=30, check=True)
    return re.findall(r"^\| `(\w+)` \| (?:counter|gauge|histogram) ", table.stdout, re.MULTILINE)


def scrape(sidecar: Sidecar, accept: str) -> tuple[str, str]:
    """The content type and the text."""
    request = urllib.request.Request(f"{sidecar.admin}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["content-type"], answer.read().decode()


class HopLoad(Load):
    """The load of the dashboards with a model behind a hop, and chats that have a second turn."""

    def sections(self, folder: Path) -> dict:
        made = super().sections(folder)
        made["listen"]["gateway"]["clientKeys"] = ["vouched"]
        made["upstreams"] = {
            "litellm": {"kind": "litellm", "url": self.upstream.url},
            "google": {"kind": "openai", "url": self.upstream.url, "bearer": "of-the-house", "egress": "home"},
        }
        made["egress"] = {"hops": {"home": ["direct"]}}
        hop = {"name": "hop", "when": {"model": ["gemini-hop"]}, "chain": ["gemini-hop@google"]}
        return made | {"routes": [hop, *made["routes"]]}

    def requests(self) -> list[bytes]:
        hopping = images.post(
            b'{"model":"gemini-hop","messages":[{"role":"user","content":"x"}]}',
            headers="Authorization: Bearer vouched\r\n",
        )
        again = [
            images.post(
                json.dumps({"model": RESERVE, "messages": [{"role": "user", "content": "more " * length}]}).encode(),
                headers="X-OpenWebUI-Chat-Id: grows\r\n",
            )
            for length in (300, 600)
        ]
        return [*super().requests(), *again, hopping]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """After some rounds of everything."""
    made = HopLoad(tmp_path_factory.mktemp("metrics") / "sidecar")
    for _ in range(2):
        made.round()
    yield made
    assert made.stop() == 0, made.sidecar.output()[-4000:]


def test_every_metric_is_there(load: Load) -> None:
    """In both formats, after a load that has something of everything."""
    _, text = scrape(load.sidecar, "text/plain")
    there = {sample.name for family in parse_text(text) for sample in family.samples}
    _, text = scrape(load.sidecar, PROMETHEUS_ASKS)
    there_too = {sample.name for family in parse_openmetrics(text) for sample in family.samples}
    assert len(promised()) > 30
    for name in promised():
        assert there & {name, f"{name}_count"}, f"{name} is in no scrape"
    # The reader of the text format drops nothing of a name, that of OpenMetrics neither.
    assert {name for name in there_too if not name.endswith("_created")} == there


def test_phases_and_labels(load: Load) -> None:
    _, text = scrape(load.sidecar, "text/plain")
    phases = set(samples(text, "sidecar_overhead_seconds_count", "phase"))
    assert phases == {"accept", "plan", "transform", "upload", "relay"}
    arms = set(samples(text, "sidecar_prefix_kept_ratio_count", "route", "arm"))
    assert ("chat", "") in arms
    assert {"control", "slow"} <= {arm for _, arm in samples(text, "sidecar_output_token_seconds_count", "route", "arm")}


def test_promtool_has_nothing_to_say(load: Load) -> None:
    _, text = scrape(load.sidecar, "text/plain")
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("accept", "is_openmetrics"),
    [(PROMETHEUS_ASKS, True), ("application/openmetrics-text", True), ("text/plain", False), ("*/*", False)],
)
def test_the_format_is_the_one_asked_for(accept: str, is_openmetrics: bool, load: Load) -> None:
    content_type, text = scrape(load.sidecar, accept)
    assert (content_type == OPENMETRICS) == is_openmetrics
    assert text.endswith("# EOF\n") == is_openmetrics
    assert ("trace_id" in text) == is_openmetrics


def traces(text: str) -> set[str]:
    return set(re.findall(r'trace_id="(\w+)"', text))


def logged(load: Load) -> dict[str, dict]:
    """Requests by their trace."""
    return {line["trace_id"]: line for line in load.sidecar.log_lines() if line["msg"] == "request"}


def test_exemplars_can_be_looked_up(load: Load) -> None:
    """Each is a request of the log, in its bucket, and of the last minutes."""
    _, text = scrape(load.sidecar, "application/openmetrics-text")
    # Lines are written within a tenth of a second, or later on a busy machine.
    assert wait_for(lambda: traces(text) <= set(logged(load)))
    lines = logged(load)
    found = set()
    for family in parse_openmetrics(text):
        lower = 0.0
        for sample in family.samples:
            lower, bound = float(sample.labels.get("le", 0)), lower
            if not sample.exemplar:
                continue
            assert family.name in ("sidecar_request_duration_seconds", "sidecar_time_to_first_token_seconds")
            found.add(family.name)
            line = lines[sample.exemplar.labels["trace_id"]]
            field = "duration_ms" if "duration" in family.name else "ttft_ms"
            assert sample.exemplar.value == pytest.approx(line[field] / 1000, abs=2e-6)
            assert bound < sample.exemplar.value <= float(sample.labels["le"])
            assert time.time() - 600 < float(sample.exemplar.timestamp) < time.time() + 1
    assert len(found) == 2


def test_prometheus_takes_it_with_its_exemplars(load: Load, tmp_path: Path) -> None:
    """A real one scrapes OpenMetrics by itself, finds nothing wrong with it and keeps the exemplars."""
    targets = {"sidecar": load.sidecar.admin.removeprefix("http://")}
    server = Prometheus(tmp_path / "prometheus", targets, "--enable-feature=exemplar-storage")
    try:
        assert wait_for(lambda: is_up(server), 40), server.output()
        load.round()
        assert wait_for(lambda: bool(exemplars(server)), 20), server.output()
        assert all(re.fullmatch(r"[0-9a-f]{32}", each["labels"]["trace_id"]) for each in exemplars(server))
        for name in promised():
            assert any(ask(server, each) for each in (name, f"{name}_count")), f"{name} did not arrive"
        assert "Error" not in server.output() and "err=" not in server.output(), server.output()
    finally:
        server.stop()


def ask(server: Prometheus, expression: str) -> list[dict]:
    server.now = time.time()
    return server.ask(expression)


def is_up(server: Prometheus) -> bool:
    return bool(ask(server, 'up{job="sidecar"} == 1'))


def exemplars(server: Prometheus) -> list[dict]:
    query = "query=sidecar_request_duration_seconds_bucket&start=0&end=9999999999"
    _, text = get(f"{server.url}/api/v1/query_exemplars?{query}", timeout=30)
    return [each for series in json.loads(text).get("data") or [] for each in series["exemplars"]]


# ---------------------------------------------------------------- no series without end


class Echo(Listener):
    """An upstream that is fast: it answers whatever comes, without looking at it."""

    ANSWER = ok(b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}')

    def serve(self, connection: socket.socket) -> None:
        while connection.recv(1 << 16):
            connection.sendall(self.ANSWER)


def series(sidecar: Sidecar) -> set[str]:
    text = sidecar.metrics()
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


def ask_for_names(sidecar: Sidecar, names: range) -> None:
    """A request for each, many of them under way on one connection."""
    with Client(sidecar.port) as client:
        for start in range(names.start, names.stop, PIPELINED):
            batch = range(start, min(start + PIPELINED, names.stop))
            body = b'{"model":"m%06d","messages":[{"role":"user","content":"x"}]}'
            client.send(b"".join(images.post(body % number) for number in batch))
            received = b""
            while received.count(b"\r\n\r\n") < len(batch) or not received.endswith(b"}}"):
                received += client.socket.recv(1 << 18)
            assert received.count(b"HTTP/1.1 200") == len(batch)


def test_model_names_add_no_series(start_sidecar: Callable[..., Sidecar]) -> None:
    """A hundred thousand of them: as many series as after the first few, and no memory for them."""
    echo = Echo()
    routes = [{"name": "chat", "when": {}, "chain": ["$requested"]}]
    sidecar = start_sidecar(echo.url, routes=routes, log={"level": "error"})
    ask_for_names(sidecar, range(5000))
    before, memory = series(sidecar), sidecar.rss()
    ask_for_names(sidecar, range(5000, NAMES))
    assert series(sidecar) == before
    assert samples(sidecar.metrics(), "sidecar_requests_total", "model") == {"other": NAMES}
    # Conversations, counted texts and breakers are remembered up to their bounds; a label for every name would be kept.
    assert sidecar.rss() - memory < 64 << 20


def test_names_that_the_upstream_confirms_are_bounded(start_sidecar: Callable[..., Sidecar]) -> None:
    """LiteLLM with a wildcard group says yes to any name."""
    count = 600

    def answer(request: Message, _: Exchange) -> bytes:
        model = json.loads(request.body)["model"]
        return ok().replace(b"\r\n", f"\r\nx-litellm-model-group: {model}\r\n".encode(), 1)

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=[{"name": "chat", "when": {}, "chain": ["$requested"]}])
        with Client(sidecar.port) as client:
            for number in range(count):
                client.send(images.post(b'{"model":"any-%d","messages":[]}' % number))
                assert client.read().status == 200
        models = samples(sidecar.metrics(), "sidecar_requests_total", "model")
    assert len(models) == 257 and models["other"] == count - 256
