"""A folder for the containers of one run; what a test starts is removed after it."""

import secrets
from collections.abc import Callable, Iterator

import pytest

from containers import IMAGE, podman


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Starts the image as it is meant to run, read-only and without any right; gives the container's name."""
    names: list[str] = []

    def start(*options: str, command: tuple[str, ...] = ()) -> str:
        names.append(f"sidecar-test-{secrets.token_hex(4)}")
        strict = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp"]
        podman("run", "--detach", "--name", names[-1], *strict, *options, IMAGE, *command)
        return names[-1]

    yield start
    for name in names:
        podman("rm", "--force", "--time=0", "--volumes", name)
