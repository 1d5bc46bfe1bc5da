"""The configuration changes while traffic flows: whole or not at all."""

import asyncio
import json
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from rawhttp import Client, Message, Upstream, ok, wait_for
from stack import CLAUDE, GEMINI, ROUTES, Sidecar
from test_endings import chat

CLIENTS = 200
REWRITES = 50


def routes(number: int) -> list[dict]:
    """One route whose name and only target belong together."""
    return [{"name": f"route-{number}", "when": {}, "chain": [f"model-{number}"]}]


def echo_model(request: Message, _: object) -> bytes:
    return ok(json.dumps({"model": json.loads(request.body)["model"]}).encode())


class ConfigurationFile:
    """The file that a sidecar was started with."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.path = sidecar.log.with_name("sidecar.json")
        self.first = json.loads(self.path.read_text())

    def put(self, text: str, by_rename: bool = False) -> None:
        """As an editor does it, or as a shell does it."""
        if not by_rename:
            self.path.write_text(text)
            return
        other = self.path.with_suffix(".new")
        other.write_text(text)
        os.replace(other, self.path)

    def with_sections(self, **sections: object) -> str:
        return json.dumps(self.first | sections)


def reloads(sidecar: Sidecar) -> dict[str, int]:
    found = re.findall(r'sidecar_config_reloads_total\{result="(\w+)"\} (\d+)', sidecar.metrics())
    return {result: int(count) for result, count in found}


def ask(sidecar: Sidecar) -> Message:
    with Client(sidecar.port) as client:
        client.send(chat())
        return client.read()


def model_served(sidecar: Sidecar) -> str:
    return json.loads(ask(sidecar).body)["model"]


def post(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"", method="POST"), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def ask_in_a_loop(port: int, stop: asyncio.Event, seen: list[tuple[int, str, str]]) -> None:
    """Status, route by the header, model by the upstream, of one request after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not stop.is_set():
        writer.write(chat())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = await reader.readexactly(int(re.search(r"content-length: (\d+)", head)[1]))
        route = re.search(r"x-sidecar-route: (\S+)", head)
        seen.append((int(head.split(" ")[1]), route[1] if route else "", json.loads(body).get("model", "")))
        await asyncio.sleep(0.05)
    writer.close()


async def test_reload_under_load(start_sidecar: Callable[..., Sidecar], report: Callable[[str], None]) -> None:
    """200 clients, 50 rewrites by rename and in place, every second one broken: no request fails or mixes settings."""
    with Upstream(echo_model) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes(0))
        file, stop, seen = ConfigurationFile(sidecar), asyncio.Event(), []
        clients = [asyncio.create_task(ask_in_a_loop(sidecar.port, stop, seen)) for _ in range(CLIENTS)]
        for number in range(1, REWRITES + 1):
            broken = f'{{"version": 1, "routs": {number}, "clip": {{"maxContextTokens": -{number}}}}}'
            text = file.with_sections(routes=routes(number)) if number % 2 else broken
            file.put(text, by_rename=number % 4 < 2)
            expected = {"ok": (number + 1) // 2, "failed": number // 2}
            assert await asyncio.to_thread(wait_for, lambda: reloads(sidecar) == expected), (number, reloads(sidecar))
        stop.set()
        await asyncio.gather(*clients)
    assert {status for status, _, _ in seen} == {200}
    assert all(route.removeprefix("route-") == model.removeprefix("model-") for _, route, model in seen)
    assert len({model for _, _, model in seen}) > REWRITES // 4, "the new settings were hardly ever used"
    problems = [line["problem"] for line in sidecar.log_lines() if line["msg"].startswith("configuration not reloaded")]
    assert len(problems) == 2 * (REWRITES // 2), "each bad file is reported once, with all of its problems"
    report(f"{len(seen)} requests by {CLIENTS} clients during {REWRITES} rewrites: 0 failed, 0 mixed")


@pytest.mark.parametrize("way", ["file", "signal", "post"])
def test_ways_to_reload(way: str, start_sidecar: Callable[..., Sidecar]) -> None:
    """By writing the file, by SIGHUP, by POST /reload; the last two also when nothing has changed."""
    with Upstream(echo_model) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes(1))
        file = ConfigurationFile(sidecar)
        assert model_served(sidecar) == "model-1"
        if way == "file":
            file.put(file.with_sections(routes=routes(2)))
        elif way == "signal":
            sidecar.process.send_signal(signal.SIGHUP)
        else:
            status, text = post(f"{sidecar.admin}/reload")
            assert status == 200 and re.fullmatch(r"[0-9a-f]{16}", json.loads(text)["config_hash"][0])
        assert wait_for(lambda: reloads(sidecar) == {"ok": 1, "failed": 0})
        assert model_served(sidecar) == ("model-2" if way == "file" else "model-1")


def test_a_bad_file_by_post(start_sidecar: Callable[..., Sidecar]) -> None:
    """422 with every problem; the old settings stay."""
    with Upstream(echo_model) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes(1))
        ConfigurationFile(sidecar).put('{"version": 2, "fallbak": {}}')
        status, text = post(f"{sidecar.admin}/reload")
        assert status == 422
        assert len(json.loads(text)["problems"]) >= 2
        assert model_served(sidecar) == "model-1"


