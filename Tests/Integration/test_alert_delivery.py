"""A real Alertmanager, started as the stack starts it, tells Telegram and a webhook."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from observability.prometheus import program
from rawhttp import Message, Upstream, ok, wait_for
from stack import ROOT, Program, free_port, post

START = ROOT / "config/alertmanager/start.sh"
TOKEN = "123456:AbC-d_e"
CHAT = -100123
# Waiting for more alerts to group is of no use here.
AT_ONCE = 's/group_wait: .*/group_wait: 0s/; s|^global:|&\\n  telegram_api_url: "http://{api}"|'


class Alertmanager(Program):
    """Alertmanager with the configuration that start.sh writes; only its waiting and Telegram's address are changed."""

    def __init__(self, folder: Path, telegram: Upstream, webhook: Upstream) -> None:
        file, port = folder / "alertmanager.yml", free_port()
        script = AT_ONCE.format(api=f"127.0.0.1:{telegram.port}")
        command = [program("prometheus-alertmanager"), f"--config.file={file}", f"--storage.path={folder / 'data'}"]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
        shell = ["sh", "-c", f"sed -i '{script}' {file} && exec \"$@\"", "sh"]
        values = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_CHAT_ID": str(CHAT),
            "ALERT_WEBHOOK_URL": f"{webhook.url}/hook?key=a&b=1",
        }
        super().__init__(
            [str(START), str(file), *shell, *command], folder / "alertmanager.log", {**os.environ, **values}
        )
        self.url = f"http://127.0.0.1:{port}"
        self.wait_until(f"{self.url}/-/ready", 30)

    def tell(self, name: str, severity: str, **annotations: str) -> None:
        labels = {"alertname": name, "severity": severity}
        post(f"{self.url}/api/v2/alerts", [{"labels": labels, "annotations": annotations}])


@pytest.fixture
def sent_to() -> Iterator[tuple[Upstream, Upstream]]:
    """Stand-ins for Telegram and for who takes the webhook."""
    answer = ok(b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"group"}}}')
    with Upstream(lambda *_: answer) as telegram, Upstream() as webhook:
        yield telegram, webhook


@pytest.fixture
def alertmanager(tmp_path: Path, sent_to: tuple[Upstream, Upstream]) -> Iterator[Alertmanager]:
    started = Alertmanager(tmp_path, *sent_to)
    yield started
    started.stop()


def fields(request: Message) -> dict[str, object]:
    """What a message to Telegram holds, whether sent as JSON or as a form."""
    if "json" in (request.header("content-type") or ""):
        return json.loads(request.body)
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def messages(telegram: Upstream) -> list[Message]:
    return [request for request in telegram.requests if request.path.endswith("/sendMessage")]


def test_alerts_are_delivered(alertmanager: Alertmanager, sent_to: tuple[Upstream, Upstream]) -> None:
    """Both receivers are told once, in words that no markup breaks; what is only worth knowing goes to nobody."""
    telegram, webhook = sent_to
    alertmanager.tell("LogLinesDropped", "info", summary="lines were lost", description="-")
    alertmanager.tell("FallbackStorm", "warning", summary="40% < all & more", description="Look at the dashboard.")
    assert wait_for(lambda: bool(messages(telegram) and webhook.requests), 20), alertmanager.output()
    # Whatever came twice, or to the wrong one, would have come by now.
    time.sleep(1)

    [message] = messages(telegram)
    assert message.path == f"/bot{TOKEN}/sendMessage"
    told = fields(message)
    assert str(told["chat_id"]) == str(CHAT) and told["parse_mode"] == "HTML"
    assert told["text"].startswith("🔴 <b>40% &lt; all &amp; more</b>\nLook at the dashboard.")

    [hook] = webhook.requests
    assert hook.path == "/hook?key=a&b=1"
    assert [alert["labels"]["alertname"] for alert in json.loads(hook.body)["alerts"]] == ["FallbackStorm"]
    assert TOKEN not in alertmanager.output()
