"""A ladder of rungs: which is used, when the next is taken, and what a fallback target gains by it."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from egress.addresses import NEEDS_ROOT
from egress.client import Refused, connect, socks5
from egress.faults import connections, results
from egress.lab import (
    GOOGLE,
    Lab,
    OriginProgram,
    StartEgress,
    chat,
    egress_port,
    ladders,
    upstreams,
)
from egress.peers import socks_link, vless_link
from egress.scripted import Relay, Server
from rawhttp import Message
from stack import Sidecar, get

pytest_plugins = ["egress.lab"]
pytestmark = NEEDS_ROOT

LIMITS = {"connectSeconds": 1, "firstByteSeconds": 1}
"""Of a rung."""

Ladder = Callable[..., tuple[Sidecar, list[Relay]]]


@pytest.fixture
def start_ladder(lab: Lab, start_egress: StartEgress) -> Iterator[Ladder]:
    """A sidecar with one hop whose rungs are relays before these peers."""
    relays: list[Relay] = []

    def start(peers: tuple[str, ...] = ("microsocks", "dante"), **sections: object) -> tuple[Sidecar, list[Relay]]:
        relays.extend(Relay(lab.loop, lab.proxies[peer].port) for peer in peers)
        links = [
            vless_link(relay.port, "tcp") if peer == "xray-tcp" else socks_link(relay.port)
            for peer, relay in zip(peers, relays, strict=True)
        ]
        hops = {"google": links}
        hosts = {GOOGLE: "google", f"{GOOGLE}:{lab.origin.plain_port}": "google"}
        return start_egress(ladders(hops, hosts, **LIMITS), **sections), relays

    yield start
    for relay in relays:
        relay.stop()


async def echo(lab: Lab, sidecar: Sidecar, way: str = "connect") -> dict:
    async with await lab.road(way, sidecar, GOOGLE) as road:
        answer = await road.ask("GET", "/echo")
        assert answer.status == 200, answer
        return json.loads(answer.body)


async def test_a_rung_that_works_is_kept(lab: Lab, start_ladder: Ladder) -> None:
    """Back and forth only when the one in use fails."""
    sidecar, (first, second) = start_ladder()
    sources = [lab.proxies["microsocks"].source, lab.proxies["dante"].source]
    assert (await echo(lab, sidecar))["source"] == sources[0]
    first.refuses = True
    for _ in range(5):
        assert (await echo(lab, sidecar))["source"] == sources[1]
    tried = first.connections
    first.refuses = False
    assert (await echo(lab, sidecar))["source"] in sources
    second.refuses = True
    await asyncio.sleep(0.1)
    for _ in range(3):
        assert (await echo(lab, sidecar))["source"] == sources[0]
    assert tried < 6


@pytest.mark.parametrize("way", ["connect", "socks5", "reverse"])
async def test_a_proxy_that_dies_in_the_middle(way: str, lab: Lab, start_ladder: Ladder) -> None:
    """What was cut is never presented as complete, and the next request gets through."""
    sidecar, (first, _) = start_ladder()
    first.break_after = 300_000
    async with await lab.road(way, sidecar, GOOGLE) as road:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError, ssl.SSLError)):
            await road.ask("GET", "/bytes/1000000")
    assert (await echo(lab, sidecar, way))["name"] == GOOGLE


@pytest.mark.parametrize("way", ["connect", "reverse"])
async def test_an_open_connection_whose_proxy_dies_is_closed(way: str, lab: Lab, start_ladder: Ladder) -> None:
    sidecar, (first, _) = start_ladder()
    async with await lab.road(way, sidecar, GOOGLE) as road:
        asked = asyncio.ensure_future(road.ask("GET", "/slow/20"))
        await asyncio.sleep(0.5)
        start = time.monotonic()
        first.server.break_off()
        if way == "reverse":
            assert (await asked).status in (502, 504)
        else:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError, ssl.SSLError)):
                await asked
        assert time.monotonic() - start < 3


async def test_a_direct_road_that_is_filtered_is_left(lab: Lab, start_egress: StartEgress) -> None:
    """Filters let TCP through and end a connection at its first bytes: only an answer proves a rung."""
    source = lab.proxies["microsocks"].source

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.readexactly(5)
        if writer.get_extra_info("peername")[0] == source:
            writer.write(said)
            await reader.read()

    filtered = Server(lab.loop, play)
    try:
        hosts = {f"127.0.0.1:{filtered.port}": "google"}
        sidecar = start_egress(ladders({"google": ["direct", lab.proxies["microsocks"].link]}, hosts, **LIMITS))
        for opens in (connect, socks5, connect):
            async with await opens(egress_port(sidecar), "127.0.0.1", filtered.port) as connection:
                await connection.send(b"hello")
                assert await connection.receive(5) == b"hello"
        assert filtered.connections == 4
        assert connections(sidecar, "google")[("direct", "closed")] == 1
    finally:
        filtered.stop()


@pytest.mark.parametrize("way", [connect, socks5])
async def test_a_client_that_ends_first_blames_no_rung(way: Callable, lab: Lab, start_egress: StartEgress) -> None:
    """It says nothing, or leaves in the middle of its greeting; peers that end both sides then are well."""
    rungs = [lab.proxies[peer].link for peer in ("microsocks", "ss-aes-128-gcm")]
    hosts = {f"{GOOGLE}:{lab.origin.plain_port}": "google"}
    sidecar = start_egress(ladders({"google": rungs}, hosts, **LIMITS))
    for said in (b"", b"fir"):
        async with await way(egress_port(sidecar), GOOGLE, lab.origin.plain_port) as connection:
            await connection.send(said)
            connection.writer.write_eof()
            assert await asyncio.wait_for(connection.reader.read(), 8) == b""
    hop = json.loads(get(f"{sidecar.admin}/status")[1])["hops"][0]
    assert [rung["state"] for rung in hop["rungs"]] == ["closed", "closed"]


async def test_a_target_that_refuses_is_not_the_rungs_fault(lab: Lab, start_egress: StartEgress) -> None:
    """Nobody listens at that port of the origin: refused by every rung, and the rungs stay in use."""
    hosts = {GOOGLE: "google", f"{GOOGLE}:7": "google"}
    rungs = [lab.proxies[peer].link for peer in ("microsocks", "dante")]
    sidecar = start_egress(ladders({"google": rungs}, hosts, **LIMITS))
    for _ in range(8):
        with pytest.raises(Refused) as refused:
            await connect(egress_port(sidecar), GOOGLE, 7)
        assert refused.value.code in (502, 503, 504)
        with pytest.raises(Refused) as refused:
            await socks5(egress_port(sidecar), GOOGLE, 7)
        assert refused.value.code in (1, 4, 5)
    assert {result for _, result in connections(sidecar, "google")} == {"destination_unreachable"}
    assert (await echo(lab, sidecar))["source"] == lab.proxies["microsocks"].source


async def test_a_rung_that_keeps_failing_is_left_out(lab: Lab, start_ladder: Ladder) -> None:
    """Its breaker opens, /status says so, and while another rung works it is not asked."""
    sidecar, (first, second, third) = start_ladder(peers=("microsocks", "dante", "xray-tcp"))
    first.refuses = True
    for _ in range(6):
        assert (await echo(lab, sidecar))["source"] == lab.proxies["dante"].source
    tried = first.connections
    second.refuses = True
    for _ in range(6):
        assert (await echo(lab, sidecar))["source"] == lab.proxies["xray-tcp"].source
    assert first.connections == tried
    (hop,) = json.loads(get(f"{sidecar.admin}/status")[1])["hops"]
    states = {rung["rung"].rpartition(":")[2]: rung["state"] for rung in hop["rungs"]}
    assert states == {str(first.port): "open", str(second.port): "open", str(third.port): "closed"}


async def test_a_hop_without_a_rung_left_fails_soon(lab: Lab, start_ladder: Ladder) -> None:
    sidecar, relays = start_ladder()
    for relay in relays:
        relay.refuses = True
    start = time.monotonic()
    for _ in range(5):
        with pytest.raises(Refused) as refused:
            await connect(egress_port(sidecar), GOOGLE)
        assert refused.value.code in (502, 503, 504)
    assert time.monotonic() - start < 1
    relays[1].refuses = False
    await echo(lab, sidecar)


ROUTES = [{"name": "chat", "when": {"model": ["claude*", "gemini*"]}, "chain": ["$requested", "gemini-3-pro@google"]}]


def attempts_at_google(answer: Message) -> list[str]:
    """What became of each attempt that went there."""
    tries = [attempt.split("=") for attempt in answer.header("x-sidecar-attempts").split(", ")]
    return [outcome for target, outcome in tries if target.startswith("gemini")]


@pytest.mark.parametrize("stream", [False, True])
async def test_google_answers_while_litellm_is_down(stream: bool, lab: Lab, start_ladder: Ladder) -> None:
    sidecar, (first, _) = start_ladder(upstreams=upstreams(), routes=ROUTES)
    answer = await chat(sidecar, stream=stream)
    assert answer.status == 200, answer
    assert attempts_at_google(answer) == ["ok"]
    assert answer.body.endswith(b"data: [DONE]\n\n") == stream
    assert first.received > 500


@pytest.mark.parametrize("stream", [False, True])
async def test_an_upstream_takes_the_next_rung(stream: bool, lab: Lab, start_ladder: Ladder) -> None:
    """The client does not notice: no attempt is lost on it."""
    sidecar, (first, second) = start_ladder(upstreams=upstreams(), routes=ROUTES)
    first.refuses = True
    answer = await chat(sidecar, stream=stream)
    assert answer.status == 200, answer
    assert attempts_at_google(answer) == ["ok"]
    assert second.received > 500


async def test_a_hop_that_fails_whole_is_unreachable(lab: Lab, start_ladder: Ladder) -> None:
    sidecar, relays = start_ladder(upstreams=upstreams(), routes=ROUTES)
    for relay in relays:
        relay.refuses = True
    answer = await chat(sidecar)
    assert answer.status in (502, 504), answer
    assert set(attempts_at_google(answer)) == {"unreachable"}


@pytest.mark.parametrize(("status", "outcome"), [(429, "rate_limited"), (500, "upstream_fault"), (401, "auth")])
async def test_errors_that_come_as_an_array(
    status: int, outcome: str, lab: Lab, origin: OriginProgram, start_ladder: Ladder
) -> None:
    """Google's OpenAI-compatible endpoint answers `[{"error": …}]`; its failures are not the hop's."""
    sidecar, (_, second) = start_ladder(upstreams=upstreams(), routes=ROUTES)
    origin.fail(status, times=2)
    answer = await chat(sidecar)
    assert set(attempts_at_google(answer)) == {outcome}
    assert second.connections == 0


class TestRegionBlock:
    """400 FAILED_PRECONDITION, "User location is not supported", by the address of the first rung."""

    @pytest.mark.parametrize("stream", [False, True])
    async def test_upstream(self, stream: bool, lab: Lab, origin: OriginProgram, start_ladder: Ladder) -> None:
        sidecar, (first, second) = start_ladder(upstreams=upstreams(), routes=ROUTES)
        origin.block(lab.proxies["microsocks"].source)
        answer = await chat(sidecar, stream=stream)
        assert answer.status == 200, answer
        assert "User location" not in answer.body.decode()
        assert [request["source"] for request in origin.record()["requests"]] == [
            lab.proxies["microsocks"].source,
            lab.proxies["dante"].source,
        ]
        assert set(results(sidecar, "google", first.port)) >= {"region_blocked"}
        assert set(results(sidecar, "google", second.port)) == {"ok"}

    @pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
    async def test_reverse_path(self, method: str, lab: Lab, origin: OriginProgram, start_ladder: Ladder) -> None:
        sidecar, (first, _) = start_ladder()
        origin.block(lab.proxies["microsocks"].source)
        async with await lab.road("reverse", sidecar, GOOGLE) as road:
            body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}).encode()
            answer = await road.ask("POST", f"/v1beta/models/gemini-3-pro:{method}", body)
        assert answer.status == 200, answer
        assert origin.record()["requests"][-1]["source"] == lab.proxies["dante"].source
        assert set(results(sidecar, "google", first.port)) >= {"region_blocked"}

    async def test_everywhere(self, lab: Lab, origin: OriginProgram, start_ladder: Ladder) -> None:
        """With no rung left the attempt is `region_blocked`."""
        sidecar, _ = start_ladder(upstreams=upstreams(), routes=ROUTES)
        origin.block(lab.proxies["microsocks"].source, lab.proxies["dante"].source)
        answer = await chat(sidecar)
        assert set(attempts_at_google(answer)) == {"region_blocked"}
        assert len(origin.record()["requests"]) == 2


class TestPatience:
    """What takes longer than a rung may take to open, and is no fault of it."""

    RUNGS = pytest.mark.parametrize("peer", ["microsocks", "v2ray-ws-tls", "ss-aes-256-gcm"])

    @pytest.fixture
    def start(self, lab: Lab, start_egress: StartEgress) -> Callable[[str], Sidecar]:
        def start(peer: str) -> Sidecar:
            hosts = {GOOGLE: "google", f"{GOOGLE}:{lab.origin.plain_port}": "google"}
            rungs = [lab.proxies[peer].link, lab.proxies["xray-tcp"].link]
            return start_egress(ladders({"google": rungs}, hosts, **LIMITS), upstreams=upstreams(), routes=ROUTES)

        return start

    @RUNGS
    @pytest.mark.parametrize("way", ["connect", "reverse"])
    async def test_a_slow_answer(
        self, way: str, peer: str, lab: Lab, origin: OriginProgram, start: Callable[[str], Sidecar]
    ) -> None:
        sidecar = start(peer)
        async with await lab.road(way, sidecar, GOOGLE) as road:
            assert (await road.ask("GET", "/slow/2.5")).status == 200
        assert origin.sources() == {lab.proxies[peer].source}
        assert {result for _, result in connections(sidecar, "google")} == {"ok"}

    @RUNGS
    async def test_a_client_that_says_nothing_for_a_while(
        self, peer: str, lab: Lab, origin: OriginProgram, start: Callable[[str], Sidecar]
    ) -> None:
        """As a pool of connections opened in advance."""
        sidecar = start(peer)
        async with await connect(egress_port(sidecar), GOOGLE) as connection:
            await asyncio.sleep(2.5)
            await connection.secure(GOOGLE, lab.authority.ca)
            assert (await connection.ask("GET", "/echo", GOOGLE)).status == 200
        assert origin.sources() == {lab.proxies[peer].source}

    async def test_an_upload_before_the_answer(self, lab: Lab, start: Callable[[str], Sidecar]) -> None:
        """The origin says nothing before it has all, which takes a while."""
        sidecar = start("dante")
        async with await connect(egress_port(sidecar), GOOGLE, lab.origin.plain_port) as connection:
            for _ in range(25):
                await connection.send(bytes(10_000))
                await asyncio.sleep(0.1)
            connection.writer.write_eof()
            assert (await connection.receive_all()).endswith(b" 250000")
