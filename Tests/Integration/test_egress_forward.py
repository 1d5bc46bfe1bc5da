"""The egress listener as a forward proxy and reverse path: what it refuses, and that nothing is opened for it."""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import stack
from egress.addresses import NEEDS_ROOT, Names, Neighbourhood
from egress.client import Refused, connect, dial, socks5
from egress.lab import GOOGLE, NOWHERE, egress_port, listeners, living, opens, raw
from egress.peers import socks_link
from egress.scripted import Loop, RecordingSocks
from stack import Sidecar

pytest_plugins = ["egress.lab"]

ALLOWED = "*.googleapis.com"
LISTED_ADDRESS = "127.0.0.77"
QUERY = "key=query-that-must-not-be-logged"


@pytest.fixture(scope="module")
def guarded(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sidecar, RecordingSocks]]:
    """A sidecar that lets *.googleapis.com, a literal and, behind them, everything pass to a proxy that takes notes."""
    proxy = RecordingSocks(loop)
    link = socks_link(proxy.port)
    forward = [
        {"hosts": [ALLOWED, f"{LISTED_ADDRESS}:8443", "*.example.com:8443"], "via": "hop"},
        {"hosts": ["[fd00::77]:8443"], "via": "hop"},
    ]
    folder = tmp_path_factory.mktemp("guarded")
    sidecar = Sidecar(folder, NOWHERE, listen=listeners(), egress={"hops": {"hop": [link]}, "forward": forward})
    with living(sidecar):
        yield sidecar, proxy
    proxy.stop()


@pytest.fixture(scope="module")
def open_to_all(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sidecar, RecordingSocks]]:
    """A sidecar whose list has `*`: names may go anywhere, private addresses still nowhere."""
    proxy = RecordingSocks(loop)
    folder = tmp_path_factory.mktemp("open-to-all")
    egress = {"hops": {"hop": [socks_link(proxy.port)]}, "forward": [{"hosts": ["*"], "via": "hop"}]}
    sidecar = Sidecar(folder, NOWHERE, listen=listeners(), egress=egress)
    with living(sidecar):
        yield sidecar, proxy
    proxy.stop()


NOT_LISTED = [
    "example.org",
    "googleapis.com",
    "evilgoogleapis.com",
    "generativelanguage.googleapis.com.evil.test",
    ".googleapis.com",
    "1.1.1.1",
    "[2606:4700::1111]",
    "localhost",
    "generativelanguage.googleapis.co",
    "ıdentity.googleapis.com",
]
LISTED_IN_SPITE_OF_CASE = ["GenerativeLanguage.GoogleAPIs.com"]


