"""Images through a real LiteLLM to three kinds of provider: what arrives there is the original, in every form."""

import base64
import json
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from egress.certificates import Authority
from images import (
    ACCESS_KEY,
    PUBLIC_URL,
    SECRET_KEY,
    assert_nothing_leaked,
    data_url,
    digest,
    fetch,
    image_counts,
    jpeg,
    png,
    start_with_store,
    stored,
)
from objectstores import ObjectStore, start_object_store
from stack import CLAUDE, GEMINI, GPT, ROUTES, LiteLLM, Provider, Sidecar
from tls import TLSFront

Start = Callable[..., Sidecar]
EVERY_MODEL = pytest.mark.parametrize("model", [CLAUDE, GEMINI, GPT])


OVER_TLS = "tls-"
"""Before a model's name: the same model, whose provider is asked by https."""


@dataclass
class Secured:
    """What is reached by https too: a store and the provider."""

    store: ObjectStore
    store_front: TLSFront
    provider_front: TLSFront
    ca: Path

    def fetch(self, url: str) -> bytes:
        """As a plain client does that trusts the tests' authority."""
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(url, timeout=30, context=context) as answer:
            return answer.read()


class FetchingLiteLLM(LiteLLM):
    """May fetch from this machine by number, by no other address of it but the store's, and asks by https too."""

    def __init__(self, folder: Path, provider: Provider, secured: Secured) -> None:
        self.secured = secured
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("SSL_CERT_FILE", str(secured.ca))
            super().__init__(folder, provider)

    def configuration(self, provider: Provider) -> dict:
        configuration = super().configuration(provider)
        for model in list(configuration["model_list"]):
            parameters = model["litellm_params"]
            address = parameters["api_base"].replace(provider.url, self.secured.provider_front.url)
            again = {"model_name": OVER_TLS + model["model_name"], "litellm_params": parameters | {"api_base": address}}
            configuration["model_list"].append(again)
        hosts = ["127.0.0.1", self.secured.store_front.authority]
        return configuration | {"litellm_settings": {"user_url_allowed_hosts": hosts}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, LiteLLM]]:
    folder = tmp_path_factory.mktemp("fetching")
    provider = Provider(folder)
    with ExitStack() as opened:
        opened.callback(provider.stop)
        store = start_object_store(folder, ACCESS_KEY, SECRET_KEY)
        opened.callback(store.stop)
        authority = Authority(folder, "images")
        files = authority.issue("localhost", "localhost")
        ports = [store.port, int(provider.url.rpartition(":")[2])]
        fronts = [opened.enter_context(TLSFront(port, *files)) for port in ports]
        litellm = FetchingLiteLLM(folder, provider, Secured(store, *fronts, authority.ca))
        opened.callback(litellm.stop)
        litellm.wait_ready()
        yield provider, litellm


@pytest.fixture
def secured(stack: tuple[Provider, FetchingLiteLLM]) -> Secured:
    return stack[1].secured


@pytest.fixture
def recorder(stack: tuple[Provider, LiteLLM]) -> Provider:
    stack[0].reset()
    return stack[0]


@pytest.fixture
def start_before_litellm(
    stack: tuple[Provider, LiteLLM], start_sidecar: Start, tmp_path: Path
) -> Iterator[Callable[..., Sidecar]]:
    """Starts a sidecar whose models all take images in that form."""

    def start(form: str, media: dict | None = None, **sections: object) -> Sidecar:
        models = [{"match": ["*"], "vision": True, "images": form}]
        return start_with_store(start_sidecar, stack[1].url, media, **({"models": models} | sections))

    yield start
    assert_nothing_leaked(tmp_path)


def client(sidecar: Sidecar, litellm: LiteLLM) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{sidecar.gateway}/v1", api_key=litellm.key, max_retries=0, timeout=60)


async def ask(sidecar: Sidecar, litellm: LiteLLM, model: str, *urls: str):
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, *parts]}]
    return await client(sidecar, litellm).chat.completions.with_raw_response.create(model=model, messages=messages)


def images_received(body: dict) -> list[bytes | str]:
    """The images in what a provider was sent: bytes, or the address if there is one."""
    found: list[bytes | str] = []

    def look(value: object) -> None:
        if isinstance(value, list):
            for element in value:
                look(element)
        elif isinstance(value, dict):
            inline = value.get("inline_data") or value.get("inlineData")
            file = value.get("file_data") or value.get("fileData")
            source = value.get("source")
            if inline:
                found.append(base64.b64decode(inline["data"]))
            elif file:
                found.append(file.get("file_uri") or file["fileUri"])
            elif isinstance(source, dict):
                found.append(source["url"] if source["type"] == "url" else base64.b64decode(source["data"]))
            elif isinstance(value.get("image_url"), dict):
                url = value["image_url"]["url"]
                found.append(base64.b64decode(url.partition(",")[2]) if url.startswith("data:") else url)
            else:
                for member in value.values():
                    look(member)

    look(body)
    return found


