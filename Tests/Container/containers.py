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
COMPOSE = str(Path(sys.executable).parent / "podman-compose")


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


def inspect(name: str) -> dict:
    return json.loads(podman("inspect", name))[0]


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
