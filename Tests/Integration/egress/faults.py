"""Rungs that fail, each in its own way, with the names that the failure may have in metrics."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stack import Sidecar, free_port

from .lab import Lab
from .peers import SECRETS, connect_link, shadowsocks_link, socks_link, vless_link
from .scripted import Play, Relay, Server, pours, says, stays_silent

OTHER_IDENTITY = "00000000-0000-4000-8000-000000000001"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

Kind = Callable[[int], str]
"""The link for a port."""


def socks_with_login(port: int) -> str:
    return socks_link(port, SECRETS.password)


def plain_connect(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def vless(transport: str) -> Kind:
    return lambda port: vless_link(port, transport)


def shadowsocks(port: int) -> str:
    return shadowsocks_link(port, "aes-256-gcm")


def http(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass(frozen=True)
class Script:
    """A rung that is played: the kind of its link, what it does, and what that is to be called."""

    kind: Kind
    play: Play
    results: set[str]


OPENED = b"\x05\x00\x00\x01" + bytes(6)
BAD = {"bad_reply"}
CLOSED = {"closed", "bad_reply"}
SCRIPTS = {
    "SOCKS5: another version": Script(socks_link, says(b"\x04\x00"), BAD),
    "SOCKS5: no method suits": Script(socks_link, says(b"\x05\xff"), {"authentication", "bad_reply"}),
    "SOCKS5: a method not offered": Script(socks_link, says(b"\x05\x01"), BAD | {"authentication"}),
    "SOCKS5: wants a password that is not there": Script(socks_link, says(b"\x05\x02"), BAD | {"authentication"}),
    "SOCKS5: wrong password": Script(socks_with_login, says(b"\x05\x02", then=b"\x01\x01"), {"authentication"}),
    "SOCKS5: half a reply": Script(socks_link, says(b"\x05\x00", then=OPENED[:5]), CLOSED),
    "SOCKS5: bad address type": Script(socks_link, says(b"\x05\x00", then=b"\x05\x00\x00\x07" + bytes(6)), BAD),
    "SOCKS5: reply of another version": Script(socks_link, says(b"\x05\x00", then=b"\x01" + OPENED[1:]), BAD),
    "SOCKS5: target refused": Script(
        socks_link, says(b"\x05\x00", then=b"\x05\x05\x00\x01" + bytes(6)), {"destination_unreachable"}
    ),
    "SOCKS5: name unknown": Script(
        socks_link, says(b"\x05\x00", then=b"\x05\x04\x00\x01" + bytes(6)), {"destination_unreachable"}
    ),
    "SOCKS5: speaks HTTP": Script(socks_link, says(http("400 Bad Request")), BAD),
    "SOCKS5: opens and closes": Script(socks_link, says(b"\x05\x00", then=OPENED), {"closed"}),
    "SOCKS5: silent": Script(socks_link, stays_silent, {"timed_out"}),
    "SOCKS5: opens and stays silent": Script(socks_link, says(b"\x05\x00", then=OPENED, stays=True), {"timed_out"}),
    "CONNECT: wants credentials": Script(plain_connect, says(http("407 No")), {"authentication"}),
    "CONNECT: refuses": Script(plain_connect, says(http("403 Forbidden")), {"refused", "authentication"}),
    "CONNECT: fails": Script(plain_connect, says(http("502 Bad Gateway")), {"refused", "destination_unreachable"}),
    "CONNECT: no HTTP": Script(plain_connect, says(b"SSH-2.0-OpenSSH_9.2\r\n"), BAD | {"closed"}),
    "CONNECT: endless head": Script(plain_connect, pours, BAD),
    "CONNECT: half a head": Script(plain_connect, says(b"HTTP/1.1 200 O"), CLOSED),
    "CONNECT: silent": Script(plain_connect, stays_silent, {"timed_out"}),
    "VLESS: another version": Script(vless("tcp"), says(b"\x01\x00hello", after=20), BAD),
    "VLESS: speaks HTTP": Script(vless("tcp"), says(http("400 Bad Request"), after=20), BAD),
    "VLESS: silent": Script(vless("tcp"), stays_silent, {"timed_out"}),
    "VLESS over WebSocket: wrong path": Script(vless("ws"), says(http("404 Not Found")), BAD | {"refused"}),
    "VLESS over WebSocket: wrong accept": Script(
        vless("ws"), says(SWITCH + b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"), BAD
    ),
    "VLESS over WebSocket: silent": Script(vless("ws"), stays_silent, {"timed_out"}),
    "VLESS over TLS: no TLS": Script(vless("tls"), says(http("400 Bad Request")), {"proxy_tls", "bad_reply"}),
    "VLESS over TLS: silent": Script(vless("tls"), stays_silent, {"timed_out"}),
    "Shadowsocks: noise": Script(shadowsocks, says(bytes(range(200)), after=20), BAD | {"authentication"}),
    "Shadowsocks: half a salt": Script(shadowsocks, says(b"half", after=20), CLOSED),
    "Shadowsocks: silent": Script(shadowsocks, stays_silent, {"timed_out"}),
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A rung that does not work: its link, its port, and what its failure may be called."""

    name: str
    link: str
    port: int
    results: set[str]


