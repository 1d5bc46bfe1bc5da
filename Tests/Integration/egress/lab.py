"""The origin, the proxies and a sidecar before them, started once for all tests of egress."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rawhttp import Message
from stack import CLAUDE, Program, Sidecar, get, post

from .addresses import Names, Neighbourhood
from .certificates import Authority
from .client import Road, connect, dial, open_road, socks5
from .peers import PEER_NAMES, PROXY_NAME, Proxies
from .scripted import GREETING, Loop

pytest_plugins = ["egress.litellm"]

GOOGLE = "generativelanguage.googleapis.com"
STRANGER = "stranger.googleapis.com"
"""Its certificate is by an authority that nobody knows."""
WRONG_NAME = "wrong-name.googleapis.com"
"""Its certificate is another host's."""
FAULT_NAMES = [f"fault-{number}.googleapis.com" for number in range(300)]
NOWHERE = "http://127.0.0.1:9"
"""A LiteLLM that is not there."""
GATEWAY_KEY = "sk-vouched-for-by-the-sidecar"


def host_of(peer: str) -> str:
    """The name that leads through this peer."""
    return f"{peer}.googleapis.com"


class OriginProgram(Program):
    """The stand-in for Google of origin.py."""

    def __init__(self, folder: Path, neighbourhood: Neighbourhood, authority: Authority, names: list[str]) -> None:
        folder.mkdir()
        stranger = Authority(folder, "stranger")
        chain, key = authority.issue("origin", "*.googleapis.com", neighbourhood.origin)
        impostors = {
            STRANGER: stranger.issue("impostor", "*.googleapis.com"),
            WRONG_NAME: authority.issue("elsewhere", "other.example.test"),
        }
        settings = folder / "origin.json"
        values = {
            "address": neighbourhood.origin,
            "names": names,
            "certificate": [str(chain), str(key)],
            "impostors": {name: [str(chain), str(key)] for name, (chain, key) in impostors.items()},
        }
        settings.write_text(json.dumps(values))
        script = Path(__file__).with_name("origin.py")
        super().__init__([sys.executable, str(script), str(settings)], folder / "origin.log")
        deadline = time.monotonic() + 60
        while "\n" not in self.output():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"the origin does not start:\n{self.output()}")
            time.sleep(0.02)
        opened = json.loads(self.output().splitlines()[0])
        self.address = neighbourhood.origin
        self.control = f"http://127.0.0.1:{opened['control']}"
        self.plain_port = opened["plain"]
        self.greeting_port = opened["greeting"]

    def record(self) -> dict:
        """The requests since the last reset, and the TLS connections for each name."""
        return json.loads(get(f"{self.control}/control/record", timeout=10)[1])

    def sources(self) -> set[str]:
        """Where the requests since the last reset came from."""
        return {request["source"] for request in self.record()["requests"]}

    def reset(self) -> None:
        post(f"{self.control}/control/reset", {})

    def block(self, *sources: str) -> None:
        """Requests from these addresses are told that their region is not supported."""
        post(f"{self.control}/control/block", {"sources": sources})

    def fail(self, status: int, times: int = 1) -> None:
        """The next chat requests get this error."""
        post(f"{self.control}/control/fail", {"status": status, "times": times})


class Lab:
    """Everything beyond the sidecar."""

    def __init__(self, folder: Path, loop: Loop) -> None:
        self.folder = folder
        self.neighbourhood = Neighbourhood()
        self.authority = Authority(folder, "test-authority")
        hosts = [GOOGLE, STRANGER, WRONG_NAME, *map(host_of, PEER_NAMES), *FAULT_NAMES]
        self.names = Names(folder / "names", {self.neighbourhood.origin: hosts, "127.0.0.1": [PROXY_NAME]})
        self.loop = loop
        with contextlib.ExitStack() as started:
            self.origin = OriginProgram(folder / "origin", self.neighbourhood, self.authority, hosts)
            started.callback(self.origin.stop, 3)
            pair = self.authority.issue("proxy", PROXY_NAME)
            (folder / "proxies").mkdir()
            self.proxies = Proxies(folder / "proxies", self.names, self.neighbourhood, pair)
            started.callback(self.proxies.stop)
            self.stop = started.pop_all().close

    async def road(self, way: str, sidecar: Sidecar, host: str, credentials: str = "") -> Road:
        """A way to a host through the sidecar's egress listener."""
        return await open_road(way, egress_port(sidecar), host, self.authority.ca, credentials)


@contextlib.contextmanager
def living(sidecar: Sidecar) -> Iterator[Sidecar]:
    """For a sidecar that several tests share: at the end it must still live, and end with status 0."""
    yield sidecar
    assert sidecar.process.poll() is None, f"the sidecar has died:\n{sidecar.output()[-4000:]}"
    assert sidecar.stop() == 0, sidecar.output()[-4000:]


