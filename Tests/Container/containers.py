"""podman for the tests: containers of one run, and what a project of Compose becomes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGE = os.environ.get("SIDECAR_IMAGE", "localhost/sidecar:local")
DEBIAN = os.environ.get("DEBIAN_IMAGE", "localhost/sidecar-debian")
PYTHON = sys.executable
MOST_RESTARTS = 3
# As scripts/image runs podman, for a test that is run by itself.
os.environ.setdefault("CONTAINERS_CONF", str(ROOT / "scripts/containers.conf"))


def program(module: str) -> list[str]:
    """A command of a Python package.

    Not its script: that begins with the path at which its folder was made, which a link or a move makes wrong.
    """
    return [PYTHON, "-m", module]


COMPOSE = program("podman_compose")


def python_volumes() -> list[str]:
    """This Python with its packages, at the same places within a container."""
    return [f"{folder}:{folder}:ro" for folder in sorted({sys.base_prefix, sys.prefix, str(ROOT / "Tests")})]


def run(*command: str, seconds: float = 120, **options: object) -> str:
    """The output of a command; raises with all of it if the command fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout.strip()


def podman(*arguments: str, seconds: float = 120) -> str:
    return run("podman", *arguments, seconds=seconds)


def make_peers() -> str:
    """The image of what the services of a project need beside their packages; gives its name."""
    name = "localhost/sidecar-test-peers"
    build = ["--network=host", f"--build-arg=DEBIAN_IMAGE={DEBIAN}", "--tag", name]
    podman("build", *build, str(ROOT / "Tests/Container"), seconds=600)
    return name


def remove_project(name: str) -> None:
    """Takes away the containers, networks and volumes of a project, whatever state they are in."""
    # Containers that share another's network go with it.
    for kind, options in (("container", ["--depend", "--time=1"]), ("network", []), ("volume", [])):
        every = ["--all"] if kind == "container" else []
        mine = podman(kind, "ls", *every, "--quiet", "--filter", f"label=io.podman.compose.project={name}").split()
        if mine:
            podman(kind, "rm", "--force", *options, *mine)


def inspect(name: str) -> dict:
    return json.loads(podman("inspect", name))[0]


def healthy(container: str) -> bool:
    """Whether the health check of its service passes now; raises when the container has ended.

    podman checks it by itself only where systemd runs.
    """
    found = inspect(container)
    if found["State"]["Status"] in ("exited", "dead") or found["RestartCount"] > MOST_RESTARTS:
        raise Ended(log(container))
    return podman("healthcheck", "run", container) == ""


def log(container: str) -> str:
    """The end of what it wrote."""
    command = ["podman", "logs", "--tail=60", container]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout


class Ended(Exception):
    """A container has ended that should serve; with the end of its log."""


def wait_until(condition: Callable[[], object], seconds: float, pause: float = 0.2) -> None:
    """Returns when it holds; raises what it raised last, or that it never did."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
            error = TimeoutError(f"not so within {seconds} s")
        except (OSError, RuntimeError) as raised:
            error = raised
        if time.monotonic() > deadline:
            raise error
        time.sleep(pause)
