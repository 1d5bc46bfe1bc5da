"""A real Prometheus with the project's configuration, and exporters that stand in for what cannot be had here."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import yaml

from stack import ROOT, Program, free_port, get

CONFIGURATION = ROOT / "config/prometheus"
SCRAPE_INTERVAL = "500ms"
SAMPLES = Path(__file__).parent


def program(name: str) -> str:
    """The path of a program that scripts/setup brings, in the virtual environment or installed."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found, f"{name} is missing: run scripts/setup run"
    return found


def run(name: str, *arguments: str | Path, folder: Path = ROOT) -> str:
    """The output of a checking program, which must be content."""
    command = [program(name), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Exporter:
    """Serves a file of samples in the text format; counters and histograms grow by the file's value each scrape."""

    def __init__(self, file: str, but: Callable[[], set[str]] = set) -> None:
        self.file = SAMPLES / file
        self.but = but
        self.scrapes = 0
        handler = type("Handler", (self.Handler,), {"exporter": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.exporter.text().encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """No log."""

    def text(self) -> str:
        self.scrapes += 1
        left_out, kind, lines = self.but(), "", []
        for line in self.file.read_text().splitlines():
            if line.startswith("# TYPE "):
                _, _, family, kind = line.split(" ")
            if line.startswith("#"):
                continue
            series, _, value = line.rpartition(" ")
            if family not in left_out:
                lines.append(f"{series} {float(value) * (1 if kind == 'gauge' else self.scrapes)}")
        return "\n".join(lines) + "\n"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def families(exposition: str) -> set[str]:
    """The families of an exposition that have a sample."""
    names = re.findall(r"^(\w+)(?:\{|\s)", exposition, re.MULTILINE)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def configuration(targets: dict[str, str]) -> dict:
    """prometheus.yml with these targets instead of the stack's and short intervals, but its relabelling and rules."""
    read = yaml.safe_load((CONFIGURATION / "prometheus.yml").read_text())
    read["global"] = {"scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": SCRAPE_INTERVAL}
    read["global"]["scrape_timeout"] = SCRAPE_INTERVAL
    read["rule_files"] = [str(CONFIGURATION / file) for file in read["rule_files"]]
    del read["alerting"]
    for job in read["scrape_configs"]:
        job.pop("scrape_interval", None)
        # The others stay, silent: an alert has to tell.
        name = job["job_name"]
        job["static_configs"] = [{"targets": [targets.pop(name, f"127.0.0.1:{free_port()}")]}]
    for name, target in targets.items():
        read["scrape_configs"].append({"job_name": name, "static_configs": [{"targets": [target]}]})
    return read


class Prometheus(Program):
    """The server, with questions for it at the moment that `now` names."""

    def __init__(self, folder: Path, targets: dict[str, str], *options: str) -> None:
        folder.mkdir()
        file = folder / "prometheus.json"
        # JSON is YAML too.
        file.write_text(json.dumps(configuration(targets)))
        address = f"127.0.0.1:{free_port()}"
        command = [program("prometheus"), f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
        command += [f"--web.listen-address={address}", "--log.level=warn", *options]
        super().__init__(command, folder / "prometheus.log")
        self.url = f"http://{address}"
        self.wait_until(f"{self.url}/-/ready", 30)
        self.begun = self.now = time.time()

    def window(self) -> str:
        """A range that reaches from the beginning to `now`."""
        return f"{round(self.now - self.begun)}s"

    def ask(self, expression: str) -> list[dict]:
        """The series of an instant query."""
        query = urllib.parse.urlencode({"query": expression, "time": f"{self.now:.3f}"})
        status, text = get(f"{self.url}/api/v1/query?{query}", timeout=30)
        assert status == 200, f"{expression}: {text}"
        return json.loads(text)["data"]["result"]

    def rules(self) -> list[dict]:
        """Every rule with its health and last error."""
        groups = json.loads(get(f"{self.url}/api/v1/rules", timeout=30)[1])["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]
