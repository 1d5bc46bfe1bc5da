"""Addresses of this machine that nobody else uses, and files of names that only one process sees.

The stand-in for Google has to be found at port 443 under Google's names, by the proxies and by nobody else. Each
proxy therefore runs in a mount namespace of its own in which /etc/hosts is another file: getaddrinfo, c-ares and Go's
resolver all read it, and nothing on the machine changes. It takes root, as port 443 does.
"""

import os
import random
import socket
from pathlib import Path

import pytest

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="port 443 and private files of names need root")

UNSHARE = ["unshare", "--mount"]
DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]
ENTER = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && '


class Neighbourhood:
    """A /24 of 127.0.0.0/8, drawn so that runs beside each other do not meet: .1 is the origin's."""

    def __init__(self) -> None:
        for _ in range(50):
            self.prefix = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}."
            with socket.socket() as probe:
                if is_free(probe, (self.origin, 443)):
                    return
        raise RuntimeError("no address of 127.0.0.0/8 with a free port 443")

    @property
    def origin(self) -> str:
        return f"{self.prefix}1"

    def source(self, number: int) -> str:
        """Where the connections of one proxy come from, so that the origin can tell proxies apart."""
        return f"{self.prefix}{10 + number}"


def is_free(probe: socket.socket, address: tuple[str, int]) -> bool:
    try:
        probe.bind(address)
        return True
    except PermissionError:
        raise
    except OSError:
        return False


class Names:
    """A private /etc/hosts; a name that is not in it does not resolve, at once."""

    def __init__(self, folder: Path, names: dict[str, list[str]]) -> None:
        """`names`: the names of every address."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{address} {' '.join(hosts)}" for address, hosts in names.items()]
        self.hosts = folder / "hosts"
        self.hosts.write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")
        self.resolver = folder / "resolv.conf"
        # Nobody answers there, and the system says so without a wait.
        self.resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")

    def around(self, command: list[str]) -> list[str]:
        """The command that runs another where only these names are known."""
        return [*UNSHARE, *self.enter('exec "$@"'), *command]

    def contain(self, command: list[str]) -> list[str]:
        """The same, and no process of it outlives the first one, nor the tests however they end.

        The shell stays: a program that gives up root, as dante does, would lose the signal of its parent's death.
        """
        alone = [*DIES_WITH_PARENT, *UNSHARE, "--pid", "--fork", "--kill-child"]
        return [*alone, *self.enter('"$@"; exit'), *command]

    def enter(self, then: str) -> list[str]:
        return ["sh", "-c", ENTER + then, str(self.hosts), str(self.resolver)]
