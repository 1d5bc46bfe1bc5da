"""docker/compose.yml up with podman: a chat passes from Open WebUI through the sidecar, and Prometheus sees it."""

import base64
import json
import re
import secrets
import sys
import urllib.request
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

from containers import (
    COMPOSE,
    IMAGE,
    PYTHON,
    ROOT,
    healthy,
    inspect,
    make_peers,
    podman,
    python_volumes,
    remove_project,
    run,
    wait_until,
)
from observability.stackfile import FILE, conditions_of, environment, fill_in, services
from stack import free_port

SERVICES = services()
IMAGE_OF_SERVICES = "localhost/sidecar-test-services"
# What Debian and Python's package index have; what stands in for the store and for Qdrant says so in services/start.
STARTED = "postgres redis qdrant store litellm sidecar open-webui prometheus alertmanager".split()
CLAUDE = "claude-sonnet-4-5"
PROVIDER = "http://127.0.0.1:9900"
SCRIPT = ROOT / "Tests/Integration/provider.py"
# One pixel, and so much behind it that it is worth storing.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
) + bytes(4096)
# What a service is told here beside what compose.yml tells it.
ENVIRONMENT = {
    "litellm": {
        "VENV": sys.prefix,
        # The client of the database asks it without Prisma's engine, which is to be had from its makers alone.
        "PYTHONPATH": str(ROOT / "Tests/Integration/database"),
        "DISABLE_SCHEMA_UPDATE": "True",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "ANTHROPIC_API_BASE": f"{PROVIDER}/anthropic",
        "GEMINI_API_BASE": f"{PROVIDER}/gemini/v1beta",
    },
    "open-webui": {
        "VENV": f"{sys.prefix}/open-webui",
        "DATA_DIR": "/app/backend/data",
        # No downloads at the start: embeddings are asked for elsewhere.
        "OFFLINE_MODE": "true",
        "RAG_EMBEDDING_ENGINE": "openai",
    },
    "store": {"VENV": sys.prefix},
}


class Replaced(list):
    """A sequence that takes the place of another; others are appended."""


yaml.SafeDumper.add_representer(Replaced, lambda dumper, value: dumper.represent_sequence("!override", value))


def override() -> dict:
    """What differs here: where the programs come from, and that a scripted provider plays the models'."""
    changes: dict[str, dict] = {}
    for name in STARTED:
        changes[name] = {"image": IMAGE_OF_SERVICES, "entrypoint": ["/usr/local/bin/start", name]}
        if name in ENVIRONMENT:
            changes[name] |= {"environment": ENVIRONMENT[name], "volumes": python_volumes()}
    changes["sidecar"] = {"image": IMAGE}
    # Its entry point is a script of ours.
    changes["alertmanager"].pop("entrypoint")
    # MinIO's path for this is not known to the other server.
    changes["store"]["healthcheck"] = {"test": Replaced(["CMD", "curl", "--silent", "http://127.0.0.1:9000/"])}
    changes["provider"] = {
        "image": IMAGE_OF_SERVICES,
        "entrypoint": [PYTHON, str(SCRIPT), "--port", PROVIDER.rpartition(":")[2]],
        "volumes": python_volumes(),
        # Beside LiteLLM, under its own address: no other service can reach it.
        "network_mode": "service:litellm",
        "profiles": ["core"],
    }
    return {"services": changes}


