"""The egress listener: who may use it, what passes through it, and what the engineer sees of it."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from egress.addresses import NEEDS_ROOT
from egress.client import Refused, basic, connect, socks5
from egress.lab import (
    FAULT_NAMES,
    GOOGLE,
    NOWHERE,
    Lab,
    OriginProgram,
    StartEgress,
    egress_port,
    host_of,
    ladders,
    listeners,
    living,
    opens,
    raw,
)
from egress.peers import PEER_NAMES, socks_link
from egress.scripted import Loop, RecordingSocks, Server
from rawhttp import parse_head, wait_for
from stack import Sidecar, get
from test_reload import ConfigurationFile

pytest_plugins = ["egress.lab"]

ALLOWED = "*.googleapis.com"


CREDENTIALS = "litellm:s3cret/of:the+listener"


@pytest.fixture(scope="module")
def locked(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sidecar, RecordingSocks]]:
    proxy = RecordingSocks(loop)
    egress = {"hops": {"hop": [socks_link(proxy.port)]}, "forward": [{"hosts": [ALLOWED], "via": "hop"}]}
    listen = listeners(credentials=CREDENTIALS)
    with living(Sidecar(tmp_path_factory.mktemp("locked"), NOWHERE, listen=listen, egress=egress)) as sidecar:
        yield sidecar, proxy
    proxy.stop()


class TestCredentials:
    """`listen.egress.credentials`: CONNECT and SOCKS5 need them, the reverse path does not."""

    @pytest.mark.parametrize(
        "header",
        [
            "",
            f"Proxy-Authorization: {basic('litellm:wrong')}\r\n",
            f"Proxy-Authorization: {basic('litellm:')}\r\n",
            f"Proxy-Authorization: {basic(CREDENTIALS)[:-4]}\r\n",
            f"Proxy-Authorization: Bearer {CREDENTIALS}\r\n",
            "Proxy-Authorization: Basic %%%\r\n",
            f"Authorization: {basic(CREDENTIALS)}\r\n",
        ],
    )
    async def test_connect_without(self, header: str, locked: tuple[Sidecar, RecordingSocks]) -> None:
        sidecar, proxy = locked
        before = len(proxy.asked)
        answer = await raw(sidecar, f"CONNECT {GOOGLE}:443 HTTP/1.1\r\nHost: {GOOGLE}:443\r\n{header}\r\n".encode())
        assert answer.status == 407
        assert (answer.header("proxy-authenticate") or "").startswith("Basic")
        assert len(proxy.asked) == before

    async def test_without_them_nobody_learns_what_is_listed(self, locked: tuple[Sidecar, RecordingSocks]) -> None:
        sidecar, _ = locked
        answer = await raw(sidecar, b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert answer.status == 407

    async def test_with_them(self, locked: tuple[Sidecar, RecordingSocks]) -> None:
        sidecar, proxy = locked
        await opens(sidecar, GOOGLE, credentials=CREDENTIALS)
        assert proxy.asked[-1] == (GOOGLE.encode(), 443)

    @pytest.mark.parametrize(("credentials", "code"), [("", 0xFF), ("litellm:wrong", 0x100), ("x:y", 0x100)])
    async def test_socks_without(self, credentials: str, code: int, locked: tuple[Sidecar, RecordingSocks]) -> None:
        sidecar, proxy = locked
        before = len(proxy.asked)
        with pytest.raises(Refused) as refused:
            await socks5(egress_port(sidecar), GOOGLE, credentials=credentials)
        assert refused.value.code == code
        assert len(proxy.asked) == before

    async def test_reverse_path(self, locked: tuple[Sidecar, RecordingSocks]) -> None:
        sidecar, proxy = locked
        before = len(proxy.asked)
        answer = await raw(sidecar, f"GET /to/{GOOGLE}/v1beta HTTP/1.1\r\nHost: s\r\n\r\n".encode())
        assert answer.status == 502
        assert len(proxy.asked) > before


class TestReversePath:
    """What the origin sees of a request, and the client of the answer."""

    SENT = {
        "X-Goog-Api-Key": "provider-key",
        "Authorization": "Bearer provider-token",
        "X-Own": "kept",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "not passed on",
        "Proxy-Authorization": basic("a:b"),
        "X-Forwarded-For": "10.1.2.3",
        "X-OpenWebUI-User-Email": "designer@example.org",
        "X-Sidecar-Arm": "control",
    }

    @NEEDS_ROOT
    async def test_headers(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        async with await lab.road("reverse", sidecar_of_all, GOOGLE) as road:
            answer = await road.ask("POST", "/echo?a=b&c=%2F%20d", b"{}", self.SENT)
        seen = json.loads(answer.body)
        headers = {name.lower(): value for name, value in seen["headers"]}
        assert seen["path"] == "/echo?a=b&c=%2F%20d"
        assert headers["host"] == GOOGLE
        assert headers["x-goog-api-key"] == "provider-key"
        assert headers["authorization"] == "Bearer provider-token"
        assert headers["x-own"] == "kept"
        for name in ("x-hop", "proxy-authorization", "x-forwarded-for", "x-forwarded-host", "x-sidecar-arm"):
            assert name not in headers

    @NEEDS_ROOT
    @pytest.mark.parametrize("path", ["/echo/../echo", "/echo/%2e%2e/x", "/echo//x", "/echo/a%00b", "/echo;a=b"])
    async def test_the_path_is_the_origins_business(self, path: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
        """It goes on as it came, and no path leads to another host."""
        lab.origin.reset()
        async with await lab.road("reverse", sidecar_of_all, GOOGLE) as road:
            await road.ask("GET", path)
        (request,) = lab.origin.record()["requests"]
        assert (request["path"], request["name"]) == (path, GOOGLE)

    @NEEDS_ROOT
    async def test_a_loop(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        """What carries our own Via token has been here before."""
        async with await lab.road("reverse", sidecar_of_all, GOOGLE) as road:
            seen = json.loads((await road.ask("GET", "/echo")).body)
            via = next(value for name, value in seen["headers"] if name.lower() == "via")
            assert (await road.ask("GET", "/echo", headers={"Via": via})).status == 508

    @NEEDS_ROOT
    async def test_events_come_as_they_are_sent(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        """The first event is there before the last is sent."""
        async with await lab.road("reverse", sidecar_of_all, GOOGLE) as road:
            connection = road.connection
            head = f"GET /to/{GOOGLE}/gather/paced/1 HTTP/1.1\r\nHost: s\r\n\r\n"
            await connection.send(head.encode())
            await connection.receive_until(b"data: 0\n\n")
            clock = asyncio.get_running_loop().time
            start = clock()
            await connection.receive_until(b"data: 4\n\n")
            assert clock() - start > 0.05


def samples(sidecar: Sidecar, prefix: str) -> list[tuple[str, dict[str, str], float]]:
    families = text_string_to_metric_families(sidecar.metrics())
    found = [sample for family in families for sample in family.samples]
    return [(sample.name, sample.labels, sample.value) for sample in found if sample.name.startswith(prefix)]


class TestWhatIsSeen:
    """Metrics, /status and the log."""

    @NEEDS_ROOT
    async def test_metrics(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        """Connections, bytes and times by hop, rung and result; no client adds a series."""
        before = sum(value for _, _, value in samples(sidecar_of_all, "sidecar_egress_bytes_total"))
        async with await lab.road("connect", sidecar_of_all, host_of("dante")) as road:
            await road.ask("GET", "/bytes/3000000")
            await road.ask("POST", "/echo", bytes(2_000_000))
        for number in range(30):
            with pytest.raises(Refused):
                await connect(egress_port(sidecar_of_all), f"nobody-{number}.example.org")
        found = samples(sidecar_of_all, "sidecar_egress")
        names = {name for name, _, _ in found}
        assert names >= {"sidecar_egress_bytes_total", "sidecar_egress_connect_seconds_count"}
        assert {labels["hop"] for _, labels, _ in found} <= set(PEER_NAMES)
        assert "example.org" not in sidecar_of_all.metrics()
        moved = sum(value for name, _, value in found if name == "sidecar_egress_bytes_total") - before
        assert 5_000_000 < moved < 5_300_000
        opened = [labels for name, labels, _ in found if name == "sidecar_egress_connections_total"]
        assert {"hop", "rung", "result"} == set(opened[0])
        assert [labels for labels in opened if (labels["hop"], labels["result"]) == ("dante", "ok")]

    @NEEDS_ROOT
    async def test_metrics_are_well_formed(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        async with await lab.road("connect", sidecar_of_all, GOOGLE) as road:
            await road.ask("GET", "/echo")
        folder = str(Path(sys.executable).parent)
        promtool = shutil.which("promtool") or shutil.which("promtool", path=folder)
        if promtool is None:
            pytest.skip("no promtool")
        text = sidecar_of_all.metrics().encode()
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr

    @NEEDS_ROOT
    async def test_status(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        """Each hop with its rungs, by kind, host and port."""
        async with await lab.road("connect", sidecar_of_all, host_of("v2ray-ws-tls")) as road:
            await road.ask("GET", "/echo")
        hops = json.dumps(json.loads(get(f"{sidecar_of_all.admin}/status")[1])["hops"])
        for peer in lab.proxies.peers:
            assert f'"{peer.name}"' in hops
            assert f"127.0.0.1:{peer.port}" in hops

    @NEEDS_ROOT
    async def test_one_line_for_each_connection(self, lab: Lab, sidecar_of_all: Sidecar) -> None:
        """Of all three ways, with the host and how it went."""
        lines = len(sidecar_of_all.log_lines())
        for way in ("connect", "socks5", "reverse"):
            async with await lab.road(way, sidecar_of_all, host_of("dante")) as road:
                await road.ask("GET", "/echo?key=secret-in-the-query")

        def told() -> list[str]:
            new = [json.dumps(line) for line in sidecar_of_all.log_lines()[lines:]]
            return [line for line in new if host_of("dante") in line]

        assert await asyncio.to_thread(wait_for, lambda: len(told()) >= 3), sidecar_of_all.log_lines()[lines:]
        assert not [line for line in told() if "secret-in-the-query" in line]

    async def test_a_refusal_is_told(self, start: Callable[[dict], Sidecar]) -> None:
        sidecar = start({})
        await raw(sidecar, b"CONNECT not-listed.example.net:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        await raw(sidecar, b"GET /to/not-listed.example.com/x?key=secret HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(Refused):
            await socks5(egress_port(sidecar), "not-listed.example.edu")
        for end in ("net", "com", "edu"):
            assert await asyncio.to_thread(wait_for, lambda end=end: f"not-listed.example.{end}" in sidecar.output())
        assert "secret" not in sidecar.output()

    async def test_beyond_loopback_without_credentials(self, start: Callable[[dict], Sidecar]) -> None:
        sidecar = start({"address": "0.0.0.0:0"})
        warnings = [line for line in sidecar.log_lines() if line["level"].startswith("warn")]
        assert any("credentials" in json.dumps(line) for line in warnings), sidecar.output()

    @pytest.mark.parametrize("address", ["127.0.0.1:0", "0.0.0.0:0"])
    async def test_no_warning_where_none_is_due(self, address: str, start: Callable[[dict], Sidecar]) -> None:
        sidecar = start({"address": address} | ({"credentials": "a:b"} if address.startswith("0") else {}))
        assert not [line for line in sidecar.log_lines() if line["level"].startswith("warn")]

    @pytest.fixture
    def start(self, start_sidecar: Callable[..., Sidecar]) -> Callable[[dict], Sidecar]:
        """Starts a sidecar with that egress listener and a hop that is never used."""

        def start(listener: dict) -> Sidecar:
            return start_sidecar(
                NOWHERE, listen=listeners(**listener), egress=ladders({"out": ["direct"]}, {ALLOWED: "out"})
            )

        return start


class TestFlow:
    """Bytes that wait, tunnels that stay."""

    @pytest.fixture
    def start(self, loop: Loop, start_sidecar: Callable[..., Sidecar]) -> Iterator[Callable[..., tuple[Sidecar, int]]]:
        """A sidecar, and the port of a listed server of this machine."""
        servers: list[Server] = []

        def start(play: Callable, **sections: object) -> tuple[Sidecar, int]:
            servers.append(Server(loop, play))
            host = f"127.0.0.1:{servers[-1].port}"
            sidecar = start_sidecar(
                NOWHERE, listen=listeners(), egress=ladders({"out": ["direct"]}, {host: "out"}), **sections
            )
            return sidecar, servers[-1].port

        yield start
        for server in servers:
            server.stop()

    @pytest.mark.parametrize("way", ["connect", "socks5"])
    async def test_a_reader_that_does_not_read(self, way: str, start: Callable[..., tuple[Sidecar, int]]) -> None:
        """64 MB do not end up in the sidecar."""

        async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            for _ in range(1024):
                writer.write(bytes(1 << 16))
                await writer.drain()

        sidecar, port = start(floods)
        before = sidecar.rss()
        opened = await (connect if way == "connect" else socks5)(egress_port(sidecar), "127.0.0.1", port)
        async with opened:
            opened.writer.transport.pause_reading()
            await opened.send(b"x")
            await asyncio.sleep(1)
            assert sidecar.rss() - before < 16 << 20

    async def test_a_far_end_that_does_not_read(self, start: Callable[..., tuple[Sidecar, int]]) -> None:
        async def sleeps(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()
            await asyncio.sleep(20)

        sidecar, port = start(sleeps)
        before = sidecar.rss()
        with socket.create_connection(("127.0.0.1", egress_port(sidecar))) as client:
            client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert parse_head(client.recv(1000).partition(b"\r\n\r\n")[0]).status == 200
            client.setblocking(False)
            sent, piece = 0, bytes(1 << 18)
            for _ in range(200):
                try:
                    sent += client.send(piece)
                except BlockingIOError:
                    await asyncio.sleep(0.005)
            assert sent < 48 << 20
            assert sidecar.rss() - before < 16 << 20

    async def test_a_client_that_leaves(self, start: Callable[..., tuple[Sidecar, int]]) -> None:
        """Its tunnel's far side goes with it."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def notes(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            try:
                while await reader.read(1 << 16):
                    pass
            finally:
                loop.call_soon_threadsafe(ended.set)

        sidecar, port = start(notes)
        async with await connect(egress_port(sidecar), "127.0.0.1", port) as tunnel:
            await tunnel.send(b"hello")
        await asyncio.wait_for(ended.wait(), 5)

    @NEEDS_ROOT
    async def test_a_reload_changes_the_hop(self, lab: Lab, origin: OriginProgram, start_egress: StartEgress) -> None:
        """Tunnels that are open stay; the next goes by the new rung. A bad link changes nothing."""
        peers = lab.proxies
        sidecar = start_egress(ladders({"google": [peers["microsocks"].link]}, {GOOGLE: "google"}))
        file = ConfigurationFile(sidecar)
        async with await lab.road("connect", sidecar, GOOGLE) as old:
            await old.ask("GET", "/echo")
            for links in ([peers["xray-tls"].link], ["vless://nonsense@x:1?security=reality"]):
                file.put(file.with_sections(egress=ladders({"google": links}, {GOOGLE: "google"})))
                sidecar.process.send_signal(signal.SIGHUP)
                await asyncio.sleep(0.5)
            async with await lab.road("connect", sidecar, GOOGLE) as new:
                seen = json.loads((await new.ask("GET", "/echo")).body)
            assert seen["source"] == peers["xray-tls"].source
            seen = json.loads((await old.ask("GET", "/echo")).body)
            assert seen["source"] == peers["microsocks"].source

    @NEEDS_ROOT
    async def test_breakers_survive_a_reload(self, lab: Lab, loop: Loop, start_egress: StartEgress) -> None:
        """A rung that is left out stays so when something else changes."""
        broken = Server(loop, closes)
        hops = {"google": [socks_link(broken.port), lab.proxies["microsocks"].link]}
        sidecar = start_egress(ladders(hops, {GOOGLE: "google"}))
        for _ in range(6):
            async with await lab.road("connect", sidecar, GOOGLE) as road:
                await road.ask("GET", "/echo")
        tried = broken.connections
        file = ConfigurationFile(sidecar)
        file.put(file.with_sections(egress=ladders(hops, {GOOGLE: "google", FAULT_NAMES[0]: "google"})))
        sidecar.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.5)
        async with await lab.road("connect", sidecar, FAULT_NAMES[0]) as road:
            await road.ask("GET", "/echo")
        assert broken.connections == tried
        broken.stop()


async def closes(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1)
