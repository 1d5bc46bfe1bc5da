"""docker/compose.sidecar.yml before a real LiteLLM on PostgreSQL: nobody else notices, and nobody gets past it."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
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
    program,
    python_volumes,
    remove_project,
    run,
    wait_until,
)
from observability.stackfile import DOCKER_COMPOSE, misfits

MODEL = "claude-sonnet-4-5"
SITE = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
DATABASE = """
cd /usr/lib/postgresql/*/bin
./initdb -D /tmp/data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
echo host all all all trust >>/tmp/data/pg_hba.conf
exec ./postgres -D /tmp/data -c 'listen_addresses=*' -c fsync=off -c unix_socket_directories=/tmp
"""
"""Starts a server that the other containers may use; it forgets everything."""
ASK = """
import json, sys, urllib.error, urllib.request
url, key, body = sys.argv[1:]
headers = {"authorization": "Bearer " + key, "content-type": "application/json"}
request = urllib.request.Request(url, body.encode() or None, headers)
try:
    answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
headers = {name.lower(): value for name, value in answer.headers.items()}
print(json.dumps([answer.status, headers, answer.read().decode()]))
"""
"""Asks as a client in a container does: an address, a key, and a body for a POST."""


class Project:
    """A project as people have it: LiteLLM, its database and Redis, and a client that knows LiteLLM by its name."""

    def __init__(self, folder: Path, image: str) -> None:
        self.folder = folder
        self.image = image
        """What its services run in."""
        self.name = f"drop{secrets.token_hex(3)}"
        self.key = f"sk-{secrets.token_hex(16)}"
        self.made = ""
        """A key that is in the database alone."""
        self.before: dict[str, str] = {}
        """The containers that ran before the sidecar came."""
        folder.chmod(0o755)
        (folder / "litellm").mkdir()
        (folder / "litellm" / "config.json").write_text(json.dumps(self.models()))
        (folder / "compose.yml").write_text(yaml.safe_dump(self.services(), sort_keys=False))
        (folder / "sidecar").mkdir()

    def models(self) -> dict:
        parameters = {"model": f"anthropic/{MODEL}", "api_key": "unused", "mock_response": "A stand-in's answer."}
        return {
            "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
            "litellm_settings": {
                "callbacks": ["prometheus"],
                "cache": True,
                "cache_params": {"type": "redis", "host": "redis", "port": 6379},
            },
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        }

    def services(self) -> dict:
        litellm = {
            "image": self.image,
            "container_name": f"{self.name}-litellm",
            "hostname": "litellm",
            "command": [*program("litellm.proxy.proxy_cli"), "--config", "/app/config.json", "--port", "4000"],
            "environment": {
                "PATH": f"{Path(PYTHON).parent}:/usr/bin:/bin",
                "LITELLM_MASTER_KEY": self.key,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "DATABASE_URL": "postgresql://postgres@db/postgres",
                "DISABLE_SCHEMA_UPDATE": "True",
                "PYTHONPATH": str(ROOT / "Tests/Integration/database"),
            },
            "volumes": ["./litellm:/app:ro", *python_volumes()],
            "ports": ["127.0.0.1::4000"],
            "labels": ["org.example.front=yes"],
            "networks": ["front", "back"],
            "depends_on": ["db", "redis"],
            "healthcheck": {"test": ["CMD", "true"]},
        }
        return {
            "services": {
                "litellm": litellm,
                "db": {
                    "image": self.image,
                    "user": "postgres",
                    "command": ["bash", "-ec", DATABASE],
                    "networks": ["back"],
                },
                "redis": {
                    "image": self.image,
                    "command": ["redis-server", "--save", "", "--protected-mode", "no"],
                    "networks": ["back"],
                },
                "client": {
                    "image": self.image,
                    "command": ["sleep", "infinity"],
                    "volumes": python_volumes(),
                    "networks": ["front"],
                },
            },
            "networks": {"front": {}, "back": {}},
        }

    def compose(self, file: str, *command: str) -> str:
        return run(*COMPOSE, "-p", self.name, "-f", file, *command, cwd=self.folder, seconds=240)

    def with_override(self) -> str:
        """What Docker Compose makes of both files: podman-compose cannot read every tag."""
        files = ["-f", "compose.yml", "-f", "compose.sidecar.yml"]
        environment = {**os.environ, "SIDECAR_IMAGE": IMAGE}
        return run(str(DOCKER_COMPOSE), "-p", self.name, *files, "config", cwd=self.folder, env=environment)

    def container(self, service: str) -> str:
        labels = [f"label=io.podman.compose.project={self.name}", f"label=io.podman.compose.service={service}"]
        return podman("ps", "--quiet", *(part for label in labels for part in ("--filter", label)))

    def execute(self, service: str, *command: str) -> str:
        return podman("exec", self.container(service), *command)

    def ask(self, path: str, body: dict | None = None, key: str | None = None, host: str = "litellm") -> tuple:
        """Status, headers and body of an answer that the client gets."""
        text = json.dumps(body) if body else ""
        answer = self.execute("client", PYTHON, "-c", ASK, f"http://{host}:4000{path}", key or self.key, text)
        return tuple(json.loads(answer))

    def chat(self, key: str | None = None, host: str = "litellm") -> tuple:
        return self.ask(
            "/v1/chat/completions", {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}, key, host
        )

    def wait_for_litellm(self) -> None:
        """Returns when it answers; raises with the end of its log when it ends."""
        wait_until(lambda: healthy(f"{self.name}-litellm") and self.answers(), 180, pause=1)

    def answers(self) -> bool:
        return self.ask("/health/liveliness")[0] == 200

    def addresses(self, service: str) -> set[str]:
        networks = inspect(self.container(service))["NetworkSettings"]["Networks"]
        return {network["IPAddress"] for network in networks.values()}

    def make_tables(self) -> None:
        """LiteLLM's own migrations, which its start leaves out here."""
        migrations = sorted(SITE.glob("litellm_proxy_extras/migrations/*/migration.sql"))
        statements = "\n".join(path.read_text() for path in migrations)
        psql = ["podman", "exec", "--interactive", self.container("db")]
        psql += ["psql", "--quiet", "--host=127.0.0.1", "--username=postgres", "--set=ON_ERROR_STOP=1"]
        wait_until(lambda: run(*psql, input="SELECT 1") or True, 60)
        run(*psql, input=statements)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Started without the sidecar, and used; then the override is added, as somebody does who drops it in."""
    project = Project(tmp_path_factory.mktemp("project"), make_peers())
    try:
        project.compose("compose.yml", "up", "--detach", "db", "redis", "client")
        project.make_tables()
        project.compose("compose.yml", "up", "--detach", "litellm")
        project.wait_for_litellm()
        drop_in(project)
        yield project
    finally:
        remove_project(project.name)


def drop_in(project: Project) -> None:
    project.made = json.loads(project.ask("/key/generate", {"models": [MODEL]})[2])["key"]
    project.before = {name: project.container(name) for name in ("client", "db", "redis")}
    status, headers, body = project.chat(project.made)
    assert status == 200 and "x-sidecar-attempts" not in headers, body
    shutil.copy(ROOT / "docker/compose.sidecar.yml", project.folder)
    whole = project.with_override()
    assert misfits(whole) == []
    (project.folder / "whole.yml").write_text(whole)
    podman("rm", "--force", "--time=5", project.container("litellm"))
    # podman-compose waits for health checks that nobody runs where there is no systemd.
    project.compose("whole.yml", "up", "--detach", "--no-deps", "litellm-upstream")
    wait_until(lambda: healthy(project.container("litellm-upstream")), 180, pause=1)
    project.compose("whole.yml", "up", "--detach", "--no-deps", "litellm")
    wait_until(lambda: healthy(project.container("litellm")), 30)


def test_the_client_notices_nothing(project: Project) -> None:
    """The same containers, name and key; LiteLLM, its database and its Redis are behind the sidecar."""
    assert {name: project.container(name) for name in project.before} == project.before
    status, headers, body = project.chat(project.made)
    assert status == 200, body
    assert json.loads(body)["choices"][0]["message"]["content"] == "A stand-in's answer."
    assert headers["x-sidecar-attempts"] == f"{MODEL}=ok"
    assert project.ask("/v1/models", key="sk-not-a-key")[0] == 401
    assert "litellm_" in project.ask("/metrics/")[2]
    assert json.loads(project.ask("/cache/ping")[2])["ping_response"] is True


def test_the_name_is_the_sidecars_alone(project: Project) -> None:
    """Names of services stay as aliases: a second one would take every other request past the sidecar."""
    lines = project.execute("client", "getent", "ahostsv4", "litellm").splitlines()
    assert {line.split()[0] for line in lines} <= project.addresses("litellm")
    upstream = inspect(project.container("litellm-upstream"))
    assert upstream["Config"]["Hostname"] == "litellm-upstream"
    assert not any(upstream["HostConfig"]["PortBindings"].values())
    assert "org.example.front" not in upstream["Config"]["Labels"]
    for network in upstream["NetworkSettings"]["Networks"].values():
        assert "litellm" not in network["Aliases"]


def test_the_sidecar_has_nothing_of_litellms_own(project: Project) -> None:
    sidecar = inspect(project.container("litellm"))
    names = {entry.split("=")[0] for entry in sidecar["Config"]["Env"]}
    assert not {"LITELLM_MASTER_KEY", "DATABASE_URL", "PYTHONPATH"} & names
    assert [port for port, bound in sidecar["HostConfig"]["PortBindings"].items() if bound] == ["4000/tcp"]
    assert sidecar["HostConfig"]["ReadonlyRootfs"]


def test_a_sidecar_before_itself_says_so(project: Project) -> None:
    """Whoever points it at the name that it took over gets 508, not a request that goes round and round."""
    podman(
        *("run", "--detach", "--rm", "--name", f"{project.name}-loop", "--network", f"{project.name}_front"),
        *("--env", "SIDECAR_GATEWAY=0.0.0.0:4000", "--env", f"LITELLM_URL=http://{project.name}-loop:4000", IMAGE),
    )
    try:
        wait_until(lambda: healthy(f"{project.name}-loop"), 10)
        assert project.chat(host=f"{project.name}-loop")[0] == 508
    finally:
        podman("rm", "--force", "--time=0", f"{project.name}-loop")
