"""An S3 server of another make: Ceph's gateway before a cluster of its own, which lives in memory."""

import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import boto3
from botocore.config import Config

from stack import Program, free_port

CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
public network = 127.0.0.0/8
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
log to file = false
mon cluster log to file = false
log to stderr = true
run dir = {folder}
admin socket = {folder}/$name.asok
keyring = {folder}/keyring
mon data = {folder}/mon
osd data = {folder}/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
"""
KEYS = {
    "mon.": ["mon", "allow *"],
    "client.admin": ["mon", "allow *", "osd", "allow *"],
    "osd.0": ["mon", "allow profile osd", "osd", "allow *"],
    "client.rgw": ["mon", "allow *", "osd", "allow *"],
}
"""Who may do what in the cluster."""


class CephGateway:
    """A monitor, a storage daemon with its objects in memory, and the gateway; all on loopback."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        # The path of a socket has little room, and pytest's folders have long names.
        self.folder = Path(tempfile.mkdtemp(prefix="sidecar-ceph-"))
        self.credentials = (access_key, secret_key)
        self.port = free_port()
        self.programs: list[Program] = []
        try:
            self.configure()
            self.start_cluster()
            self.start()
            self.make_user()
            self.make_pools()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self) -> None:
        """Writes the cluster's settings and keys."""
        fsid = str(uuid.uuid4())
        ports = [free_port(), free_port()]
        settings = CONFIGURATION.format(fsid=fsid, ports=ports, folder=self.folder, port=self.port)
        (self.folder / "ceph.conf").write_text(settings)
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        self.finish("ceph-authtool", "keyring", "--create-keyring", with_settings=False)
        for name, rights in KEYS.items():
            caps = [part for i in range(0, len(rights), 2) for part in ("--cap", *rights[i : i + 2])]
            self.finish("ceph-authtool", "keyring", "--gen-key", "-n", name, *caps, with_settings=False)
        monitor = f"[v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]"
        self.finish("monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, "monmap", with_settings=False)

    def start_cluster(self) -> None:
        self.finish("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
        self.launch("ceph-mon", "-i", "a")
        storage = str(uuid.uuid4())
        self.finish("ceph", "osd", "new", storage, "0")
        self.finish("ceph", "auth", "import", "-i", "keyring")
        self.finish("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", storage)
        self.launch("ceph-osd", "-i", "0")

    def start(self) -> None:
        """Starts the gateway; the cluster behind it runs on when it is killed."""
        self.gateway = self.launch("radosgw", "-n", "client.rgw")
        self.gateway.wait_until(self.url, 60)

    def kill(self) -> None:
        self.gateway.process.kill()
        self.gateway.process.wait()

    def make_user(self) -> None:
        keys = [f"--access-key={self.credentials[0]}", f"--secret-key={self.credentials[1]}"]
        self.finish("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid=t", "--display-name=t", *keys)

    def make_pools(self) -> None:
        """The first bucket and object of a gateway take seconds, since the pools for them are made."""
        self.client().create_bucket(Bucket="first")
        self.client().put_object(Bucket="first", Key="first", Body=b"first")

    def launch(self, *command: str) -> Program:
        line = [program(command[0]), "-c", "ceph.conf", "-f", *command[1:]]
        self.programs.append(Program(line, self.folder / f"{command[0]}.log"))
        return self.programs[-1]

    def finish(self, *command: str, with_settings: bool = True) -> None:
        """Runs a program of Ceph to its end; raises with its output if it fails."""
        line = [program(command[0]), *(["-c", "ceph.conf"] if with_settings else []), *command[1:]]
        run = subprocess.run(line, cwd=self.folder, capture_output=True, timeout=60, check=False)
        if run.returncode:
            raise RuntimeError(f"{command[0]}: {run.stderr.decode()[-2000:]}")

    def client(self) -> "boto3.client":
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.credentials[0],
            aws_secret_access_key=self.credentials[1],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Every object of a bucket by its key; none where there is no such bucket."""
        client = self.client()
        if bucket not in [each["Name"] for each in client.list_buckets()["Buckets"]]:
            return {}
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def stop(self) -> None:
        """The gateway first; what they hold is thrown away, so nobody waits for them to write it."""
        for each in reversed(self.programs):
            each.stop(0.5)
        shutil.rmtree(self.folder, ignore_errors=True)


def program(name: str) -> str:
    """Where a program of Ceph is."""
    found = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin")
    if not found:
        raise RuntimeError(f"{name} is missing: run scripts/setup rgw")
    return found
