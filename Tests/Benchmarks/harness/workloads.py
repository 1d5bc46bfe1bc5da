"""The workloads and how one is measured."""

import dataclasses
import json
import subprocess

from .tools import scratch


@dataclasses.dataclass(frozen=True)
class Workload:
    title: str
    body: str
    connections: int
    compared_by: str  # rps: higher is better; latency, delay: p99 in µs, lower is better
    seconds: float | None = None  # None: as the command line says
    warm_up: float = 1
    arguments: tuple = ()

    @property
    def rate(self):
        """Whether it is compared by a rate and not by a time."""
        return self.compared_by == "rps"

    @property
    def times(self):
        """The times that its p50 and p99 are of."""
        return "delay_us" if self.compared_by == "delay" else "latency_us"

    @property
    def unit(self):
        return {"rps": "requests/s", "latency": "p99 µs", "delay": "p99 µs of an event's delay"}[self.compared_by]

    @property
    def counted(self):
        """What a CPU-second of the proxy is divided by."""
        return "events" if self.compared_by == "delay" else "answers"


WORKLOADS = {
    "a": Workload("2 KB requests, 64 connections", "short", 64, "rps"),
    "a_open": Workload("2 KB requests, 2,000 a second", "short", 256, "latency", arguments=("-r", "2000")),
    "b": Workload("200 KB requests (61 turns), 64 connections", "history", 64, "rps"),
    "c": Workload("4 MB requests (one picture), 8 connections", "picture", 8, "rps"),
    "d": Workload("SSE answers, 200 events at once, 64 connections", "burst", 64, "rps"),
    "e": Workload(
        "1,000 SSE streams, an event each 100 ms", "paced-100", 1000, "delay", 8, 3, ("-t", "-s", "2000")
    ),
    "f": Workload("16 SSE streams, an event each 5 ms", "paced-5", 16, "delay", 4, 1.5, ("-t", "-s", "100")),
}
# LiteLLM with one worker answers some 60 requests a second.
LITELLM_RATE = ("-r", "50")


def measure(name, target, running, options):
    """Runs one workload against a running target and returns what the load generator printed."""
    workload = WORKLOADS[name]
    seconds = options.seconds
    if workload.seconds:
        seconds = options.paced_seconds or workload.seconds
    command = ["taskset", "-c", options.load_cpus, scratch("loadgen"), "-p", str(running.port)]
    command += ["-b", scratch("bodies", workload.body + ".json"), "-c", str(workload.connections)]
    command += ["-d", str(seconds), "-w", str(workload.warm_up), "-P", ",".join(map(str, running.pids))]
    command += LITELLM_RATE if name == "a_open" and target == "litellm" else workload.arguments
    before = running.pids
    result = subprocess.run(command, capture_output=True, text=True)
    if running.pids != before:
        return {"error": "a process of the target ended or was replaced during the workload"}
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError:
        return {"error": (result.stdout + result.stderr)[-300:].strip() or f"status {result.returncode}"}
