"""What the tests share: the programs they run against, started once, and the figures they report."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest

from stack import LITELLM, ROUTES, LiteLLM, Provider, Sidecar

FIGURES: list[str] = []

# LiteLLM carries the vocabularies, so that counting needs no download.
VOCABULARIES = "lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"
os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(next(LITELLM.parent.parent.glob(VOCABULARIES), "")))


@pytest.fixture(scope="session")
def report() -> Callable[[str], None]:
    """Keeps a measured figure for the end of the run: times are told, never asserted."""
    return FIGURES.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, LiteLLM]]:
    folder = tmp_path_factory.mktemp("stack")
    provider = Provider(folder)
    litellm = LiteLLM(folder, provider)
    yield provider, litellm
    litellm.stop()
    provider.stop()


@pytest.fixture(scope="session", autouse=True)
def early_start(request: pytest.FixtureRequest) -> None:
    """Lets LiteLLM start while the tests run that do not need it."""
    if any("litellm" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("programs")


@pytest.fixture
def litellm(programs: tuple[Provider, LiteLLM]) -> LiteLLM:
    programs[1].wait_ready()
    return programs[1]


@pytest.fixture
def provider(programs: tuple[Provider, LiteLLM]) -> Provider:
    programs[0].reset()
    return programs[0]


@pytest.fixture
def start_sidecar(tmp_path: Path) -> Iterator[Callable[..., Sidecar]]:
    """Starts sidecars; at the end each must still live, and end with status 0."""
    started: list[Sidecar] = []

    def start(upstream: str, **options: object) -> Sidecar:
        folder = tmp_path / f"sidecar-{len(started)}"
        folder.mkdir()
        started.append(Sidecar(folder, upstream, **options))
        return started[-1]

    yield start
    for sidecar in started:
        if not sidecar.stopped_by_test:
            assert sidecar.process.poll() is None, f"the sidecar has died:\n{sidecar.output()[-4000:]}"
            assert sidecar.stop() == 0, sidecar.output()[-4000:]


@pytest.fixture
def start_routed(start_sidecar: Callable[..., Sidecar], litellm: LiteLLM) -> Callable[..., Sidecar]:
    """Starts a sidecar before LiteLLM that sends claude* to Gemini when it fails."""

    def start(**sections: object) -> Sidecar:
        return start_sidecar(litellm.url, **{"routes": ROUTES, **sections})

    return start


@pytest.fixture
def client_of(litellm: LiteLLM) -> Callable[[str], openai.AsyncOpenAI]:
    """An OpenAI SDK client for a base address; it does not retry by itself."""

    def client(url: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=litellm.key, max_retries=0, timeout=120)

    return client
