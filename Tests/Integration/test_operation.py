"""What the engineer sees of a running sidecar: metrics, health, status and log."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import CLAUDE, GEMINI, ROUTES, SIDECAR, Sidecar, get

SECRET = "sk-secret-of-the-client"
PROMPT = "a prompt that belongs to nobody else"


def chat(model: str = CLAUDE, text: str = PROMPT, stream: bool = False) -> bytes:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}).encode()
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {SECRET}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def exercised(start_sidecar: Callable[..., Sidecar], upstream: Upstream) -> Sidecar:
    """A sidecar that has seen fallbacks, a stream, a pass-through, a refusal and models nobody knows."""
    sidecar = start_sidecar(upstream.url, routes=ROUTES, models=[{"match": [CLAUDE, GEMINI]}])
    with Client(sidecar.port) as client:
        for request in (chat(), chat(), chat(GEMINI), chat(stream=True), b"GET /v1/models HTTP/1.1\r\nHost: s\r\n\r\n"):
            client.send(request)
            assert client.read().status == 200
        for model in ("claude-unknown-a", "claude-unknown-b"):
            client.send(chat(model))
            assert client.read().header("x-sidecar-model") == GEMINI
        for number in range(30):
            client.send(chat(f'unknown-{number}"\\\n'))
            assert client.read().status == 200
    with Client(sidecar.port) as client:
        client.send(b"nonsense\r\n\r\n")
        client.read()
    return sidecar


def limited_claude(request: Message, _: Exchange) -> bytes:
    if not json.loads(request.body or b"{}").get("model", "").startswith("claude"):
        return ok()
    body = b'{"error":{"message":"litellm.RateLimitError: slow down","type":"throttling_error","code":"429"}}'
    return f"HTTP/1.1 429 Too Many Requests\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_metrics(start_sidecar: Callable[..., Sidecar]) -> None:
    """The exposition is well formed, has the promised families, and no client can add a series."""
    with Upstream(limited_claude) as upstream:
        text = exercised(start_sidecar, upstream).metrics()
    promtool = shutil.which("promtool", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if promtool:
        checked = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr.decode()
        assert not checked.stderr, checked.stderr.decode()

    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name in (
        "sidecar_requests",
        "sidecar_request_duration_seconds",
        "sidecar_overhead_seconds",
        "sidecar_upstream_attempts",
        "sidecar_fallbacks",
        "sidecar_breaker_state",
        "sidecar_config_info",
        "sidecar_connections_open",
    ):
        assert name in families, sorted(families)
    series = [line.rpartition(" ")[0] for line in text.splitlines() if line and not line.startswith("#")]
    assert len(series) == len(set(series)), "a series stands there twice"
    assert "unknown-" not in text and PROMPT not in text and SECRET not in text
    models = {sample.labels["model"] for sample in families["sidecar_requests"].samples if "model" in sample.labels}
    assert "other" in models

    fallbacks = [sample for sample in families["sidecar_fallbacks"].samples if sample.name.endswith("_total")]
    assert any(
        sample.labels["reason"] == "rate_limited" and CLAUDE in sample.labels["from"] and sample.value == 1
        for sample in fallbacks
    ), fallbacks
    states = {sample.labels["target"]: sample.value for sample in families["sidecar_breaker_state"].samples}
    assert any(CLAUDE in target and value == 2 for target, value in states.items()), states
    # Three of Claude, one of Gemini, 32 unknown, one list of models, one refusal.
    total = sum(sample.value for sample in families["sidecar_requests"].samples if sample.name.endswith("_total"))
    assert total == 38


def test_health_and_status(start_sidecar: Callable[..., Sidecar]) -> None:
    with Upstream(limited_claude) as upstream:
        sidecar = exercised(start_sidecar, upstream)
        assert get(f"{sidecar.admin}/health/live")[0] == 200
        assert get(f"{sidecar.admin}/health/ready")[0] == 200
        status, text = get(f"{sidecar.admin}/status")
        assert status == 200
        assert CLAUDE in json.dumps(json.loads(text)["breakers"])
        assert get(f"{sidecar.admin}/nowhere")[0] == 404


def test_admin_token(start_sidecar: Callable[..., Sidecar]) -> None:
    """With a token, everything but health and metrics needs it."""
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url, token="word")
        assert get(f"{sidecar.admin}/health/live")[0] == 200
        assert get(f"{sidecar.admin}/metrics")[0] == 200
        assert get(f"{sidecar.admin}/status")[0] == 401
        assert get(f"{sidecar.admin}/status", headers={"authorization": "Bearer wrong"})[0] == 401
        assert get(f"{sidecar.admin}/status", headers={"authorization": "Bearer word"})[0] == 200
        open_one = start_sidecar(upstream.url)
        assert get(f"{open_one.admin}/status")[0] == 200


def test_log(start_sidecar: Callable[..., Sidecar]) -> None:
    """One JSON line a request; never a prompt or a key."""
    with Upstream(limited_claude) as upstream:
        sidecar = exercised(start_sidecar, upstream)
        assert wait_for(lambda: sum("request_id" in line for line in sidecar.log_lines()) >= 38)
        assert SECRET not in sidecar.output() and PROMPT not in sidecar.output()
        lines = [line for line in sidecar.log_lines() if "request_id" in line]
    moved = min((line for line in lines if line.get("requested_model") == CLAUDE), key=lambda line: line["time"])
    assert moved["requested_model"] == CLAUDE
    assert moved["model"] == GEMINI
    assert moved["route"] == "claude"
    assert moved["status"] == 200
    assert len(moved["attempts"]) == 2
    assert len({line["request_id"] for line in lines}) == len(lines)


def test_start_and_idle(start_sidecar: Callable[..., Sidecar], report: Callable[[str], None]) -> None:
    """How long it takes to answer, and what it weighs before its first request."""
    with Upstream() as upstream:
        begun = time.perf_counter()
        sidecar = start_sidecar(upstream.url)
        ready = time.perf_counter() - begun
        time.sleep(0.5)
        report(f"start to ready {ready * 1000:.0f} ms, idle RSS {sidecar.rss() / (1 << 20):.1f} MB")
        report(f"binary as built {SIDECAR.stat().st_size / (1 << 20):.1f} MB")