REAL_FAULTS = [
    "down: SOCKS5",
    "down: VLESS",
    "down: Shadowsocks",
    "unknown name",
    "wrong uuid: v2ray-tcp",
    "wrong uuid: v2ray-ws-tls",
    "wrong uuid: xray-tls",
    "wrong uuid: xray-ws",
    "wrong password: microsocks-password",
    "wrong password: tinyproxy",
    "wrong password: ss-aes-256-gcm",
    "wrong password: xray-ss-aes-256-gcm",
    "wrong cipher: ss-aes-128-gcm",
    "wrong name in the certificate: v2ray-tls",
    "slow handshake: v2ray-tls",
    "dies after the handshake: microsocks",
    "dies after the handshake: v2ray-ws-tls",
]
FAULT_CASES = [*SCRIPTS, *REAL_FAULTS]


@dataclass
class Faults:
    """All of them, alive."""

    lab: Lab
    faults: list[Fault] = field(default_factory=list)
    servers: dict[str, Server] = field(default_factory=dict)
    relays: list[Relay] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, script in SCRIPTS.items():
            server = Server(self.lab.loop, script.play)
            self.servers[name] = server
            self.add(name, script.kind(server.port), server.port, script.results)
        self.add_real()

    def add(self, name: str, link: str, port: int, results: set[str]) -> None:
        self.faults.append(Fault(name, link, port, results))

    def relay(self, peer: str) -> Relay:
        relay = Relay(self.lab.loop, self.lab.proxies[peer].port)
        self.relays.append(relay)
        return relay

    def add_real(self) -> None:
        peers = self.lab.proxies
        for name, link in (("SOCKS5", socks_link), ("VLESS", vless("ws-tls")), ("Shadowsocks", shadowsocks)):
            port = free_port()
            self.add(f"down: {name}", link(port), port, {"unreachable"})
        self.add("unknown name", "socks5://nowhere.invalid:1080", 1080, {"unresolved"})
        for peer in ("v2ray-tcp", "v2ray-ws-tls", "xray-tls", "xray-ws"):
            port, transport = peers[peer].port, peer.partition("-")[2]
            self.add(f"wrong uuid: {peer}", vless_link(port, transport, OTHER_IDENTITY), port, {"closed"})
        port = peers["microsocks-password"].port
        self.add("wrong password: microsocks-password", socks_link(port, "wrong"), port, {"authentication"})
        port = peers["tinyproxy"].port
        link = connect_link(port, SECRETS.user, "wrong")
        self.add("wrong password: tinyproxy", link, port, {"authentication"})
        for peer, method, results in (
            ("ss-aes-256-gcm", "aes-256-gcm", {"timed_out"}),
            ("xray-ss-aes-256-gcm", "aes-256-gcm", {"closed", "timed_out"}),
        ):
            port = peers[peer].port
            self.add(f"wrong password: {peer}", shadowsocks_link(port, method, "wrong"), port, results)
        port = peers["ss-aes-128-gcm"].port
        self.add("wrong cipher: ss-aes-128-gcm", shadowsocks_link(port, "aes-256-gcm"), port, {"timed_out", "closed"})
        port = peers["v2ray-tls"].port
        link = vless_link(port, "tls", name="another.example.test")
        self.add("wrong name in the certificate: v2ray-tls", link, port, {"proxy_tls"})
        self.add_relayed()

    def add_relayed(self) -> None:
        slow = self.relay("v2ray-tls")
        slow.pause = 30
        self.add("slow handshake: v2ray-tls", vless_link(slow.port, "tls"), slow.port, {"timed_out"})
        # The reply of a SOCKS5 server is 12 bytes: the first of the origin break it off.
        dying = self.relay("microsocks")
        dying.break_after = 12
        self.add("dies after the handshake: microsocks", socks_link(dying.port), dying.port, {"closed"})
        dying = self.relay("v2ray-ws-tls")
        dying.break_after = 1500
        link = vless_link(dying.port, "ws-tls")
        self.add("dies after the handshake: v2ray-ws-tls", link, dying.port, {"closed"})

    def stop(self) -> None:
        for server in [*self.servers.values(), *(relay.server for relay in self.relays)]:
            server.stop()


COUNTED = re.compile(r'^sidecar_egress_connections_total{hop="(.*)",rung="(.*)",result="(.*)"} (\d+)', re.MULTILINE)


def connections(sidecar: Sidecar, hop: str) -> dict[tuple[str, str], int]:
    """How often each rung of a hop was tried, by result."""
    counted = COUNTED.findall(sidecar.metrics())
    return {(rung, result): int(count) for of, rung, result, count in counted if of == hop and int(count)}


def results(sidecar: Sidecar, hop: str, port: int, seconds: float = 5) -> dict[str, int]:
    """The same of the rung at a port; counted may be a moment after the answer."""
    deadline = time.monotonic() + seconds
    while True:
        found = {
            result: count for (rung, result), count in connections(sidecar, hop).items() if rung.endswith(f":{port}")
        }
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)