def digests(provider: Provider, model: str, sidecar: Sidecar) -> list[str]:
    """Of the images of the last request; an address is fetched, through the gateway if it is its public one."""
    received = images_received(provider.record(model)["bodies"][-1])
    return [
        digest(image if isinstance(image, bytes) else fetch(image.replace(PUBLIC_URL, sidecar.gateway)).body)
        for image in received
    ]


@EVERY_MODEL
@pytest.mark.parametrize("form", ["url", "inline"])
async def test_the_provider_gets_the_original(
    form: str,
    model: str,
    stack: tuple[Provider, LiteLLM],
    recorder: Provider,
    start_before_litellm: Callable[..., Sidecar],
) -> None:
    """New images, and in the next turn an old address of ours beside a new one."""
    images = [png(50, 20_000), jpeg(51, 20_000)]
    sidecar = start_before_litellm(form)
    answer = await ask(sidecar, stack[1], model, data_url(images[0]), data_url(images[1], "image/jpeg"))
    assert answer.headers["x-sidecar-model"] == model
    assert digests(recorder, model, sidecar) == [digest(image) for image in images]
    assert len(stored(sidecar)) == (2 if form == "url" else 0)
    if model == GPT and form == "url":
        assert all(isinstance(image, str) for image in images_received(recorder.record(model)["bodies"][0]))


@EVERY_MODEL
async def test_an_old_address_arrives_as_the_original(
    model: str,
    stack: tuple[Provider, LiteLLM],
    recorder: Provider,
    start_before_litellm: Callable[..., Sidecar],
) -> None:
    """A link of an answer, in a chat to a model that takes images within the request."""
    image = png(52, 20_000)
    sidecar = start_before_litellm("url")
    await ask(sidecar, stack[1], GPT, data_url(image))
    address = images_received(recorder.record(GPT)["bodies"][-1])[0]
    link = f"{PUBLIC_URL}/media/{digest(image)}.png"
    store = {"kind": "directory", "path": str(sidecar.log.parent / "media")}
    # The same address, so that it is its own.
    settings = {"store": store | {"endpointForUpstream": address.partition("/media/")[0]}}
    other = start_before_litellm("inline", settings)
    answer = await ask(other, stack[1], model, address, link)
    assert answer.headers["x-sidecar-images"] == "inlined=2"
    assert digests(recorder, model, other) == [digest(image)] * 2


async def test_an_https_address_goes_on_to_those_who_fetch_it_themselves(
    stack: tuple[Provider, LiteLLM], recorder: Provider, start_before_litellm: Callable[..., Sidecar]
) -> None:
    """Claude and OpenAI are handed the address; for Gemini LiteLLM fetches, cannot, and gets the image itself."""
    image = png(53, 20_000)
    store = {"kind": "directory", "path": "media", "endpointForUpstream": PUBLIC_URL}
    sidecar = start_before_litellm("url", {"store": store})
    for model in (CLAUDE, GPT, GEMINI):
        await ask(sidecar, stack[1], model, data_url(image))
        received = images_received(recorder.record(model)["bodies"][-1])
        if model != GEMINI:
            assert received[0].startswith(f"{PUBLIC_URL}/media/signed/{digest(image)}.png?")
        assert digests(recorder, model, sidecar) == [digest(image)]


@pytest.mark.parametrize("model", [CLAUDE, GEMINI])
async def test_litellm_that_may_not_fetch_gets_the_image_itself(
    model: str, stack: tuple[Provider, LiteLLM], recorder: Provider, start_before_litellm: Callable[..., Sidecar]
) -> None:
    """Its own refusal, in its own words: once more with the image inline, and from then on so at once."""
    image = png(54, 20_000)
    sidecar = start_before_litellm("url")
    store = {"kind": "directory", "path": "media"}
    store["endpointForUpstream"] = sidecar.gateway.replace("127.0.0.1", "localhost")
    sidecar = start_before_litellm("url", {"store": store})
    for turn in range(2):
        answer = await ask(sidecar, stack[1], model, data_url(image))
        assert answer.headers["x-sidecar-model"] == model
        assert digests(recorder, model, sidecar) == [digest(image)]
        assert recorder.record(model)["requests"] == turn + 1
    results = image_counts(sidecar)
    assert results[("request", "uploaded")] == 1 and results[("request", "passed")] == 2


