"""The programs that the tests run against: the scripted provider, a real LiteLLM and the sidecar."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIDECAR = Path(os.environ.get("SIDECAR_BIN", ROOT / ".build/release/sidecar"))
LITELLM = Path(os.environ.get("LITELLM_BIN", Path(sys.executable).parent / "litellm"))

CLAUDE = "claude-sonnet-4-5"
GEMINI = "gemini-3-pro"
GUARDED = "claude-guarded"
RESERVE = "gemini-reserve"
GPT = "gpt-5-test"
SECRET = re.compile(r"(?<![\w-])sk-[A-Za-z0-9]|canary|Bearer |X-Amz-Signature|;base64,")
"""What no log may hold: keys as the tests make them, signatures, images."""
ROUTES = [{"name": "claude", "when": {"model": ["claude*"]}, "chain": ["$requested", GEMINI]}]


def free_port() -> int:
    """A port that was free a moment ago.

    Not one of those that the system gives to outgoing connections (ip(7), ip_local_port_range): a busy test would have
    it before the program that is told to listen there.
    """
    while True:
        port = 10_240 + secrets.randbelow(32_768 - 10_240)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def get(url: str, timeout: float = 5, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and text of a GET, whatever the status is."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def post(url: str, value: object, timeout: float = 5) -> str:
    request = urllib.request.Request(url, json.dumps(value).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read().decode()


class Program:
    """A child process whose output goes to a file."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env={**os.environ, **(environment or {})},
            )

    def wait_until(self, url: str, seconds: float) -> None:
        """Returns when the URL answers 200; raises with the end of the log if it does not."""
        deadline = time.monotonic() + seconds
        pause = 0.01
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if get(url, timeout=2)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        raise RuntimeError(f"{url} does not answer 200:\n{self.output()[-4000:]}")

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, seconds: float = 40) -> int:
        """Asks it to end and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Provider(Program):
    """The scripted provider of provider.py."""

    def __init__(self, folder: Path) -> None:
        script = Path(__file__).with_name("provider.py")
        super().__init__([sys.executable, str(script)], folder / "provider.log")
        deadline = time.monotonic() + 60
        while not self.output().endswith("\n"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"the provider does not start:\n{self.output()}")
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{self.output().strip()}"

    def play(self, model: str, kind: str, **options: object) -> None:
        post(f"{self.url}/control/scenario", {"model": model, "kind": kind, **options})

    def record(self, model: str) -> dict:
        records = json.loads(get(f"{self.url}/control/record", timeout=30)[1])
        return records.get(model, {"requests": 0, "bytes": 0, "bodies": [], "open": 0, "left": 0})

    def reset(self) -> None:
        post(f"{self.url}/control/reset", {})


class LiteLLM(Program):
    """A stock LiteLLM without a database, in front of the scripted provider."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        self.key = f"sk-{secrets.token_hex(16)}"
        port = free_port()
        config = folder / "litellm.json"
        # JSON is YAML too.
        config.write_text(json.dumps(self.configuration(provider), indent=1))
        super().__init__(
            [str(LITELLM), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)],
            folder / "litellm.log",
            {"LITELLM_MASTER_KEY": self.key, "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )
        self.url = f"http://127.0.0.1:{port}"

    def configuration(self, provider: Provider) -> dict:
        def model(name: str, kind: str, path: str) -> dict:
            parameters = {"model": f"{kind}/{name}", "api_base": f"{provider.url}{path}", "api_key": "provider-key"}
            return {"model_name": name, "litellm_params": parameters}

        return {
            "model_list": [
                model(CLAUDE, "anthropic", "/anthropic"),
                model(GUARDED, "anthropic", "/anthropic"),
                model(GEMINI, "gemini", "/gemini/v1beta"),
                model(RESERVE, "gemini", "/gemini/v1beta"),
                model(GPT, "openai", "/openai/v1"),
            ],
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
            "router_settings": {"fallbacks": [{GUARDED: [RESERVE]}]},
        }

    def wait_ready(self) -> None:
        self.wait_until(f"{self.url}/health/liveliness", 180)


class Sidecar(Program):
    """The sidecar with a configuration of its own, on ports of the system's choice."""

    def __init__(
        self, folder: Path, upstream: str, dify: str | None = None, token: str = "", **sections: object
    ) -> None:
        if not SIDECAR.exists():
            raise RuntimeError(f"{SIDECAR} is missing: build it, or name it in SIDECAR_BIN")
        self.stopped_by_test = False
        configuration = self.configuration(upstream, dify, token) | sections
        path = folder / "sidecar.json"
        path.write_text(json.dumps(configuration, indent=1))
        super().__init__([str(SIDECAR), "serve", "--config", str(path)], folder / "sidecar.log")
        addresses = self.addresses(set(configuration["listen"]))
        self.gateway = addresses["gateway"]
        self.admin = addresses["admin"]
        self.dify = addresses.get("dify")
        self.wait_until(f"{self.admin}/health/ready", 30)

    def configuration(self, upstream: str, dify: str | None, token: str) -> dict:
        anywhere = "127.0.0.1:0"
        listen = {
            "gateway": {"address": anywhere, "upstream": "litellm"},
            "admin": {"address": anywhere, "token": token},
        }
        upstreams = {"litellm": {"kind": "litellm", "url": upstream}}
        if dify:
            listen["dify"] = {"address": anywhere, "upstream": "dify"}
            upstreams["dify"] = {"kind": "dify", "url": dify}
        return {"version": 1, "listen": listen, "upstreams": upstreams}

    def addresses(self, listeners: set[str]) -> dict[str, str]:
        """Where it listens, as its log tells."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            opened = [line for line in self.log_lines() if line.get("msg") == "listening"]
            if {line["listener"] for line in opened} == listeners:
                return {line["listener"]: f"http://{line['address']}" for line in opened}
            time.sleep(0.005)
        raise RuntimeError(f"the sidecar does not say where it listens:\n{self.output()[-4000:]}")

    def stop(self, seconds: float = 40) -> int:
        """Asks it to end and returns its exit status; whatever was sent to it, its log holds no secret."""
        self.stopped_by_test = True
        status = super().stop(seconds)
        secret = SECRET.search(self.output())
        assert secret is None, f"in the log: {self.output()[max(0, secret.start() - 200) : secret.end() + 20]}"
        return status

    @property
    def port(self) -> int:
        return int(self.gateway.rpartition(":")[2])

    def metrics(self) -> str:
        return get(f"{self.admin}/metrics")[1]

    def rss(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def log_lines(self) -> list[dict]:
        """The JSON lines written so far, one for every request and event; a line that is not whole yet is left out."""
        whole = self.output().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
