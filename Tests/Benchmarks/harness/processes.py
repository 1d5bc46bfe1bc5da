"""Starting, watching and ending the processes of a run."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time


class TargetError(Exception):
    """A target did not start or did not answer."""


def end_on_sigterm():
    """Makes SIGTERM run the `finally` blocks, which end the started processes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def start(command, log_path, cpus=None, environment=None):
    """Starts a process with its output in a log, pinned to a list of CPUs if one is given."""
    pin = ["taskset", "-c", cpus] if cpus else []
    with open(log_path, "w") as log:
        return subprocess.Popen(
            pin + command, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def require_free(*ports):
    """Refuses ports on which somebody answers: the run would measure that process and not its own."""
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise TargetError(f"port {port} is in use")


def wait_listening(port, process, log_path, seconds):
    """Waits until a port accepts connections."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TargetError(f"exited with status {process.returncode}: {tail(log_path)}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TargetError(f"nothing listens on port {port} after {seconds} s: {tail(log_path)}")


def tail(path):
    with open(path, errors="replace") as file:
        return file.read()[-300:].strip()


def stop(process):
    """Ends a process; by force, with its children, when it does not go by itself."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        for pid in reversed(tree(process.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()


def tree(pid):
    """The process and all its descendants."""
    pids = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                for child in file.read().split():
                    pids += tree(int(child))
    except OSError:
        pass
    return pids


def resident_kb(pids):
    """Resident memory, the processes added up."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        except OSError:
            pass
    return total


def get_json(port, path):
    """The JSON that a GET on loopback answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
