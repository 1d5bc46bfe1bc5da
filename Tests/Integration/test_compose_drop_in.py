"""docker/compose.sidecar.yml over other people's projects, as Docker Compose merges them; nothing is started."""

import os
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from observability.stackfile import DOCKER_COMPOSE, FOLDER, misfits

LITELLM = {
    "image": "litellm:1.106.2",
    "container_name": "my-litellm",
    "command": ["--config", "/app/config.yaml"],
    "environment": {"LITELLM_MASTER_KEY": "sk-of-a-test", "DATABASE_URL": "postgresql://db/litellm"},
    "volumes": ["./litellm:/app:ro"],
    "ports": ["4000:4000"],
    "labels": {"org.example.front": "yes"},
    "networks": ["front", "back"],
    "depends_on": ["db"],
    "healthcheck": {"test": ["CMD", "true"], "interval": "30s"},
    "restart": "unless-stopped",
}
# What a project's own LiteLLM may have besides.
OTHERS = {
    "nothing else": {},
    "lists": {"environment": ["LITELLM_MASTER_KEY=sk-of-a-test", "A=b"], "labels": ["org.example.front=yes"]},
    "an image of its own": {"build": {"context": "./litellm"}},
    "an old-fashioned build": {"build": "./litellm"},
    "files of variables": {"env_file": ["litellm.env"]},
    "secrets": {"secrets": ["key"], "configs": ["models"]},
    "conditions": {"depends_on": {"db": {"condition": "service_healthy"}}},
    "a program in one line": {"entrypoint": "litellm", "command": "--config /app/config.yaml"},
    "no network of its own": {"networks": None},
    "a health check that is off": {"healthcheck": {"disable": True}},
    "limits": {"deploy": {"resources": {"limits": {"cpus": "1", "memory": "1G"}}}},
}


def merged(folder: Path, litellm: dict, name: str = "compose.yml", **variables: str) -> dict[str, dict]:
    """The services of the project with the drop-in."""
    project = {
        "services": {
            "litellm": {key: value for key, value in litellm.items() if value is not None},
            "db": {"image": "postgres:17", "networks": ["back"], "healthcheck": {"test": ["CMD", "pg_isready"]}},
            "client": {"image": "open-webui", "networks": ["front"], "depends_on": ["litellm"]},
        },
        "networks": {"front": {}, "back": {}},
        "secrets": {"key": {"file": "./key"}},
        "configs": {"models": {"file": "./models"}},
    }
    (folder / name).write_text(yaml.safe_dump(project))
    (folder / "litellm.env").write_text("MORE=1\n")
    shutil.copy(FOLDER / "compose.sidecar.yml", folder)
    done = subprocess.run(
        [DOCKER_COMPOSE, "--file", name, "--file", "compose.sidecar.yml", "config"],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        env={**os.environ, **variables},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert misfits(done.stdout) == []
    return yaml.safe_load(done.stdout)["services"]


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
def test_the_sidecar_takes_the_place(others: dict, tmp_path: Path) -> None:
    """Name, ports, networks and labels stay; nothing else of LiteLLM's comes to it."""
    found = merged(tmp_path, deepcopy(LITELLM) | others)
    sidecar = found["litellm"]
    assert sidecar["container_name"] == "my-litellm" and sidecar["labels"] == {"org.example.front": "yes"}
    assert [(port["published"], port["target"]) for port in sidecar["ports"]] == [("4000", 4000)]
    assert set(sidecar["environment"]) == {"LITELLM_URL", "SIDECAR_GATEWAY", "SIDECAR_ADMIN_TOKEN"}
    assert {mount["target"] for mount in sidecar["volumes"]} == {"/sidecar/config", "/sidecar/var"}
    assert sidecar["command"] == ["serve"] and sidecar["entrypoint"] == ["/usr/bin/sidecar"]
    assert sidecar["healthcheck"]["test"] == ["CMD", "/usr/bin/sidecar", "health"]
    assert "disable" not in sidecar["healthcheck"]
    assert sidecar["depends_on"]["litellm-upstream"]["condition"] == "service_healthy"
    assert not {"build", "env_file", "secrets", "configs"} & set(sidecar)


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
def test_litellm_moves_with_what_it_needs(others: dict, tmp_path: Path) -> None:
    """All but what would make others reach it in place of the sidecar."""
    found = merged(tmp_path, deepcopy(LITELLM) | others)
    sidecar, upstream = found["litellm"], found["litellm-upstream"]
    assert upstream["environment"]["LITELLM_MASTER_KEY"] == "sk-of-a-test"
    assert [mount["target"] for mount in upstream["volumes"]] == ["/app"]
    assert upstream["command"] == ["--config", "/app/config.yaml"]
    assert set(upstream["depends_on"]) == {"db"} and upstream["restart"] == "unless-stopped"
    assert upstream["hostname"] == "litellm-upstream" and upstream["networks"] == sidecar["networks"]
    assert not {"container_name", "ports", "labels"} & set(upstream)
    assert "/health/liveliness" in upstream["healthcheck"]["test"][-1]
    for key in ("build", "secrets", "configs", "deploy"):
        assert (key in upstream) == (key in others), key


def test_another_file_and_another_port(tmp_path: Path) -> None:
    variables = {"COMPOSE_BASE": "docker-compose.yaml", "SIDECAR_LITELLM_PORT": "8000", "SIDECAR_IMAGE": "sidecar:9"}
    found = merged(tmp_path, LITELLM, "docker-compose.yaml", **variables)
    assert found["litellm"]["image"] == "sidecar:9"
    assert found["litellm"]["environment"]["SIDECAR_GATEWAY"] == "0.0.0.0:8000"
    assert found["litellm"]["environment"]["LITELLM_URL"] == "http://litellm-upstream:8000"
    assert "127.0.0.1:8000" in found["litellm-upstream"]["healthcheck"]["test"][-1]


def test_the_other_services_stay(tmp_path: Path) -> None:
    found = merged(tmp_path, LITELLM)
    assert set(found) == {"litellm", "litellm-upstream", "db", "client"}
    assert set(found["client"]["depends_on"]) == {"litellm"} and set(found["client"]["networks"]) == {"front"}
