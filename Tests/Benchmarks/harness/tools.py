"""The scratch folder and what is made in it: the C tools and the request bodies."""

import json
import os
import resource
import subprocess

from . import bodies

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(os.path.dirname(HERE), "c")
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SCRATCH = os.path.join(REPOSITORY, ".build", "bench")
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
TOOLS = {
    "loadgen": ["loadgen", "marks", "samples", "procstat", "response", "head", "chunked", "listen"],
    "mock": ["mock", "answers", "request", "head", "chunked", "timers", "listen"],
    "endurance": ["endurance", "clients", "outbound", "verdict", "outage", "marks", "samples", "timers", "listen"]
    + ["response", "head", "chunked"],
}


def scratch(*parts):
    """A path in the scratch folder."""
    return os.path.join(SCRATCH, *parts)


def newest(folder):
    return max(os.path.getmtime(os.path.join(folder, name)) for name in os.listdir(folder))


def build():
    """Builds the tools that are older than the sources."""
    os.makedirs(SCRATCH, exist_ok=True)
    for name, parts in TOOLS.items():
        binary = scratch(name)
        if os.path.exists(binary) and os.path.getmtime(binary) > newest(SOURCES):
            continue
        sources = [os.path.join(SOURCES, part + ".c") for part in parts]
        subprocess.run(["gcc", *FLAGS, "-o", binary, *sources], check=True)


def write_bodies():
    """Writes the request bodies, the same bytes in every run."""
    folder = scratch("bodies")
    os.makedirs(folder, exist_ok=True)
    for name, body in bodies.all_bodies():
        with open(os.path.join(folder, name + ".json"), "wb") as file:
            file.write(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def raise_file_limit():
    """1,000 streams are 2,000 descriptors of a proxy. Its processes inherit the limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
