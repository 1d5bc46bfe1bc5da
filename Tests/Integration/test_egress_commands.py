"""What `sidecar check` says of links, and `sidecar egress` of a hop."""

import base64
import json
import subprocess
import time
from pathlib import Path

import pytest

from egress.addresses import NEEDS_ROOT
from egress.canaries import QUERY_KEY, assert_clean, links
from egress.lab import GOOGLE, NOWHERE, Lab
from egress.peers import SECRETS, socks_link
from stack import SIDECAR, free_port

pytest_plugins = ["egress.lab"]


def configuration(folder: Path, hops: dict[str, list[str]], **egress: object) -> Path:
    path = folder / "sidecar.json"
    forward = egress.pop("forward", [{"hosts": [GOOGLE], "via": next(iter(hops))}])
    value = {
        "version": 1,
        "upstreams": {"litellm": {"kind": "litellm", "url": NOWHERE}},
        "egress": {"hops": hops, "forward": forward, **egress},
    }
    path.write_text(json.dumps(value))
    return path


def run(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit status and all that was written."""
    command = [str(SIDECAR), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env=environment, check=False
    )
    return done.returncode, done.stdout + done.stderr


VLESS = f"vless://{SECRETS.identity}@proxy.example.test:443"
SECRET_USER = base64.urlsafe_b64encode(f"aes-256-gcm:{SECRETS.cipher_password}".encode()).decode().rstrip("=")
NOT_SUPPORTED = {
    "REALITY": (f"{VLESS}?security=reality&sni=a.example&pbk=x&sid=y&type=tcp", "reality"),
    "vision": (f"{VLESS}?security=tls&flow=xtls-rprx-vision", "flow"),
    "XTLS": (f"{VLESS}?security=xtls", "xtls"),
    "gRPC": (f"{VLESS}?type=grpc&serviceName=s&security=tls", "grpc"),
    "HTTP upgrade": (f"{VLESS}?type=httpupgrade&path=/x", "httpupgrade"),
    "XHTTP": (f"{VLESS}?type=xhttp&path=/x", "xhttp"),
    "VLESS encryption": (f"{VLESS}?encryption=mlkem768x25519plus.native.0rtt.key", "encryption"),
    "insecure TLS": (f"{VLESS}?security=tls&allowInsecure=1", "allowinsecure"),
    "no identity": ("vless://proxy.example.test:443?security=tls", "uuid"),
    "not an identity": ("vless://c4n4ry-that-is-too-long-to-be-a-name-of-xray@proxy.example.test:443", "uuid"),
    "no port": (f"vless://{SECRETS.identity}@proxy.example.test", "port"),
    "port too large": (f"vless://{SECRETS.identity}@proxy.example.test:70000", "port"),
    "plugin": (f"ss://{SECRET_USER}@proxy.example.test:8388/?plugin=obfs-local%3Bobfs%3Dhttp", "plugin"),
    "2022 cipher": ("ss://2022-blake3-aes-256-gcm:c4n4ryc4n4ry@proxy.example.test:8388", "2022"),
    "old cipher": ("ss://aes-256-cfb:c4n4ry@proxy.example.test:8388", "cipher"),
    "not Base64": ("ss://c4n4ry!!!@proxy.example.test:8388", "base64"),
    "another scheme": ("trojan://c4n4ry@proxy.example.test:443", "trojan"),
    "no scheme": ("user:c4n4ry@proxy.example.test:1080", "socks5"),
    "empty": ("", "empty"),
}


@pytest.mark.parametrize("name", NOT_SUPPORTED)
def test_links_that_are_refused(name: str, tmp_path: Path) -> None:
    """By `check`: the place, what is wrong, what to write instead; and not a word of what is secret."""
    link, word = NOT_SUPPORTED[name]
    status, said = run("check", "--config", str(configuration(tmp_path, {"google": ["direct", link]})))
    assert status == 78, said
    assert "/egress/hops/google/1" in said
    assert word in said.lower()
    assert_clean(said, "the problem")


GOOD_LINKS = [
    "direct",
    "socks5://proxy.example.test:1080",
    "socks5://user:p%40ss@[2001:db8::1]:1080",
    "http://user:pass@proxy.example.test:3128",
    f"{VLESS}?encryption=none&security=tls&sni=a.example&fp=chrome&type=tcp#%D0%98%D0%BC%D1%8F",
    f"{VLESS}?type=raw&security=none&headerType=none",
    f"vless://{SECRETS.identity}@[2001:db8::1]:443?type=ws&path=%2Fray%3Fed%3D2048&host=a.example",
    f"vless://{SECRETS.identity.upper()}@proxy.example.test:443?type=ws&security=tls&alpn=http%2F1.1",
    f"ss://{SECRET_USER}@proxy.example.test:8388",
    f"ss://{SECRET_USER}==@proxy.example.test:8388/#name",
    "ss://aes-128-gcm:p%2Fw@proxy.example.test:8388#name",
    "ss://" + base64.b64encode(b"chacha20-ietf-poly1305:p@:/w@proxy.example.test:8388").decode() + "#name",
]


@pytest.mark.parametrize("link", GOOD_LINKS)
def test_links_that_are_taken(link: str, tmp_path: Path) -> None:
    status, said = run("check", "--config", str(configuration(tmp_path, {"google": [link]})))
    assert status == 0, said


def test_what_else_is_wrong_with_a_section(tmp_path: Path) -> None:
    """Every problem at once: an unknown hop, an empty ladder, a host that is none."""
    forward = [{"hosts": [GOOGLE], "via": "gogle"}, {"hosts": [], "via": "google"}]
    path = configuration(tmp_path, {"google": ["direct"], "none": []}, forward=forward)
    value = json.loads(path.read_text())
    value["upstreams"]["google"] = {"kind": "openai", "url": "https://g.example/v1", "bearer": "k", "egress": "nohop"}
    path.write_text(json.dumps(value))
    status, said = run("check", "--config", str(path))
    assert status == 78
    for place in ("/egress/forward/0/via", "/egress/hops/none", "/upstreams/google/egress"):
        assert place in said, said


class TestCommand:
    """`sidecar egress HOP`."""

    @NEEDS_ROOT
    @pytest.mark.parametrize("peer", ["microsocks-password", "tinyproxy", "v2ray-ws-tls", "ss-aes-256-gcm"])
    def test_a_hop_that_works(self, peer: str, lab: Lab, tmp_path: Path) -> None:
        path = configuration(tmp_path, {"google": [lab.proxies[peer].link]})
        environment = {"SIDECAR_EXTRA_CA": str(lab.authority.ca)}
        url = f"https://{GOOGLE}/slow/0?key={QUERY_KEY}"
        start = time.monotonic()
        status, said = run("egress", "google", "--config", str(path), "--url", url, environment=environment)
        assert status == 0, said
        assert time.monotonic() - start < 3
        assert "ms" in said or " s" in said
        assert_clean(said, "the steps")

    @NEEDS_ROOT
    def test_the_second_rung_works(self, lab: Lab, tmp_path: Path) -> None:
        rungs = [socks_link(free_port(), SECRETS.password), lab.proxies["xray-tls"].link]
        path = configuration(tmp_path, {"google": rungs})
        environment = {"SIDECAR_EXTRA_CA": str(lab.authority.ca)}
        command = ["egress", "google", "--config", str(path), "--url", f"https://{GOOGLE}/slow/0"]
        status, said = run(*command, environment=environment)
        assert status == 0, said
        assert "unreachable" in said
        assert_clean(said, "the steps")

    def test_a_hop_that_does_not(self, tmp_path: Path) -> None:
        path = configuration(tmp_path, {"google": links(free_port())}, connectSeconds=1, firstByteSeconds=1)
        status, said = run("egress", "google", "--config", str(path), "--url", f"https://{GOOGLE}/?key={QUERY_KEY}")
        assert status == 69, said
        assert_clean(said, "the steps")

    @NEEDS_ROOT
    def test_a_certificate_that_does_not_verify(self, lab: Lab, tmp_path: Path) -> None:
        """Without the tests' authority nobody can vouch for the origin."""
        path = configuration(tmp_path, {"google": [lab.proxies["microsocks"].link]})
        status, said = run("egress", "google", "--config", str(path), "--url", f"https://{GOOGLE}/slow/0")
        assert status == 69, said
        assert "tls" in said.lower() or "certificate" in said.lower()

    def test_an_unknown_hop(self, tmp_path: Path) -> None:
        """The error lists the known ones."""
        path = configuration(tmp_path, {"google": ["direct"]})
        status, said = run("egress", "gogle", "--config", str(path))
        assert status in (64, 69, 78)
        assert "google" in said