async def test_a_rate_limited_claude_and_a_gemini_that_sees_the_same(
    stack: tuple[Provider, LiteLLM], recorder: Provider, start_before_litellm: Callable[..., Sidecar]
) -> None:
    image = png(55, 20_000)
    models = [{"match": ["claude*"], "vision": True, "images": "url"}, {"match": ["gemini*"], "vision": True}]
    sidecar = start_before_litellm("url", models=models, routes=ROUTES)
    recorder.play(CLAUDE, "status", status=429, retry_after=7)
    answer = await ask(sidecar, stack[1], CLAUDE, data_url(image))
    assert answer.headers["x-sidecar-attempts"] == f"{CLAUDE}=rate_limited, {GEMINI}=ok"
    assert digests(recorder, CLAUDE, sidecar) == [digest(image)]
    assert digests(recorder, GEMINI, sidecar) == [digest(image)]


@pytest.mark.parametrize("model", [CLAUDE, GEMINI])
async def test_claudes_own_messages(
    model: str, stack: tuple[Provider, LiteLLM], recorder: Provider, start_before_litellm: Callable[..., Sidecar]
) -> None:
    """The Messages API before LiteLLM, which hands it on or translates it."""
    image = png(56, 20_000)
    sidecar = start_before_litellm("url")
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(image).decode()}
    content = [{"type": "text", "text": "a"}, {"type": "image", "source": source}]
    body = {"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": content}]}
    session = client(sidecar, stack[1])
    answer = await session.post("/messages", body=body, cast_to=object)
    assert json.loads(json.dumps(answer))["type"] == "message"
    assert digests(recorder, model, sidecar) == [digest(image)]


async def test_geminis_own_api(
    stack: tuple[Provider, LiteLLM], recorder: Provider, start_before_litellm: Callable[..., Sidecar]
) -> None:
    image = png(57, 20_000)
    sidecar = start_before_litellm("inline")
    data = {"mimeType": "image/png", "data": base64.b64encode(image).decode()}
    body = {"contents": [{"role": "user", "parts": [{"text": "a"}, {"inlineData": data}]}]}
    session = openai.AsyncOpenAI(base_url=sidecar.gateway, api_key=stack[1].key, max_retries=0)
    await session.post(f"/v1beta/models/{GEMINI}:generateContent", body=body, cast_to=object)
    assert digests(recorder, GEMINI, sidecar) == [digest(image)]


# MARK: - By https


@EVERY_MODEL
async def test_a_store_behind_https(
    model: str, recorder: Provider, secured: Secured, stack: tuple, start_before_litellm: Callable[..., Sidecar]
) -> None:
    """Claude and OpenAI are handed the https address, for Gemini LiteLLM fetches it; nobody has to be asked again with
    the image inline. The provider is asked by https too.
    """
    images = [png(58, 20_000), jpeg(59, 20_000)]
    store = {"kind": "s3", "endpoint": secured.store.url, "publicEndpoint": secured.store_front.url}
    store |= {"bucket": model, "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    sidecar = start_before_litellm("url", {"store": store})
    before = secured.store_front.connections, secured.provider_front.connections
    for turn in (1, 2):
        urls = [data_url(images[0]), data_url(images[1], "image/jpeg")]
        answer = await ask(sidecar, stack[1], OVER_TLS + model, *urls)
        assert answer.headers["x-sidecar-images"] == ("uploaded=2" if turn == 1 else "deduplicated=2")
        received = images_received(recorder.record(model)["bodies"][-1])
        if model == GEMINI:
            assert all(isinstance(image, bytes) for image in received)
            assert secured.store_front.connections > before[0], "LiteLLM has not fetched by https"
        else:
            assert all(image.startswith(f"{secured.store_front.url}/{model}/") for image in received)
        fetched = [image if isinstance(image, bytes) else secured.fetch(image) for image in received]
        assert [digest(image) for image in fetched] == [digest(image) for image in images]
    assert recorder.record(model)["requests"] == 2
    assert secured.provider_front.connections > before[1], "the provider was not asked by https"


@EVERY_MODEL
async def test_images_within_the_request_to_a_provider_behind_https(
    model: str, recorder: Provider, stack: tuple, start_before_litellm: Callable[..., Sidecar]
) -> None:
    image = png(60, 20_000)
    sidecar = start_before_litellm("inline")
    await ask(sidecar, stack[1], OVER_TLS + model, data_url(image))
    assert digests(recorder, model, sidecar) == [digest(image)]
    assert isinstance(images_received(recorder.record(model)["bodies"][0])[0], bytes)
