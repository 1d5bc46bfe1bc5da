"""The real proxies that the sidecar has to get along with, and the links by which it is told of them."""

import base64
import json
import socket
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from stack import Program, free_port

from .addresses import Names, Neighbourhood

PROXY_NAME = "egress.example.test"
"""What the certificate of the TLS proxies says."""
RAY = "/ray"
CIPHERS = ["aes-128-gcm", "aes-256-gcm", "chacha20-ietf-poly1305"]
TRANSPORTS = ["tcp", "tls", "ws", "ws-tls"]
RUN_XRAY = "import signal, sys, xray; xray.startFromJSON(open(sys.argv[1]).read()); signal.pause()"


@dataclass(frozen=True)
class Secrets:
    """What must never be seen outside a link."""

    user: str = "egress-user-c4n4ry"
    password: str = "p@ss:w/rd c4n4ry+%"
    cipher_password: str = "ss/c4n4ry:p@ss?w#rd"
    identity: str = str(uuid.UUID("c4a4e71d-6324-4d53-ad4f-8cda48b30811"))


SECRETS = Secrets()


@dataclass(frozen=True)
class Peer:
    """One way through one proxy."""

    name: str
    link: str
    port: int
    source: str
    """Where its connections to the origin come from."""


def socks_link(port: int, password: str | None = None) -> str:
    user = f"{SECRETS.user}:{quote(password, safe='')}@" if password else ""
    return f"socks5://{user}127.0.0.1:{port}"


def connect_link(port: int, user: str, password: str) -> str:
    return f"http://{user}:{quote(password, safe='')}@127.0.0.1:{port}"


def shadowsocks_link(port: int, method: str, password: str = SECRETS.cipher_password, legacy: bool = False) -> str:
    """SIP002: user information in Base64 without padding."""
    if legacy:
        whole = f"{method}:{password}@127.0.0.1:{port}"
        return f"ss://{base64.b64encode(whole.encode()).decode()}#legacy"
    user = base64.urlsafe_b64encode(f"{method}:{password}".encode()).decode().rstrip("=")
    return f"ss://{user}@127.0.0.1:{port}/#plain"


