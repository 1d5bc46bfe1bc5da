"""A LiteLLM that knows keys, teams and budgets: a stock one on a PostgreSQL of its own."""

import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from stack import LITELLM, LiteLLM, Program, Provider, free_port

PRISMA = Path(__file__).with_name("database")
SCHEMA = "lib/python*/site-packages/litellm_proxy_extras/migrations/*/migration.sql"
DEBIAN = "/usr/lib/postgresql/*/bin"


def command(name: str) -> str:
    """Where a program of PostgreSQL is: Debian keeps those of a server out of PATH."""
    folders = sorted(map(str, Path("/").glob(DEBIAN.lstrip("/"))), key=lambda path: int(Path(path).parent.name))
    found = shutil.which(name, path=os.pathsep.join([*reversed(folders), os.environ["PATH"]]))
    if not found:
        raise RuntimeError(f"{name} is missing: run scripts/setup run")
    return found


def without_root(owner: str = "postgres") -> list[str]:
    """What to put before a command, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={owner}", f"--regid={pwd.getpwnam(owner).pw_gid}", "--clear-groups"]


class PostgreSQL(Program):
    """A database server on loopback that forgets everything at the end."""

    def __init__(self) -> None:
        # Not below pytest's folder, which nobody but its owner may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="sidecar-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        data = self.folder / "data"
        self.finish(
            ["initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
            + ["--no-sync"]
        )
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "synchronous_commit": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        super().__init__(
            [*without_root(), command("postgres"), "-D", str(data), *options], self.folder / "postgres.log"
        )
        self.wait_for_sessions()

    def finish(self, arguments: list[str]) -> None:
        """Runs a program of PostgreSQL to its end; raises with its output if it fails."""
        run = subprocess.run(
            [*without_root(), command(arguments[0]), *arguments[1:]], cwd=self.folder, capture_output=True, check=False
        )
        if run.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {run.stderr.decode()}")

    def wait_for_sessions(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if subprocess.run([command("pg_isready"), "-q", "-d", self.url], check=False).returncode == 0:
                return
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL does not start:\n{self.output()[-4000:]}")

    def execute(self, statements: str) -> None:
        """Runs SQL; the first statement that fails raises."""
        psql = [command("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", self.url]
        run = subprocess.run(psql, input=statements.encode(), capture_output=True, check=False)
        if run.returncode:
            raise RuntimeError(run.stderr.decode()[-4000:])

    def stop(self, seconds: float = 40) -> int:
        """Ends it and its sessions, and removes its files."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = super().stop(seconds)
        shutil.rmtree(self.folder, ignore_errors=True)
        return status


class LiteLLMWithKeys(LiteLLM):
    """A stock LiteLLM with a database, in front of the scripted provider.

    Its Prisma client is the one in database/, for the reason that stands there.
    """

    def __init__(self, folder: Path, provider: Provider, database: PostgreSQL) -> None:
        migrations = sorted(LITELLM.parent.parent.glob(SCHEMA))
        database.execute("\n".join(path.read_text() for path in migrations))
        self.key = f"sk-{secrets.token_hex(16)}"
        port = free_port()
        config = folder / "litellm-with-keys.json"
        config.write_text(json.dumps(self.configuration(provider), indent=1))
        environment = {
            "LITELLM_MASTER_KEY": self.key,
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "DATABASE_URL": database.url,
            # The migrations were run above.
            "DISABLE_SCHEMA_UPDATE": "True",
            "PYTHONPATH": os.pathsep.join([str(PRISMA), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        # The start of a LiteLLM without a database is left out.
        Program.__init__(
            self,
            [str(LITELLM), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)],
            folder / "litellm-with-keys.log",
            environment,
        )
        self.url = f"http://127.0.0.1:{port}"

    def manage(self, path: str, **fields: object) -> dict:
        """The answer to a request with the master key."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(fields).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def make_key(self, **limits: object) -> str:
        """A new key; `rpm_limit`, `tpm_limit`, `max_parallel_requests`, `max_budget`, `models`, `team_id`, …"""
        return self.manage("/key/generate", **limits)["key"]

    def make_team(self, **limits: object) -> str:
        """A new team; its id is for `make_key(team_id=…)`."""
        return self.manage("/team/new", team_alias=secrets.token_hex(4), **limits)["team_id"]

    def block(self, key: str) -> None:
        self.manage("/key/block", key=key)

    def unblock(self, key: str) -> None:
        self.manage("/key/unblock", key=key)

    def delete(self, key: str) -> None:
        self.manage("/key/delete", keys=[key])
