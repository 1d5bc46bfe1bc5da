"""Egress through every real proxy: what goes in comes out, on each way through the sidecar."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator

import pytest

from egress.addresses import NEEDS_ROOT
from egress.client import WAYS, Connection, connect, socks5
from egress.lab import (
    FAULT_NAMES,
    GATEWAY_KEY,
    NOWHERE,
    STRANGER,
    WRONG_NAME,
    Lab,
    OriginProgram,
    StartEgress,
    chat,
    egress_port,
    host_of,
    ladders,
    listeners,
    living,
    upstreams,
)
from egress.origin import content, digest, pieces
from egress.peers import PEER_NAMES, vless_link
from egress.scripted import Loop, Server, carries_connect, carries_vless
from rawhttp import wait_for
from stack import Sidecar

pytest_plugins = ["egress.lab"]
pytestmark = NEEDS_ROOT

MEGABYTES = int(os.environ.get("EGRESS_MB", "16"))
"""How much is sent each way: `EGRESS_MB=1024` for the long run."""
EVERY_PEER = pytest.mark.parametrize("peer", PEER_NAMES)
STREAMS = 200


@EVERY_PEER
@pytest.mark.parametrize("way", WAYS)
async def test_https(way: str, peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    """The origin sees its name, the whole body, and a connection from that proxy.

    Only the proxies know where the name leads, so none was resolved before them.
    """
    body = content(100_000, 3)
    async with await lab.road(way, sidecar_of_all, host_of(peer)) as road:
        for number in range(2):
            answer = await road.ask("POST", f"/echo?number={number}", body, {"X-Goog-Api-Key": "client-key"})
            assert answer.status == 200, answer
            seen = json.loads(answer.body)
            assert seen["digest"] == hashlib.sha256(body).hexdigest()
            assert seen["source"] == lab.proxies[peer].source
            assert seen["name"] == host_of(peer)
            assert seen["path"] == f"/echo?number={number}"
            headers = {name.lower(): value for name, value in seen["headers"]}
            assert headers["host"] == host_of(peer)
            assert headers["x-goog-api-key"] == "client-key"


@EVERY_PEER
async def test_upstream(peer: str, lab: Lab, origin: OriginProgram, sidecar_of_all: Sidecar) -> None:
    """An upstream with a hop is reached by it, under its own key."""
    answer = await chat(sidecar_of_all, model=peer)
    assert answer.status == 200, answer
    assert json.loads(answer.body)["source"] == lab.proxies[peer].source
    streamed = await chat(sidecar_of_all, model=peer, stream=True)
    assert streamed.body.endswith(b"data: [DONE]\n\n")
    requests = origin.record()["requests"]
    assert [request["name"] for request in requests] == [host_of(peer)] * 2
    assert "Bearer google-key" in dict(requests[0]["headers"]).values()
    assert GATEWAY_KEY not in json.dumps(requests)


@EVERY_PEER
async def test_bulk_each_way(peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    await assert_carries_much("connect", peer, lab, sidecar_of_all)


@pytest.mark.parametrize("peer", ["dante", "tinyproxy", "ss-aes-256-gcm", "v2ray-tls", "xray-ws-tls"])
@pytest.mark.parametrize("way", ["socks5", "reverse"])
async def test_bulk_each_way_on_other_ways(way: str, peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    await assert_carries_much(way, peer, lab, sidecar_of_all)


async def assert_carries_much(way: str, peer: str, lab: Lab, sidecar: Sidecar) -> None:
    count = MEGABYTES * 1_000_000
    async with await lab.road(way, sidecar, host_of(peer)) as road:
        assert await road.download(count, seed=4) == digest(count, seed=4)
        seen = await road.upload(count, pieces(count, seed=6))
        assert (seen["count"], seen["digest"]) == (count, digest(count, seed=6))


@pytest.mark.parametrize("peer", ["microsocks-password", "ss-chacha20-ietf-poly1305", "v2ray-ws-tls"])
async def test_bulk_each_way_as_an_upstream(peer: str, sidecar_of_all: Sidecar) -> None:
    count = 16_000_000
    answer = await chat(sidecar_of_all, model=peer, text=f"write {count} " + "x" * count)
    assert answer.status == 200, answer.body[:400]
    value = json.loads(answer.body)
    assert value["messages_size"] > count
    assert value["choices"][0]["message"]["content"] == content(count // 2, 1).hex()


@EVERY_PEER
async def test_200_parallel_streams(peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    await assert_streams("connect", peer, lab, sidecar_of_all)


@pytest.mark.parametrize(("way", "peer"), [("socks5", "xray-tls"), ("reverse", "v2ray-tcp"), ("reverse", "dante")])
async def test_200_parallel_streams_on_other_ways(way: str, peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    await assert_streams(way, peer, lab, sidecar_of_all)


async def assert_streams(way: str, peer: str, lab: Lab, sidecar: Sidecar) -> None:
    """The origin answers only when all are open at a time."""

    async def one() -> bytes:
        async with await lab.road(way, sidecar, host_of(peer)) as road:
            return (await road.ask("GET", f"/gather/{way}-{peer}/{STREAMS}")).body

    bodies = await asyncio.gather(*[one() for _ in range(STREAMS)])
    assert set(bodies) == {b"".join(b"data: %d\n\n" % number for number in range(5))}


async def plain_road(peer: str, port: int, sidecar: Sidecar) -> Connection:
    return await connect(egress_port(sidecar), host_of(peer), port)


@pytest.mark.parametrize(
    "peer", [name for name in PEER_NAMES if name.startswith(("dante", "v2ray", "xray-t", "xray-w"))]
)
async def test_an_answer_on_the_way_survives_the_end_of_the_request(
    peer: str, lab: Lab, sidecar_of_all: Sidecar
) -> None:
    """The client ends its side right behind its last byte; these peers do not throw away what is coming.

    Only dante tells the origin of that end; v2ray and Xray close both sides a second later, by themselves.
    """
    sent = content(200_000, 8)
    async with await plain_road(peer, lab.origin.greeting_port, sidecar_of_all) as connection:
        await connection.send(sent)
        connection.writer.write_eof()
        assert await connection.receive(11 + len(sent)) == b"220 hello\r\n" + sent


# Of the WebSockets one will do: their ends take seconds.
@pytest.mark.parametrize("peer", [name for name in PEER_NAMES if "-ws" not in name] + ["xray-ws-tls"])
async def test_a_half_close_ends(peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    """With an answer or without one, but soon: nobody waits for an end that a peer does not pass on."""
    async with await plain_road(peer, lab.origin.plain_port, sidecar_of_all) as connection:
        await connection.send(content(1000, 8))
        connection.writer.write_eof()
        await asyncio.wait_for(connection.reader.read(), 8)


@pytest.fixture(scope="module")
def half_closing(lab: Lab, loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """By peers that pass the end of one side on: dante, and scripted ones for want of real ones."""
    servers = [Server(loop, carries(lab.origin.address)) for carries in (carries_connect, carries_vless)]
    links = [lab.proxies["dante"].link, f"http://127.0.0.1:{servers[0].port}", vless_link(servers[1].port, "tcp")]
    hops = {f"hop-{number}": [link] for number, link in enumerate(links)}
    hosts = {f"{host}:{lab.origin.plain_port}": hop for host, hop in zip(FAULT_NAMES, hops, strict=False)}
    folder = tmp_path_factory.mktemp("half-closing")
    with living(Sidecar(folder, NOWHERE, listen=listeners(), egress=ladders(hops, hosts))) as sidecar:
        yield sidecar
    for server in servers:
        server.stop()


EVERY_HALF_CLOSING = pytest.mark.parametrize("number", range(3), ids=["SOCKS5", "CONNECT", "VLESS"])


@EVERY_HALF_CLOSING
@pytest.mark.parametrize("opens", [connect, socks5])
async def test_a_client_that_half_closes_is_answered(
    opens: Callable[..., Awaitable[Connection]], number: int, lab: Lab, half_closing: Sidecar
) -> None:
    sent = content(300_000, 8)
    async with await opens(egress_port(half_closing), FAULT_NAMES[number], lab.origin.plain_port) as connection:
        await connection.send(sent)
        connection.writer.write_eof()
        assert await connection.receive_all() == f"{hashlib.sha256(sent).hexdigest()} 300000".encode()


@EVERY_HALF_CLOSING
async def test_an_origin_that_half_closes_is_still_sent_to(number: int, lab: Lab, half_closing: Sidecar) -> None:
    rest = content(200_000, 9 + number)
    async with await connect(egress_port(half_closing), FAULT_NAMES[number], lab.origin.plain_port) as connection:
        await connection.send(b"first 70000 ")
        assert await connection.receive_all() == content(70_000, 5)
        for at in range(0, len(rest), 20_000):
            await connection.send(rest[at : at + 20_000])
            await asyncio.sleep(0.005)
        connection.writer.write_eof()
        received = hashlib.sha256(b"first 70000 " + rest).hexdigest()
        assert await asyncio.to_thread(wait_for, lambda: received in lab.origin.output())


@pytest.mark.parametrize("host", [STRANGER, WRONG_NAME])
@pytest.mark.parametrize("peer", ["microsocks", "v2ray-tls", "ss-aes-128-gcm"])
async def test_a_certificate_that_does_not_verify(
    host: str, peer: str, lab: Lab, origin: OriginProgram, start_egress: StartEgress
) -> None:
    """Neither the reverse path nor an upstream sends one byte of a request."""
    sidecar = start_egress(
        ladders({"google": [lab.proxies[peer].link]}, {host: "google"}),
        upstreams=upstreams(host),
        routes=[{"name": "google", "when": {"model": ["*"]}, "chain": ["gemini-3-pro@google"]}],
    )
    async with await lab.road("reverse", sidecar, host) as road:
        answer = await road.ask("GET", "/echo", headers={"x-goog-api-key": "secret-key"})
    assert answer.status == 502, answer
    assert (await chat(sidecar)).status == 502
    record = origin.record()
    assert record["requests"] == []
    assert record["connections"][host] >= 2


@EVERY_PEER
async def test_an_origin_that_speaks_first(peer: str, lab: Lab, sidecar_of_all: Sidecar) -> None:
    """The way is open to it without a byte of the client."""
    async with await connect(egress_port(sidecar_of_all), host_of(peer), lab.origin.greeting_port) as connection:
        assert await connection.receive(11) == b"220 hello\r\n"
        await connection.send(b"EHLO")
        assert await connection.receive(4) == b"EHLO"


async def test_nothing_is_left_open(sidecar_of_all: Sidecar) -> None:
    """After all of the above: what stays is what is pooled for the reverse path and upstreams."""
    assert await asyncio.to_thread(wait_for, lambda: open_connections(sidecar_of_all, "client") == 0, 15)
    pooled = open_connections(sidecar_of_all, "upstream")
    assert sidecar_of_all.descriptors() < pooled + 60


def open_connections(sidecar: Sidecar, side: str) -> int:
    return int(re.search(rf'sidecar_connections_open{{side="{side}"}} (\d+)', sidecar.metrics())[1])