def vless_link(port: int, transport: str, identity: str = SECRETS.identity, name: str = PROXY_NAME) -> str:
    parameters = {"encryption": "none", "type": "ws" if "ws" in transport else "tcp"}
    if "ws" in transport:
        parameters |= {"path": f"{RAY}?ed=2048", "host": name}
    if "tls" in transport:
        parameters |= {"security": "tls", "sni": name, "fp": "chrome"}
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in parameters.items())
    return f"vless://{identity}@127.0.0.1:{port}?{query}#{quote('Some name / №1')}"


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Proxies:
    """All of them, each in a mount namespace in which Google's names lead to the origin."""

    def __init__(
        self, folder: Path, names: Names, neighbourhood: Neighbourhood, certificate: tuple[Path, Path]
    ) -> None:
        self.folder = folder
        self.names = names
        self.neighbourhood = neighbourhood
        self.certificate = certificate
        self.programs: list[Program] = []
        self.peers: list[Peer] = []
        try:
            self.start_socks()
            self.start_connect()
            self.start_shadowsocks()
            self.start_vless("v2ray", TRANSPORTS, [])
            self.start_vless("xray", TRANSPORTS, CIPHERS)
            self.wait_until_listening()
        except BaseException:
            self.stop()
            raise

    def __getitem__(self, name: str) -> Peer:
        return next(peer for peer in self.peers if peer.name == name)

    def start(self, name: str, command: list[str]) -> None:
        self.programs.append(Program(self.names.contain(command), self.folder / f"{name}.log"))

    def add(self, name: str, link: str, port: int, source: str = "") -> None:
        self.peers.append(Peer(name, link, port, source))

    def next_source(self) -> str:
        return self.neighbourhood.source(len(self.programs))

    def start_socks(self) -> None:
        for name, password in (("microsocks", None), ("microsocks-password", SECRETS.password)):
            port, source = free_port(), self.next_source()
            login = ["-u", SECRETS.user, "-P", password] if password else []
            self.start(name, ["microsocks", "-i", "127.0.0.1", "-p", str(port), "-b", source, *login])
            self.add(name, socks_link(port, password), port, source)
        port = free_port()
        settings = self.folder / "danted.conf"
        settings.write_text(
            f"logoutput: stderr\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\nsocksmethod: none\n"
            "clientmethod: none\nuser.privileged: root\nuser.unprivileged: nobody\n"
            "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\nsocks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n"
        )
        self.start("dante", ["danted", "-f", str(settings)])
        self.add("dante", socks_link(port), port, "127.0.0.1")

    def start_connect(self) -> None:
        port, source = free_port(), self.next_source()
        settings = self.folder / "tinyproxy.conf"
        settings.write_text(
            f"Port {port}\nListen 127.0.0.1\nBind {source}\nTimeout 60\nMaxClients 300\nLogLevel Error\n"
            f"BasicAuth {SECRETS.user} c4n4ry-basic\n"
        )
        self.start("tinyproxy", ["tinyproxy", "-d", "-c", str(settings)])
        self.add("tinyproxy", connect_link(port, SECRETS.user, "c4n4ry-basic"), port, source)

    def start_shadowsocks(self) -> None:
        for method in CIPHERS:
            port, source = free_port(), self.next_source()
            secret = ["-m", method, "-k", SECRETS.cipher_password]
            self.start(
                f"ss-{method}", ["ss-server", "-s", "127.0.0.1", "-p", str(port), "-b", source, "-t", "60", *secret]
            )
            self.add(f"ss-{method}", shadowsocks_link(port, method, legacy=method == CIPHERS[1]), port, source)

    def start_vless(self, program: str, transports: list[str], ciphers: list[str]) -> None:
        """v2ray or Xray with a port for every transport and cipher."""
        source = self.next_source()
        inbounds = [self.vless_inbound(program, transport, source) for transport in transports]
        inbounds += [self.shadowsocks_inbound(program, method, source) for method in ciphers]
        # Xray would refuse private addresses.
        rules = {"settings": {"finalRules": [{"action": "allow"}]}} if program == "xray" else {}
        outbound = {"protocol": "freedom", "sendThrough": source, **rules}
        settings = self.folder / f"{program}.json"
        log = {"loglevel": "warning"}
        settings.write_text(json.dumps({"log": log, "inbounds": inbounds, "outbounds": [outbound]}, indent=1))
        command = ["v2ray", "-config"] if program == "v2ray" else [sys.executable, "-c", RUN_XRAY]
        self.start(program, [*command, str(settings)])

    def vless_inbound(self, program: str, transport: str, source: str) -> dict:
        port = free_port()
        stream: dict = {"network": "tcp"}
        if "ws" in transport:
            stream = {"network": "ws", "wsSettings": {"path": RAY}}
        if "tls" in transport:
            chain, key = self.certificate
            pair = {"certificateFile": str(chain), "keyFile": str(key)}
            stream |= {"security": "tls", "tlsSettings": {"certificates": [pair], "alpn": ["http/1.1"]}}
        self.add(f"{program}-{transport}", vless_link(port, transport), port, source)
        users = {"clients": [{"id": SECRETS.identity}], "decryption": "none"}
        return {
            "listen": "127.0.0.1", "port": port, "protocol": "vless", "settings": users, "streamSettings": stream,
        }  # fmt: skip

    def shadowsocks_inbound(self, program: str, method: str, source: str) -> dict:
        port = free_port()
        self.add(f"{program}-ss-{method}", shadowsocks_link(port, method), port, source)
        settings = {"method": method, "password": SECRETS.cipher_password, "network": "tcp"}
        return {"listen": "127.0.0.1", "port": port, "protocol": "shadowsocks", "settings": settings}

    def wait_until_listening(self) -> None:
        deadline = time.monotonic() + 60
        for peer in self.peers:
            while not is_listening(peer.port):
                if time.monotonic() > deadline or any(program.process.poll() is not None for program in self.programs):
                    raise RuntimeError(f"{peer.name} does not listen:\n{self.output()}")
                time.sleep(0.02)

    def output(self) -> str:
        return "\n".join(f"--- {program.log.name}\n{program.output()[-2000:]}" for program in self.programs)

    def stop(self) -> None:
        for program in self.programs:
            program.process.kill()
            program.process.wait()


PEER_NAMES = [
    "microsocks",
    "microsocks-password",
    "dante",
    "tinyproxy",
    *(f"ss-{method}" for method in CIPHERS),
    *(f"v2ray-{transport}" for transport in TRANSPORTS),
    *(f"xray-{transport}" for transport in TRANSPORTS),
    *(f"xray-ss-{method}" for method in CIPHERS),
]
