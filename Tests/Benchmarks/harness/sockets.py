"""What descriptors and connections a proxy holds, as the kernel tells it."""

import collections
import os

LISTEN, ESTABLISHED = 0x0A, 0x01


def socket_table():
    """inode -> local port, remote port, state."""
    table = {}
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name) as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            ports = [int(address.rsplit(":", 1)[1], 16) for address in fields[1:3]]
            table[fields[9]] = (*ports, int(fields[3], 16))
    return table


def descriptors(pids):
    """What the descriptors of some processes point to, each socket once."""
    links = []
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
    sockets = {link for link in links if link.startswith("socket:")}
    return [link for link in links if link not in sockets] + sorted(sockets)


def count(pids, ports):
    """Descriptors by what they are.

    Clients, those of the admin listener, upstreams and stores (idle or in use), those of both that the other side has
    closed, and all others.
    """
    links = descriptors(pids)
    table = socket_table()
    kinds = ("clients", "admins", "upstreams", "stale_upstreams", "stores", "stale_stores", "others")
    counts = collections.Counter(dict.fromkeys(kinds, 0))
    for link in links:
        local, remote, state = table.get(link[8:-1], (0, 0, 0)) if link.startswith("socket:[") else (0, 0, 0)
        if remote == ports.mock:
            counts["upstreams" if state == ESTABLISHED else "stale_upstreams"] += 1
        elif remote == ports.store:
            counts["stores" if state == ESTABLISHED else "stale_stores"] += 1
        elif local == ports.proxy and state != LISTEN:
            counts["clients"] += 1
        elif local == ports.admin and state != LISTEN:
            counts["admins"] += 1
        else:
            counts["others"] += 1
    return dict(counts)
