"""A process that goes away now and then and comes back on its port."""

import json
import threading
import time

from . import processes


class Outages:
    """When something was away."""

    def __init__(self):
        self.last_end = 0.0
        self.count = 0

    def begin(self):
        self.count += 1
        self.last_end = float("inf")

    def end(self):
        self.last_end = time.monotonic()

    def since(self, begun):
        """Whether it was away at any time since then."""
        return begun < self.last_end


class Mortal:
    """Its SIGTERM ends it at once, with one line of JSON: what that life has seen."""

    def __init__(self, command, port, log, cpus):
        self.command, self.port, self.log, self.cpus = command, port, log, cpus
        self.outages = Outages()
        self.lives = []
        self.failure = None
        self.stopping = threading.Event()
        self.thread = None
        self.start()

    def start(self):
        self.process = processes.start(self.command, self.log, self.cpus)
        processes.wait_listening(self.port, self.process, self.log, 10)

    def leave(self):
        self.process.terminate()
        self.process.wait(10)
        with open(self.log) as file:
            self.lives.append(json.loads(file.readlines()[-1]))

    def restart_every(self, seconds, away, load=None, signals=None):
        """Begins to; a load generator is told when it goes and when it is back, by these two signals."""
        arguments = (seconds, away, load, signals)
        self.thread = threading.Thread(target=self.repeat, args=arguments, daemon=True)
        self.thread.start()

    def repeat(self, seconds, away, load, signals):
        try:
            while not self.stopping.wait(seconds):
                self.outages.begin()
                if load:
                    load.send_signal(signals[0])
                self.leave()
                time.sleep(away)
                self.start()
                if load:
                    load.send_signal(signals[1])
                self.outages.end()
        except Exception as error:
            self.failure = error

    def settle(self):
        """Ends the restarts; it is there afterwards."""
        self.stopping.set()
        if self.thread:
            self.thread.join()
        self.check()

    def check(self):
        """Raises what went wrong with a restart."""
        if self.failure:
            raise processes.TargetError(f"a restart failed: {self.failure!r}")

    def stop(self):
        self.stopping.set()
        if self.thread:
            self.thread.join()
        processes.stop(self.process)

    def seen(self, path):
        """The figures of all its lives: sums, of peaks the highest, of what is under way the present ones."""
        now = processes.get_json(self.port, path)
        sums = {name: sum(life[name] for life in self.lives) + now[name] for name in now}
        peaks = {name: max(life[name] for life in [*self.lives, now]) for name in now if name.startswith("peak")}
        present = {name: now[name] for name in ("connections", "answering") if name in now}
        return {**sums, **peaks, **present, "restarts": len(self.lives)}
