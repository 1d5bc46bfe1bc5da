"""What deciding costs: scan, identity, plan, count and cut of one request, by the sidecar's own histogram."""

import copy
import http.client
import json
import re
import statistics
import urllib.request

from .targets import Running
from .tools import scratch

BLOCKS = 9
REQUESTS_PER_BLOCK = 100
# Every request is counted and, where it is longer, cut: what a fallback's attempt costs.
POLICIES = {
    "models": [{"match": ["*"], "encoding": "o200k_base", "contextTokens": 128_000}],
    "routes": [{"name": "all", "when": {}, "chain": ["$requested", "other"]}],
    "clip": {"on": "always", "maxContextTokens": 32_000},
}
SIZES = {"short": "2 KB request", "history": "200 KB history seen before"}


def plan_seconds(admin):
    """Sum and count of the time spent deciding so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    name = r'sidecar_overhead_seconds_{}\{{phase="plan"\}} (\S+)'
    return [float(re.search(name.format(part), text)[1]) for part in ("sum", "count")]


def send(connection, body):
    for _ in range(REQUESTS_PER_BLOCK):
        connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise OSError(f"status {answer.status}")


def measure(ports, options, mock):
    """Microseconds a request, the median of blocks of requests; size -> value."""
    options = copy.copy(options)
    options.config_extra = scratch("deciding.json")
    with open(options.config_extra, "w") as file:
        json.dump(POLICIES, file)
    running = Running("sidecar", ports, options, mock)
    try:
        running.wait()
        connection = http.client.HTTPConnection("127.0.0.1", ports.proxy, timeout=30)
        return {size: measure_size(connection, ports.admin, size) for size in SIZES}
    finally:
        running.stop()


def measure_size(connection, admin, size):
    with open(scratch("bodies", f"{size}.json"), "rb") as file:
        body = file.read()
    send(connection, body)
    blocks = []
    for _ in range(BLOCKS):
        before = plan_seconds(admin)
        send(connection, body)
        seconds, count = (after - earlier for after, earlier in zip(plan_seconds(admin), before, strict=True))
        blocks.append(seconds / count * 1e6)
    return statistics.median(blocks)
