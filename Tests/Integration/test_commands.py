"""The commands: check, count, explain, version."""

import base64
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chat import SYSTEM, TOOL, history, openai_tokens, tokens
from rawhttp import Upstream
from stack import CLAUDE, GEMINI, ROOT, ROUTES, SIDECAR, Sidecar


def run(
    *arguments: str, stdin: bytes = b"", folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(SIDECAR), *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        cwd=folder or ROOT,
        env={**os.environ, **environment},
        check=False,
    )


def test_check_names_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(
        json.dumps({
            "version": 1,
            "upstreams": {"litellm": {"kind": "litellm", "url": "ftp://nowhere"}},
            "clip": {"maxContextToken": 32000},
            "breaker": {"failuresToOpen": 0},
            "routes": [{"name": "a", "when": {}, "chain": []}],
        })
    )  # fmt: skip
    done = run("check", "--config", str(path))
    assert done.returncode == 78
    told = (done.stdout + done.stderr).decode()
    for problem in ("/upstreams/litellm/url", "/clip/maxContextToken", "/breaker/failuresToOpen", "/routes/0/chain"):
        assert re.search(rf"^{re.escape(problem)}\b.*: ", told, re.MULTILINE), (problem, told)
    assert "maxContextTokens" in told, "the nearest known key is not named"

    served = run("serve", "--config", str(path))
    assert served.returncode == 78
    assert b"/breaker/failuresToOpen" in served.stdout + served.stderr


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"version":1,"upstreams":{"litellm":{"url":"http://127.0.0.1:4000"}}}', 0),
        ("{", 78),
        ("", 78),
        ('{"version":2}', 78),
        (None, 78),
        ('{"version":1,"listen":{"admin":{"address":"0.0.0.0:4190"}}}', 78),
    ],
    ids=["two lines", "broken", "empty", "future", "missing", "open admin without a token"],
)
def test_check_status(text: str | None, status: int, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    if text is not None:
        path.write_text(text)
    assert run("check", "--config", str(path)).returncode == status


def test_shipped_configuration_is_good() -> None:
    assert run("check", "--config", "config/antigravity.json").returncode == 0


def test_embedded_defaults(tmp_path: Path) -> None:
    """With no file and no argument the defaults hold, and the route for Claude is among them."""
    body = json.dumps({"model": CLAUDE, "messages": [{"role": "user", "content": "hi"}]}).encode()
    done = run("explain", stdin=body, folder=tmp_path, LITELLM_URL="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert GEMINI in done.stdout.decode()


TEXTS = ["", "hello world", "Größe шрифт 字体 😀\n\n\t  x", "  " * 50, "a" * 10_000, "It's 12345.67!", "<|endoftext|>"]


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_count(encoding: str) -> None:
    import tiktoken

    reference = tiktoken.get_encoding(encoding)
    for text in TEXTS:
        done = run("count", "--encoding", encoding, stdin=text.encode())
        assert done.returncode == 0
        assert int(done.stdout) == len(reference.encode(text, disallowed_special=()))

    lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS).encode()
    done = run("count", "--encoding", encoding, "--jsonl", "--ids", stdin=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [reference.encode(text, disallowed_special=()) for text in TEXTS]
    assert [answer["ids"] for answer in answers] == expected
    assert [answer["n"] for answer in answers] == [len(ids) for ids in expected]


def test_count_of_an_unknown_encoding() -> None:
    done = run("count", "--encoding", "o300k_base", stdin=b"x")
    assert done.returncode == 64
    assert b"o200k_base" in done.stderr and b"claude_legacy" in done.stderr


def test_count_of_much(tmp_path: Path) -> None:
    """Any length in bounded memory, and what cannot be counted so is said."""
    line = "The caption moves down; the photograph of 2026 gets more air.\n" * 1000
    each = int(run("count", stdin=line.encode()).stdout)
    text = tmp_path / "text"
    text.write_text(line * 2000)
    with text.open("rb") as stdin:
        limited = ["prlimit", "--data=120000000", str(SIDECAR), "count"]
        done = subprocess.run(limited, stdin=stdin, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"%d\n" % (each * 2000)), done.stderr

    long = b"a" * (65 << 20)
    text.write_bytes(long)
    # A file fills every read, a pipe seldom does.
    with text.open("rb") as stdin:
        from_file = subprocess.run([SIDECAR, "count"], stdin=stdin, capture_output=True, timeout=60, check=False)
    for done in (run("count", stdin=long), from_file):
        assert (done.returncode, done.stdout) == (65, b"")
        assert b"67108864 bytes" in done.stderr and done.stderr.count(b"\n") == 1
    done = run("count", "--jsonl", stdin=b'{"text":"a"}\n{"text":"' + long + b'"}\n')
    assert (done.returncode, done.stdout) == (65, b'{"n":1}\n')
    assert b"line 2" in done.stderr
    done = run("count", "--jsonl", stdin=b'{"text":"a"}\n{"text":1}\n')
    assert (done.returncode, done.stdout) == (65, b'{"n":1}\n')
    assert b"line 2" in done.stderr
    # A last line without an end counts too, and bytes that are no UTF-8 count as what a decoder makes of them.
    assert run("count", "--jsonl", stdin=b'{"text":"a"}').stdout == b'{"n":1}\n'
    assert run("count", stdin=b"a\xff\xf0\x9fb").stdout == run("count", stdin="a\ufffd\ufffdb".encode()).stdout


def test_count_bench(tmp_path: Path) -> None:
    """Figures that can be compared with those of other counters."""
    file = tmp_path / "text"
    file.write_text("more air " * 10_000)
    done = run("count", "--encoding", "gemma", "--bench", str(file))
    figures = json.loads(done.stdout)
    assert figures["bytes"] == 90_000
    assert figures["tokens"] == int(run("count", "--encoding", "gemma", stdin=file.read_bytes()).stdout)
    assert figures["first_s"] > 0 and figures["median_s"] > 0
    done = run("count", "--bench", str(tmp_path / "missing"))
    assert done.returncode == 66 and b"missing" in done.stderr
    assert run("count", "--bench", "x", "--chat").returncode == 64


@pytest.mark.parametrize(
    ("model", "detail", "tokens"),
    [
        ("gpt-4o", None, 85),
        ("gpt-4o", "high", 85 + 170 * 6),
        ("gpt-5.1", "high", 70 + 140 * 6),
        ("claude-sonnet-4-5", None, 1560),
        ("claude-opus-4-7", None, 2691),
        ("gemini-2.5-pro", None, 258 * 6),
        ("gemini-3-pro", None, 1120),
        ("gemini-3-pro", "low", 280),
    ],
)
def test_count_of_an_image(model: str, detail: str | None, tokens: int) -> None:
    """By the shipped configuration's rules; a PNG of 1920 × 1080 of which only the header is there."""
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1920).to_bytes(4) + (1080).to_bytes(4) + b"\x08\x02\0\0\0" * 9
    url = {"url": "data:image/png;base64," + base64.b64encode(header).decode()} | ({"detail": detail} if detail else {})
    message = {"role": "user", "content": [{"type": "image_url", "image_url": url}]}
    done = run("count", "--chat", stdin=json.dumps({"model": model, "messages": [message]}).encode())
    assert json.loads(done.stdout)["images"] == tokens


def test_count_of_a_chat() -> None:
    messages = history(5)
    done = run(
        "count", "--chat", "--model", "gpt-4o", stdin=json.dumps({"model": "gpt-4o", "messages": messages}).encode()
    )
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert counted["total"] == counted["messages"] + counted["tools"] + counted["images"] + counted["framing"]
    assert counted["tools"] == counted["images"] == 0
    # Ids of calls count too, which the reference leaves out: 2 tool rounds of 2 ids, some tokens each.
    assert openai_tokens(messages) <= counted["total"] <= openai_tokens(messages) + 40

    with_tools = {"model": "gpt-4o", "messages": [SYSTEM], "tools": [TOOL]}
    counted = json.loads(run("count", "--chat", stdin=json.dumps(with_tools).encode()).stdout)
    assert counted["tools"] > tokens(TOOL["function"]["description"])


def test_explain(tmp_path: Path) -> None:
    """The plan of a long chat, and nothing is sent."""
    with Upstream() as upstream:
        path = tmp_path / "config.json"
        models = [{"match": ["gemini*"], "encoding": "o200k_base", "contextTokens": 1048576}]
        upstreams = {"litellm": {"kind": "litellm", "url": upstream.url}}
        path.write_text(json.dumps({"version": 1, "upstreams": upstreams, "routes": ROUTES, "models": models}))
        body = json.dumps({"model": CLAUDE, "messages": history(120)}).encode()
        done = run("explain", "--config", str(path), stdin=body)
        assert done.returncode == 0, done.stderr
        plan = json.loads(done.stdout)
        assert upstream.connections == 0
    assert plan["route"] == "claude"
    assert len(plan["attempts"]) == 2
    assert CLAUDE in json.dumps(plan["attempts"][0]) and GEMINI in json.dumps(plan["attempts"][1])
    assert "32000" in json.dumps(plan["attempts"][1])


def test_version_and_help() -> None:
    done = run("version")
    assert done.returncode == 0
    assert re.search(rb"\d+\.\d+\.\d+", done.stdout) and b"wift" in done.stdout
    for command in ([], ["serve"], ["check"], ["count"], ["explain"], ["version"]):
        helped = run(*command, "--help")
        assert helped.returncode == 0 and b"USAGE" in helped.stdout.upper()


def test_health_asks_the_one_that_runs(tmp_path: Path, start_sidecar: Callable[..., Sidecar]) -> None:
    """For the health check of a container that holds nothing but the binary."""
    sidecar = start_sidecar("http://127.0.0.1:1")
    port = sidecar.admin.rpartition(":")[2]
    config = tmp_path / "health.json"

    def health(**listen: dict) -> subprocess.CompletedProcess:
        config.write_text(json.dumps({"version": 1, "listen": listen}))
        return run("health", "--config", str(config))

    # Everywhere is no place to go to.
    for host in ("127.0.0.1", "0.0.0.0", "[::]"):
        done = health(admin={"address": f"{host}:{port}", "token": "t"})
        assert (done.returncode, done.stdout) == (0, b"ready\n"), done.stderr
    sidecar.stop()
    done = health(admin={"address": f"127.0.0.1:{port}"})
    assert done.returncode == 69 and b"nobody answers" in done.stderr and done.stderr.count(b"\n") == 1
    done = health(gateway={"address": "127.0.0.1:0"})
    assert done.returncode == 78 and b"listen.admin" in done.stderr
