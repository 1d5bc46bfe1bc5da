"""Time from the start of a process to its first answer, memory at rest, size of the binary."""

import http.client
import os
import statistics
import subprocess
import time

from . import processes
from .targets import LITELLM_KEY, Running
from .tools import scratch

GIVE_UP_SECONDS = 120


def first_answer(port, body, process):
    """Asks until somebody answers 200."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + LITELLM_KEY}
    end = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise processes.TargetError(f"exited with status {process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("POST", "/v1/chat/completions", body, headers)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.001)
    raise processes.TargetError(f"no answer after {GIVE_UP_SECONDS} s")


def measure(target, ports, options, mock):
    """Medians of several starts."""
    with open(scratch("bodies", "short.json"), "rb") as file:
        body = file.read()
    seconds, resident = [], []
    for _ in range(1 if target == "litellm" else options.starts):
        began = time.monotonic()
        running = Running(target, ports, options, mock)
        try:
            first_answer(running.port, body, running.process)
            seconds.append(time.monotonic() - began)
            time.sleep(1)
            resident.append(processes.resident_kb(running.pids) / 1024)
        finally:
            running.stop()
    return {
        "start_s": statistics.median(seconds),
        "start_min_s": min(seconds),
        "start_max_s": max(seconds),
        "idle_rss_mb": statistics.median(resident),
    }


def stripped_mb(binary):
    """Size of a copy without symbols, in MB of 1,000,000 bytes."""
    copy = scratch("stripped")
    subprocess.run(["strip", "-o", copy, binary], check=True)
    return os.path.getsize(copy) / 1e6
