"""Every form in which a secret of these tests may slip out, and links that are full of them."""

import base64
import json
from urllib.parse import quote

from .peers import SECRETS, connect_link, shadowsocks_link, socks_link, vless_link

LISTENER = "litellm-user:c4n4ry-of-the-listener"
GOOGLE_KEY = "c4n4ry-google-bearer"
CLIENT_KEY = "c4n4ry-client-key"
QUERY_KEY = "c4n4ry-query-key"
WS_PATH = "/c4n4ry-path"


def forms(secret: str) -> set[str]:
    """A secret as it may slip out: plain, escaped, in Base64."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote(secret), encoded, encoded.rstrip("="), json.dumps(secret)[1:-1]}


def canaries() -> set[str]:
    secrets = {SECRETS.password, SECRETS.cipher_password, SECRETS.identity, SECRETS.identity.replace("-", "")}
    secrets |= {SECRETS.user, f"{SECRETS.user}:{SECRETS.password}", "wr0ng-c4n4ry"}
    secrets |= {f"aes-256-gcm:{SECRETS.cipher_password}", LISTENER, LISTENER.partition(":")[2], GOOGLE_KEY, CLIENT_KEY}
    return {form for secret in secrets for form in forms(secret)} | {QUERY_KEY, WS_PATH, "c4n4ry"}


def assert_clean(text: str, where: str) -> None:
    found = sorted(form for form in canaries() if form.lower() in text.lower())
    assert not found, f"{found} in {where}: …{text[max(0, text.lower().find(found[0].lower()) - 300) :][:700]}"


def links(port: int) -> list[str]:
    """One of each kind, all with secrets, to a port."""
    return [
        socks_link(port, SECRETS.password),
        connect_link(port, SECRETS.user, SECRETS.password),
        vless_link(port, "tcp"),
        vless_link(port, "ws-tls").replace("%2Fray", quote(WS_PATH, safe="")),
        shadowsocks_link(port, "aes-256-gcm"),
        shadowsocks_link(port, "chacha20-ietf-poly1305", legacy=True),
    ]
