"""A stock LiteLLM whose Gemini models go by the sidecar's hop: one by `api_base`, one by HTTPS_PROXY."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stack import GPT, LiteLLM, Provider, Sidecar

from .lab import GOOGLE, NOWHERE, Lab, OriginProgram, egress_port, ladders, listeners, living
from .peers import shadowsocks_link, vless_link
from .scripted import Relay

BY_API_BASE = "gemini-by-api-base"
BY_PROXY = "gemini-by-https-proxy"
CREDENTIALS = "litellm:of-the-egress-listener"


class HoppingLiteLLM(LiteLLM):
    """Its OpenAI deployment reaches its provider straight."""

    def __init__(self, folder: Path, provider: Provider, port: int, authority: Path) -> None:
        self.egress = port
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HTTPS_PROXY", f"http://{CREDENTIALS}@127.0.0.1:{port}")
            environment.setenv("SSL_CERT_FILE", str(authority))
            super().__init__(folder, provider)

    def configuration(self, provider: Provider) -> dict:
        def model(name: str, parameters: dict) -> dict:
            return {"model_name": name, "litellm_params": {"api_key": "provider-key", **parameters}}

        gemini = {"model": "gemini/gemini-3-pro"}
        base = f"http://127.0.0.1:{self.egress}/to/{GOOGLE}/v1beta"
        return {
            "model_list": [
                model(BY_API_BASE, gemini | {"api_base": base}),
                model(BY_PROXY, gemini),
                model(GPT, {"model": f"openai/{GPT}", "api_base": f"{provider.url}/openai/v1"}),
            ],
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        }


@dataclass
class Hopping:
    """LiteLLM, the sidecar beside it, and relays before the two rungs of its hop."""

    litellm: LiteLLM
    sidecar: Sidecar
    relays: list[Relay]

    @property
    def passed(self) -> int:
        """Bytes both ways through the hop, as the relays before the proxies counted them."""
        return sum(relay.sent + relay.received for relay in self.relays)

    @property
    def counted(self) -> float:
        """The same by the sidecar's own metric."""
        families = text_string_to_metric_families(self.sidecar.metrics())
        samples = [sample for family in families for sample in family.samples]
        return sum(sample.value for sample in samples if sample.name == "sidecar_egress_bytes_total")


@pytest.fixture(scope="session")
def hopping(
    lab: Lab, programs: tuple[Provider, LiteLLM], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hopping]:
    """VLESS over WebSocket and TLS first, Shadowsocks behind it."""
    relays = [Relay(lab.loop, lab.proxies[peer].port) for peer in ("xray-ws-tls", "ss-aes-256-gcm")]
    links = [vless_link(relays[0].port, "ws-tls"), shadowsocks_link(relays[1].port, "aes-256-gcm")]
    egress = ladders({"google": links}, {GOOGLE: "google"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SIDECAR_EXTRA_CA", str(lab.authority.ca))
        folder = tmp_path_factory.mktemp("hopping-sidecar")
        sidecar = Sidecar(folder, NOWHERE, listen=listeners(credentials=CREDENTIALS), egress=egress)
    folder = tmp_path_factory.mktemp("hopping-litellm")
    litellm = HoppingLiteLLM(folder, programs[0], egress_port(sidecar), lab.authority.ca)
    with living(sidecar):
        yield Hopping(litellm, sidecar, relays)
        litellm.stop()
    for relay in relays:
        relay.stop()


@pytest.fixture(scope="module", autouse=True)
def early_start_of_hopping(request: pytest.FixtureRequest) -> None:
    """Lets LiteLLM start while the other tests of egress run."""
    needed = any("hop" in getattr(item, "fixturenames", ()) for item in request.session.items)
    if needed and request.module.__name__.startswith("test_egress"):
        request.getfixturevalue("hopping")


@pytest.fixture
def hop(hopping: Hopping, origin: OriginProgram) -> Hopping:
    hopping.litellm.wait_ready()
    return hopping
