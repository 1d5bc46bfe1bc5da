"""The image: what is in it, as whom it runs, how it starts, tells how it is, and ends."""

import http.client
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from containers import IMAGE, inspect, podman, wait_until
from stack import free_port

Start = Callable[..., str]
MOST_BYTES = 60_000_000


def files() -> dict[str, str]:
    """The files of the image and their modes, as tar lists them."""
    name = podman("create", IMAGE)
    try:
        exported = subprocess.Popen(["podman", "export", name], stdout=subprocess.PIPE)
        lines = subprocess.run(["tar", "-tv"], stdin=exported.stdout, capture_output=True, text=True, check=True)
        exported.wait()
    finally:
        podman("rm", name)
    return {line.split(None, 5)[5].split(" -> ")[0]: line.split()[0] for line in lines.stdout.splitlines()}


def test_it_is_small() -> None:
    image = inspect(IMAGE)
    assert image["Size"] <= MOST_BYTES
    assert image["Config"]["User"] == "65532:65532"


def test_it_holds_one_program() -> None:
    """No shell, no package manager, nothing that takes another user's rights; the certificates that https needs."""
    found = files()
    programs = [name for name, mode in found.items() if mode.startswith("-") and "/bin/" in f"/{name}"]
    assert programs == ["usr/bin/sidecar"]
    assert [name for name, mode in found.items() if "s" in mode[:10] or "S" in mode[:10]] == []
    assert {"etc/ssl/certs/ca-certificates.crt", "usr/share/doc/sidecar/NOTICE"} <= set(found)


def test_it_knows_its_version() -> None:
    assert podman("run", "--rm", IMAGE, "version").startswith("sidecar ")


def answers(port: int) -> bool:
    """Whether any answer comes, whatever it says of an upstream that is not there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/v1/models")
        return connection.getresponse().status > 0
    except http.client.HTTPException as error:
        raise ConnectionError from error
    finally:
        connection.close()


def test_it_answers_at_once(start: Start, capsys: pytest.CaptureFixture) -> None:
    """Read-only, as nobody, within 0.2 s of the program's start."""
    port = free_port()
    name = start("--publish", f"127.0.0.1:{port}:4100")
    wait_until(lambda: answers(port), 10, pause=0.005)
    answered = time.clock_gettime(time.CLOCK_BOOTTIME)
    process = Path(f"/proc/{inspect(name)['State']['Pid']}")
    # When the process was made, before podman says that the container has started (proc_pid_stat(5), field 22).
    ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
    seconds = answered - ticks / os.sysconf("SC_CLK_TCK")
    with capsys.disabled():
        print(f"\nfirst answer {seconds * 1000:.0f} ms after the start")
    assert seconds < 0.2
    status = (process / "status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == ["65532"] * 4
    assert int(lines["CapEff"], 16) == 0 and lines["NoNewPrivs"] == "1"


def test_its_health_check(start: Start) -> None:
    """Healthy while it serves; a container in which nothing serves is not."""
    name = start("--network=none")
    wait_until(lambda: podman("healthcheck", "run", name) == "", 5)
    idle = start("--network=none", "--env", "SIDECAR_CONFIG=/missing.json")
    with pytest.raises(RuntimeError):
        podman("healthcheck", "run", idle)


def test_it_ends_when_it_is_told_to(start: Start) -> None:
    name = start("--network=none")
    wait_until(lambda: podman("healthcheck", "run", name) == "", 5)
    begun = time.monotonic()
    podman("stop", "--time=35", name)
    assert time.monotonic() - begun < 5
    assert inspect(name)["State"]["ExitCode"] == 0


def test_a_mounted_configuration_and_images_of_its_own(start: Start, tmp_path: Path) -> None:
    """The folder is seen when a file in it changes; what is kept goes to a volume that belongs to the user."""
    admin, token = free_port(), "a-token-of-this-test"
    configuration = {
        "version": 1,
        "listen": {
            "gateway": {"address": "0.0.0.0:4100", "upstream": "litellm"},
            "admin": {"address": "0.0.0.0:4190", "token": token},
        },
        "upstreams": {"litellm": {"kind": "litellm", "url": "http://127.0.0.1:9"}},
        "media": {"store": {"kind": "directory", "path": "var/media"}},
    }
    tmp_path.chmod(0o755)
    path = tmp_path / "antigravity.json"
    path.write_text(json.dumps(configuration))
    volumes = ["--volume", f"{tmp_path}:/sidecar/config:ro", "--volume", "/sidecar/var"]
    name = start("--publish", f"127.0.0.1:{admin}:4190", *volumes)
    wait_until(lambda: podman("healthcheck", "run", name) == "", 5)

    def fingerprint() -> str:
        """Of the configuration that is in force."""
        headers = {"authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{admin}/status", headers=headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)["configuration"]

    before = fingerprint()
    path.with_suffix(".new").write_text(json.dumps(configuration | {"clip": {"maxContextTokens": 24_000}}))
    path.with_suffix(".new").rename(path)
    wait_until(lambda: fingerprint() != before, 10)
