"""Reads docker/compose.yml and what belongs to it, and renders it by podman-compose and by Docker Compose."""

import json
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

from stack import ROOT

FOLDER = ROOT / "docker"
FILE = FOLDER / "compose.yml"
EXAMPLE = FOLDER / ".env.example"
SCHEMA = ROOT / "Tests/Fixtures/compose/compose-spec.json"
DOCKER_COMPOSE = Path(sys.executable).parent / "docker-compose"
"""It needs no engine to read files."""
PROFILES = ("core", "dify", "observability", "tools")
# Every way to switch profiles on.
CHOICES = [choice for count in range(1, len(PROFILES) + 1) for choice in combinations(PROFILES, count)]


def services() -> dict[str, dict]:
    return yaml.safe_load(FILE.read_text())["services"]


def chosen(choice: tuple[str, ...]) -> set[str]:
    """The services that these profiles start."""
    return {name for name, service in services().items() if set(service["profiles"]) & set(choice)}


def networks_of(service: dict) -> set[str]:
    """Networks, whether written as a list or with settings."""
    return set(service.get("networks", []))


def conditions_of(service: dict) -> dict[str, str]:
    return {name: wanted["condition"] for name, wanted in service.get("depends_on", {}).items()}


def variables(text: str) -> dict[str, str]:
    """Every variable that the text asks for, with its operator and default or message (":-3000", ":?run …", "")."""
    found = {}
    # Inner ones first: a default may hold another variable.
    while match := re.search(r"(?<!\$)\$\{(\w+)((?::?[-?+])[^{}]*)?\}", text):
        found.setdefault(match[1], match[2] or "")
        text = text[: match.start()] + text[match.end() :]
    return found


def example() -> dict[str, str]:
    """The variables of .env.example with the comment above each; those of a group share it."""
    comment, explained = "", {}
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("#"):
            comment += f"{line}\n"
        elif not line:
            comment = ""
        else:
            explained[line.partition("=")[0]] = comment
    return explained


def environment(file: Path) -> dict[str, str]:
    lines = (line for line in file.read_text().splitlines() if re.match(r"[A-Z]\w*=", line))
    return dict(line.split("=", 1) for line in lines)


def fill_in(file: Path) -> str:
    """What `docker/secrets` prints when it makes or completes that file."""
    done = subprocess.run([FOLDER / "secrets", file], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout


def rendered(choices: list[tuple[str, ...]], env_file: Path, folder: Path) -> dict[tuple[str, ...], str]:
    """What podman-compose makes of the file for each choice of profiles."""
    names = {choice: ",".join(choice) for choice in choices}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("render.py"), FILE, env_file, folder, *names.values()],
        capture_output=True,
        text=True,
        timeout=300,
        # What switches profiles on besides must not come from the machine.
        env={**os.environ, "COMPOSE_PROFILES": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {choice: (folder / name).read_text() for choice, name in names.items()}


def rendered_by_docker(choice: tuple[str, ...], env_file: Path) -> str:
    """What Docker Compose makes of the file for a choice of profiles."""
    profiles = [f"--profile={profile}" for profile in choice]
    done = subprocess.run(
        [DOCKER_COMPOSE, "--file", FILE, "--env-file", env_file, *profiles, "config"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COMPOSE_PROFILES": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def misfits(text: str) -> list[str]:
    """What in a compose file does not fit the schema of the Compose specification."""
    errors = Draft7Validator(json.loads(SCHEMA.read_text())).iter_errors(yaml.load(text, yaml.CSafeLoader))
    return [f"{error.json_path}: {error.message}" for error in errors]
