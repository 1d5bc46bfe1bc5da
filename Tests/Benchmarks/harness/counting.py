"""Measures token counters: a process for each count, so that every first call meets a process without memory."""

import json
import os
import statistics
import subprocess
import sys

from . import counters, vocabularies
from .tools import REPOSITORY

PYTHON = os.path.join(REPOSITORY, ".venv", "bench", "bin", "python")
BENCHMARKS = os.path.join(REPOSITORY, "Tests", "Benchmarks")
SIDECAR = "sidecar"
GIVE_UP_SECONDS = 120
# Everybody gets one thread. tiktoken looks for its vocabularies where they were written.
ENVIRONMENT = {
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TIKTOKEN_CACHE_DIR": vocabularies.FOLDER,
}


class Failure(Exception):
    """A counter that did not count."""


def command(counter, encoding, path, options):
    if counter == SIDECAR:
        return [options.sidecar, "count", "--encoding", encoding, "--bench", path]
    return [options.python, "-m", "harness.counters", counter, encoding, path]


def measure(counter, encoding, path, options):
    """One process: bytes, tokens, seconds of the first call and of the median of the later ones."""
    pinned = ["taskset", "-c", options.cpu, *command(counter, encoding, path, options)]
    try:
        done = subprocess.run(
            pinned,
            cwd=BENCHMARKS,
            env=os.environ | ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=GIVE_UP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"no count within {GIVE_UP_SECONDS} s") from None
    if done.returncode != 0:
        complaint = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise Failure(complaint[-1][:200])
    return json.loads(done.stdout)


def run_rounds(cells, rounds, options):
    """Measures cells (counter, encoding, path) round by round, so that slow changes of the machine meet all alike.

    Returns the medians by cell. A cell that failed once is not measured again, and what it said is its "error".
    """
    runs, errors = {cell: [] for cell in cells}, {}
    for index in range(rounds):
        first = index * len(cells) // rounds
        for cell in cells[first:] + cells[:first]:
            if cell in errors:
                continue
            try:
                runs[cell].append(measure(*cell, options))
            except Failure as failure:
                errors[cell] = str(failure)
                print(" ".join(map(os.path.basename, cell)) + f": {failure}", file=sys.stderr, flush=True)
        print(f"round {index + 1} of {rounds} is done", file=sys.stderr, flush=True)
    return {cell: {"error": errors[cell]} if cell in errors else middle(runs[cell]) for cell in cells}


def middle(measured):
    """The medians of the rounds. Tokens are the same in all of them, or the counter is not one."""
    if len({(run["bytes"], run["tokens"]) for run in measured}) != 1:
        return {"error": "another count in another round"}
    times = {key: statistics.median(run[key] for run in measured) for key in ("first_s", "median_s")}
    return {"bytes": measured[0]["bytes"], "tokens": measured[0]["tokens"], **times}


def counters_of(encoding, chosen):
    """The chosen counters that know an encoding, the sidecar first."""
    return [SIDECAR, *(name for name in chosen if encoding in counters.COUNTERS[name][1])]


def reference(encoding):
    """The counter that says what is right."""
    return "tiktoken" if encoding in counters.COUNTERS["tiktoken"][1] else "tokenizers"