def egress_port(sidecar: Sidecar) -> int:
    """Where the egress listener is, as the log tells."""
    line = next(line for line in sidecar.log_lines() if line.get("msg") == "listening" and line["listener"] == "egress")
    return int(line["address"].rpartition(":")[2])


async def raw(sidecar: Sidecar, request: bytes) -> Message:
    """The egress listener's answer to bytes that may be no proper request."""
    async with await dial(egress_port(sidecar)) as connection:
        await connection.send(request)
        return await connection.read(opens_tunnel=request.startswith(b"CONNECT "))


async def opens(sidecar: Sidecar, host: str, port: int = 443, credentials: str = "") -> None:
    """Asserts that both kinds of proxy lead to a far end that greets."""
    name = f"[{host}]" if ":" in host else host
    async with await connect(egress_port(sidecar), name, port, credentials) as connection:
        assert await connection.receive(len(GREETING)) == GREETING
    async with await socks5(egress_port(sidecar), host, port, credentials) as connection:
        assert await connection.receive(len(GREETING)) == GREETING


async def chat(sidecar: Sidecar, text: str = "hello", model: str = CLAUDE, **members: object) -> Message:
    """A chat by the gateway."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **members}
    headers = {"Authorization": f"Bearer {GATEWAY_KEY}", "Content-Type": "application/json"}
    async with await dial(sidecar.port) as connection:
        return await connection.ask("POST", "/v1/chat/completions", "s", json.dumps(body).encode(), headers)


def upstreams(host: str = GOOGLE, key: str = "google-key") -> dict:
    """A LiteLLM that is not there, and Google by the hop `google`."""
    google = {"kind": "openai", "url": f"https://{host}/v1beta/openai", "bearer": key, "egress": "google"}
    return {"litellm": {"kind": "litellm", "url": NOWHERE}, "google": google}


def listeners(**egress: object) -> dict:
    """The `listen` section with an egress listener."""
    anywhere = "127.0.0.1:0"
    return {
        "gateway": {"address": anywhere, "upstream": "litellm", "clientKeys": [GATEWAY_KEY]},
        "admin": {"address": anywhere},
        "egress": {"address": anywhere, **egress},
    }


def ladders(hops: dict[str, list[str]], hosts: dict[str, str], **settings: object) -> dict:
    """The `egress` section: hops, and by which each host goes."""
    forward = [{"hosts": [host], "via": hop} for host, hop in hosts.items()]
    return {"hops": hops, "forward": forward, **settings}


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """Where scripted proxies run."""
    loop = Loop()
    yield loop
    loop.stop()


@pytest.fixture(scope="session")
def lab(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("egress"), loop)
    yield lab
    lab.stop()


@pytest.fixture
def origin(lab: Lab) -> OriginProgram:
    lab.origin.reset()
    return lab.origin


StartEgress = Callable[..., Sidecar]


@pytest.fixture
def start_egress(start_sidecar: Callable[..., Sidecar], lab: Lab, monkeypatch: pytest.MonkeyPatch) -> StartEgress:
    """Starts a sidecar with an egress listener that knows the tests' authority, and no LiteLLM."""

    def start(egress: dict, listen: dict | None = None, **sections: object) -> Sidecar:
        monkeypatch.setenv("SIDECAR_EXTRA_CA", str(lab.authority.ca))
        return start_sidecar(NOWHERE, listen=listen or listeners(), egress=egress, **sections)

    return start


@pytest.fixture(scope="session")
def sidecar_of_all(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """One sidecar with a hop for every peer, reached by a host name of its own and as an upstream of its own."""
    peers = lab.proxies.peers
    hosts = {host_of(peer.name): peer.name for peer in peers} | {GOOGLE: "v2ray-ws-tls"}
    for port in (lab.origin.plain_port, lab.origin.greeting_port):
        hosts |= {f"{host_of(peer.name)}:{port}": peer.name for peer in peers}
    upstreams = {
        peer.name: {
            "kind": "openai", "url": f"https://{host_of(peer.name)}/v1beta/openai", "bearer": "google-key",
            "egress": peer.name,
        }
        for peer in peers
    }  # fmt: skip
    sections = {
        "listen": listeners(),
        "upstreams": {"litellm": {"kind": "litellm", "url": NOWHERE}, **upstreams},
        "routes": [
            {"name": peer.name, "when": {"model": [peer.name]}, "chain": [f"gemini-3-pro@{peer.name}"]}
            for peer in peers
        ],
        "egress": ladders({peer.name: [peer.link] for peer in peers}, hosts),
    }
    folder = tmp_path_factory.mktemp("sidecar-of-all")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SIDECAR_EXTRA_CA", str(lab.authority.ca))
        sidecar = Sidecar(folder, NOWHERE, **sections)
    with living(sidecar):
        yield sidecar
