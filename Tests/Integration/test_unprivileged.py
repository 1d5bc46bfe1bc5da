"""The sidecar as nobody: everything else here may run as root, to which the system grants what it refuses to others."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres import without_root
from rawhttp import Upstream
from stack import SIDECAR, Program, free_port, get


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's folder, which nobody but its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="sidecar-nobody-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_it_serves_without_any_privilege(folder: Path) -> None:
    """It accepts connections, answers on both listeners, and reaches its upstream."""
    gateway, admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with Upstream() as upstream:
        configuration = {
            "version": 1,
            "listen": {
                "gateway": {"address": gateway, "upstream": "litellm"},
                "admin": {"address": admin, "token": ""},
            },
            "upstreams": {"litellm": {"kind": "litellm", "url": upstream.url}},
        }
        (folder / "sidecar.json").write_text(json.dumps(configuration))
        # Its folder may be one that only root enters.
        program = shutil.copy(SIDECAR, folder / "sidecar")
        command = [*without_root("nobody"), str(program), "serve", "--config", str(folder / "sidecar.json")]
        sidecar = Program(command, folder / "sidecar.log")
        try:
            sidecar.wait_until(f"http://{admin}/health/ready", 10)
            assert os.geteuid() != 0 or Path(f"/proc/{sidecar.process.pid}").stat().st_uid != 0
            assert get(f"http://{gateway}/v1/models") == (200, '{"ok":true}')
        finally:
            assert sidecar.stop() == 0, sidecar.output()