class Stack:
    """The services of docker/compose.yml that can be had here, as one project."""

    def __init__(self, folder: Path) -> None:
        self.name = f"stack{secrets.token_hex(3)}"
        self.env = folder / "env"
        self.override = folder / "override.yml"
        self.override.write_text(yaml.safe_dump(override(), sort_keys=False))
        fill_in(self.env)
        # Ports that are free, and keys that providers would ask for.
        self.set(COMPOSE_PROJECT_NAME=self.name, ANTHROPIC_API_KEY="unused", GEMINI_API_KEY="unused")
        self.set(**{name: free_port() for name in environment(self.env) if name.endswith("_PORT")})
        self.values = environment(self.env)
        self.token = ""

    def set(self, **values: object) -> None:
        text = self.env.read_text()
        for name, value in values.items():
            text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        self.env.write_text(text)

    def compose(self, *command: str) -> str:
        files = ["--file", str(FILE), "--file", str(self.override), "--env-file", str(self.env)]
        return run(*COMPOSE, *files, "--profile=core", "--profile=observability", *command, seconds=300)

    def container(self, service: str) -> str:
        return f"{self.name}_{service}_1"

    def start(self) -> None:
        """Each service when its conditions hold.

        podman-compose leaves conditions on health out before podman 4.6, and podman checks health by itself only where
        systemd runs.
        """
        order = {name: set(conditions_of(SERVICES[name])) & set(STARTED) for name in STARTED}
        order["provider"] = {"litellm"}
        sorter = TopologicalSorter(order)
        sorter.prepare()
        while sorter.is_active():
            batch = sorted(sorter.get_ready())
            self.wait(*set().union(*(order[name] for name in batch)))
            self.compose("up", "--detach", "--no-deps", "--no-build", *batch)
            sorter.done(*batch)
        self.wait(*STARTED)

    def wait(self, *names: str) -> None:
        """Returns when their own health checks say so."""
        for name in names:
            wait_until(lambda: healthy(self.container(name)), 480, pause=0.5)

    def ask(self, variable: str, path: str, body: dict | None = None, key: str = "") -> str:
        """The text of an answer of the service whose port the variable names."""
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        data = json.dumps(body).encode() if body is not None else None
        url = f"http://127.0.0.1:{self.values[variable]}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=120) as answer:
            return answer.read().decode()

    def open_webui(self, path: str, body: dict | None = None) -> str:
        return self.ask("OPENWEBUI_PORT", path, body, self.token)

    def sign_up(self) -> None:
        account = {"name": "Ada", "email": "ada@example.org", "password": secrets.token_urlsafe(16)}
        self.token = json.loads(self.open_webui("/api/v1/auths/signup", account))["token"]

    def chat(self, content: object, **options: object) -> str:
        messages = [{"role": "user", "content": content}]
        return self.open_webui("/api/chat/completions", {"model": CLAUDE, "messages": messages, **options})

    def provider(self, path: str, body: dict | None = None) -> str:
        data = ["--json", json.dumps(body)] if body is not None else []
        return podman("exec", self.container("provider"), "curl", "--fail", "--silent", *data, f"{PROVIDER}{path}")

    def metric(self, query: str) -> float:
        """The value of an expression in Prometheus, 0 where there is none."""
        answer = json.loads(self.ask("PROMETHEUS_PORT", f"/api/v1/query?query={urllib.request.quote(query)}"))
        return sum(float(series["value"][1]) for series in answer["data"]["result"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    build = ["--network=host", f"--build-arg=PEERS_IMAGE={make_peers()}", "--tag", IMAGE_OF_SERVICES]
    podman("build", *build, str(ROOT / "Tests/Container/services"), seconds=600)
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.start()
        stack.sign_up()
        yield stack
    finally:
        remove_project(stack.name)


def test_a_chat_from_open_webui(stack: Stack) -> None:
    """It takes the models of the sidecar's LiteLLM, and gets the answer of Claude's stand-in."""
    models = {model["id"] for model in json.loads(stack.open_webui("/api/models"))["data"]}
    assert {CLAUDE, "gemini-3-pro", "gemini-3-flash", "gpt-5"} <= models
    stack.provider("/control/scenario", {"model": CLAUDE, "kind": "ok", "text": "A stand-in's answer."})
    whole = json.loads(stack.chat("Hello", stream=False))
    assert whole["choices"][0]["message"]["content"] == "A stand-in's answer."
    streamed = stack.chat("Hello", stream=True)
    pieces = re.findall(r'"content":\s*"((?:[^"\\]|\\.)*)"', streamed)
    assert "".join(pieces) == "A stand-in's answer." and "[DONE]" in streamed
    assert json.loads(stack.provider("/control/record"))[CLAUDE]["requests"] == 2


def test_a_picture_goes_by_the_store(stack: Stack) -> None:
    """The sidecar keeps it and sends a link; LiteLLM fetches it by the name that a browser would use."""
    stack.provider("/control/reset", {})
    picture = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    answer = stack.chat([{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": "What is it?"}])
    assert "choices" in answer
    sent = json.loads(stack.provider("/control/record"))[CLAUDE]["bodies"][-1]["messages"][-1]["content"]
    (source,) = (part["source"] for part in sent if part["type"] == "image")
    assert base64.b64decode(source["data"]) == PICTURE
    wait_until(lambda: stack.metric('sidecar_images_total{direction="request",result="uploaded"}') == 1, 40)


def test_a_model_without_quota_is_replaced(stack: Stack) -> None:
    """The chain of docker/sidecar/antigravity.json, by way of Open WebUI."""
    gemini = "gemini-3-pro-preview"
    stack.provider("/control/scenario", {"model": CLAUDE, "kind": "status", "status": 429, "retry_after": 1})
    stack.provider("/control/scenario", {"model": gemini, "kind": "ok", "text": "From the other one."})
    answer = json.loads(stack.chat("Hello again", stream=False))
    assert answer["choices"][0]["message"]["content"] == "From the other one."


def test_prometheus_sees_it(stack: Stack) -> None:
    """By the shipped configuration, within two scrapes."""
    wait_until(lambda: stack.metric('up{job="sidecar"}') == 1, 40)
    wait_until(lambda: stack.metric('sum(sidecar_requests_total{route="claude"})') >= 3, 40)


def test_litellm_has_the_sidecar_alone(stack: Stack) -> None:
    """Nobody else knows its name; nothing of it is published."""
    for name in ("open-webui", "prometheus", "alertmanager", "redis"):
        with pytest.raises(RuntimeError):
            podman("exec", stack.container(name), "getent", "hosts", "litellm")
    litellm = inspect(stack.container("litellm"))
    assert not any(litellm["HostConfig"]["PortBindings"].values())