def test_a_change_of_listeners_waits(start_sidecar: Callable[..., Sidecar]) -> None:
    """The rest of the file is applied; a warning names what needs a restart."""
    with Upstream(echo_model) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes(1))
        file = ConfigurationFile(sidecar)
        listen = file.first["listen"] | {"gateway": {"address": "127.0.0.1:1", "upstream": "litellm"}}
        file.put(file.with_sections(listen=listen, routes=routes(2)))
        assert wait_for(lambda: reloads(sidecar)["ok"] == 1)
        assert model_served(sidecar) == "model-2"
        waiting = [line["key"] for line in sidecar.log_lines() if line["msg"] == "a change waits for a restart"]
        assert waiting and all("listen" in key for key in waiting)


def test_an_included_secret_changes(
    start_sidecar: Callable[..., Sidecar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the environment names as NAME_FILE is watched too."""
    secret = tmp_path / "model"
    secret.write_text("model-1\n")
    monkeypatch.setenv("CHOSEN_FILE", str(secret))
    with Upstream(echo_model) as upstream:
        chain = [{"name": "r", "when": {}, "chain": ["${CHOSEN}"]}]
        sidecar = start_sidecar(upstream.url, routes=chain)
        assert model_served(sidecar) == "model-1"
        secret.write_text("model-2\n")
        assert wait_for(lambda: reloads(sidecar)["ok"] == 1)
        assert model_served(sidecar) == "model-2"


def test_breakers_and_connections_survive(start_sidecar: Callable[..., Sidecar]) -> None:
    """A reload forgets neither who asked for a pause nor which connections are open."""

    def answer(request: Message, exchange: object) -> bytes:
        if json.loads(request.body)["model"] == CLAUDE:
            return b"HTTP/1.1 429 Slow\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        return echo_model(request, exchange)

    with Upstream(answer) as upstream:
        sidecar = start_sidecar(upstream.url, routes=ROUTES)
        file = ConfigurationFile(sidecar)
        with Client(sidecar.port) as client:
            client.send(chat())
            assert client.read().header("x-sidecar-attempts") == f"{CLAUDE}=rate_limited, {GEMINI}=ok"
            connections = upstream.connections
            file.put(file.with_sections(routes=ROUTES, clip={"maxContextTokens": 20_000}))
            assert wait_for(lambda: reloads(sidecar)["ok"] == 1)
            client.send(chat(text="another conversation"))
            assert client.read().header("x-sidecar-attempts") == f"{CLAUDE}=open, {GEMINI}=ok"
        assert upstream.connections == connections


def test_a_folder_that_is_replaced(start_sidecar: Callable[..., Sidecar]) -> None:
    """A deployment puts another folder in the place of the old one: found out within seconds."""
    with Upstream(echo_model) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes(1))
        file = ConfigurationFile(sidecar)
        folder = file.path.parent
        text = file.with_sections(routes=routes(2))
        folder.rename(folder.with_name("old"))
        folder.mkdir()
        file.put(text)
        sidecar.log = folder.with_name("old") / sidecar.log.name
        assert wait_for(lambda: reloads(sidecar)["ok"] == 1, 20)
        assert model_served(sidecar) == "model-2"