@pytest.mark.parametrize("host", NOT_LISTED)
async def test_hosts_that_are_not_listed(host: str, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    """403 for CONNECT and the reverse path, 02 for SOCKS5."""
    sidecar, proxy = guarded
    before = len(proxy.asked)
    for request in (
        f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n",
        f"GET /to/{host}/v1beta/models?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    ):
        answer = await raw(sidecar, request.encode())
        # What is no host name at all may be called a bad request.
        assert answer.status in ((403,) if host.isascii() else (400, 403)), answer
    with pytest.raises(Refused) as refused:
        await socks5(egress_port(sidecar), host.strip("[]"))
    assert refused.value.code in ((2,) if host.isascii() else (1, 2))
    assert len(proxy.asked) == before
    assert QUERY not in sidecar.output()


@pytest.mark.parametrize("host", LISTED_IN_SPITE_OF_CASE)
async def test_case_does_not_matter(host: str, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    sidecar, proxy = guarded
    await opens(sidecar, host)
    assert proxy.asked[-1][0].lower() == host.lower().encode()


PRIVATE = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0X7F000001", "2130706433", "017700000001", "0177.0.0.1",
    "0177.0.0.0x1", "127.0.0.1.", "127.255.255.254", "0.0.0.0", "0", "10.0.0.1", "10.1", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "192.168.257", "169.254.169.254", "0xa9fea9fe", "2852039166", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.0.1",
    "::1", "::", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a9fe:a9fe", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "fe80::1", "fe80::1%lo", "fe80::1%25lo", "fc00::1",
    "fd12:3456::1", "ff02::1", "::ffff:0:127.0.0.1", "fec0::1",
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses(address: str, open_to_all: tuple[Sidecar, RecordingSocks]) -> None:
    """In every spelling, though `*` is listed."""
    sidecar, proxy = open_to_all
    before = len(proxy.asked)
    host = f"[{address}]" if ":" in address else address
    for request in (
        f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n",
        f"CONNECT {address}:443 HTTP/1.1\r\nHost: generativelanguage.googleapis.com\r\n\r\n",
        f"GET /to/{host}/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
        f"GET /to/{host}:443/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    ):
        answer = await raw(sidecar, request.encode())
        proper = address.isascii() and "%" not in address and not (":" in address and f"T {host}:" not in request)
        assert answer.status in ((403,) if proper else (400, 403)), (request, answer)
    with pytest.raises(Refused) as refused:
        await socks5(egress_port(sidecar), "", address=bytes([3, len(address.encode())]) + address.encode())
    assert refused.value.code in ((2,) if address.isascii() else (1, 2))
    assert len(proxy.asked) == before
    assert QUERY not in sidecar.output()


NUMBERS = ["127.0.0.1", "0.0.0.0", "169.254.169.254", "10.1.2.3", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1"]


@pytest.mark.parametrize("address", [*NUMBERS, "fe80::1", "fd00::1", "64:ff9b::7f00:1", "2002:a00:1::", "::127.0.0.1"])
async def test_private_addresses_as_numbers(address: str, open_to_all: tuple[Sidecar, RecordingSocks]) -> None:
    """SOCKS5 with the address types of IPv4 and IPv6."""
    sidecar, proxy = open_to_all
    before = len(proxy.asked)
    number = ipaddress.ip_address(address)
    with pytest.raises(Refused) as refused:
        await socks5(egress_port(sidecar), "", address=bytes([1 if number.version == 4 else 4]) + number.packed)
    assert refused.value.code == 2
    assert len(proxy.asked) == before


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111"])
async def test_public_addresses_pass_where_all_is_listed(
    address: str, open_to_all: tuple[Sidecar, RecordingSocks]
) -> None:
    """So the refusals above are not for want of a way."""
    sidecar, proxy = open_to_all
    await opens(sidecar, address)
    asked = proxy.asked[-1][0]
    assert ipaddress.ip_address(asked if len(asked) in (4, 16) else asked.decode()) == ipaddress.ip_address(address)


@pytest.mark.parametrize(("host", "port"), [(LISTED_ADDRESS, 8443), ("fd00::77", 8443)])
async def test_a_private_address_that_is_listed(host: str, port: int, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    sidecar, _ = guarded
    await opens(sidecar, host, port)
    with pytest.raises(Refused) as refused:
        await connect(egress_port(sidecar), f"[{host}]" if ":" in host else host, 443)
    assert refused.value.code == 403


@pytest.mark.parametrize("port", [0, 1, 22, 25, 80, 444, 8080, 8443, 10443, 65535])
async def test_odd_ports(port: int, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    sidecar, proxy = guarded
    before = len(proxy.asked)
    with pytest.raises(Refused) as refused:
        await connect(egress_port(sidecar), GOOGLE, port)
    assert refused.value.code == 403 or (port == 0 and refused.value.code == 400)
    with pytest.raises(Refused) as refused:
        await socks5(egress_port(sidecar), GOOGLE, port)
    assert refused.value.code == 2 or (port == 0 and refused.value.code == 1)
    answer = await raw(sidecar, f"GET /to/{GOOGLE}:{port}/v1beta HTTP/1.1\r\nHost: s\r\n\r\n".encode())
    assert answer.status == 403 or (port == 0 and answer.status == 400)
    assert len(proxy.asked) == before


async def test_a_listed_port(guarded: tuple[Sidecar, RecordingSocks]) -> None:
    """`*.example.com:8443` opens that port and no other."""
    sidecar, proxy = guarded
    await opens(sidecar, "a.example.com", 8443)
    assert proxy.asked[-1] == (b"a.example.com", 8443)
    with pytest.raises(Refused) as refused:
        await connect(egress_port(sidecar), "a.example.com", 443)
    assert refused.value.code == 403


TRICKS = {
    "no port": f"CONNECT {GOOGLE} HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "port too large": f"CONNECT {GOOGLE}:65979 HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "port with sign": f"CONNECT {GOOGLE}:+443 HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "port with a letter": f"CONNECT {GOOGLE}:443x HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "two ports": f"CONNECT {GOOGLE}:443:22 HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "user before another host": f"CONNECT {GOOGLE}@evil.test:443 HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "user with port": f"CONNECT {GOOGLE}:443@evil.test:443 HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "slash": "CONNECT evil.test/.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "backslash": "CONNECT evil.test\\.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "question mark": "CONNECT evil.test?.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "hash": "CONNECT evil.test#.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "percent": "CONNECT evil.test%2f.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "percent NUL": "CONNECT 127.0.0.1%00.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "at sign in the name": "CONNECT evil@x.googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "quotes": "CONNECT \"evil.test\".googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "empty label": "CONNECT evil..googleapis.com:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "URL": f"CONNECT https://{GOOGLE}:443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "empty host": "CONNECT :443 HTTP/1.1\r\nHost: s\r\n\r\n",
    "listed only in Host": f"CONNECT evil.test:443 HTTP/1.1\r\nHost: {GOOGLE}\r\nX-Forwarded-Host: {GOOGLE}\r\n\r\n",
    "absolute form": f"GET http://{GOOGLE}/v1beta?{QUERY} HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "absolute form with https": f"GET https://{GOOGLE}/v1beta?{QUERY} HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "absolute form of the reverse path": f"GET http://s/to/{GOOGLE}/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    "absolute form elsewhere": f"POST http://evil.test/to/{GOOGLE}/v1beta HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "reverse: user before another host": f"GET /to/{GOOGLE}@evil.test/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: encoded slash": f"GET /to/evil.test%2f.googleapis.com/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: backslash": f"GET /to/evil.test\\.googleapis.com/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: nothing": "GET /to/ HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: two slashes": f"GET /to//{GOOGLE}/v1beta HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: host in the query": f"GET /to/?host=.googleapis.com&{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: question mark in the host": f"GET /to/evil.test?.googleapis.com/&{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n",
    "reverse: listed only in Host": f"GET /to/evil.test/v1beta HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "another path": f"GET /v1beta/models?{QUERY} HTTP/1.1\r\nHost: {GOOGLE}\r\n\r\n",
    "asterisk": "OPTIONS * HTTP/1.1\r\nHost: s\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
async def test_tricks_with_targets_and_headers(trick: str, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    """Refused by 403, or by 400 where it is no proper request; in no case is anything opened."""
    sidecar, proxy = guarded
    before = len(proxy.asked)
    answer = await raw(sidecar, TRICKS[trick].encode())
    assert answer.status in (400, 403, 404), answer
    if trick.startswith("absolute"):
        assert answer.status == 403
    assert len(proxy.asked) == before
    assert QUERY not in sidecar.output()


FRAMING = {
    "both lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n",
    "signed length": "Content-Length: +5\r\n",
    "two hosts": "Host: evil.test\r\n",
    "folded": "X-A: b\r\n c\r\n",
    "space before the colon": "Content-Length : 5\r\n",
    "unknown coding": "Transfer-Encoding: identity\r\n",
}


@pytest.mark.parametrize("framing", FRAMING)
@pytest.mark.parametrize("line", [f"CONNECT {GOOGLE}:443", f"POST /to/{GOOGLE}/v1beta"])
async def test_what_two_parsers_could_read_in_two_ways(
    line: str, framing: str, guarded: tuple[Sidecar, RecordingSocks]
) -> None:
    """The door of section 4.1 stands before this listener too."""
    sidecar, proxy = guarded
    before = len(proxy.asked)
    async with await dial(egress_port(sidecar)) as connection:
        await connection.send(f"{line} HTTP/1.1\r\nHost: {GOOGLE}\r\n{FRAMING[framing]}\r\nhello".encode())
        answer = await connection.read()
        assert answer.status in (400, 501), answer
        assert await connection.receive_all() == b""
    assert len(proxy.asked) == before


SOCKS_NAMES = {
    "NUL": b"127.0.0.1\0.googleapis.com",
    "NUL at the end": b"generativelanguage.googleapis.com\0",
    "line ends": b"evil.test:443 HTTP/1.1\r\nX: .googleapis.com",
    "tab": b"evil.test\t.googleapis.com",
    "space": b"evil.test .googleapis.com",
    "slash": b"evil.test/.googleapis.com",
    "at sign": b"a@b.googleapis.com",
    "colon": b"evil.test:22.googleapis.com",
    "not ASCII": "ev\u0131l.googleapis.com".encode(),
    "not UTF-8": b"\xff\xfe.googleapis.com",
    "empty": b"",
    "long": b"a" * 239 + b".googleapis.com",
}


@pytest.mark.parametrize("name", SOCKS_NAMES)
async def test_names_that_are_no_names(name: str, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    """Anything could stand in a SOCKS5 name, and proxies in C end it at a NUL."""
    sidecar, proxy = guarded
    before = len(proxy.asked)
    with pytest.raises((Refused, asyncio.IncompleteReadError)) as refused:
        await socks5(egress_port(sidecar), SOCKS_NAMES[name])
    if isinstance(refused.value, Refused):
        assert refused.value.code in (1, 2)
    assert len(proxy.asked) == before


SOCKS_GREETINGS = {
    "SOCKS4": b"\x04\x01\x01\xbb\x01\x01\x01\x01\0",
    "no methods": b"\x05\x00",
    "only GSSAPI": b"\x05\x01\x01",
    "BIND": b"\x05\x01\x00\x05\x02\x00\x01\x01\x01\x01\x01\x01\xbb",
    "UDP": b"\x05\x01\x00\x05\x03\x00\x01\x01\x01\x01\x01\x01\xbb",
    "unknown address type": b"\x05\x01\x00\x05\x01\x00\x07\x01\x01\x01\x01\x01\xbb",
    "request of another version": b"\x05\x01\x00\x04\x01\x00\x01\x01\x01\x01\x01\x01\xbb",
    "reserved byte": b"\x05\x01\x00\x05\x01\x09\x01\x01\x01\x01\x01\x00\x16",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
    "noise": bytes(range(128, 256)),
}


@pytest.mark.parametrize("name", SOCKS_GREETINGS)
async def test_other_protocols(name: str, guarded: tuple[Sidecar, RecordingSocks]) -> None:
    """Answered by a refusal or a close, soon, and nothing is opened."""
    sidecar, proxy = guarded
    before = len(proxy.asked)
    async with await dial(egress_port(sidecar)) as connection:
        await connection.send(SOCKS_GREETINGS[name])
        connection.writer.write_eof()
        answer = await asyncio.wait_for(connection.reader.read(), 5)
    assert not answer.startswith(b"\x05\x00\x05\x00")
    assert len(proxy.asked) == before


async def test_a_slow_greeting_is_understood(guarded: tuple[Sidecar, RecordingSocks]) -> None:
    """SOCKS5 and CONNECT by one byte at a time."""
    sidecar, proxy = guarded
    before = len(proxy.asked)
    name = b"slow.googleapis.com"
    handshake = b"\x05\x02\x00\x02\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", 443)
    head = b"CONNECT slow.googleapis.com:443 HTTP/1.1\r\nHost: slow.googleapis.com:443\r\n\r\n"
    for sent, answered in ((handshake, b"\x05\x00\x05\x00"), (head, b"HTTP/1.1 200 ")):
        async with await dial(egress_port(sidecar)) as connection:
            for byte in sent:
                await connection.send(bytes([byte]))
                await asyncio.sleep(0.001)
            assert (await connection.receive(len(answered))) == answered
    assert proxy.asked[before:] == [(name, 443)] * 2


REBINDING = {
    "loopback": ["{trap}"],
    "any": ["0.0.0.0"],
    "ten": ["10.255.0.1"],
    "metadata": ["169.254.169.254"],
    "six": ["::1"],
    "mapped": ["::ffff:{trap}"],
    "translated": ["64:ff9b::7f00:1"],
    "mixed": ["{trap}", "203.0.113.9"],
    "mixed-six": ["203.0.113.9", "::1"],
}
"""Where names may lead that the sidecar resolves itself."""


@pytest.fixture(scope="module")
def rebound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sidecar, socket.socket]]:
    """A sidecar whose hop is `direct`, and a listener inside to which names lead."""
    folder = tmp_path_factory.mktemp("rebound")
    trap = Neighbourhood().origin
    names: dict[str, list[str]] = {}
    for name, addresses in REBINDING.items():
        for address in addresses:
            names.setdefault(address.format(trap=trap), []).append(f"{name}.googleapis.com")
    forward = [{"hosts": [ALLOWED], "via": "out"}]
    egress = {"hops": {"out": ["direct"]}, "forward": forward, "connectSeconds": 1}
    with socket.create_server((trap, 443)) as listener, pytest.MonkeyPatch.context() as patch:
        listener.setblocking(False)
        patch.setattr(stack, "SIDECAR", wrapper(folder, Names(folder / "names", names)))
        with living(Sidecar(folder, NOWHERE, listen=listeners(), egress=egress)) as sidecar:
            yield sidecar, listener


@NEEDS_ROOT
@pytest.mark.parametrize("name", REBINDING)
async def test_names_that_lead_inside(name: str, rebound: tuple[Sidecar, socket.socket]) -> None:
    sidecar, trap = rebound
    host = f"{name}.googleapis.com"
    # Beside a private address a public one may be tried, which is not there.
    allowed = (403, 502, 504) if name.startswith("mixed") else (403,)
    with pytest.raises(Refused) as refused:
        await connect(egress_port(sidecar), host)
    assert refused.value.code in allowed
    with pytest.raises(Refused) as refused:
        await socks5(egress_port(sidecar), host)
    assert refused.value.code in ((1, 2, 3, 4, 5) if name.startswith("mixed") else (2,))
    answer = await raw(sidecar, f"GET /to/{host}/v1beta?{QUERY} HTTP/1.1\r\nHost: s\r\n\r\n".encode())
    assert answer.status in allowed
    with pytest.raises(BlockingIOError):
        trap.accept()
    assert QUERY not in sidecar.output()


def wrapper(folder: Path, names: Names) -> Path:
    """A program that runs the sidecar where only these names are known."""
    script = folder / "sidecar"
    command = " ".join(f"'{word}'" for word in names.around([str(stack.SIDECAR)]))
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    return script
