"""What a sidecar that runs for months must not have more of from hour to hour."""

import os
import re
import statistics
import urllib.request

from . import processes

MOST_MEMORY_GROWTH = 1.03
MOST_CPU_GROWTH = 1.05
MOST_SERIES_GROWTH = 1.01
MAPS = ("moved_conversations", "breakers", "calibrated_models")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """User and system time of the processes so far."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                # The name in brackets may hold anything, so the fields are counted from its end.
                total += sum(int(field) for field in file.read().rsplit(")", 1)[1].split()[11:13])
        except OSError:
            pass
    return total / TICKS


def metrics(port):
    """The sidecar's metrics: `name{labels}` -> value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return dict(read(line) for line in lines if line and not line.startswith("#"))


def read(line):
    name, value = re.match(r"(\S+?(?:\{.*?\})?) (\S+)", line).groups()
    return name, float(value)


def figures(port, scraped, pids):
    """Those that are sampled beside memory and descriptors."""
    status = processes.get_json(port, "/status")  # leaves without a word, unlike the request for the metrics
    requests = sum(value for key, value in scraped.items() if key.startswith("sidecar_requests_total{"))
    kept = ("sidecar_connections_open", "sidecar_streams_open", "sidecar_images_total")
    return {
        "series": len(scraped),
        "requests": requests,
        "cpu_s": round(cpu_seconds(pids), 2),
        "buffered_bytes": status["bufferedBytes"],
        "moved_conversations": status["movedConversations"],
        "breakers": len(status["breakers"]),
        "calibrated_models": len(status["calibration"]),
        **{key: value for key, value in scraped.items() if key.split("{")[0] in kept},
    }


def cpu_per_request(samples):
    """Microseconds of CPU a request, from the first to the last of the samples."""
    return (samples[-1]["cpu_s"] - samples[0]["cpu_s"]) / (samples[-1]["requests"] - samples[0]["requests"]) * 1e6


def quarters(samples):
    size = len(samples) // 4
    return [samples[at * size : (at + 1) * size] for at in range(4)]


def problems(samples, sampled_figures):
    """Of a run that is long enough: memory, CPU a request and series that still grow."""
    found = []
    third, last = (statistics.median(s["rss_mb"] for s in part) for part in quarters(samples)[2:])
    if last > MOST_MEMORY_GROWTH * third:
        found.append(f"{third} MB resident in the third quarter became {last} MB in the last")
    parts = quarters(sampled_figures)
    before, after = cpu_per_request(parts[1]), cpu_per_request(parts[3])
    if after > MOST_CPU_GROWTH * before:
        found.append(f"{before:.0f} µs of CPU a request in the second quarter became {after:.0f} µs in the last")
    half, end = parts[1][-1]["series"], parts[3][-1]["series"]
    if end > MOST_SERIES_GROWTH * half:
        found.append(f"{half} series of metrics became {end} in the second half")
    for name in MAPS:
        if parts[3][-1][name] > parts[1][-1][name]:
            found.append(f"{parts[1][-1][name]} {name} became {parts[3][-1][name]} in the second half")
    return found
