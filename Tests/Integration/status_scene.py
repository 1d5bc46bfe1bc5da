"""A stretch of an ordinary day for the status page: two arms, a limited model, long chats, images, a broken stream.

    python status_scene.py FILE.png      plays it and takes README's picture of the page
"""

import base64
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from images import png
from rawhttp import Client, Exchange, Message, Upstream, ok
from stack import Sidecar, free_port

OPUS = "claude-opus-4-5"
SONNET = "claude-sonnet-4-5"
GEMINI = "gemini-3-pro"
FLASH = "gemini-3-flash"
GPT = "gpt-5"
SECRET = "sk-canary-of-a-client"
WORDS = "the kerning of the second headline is too tight and the margin of the page wants another line".split()


class Provider(Upstream):
    """Plays LiteLLM: Claude's larger model is limited, GPT breaks off now and then, the others answer."""

    def __init__(self, seed: int = 1, pace: float = 0.05) -> None:
        self.random = random.Random(seed)
        self.pace = pace
        super().__init__(self.respond_to)

    def respond_to(self, request: Message, exchange: Exchange) -> bytes | None:
        body = json.loads(request.body or b"{}")
        model = body.get("model", "")
        if model.startswith(OPUS):
            return self.limited()
        time.sleep(self.pace * self.random.uniform(0.3, 1.7))
        usage = self.usage(len(request.body))
        if not body.get("stream"):
            answer = {"choices": [{"message": {"role": "assistant", "content": "Done."}}], "usage": usage}
            return ok(json.dumps(answer).encode())
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(6):
            self.event(exchange, {"choices": [{"delta": {"content": "word "}}]})
            time.sleep(self.pace * self.random.uniform(0.2, 1.0))
            if model == GPT and self.random.random() < 0.1:
                exchange.abort()
                return None
        self.event(exchange, {"choices": [{"delta": {}, "finish_reason": "stop"}]})
        self.event(exchange, {"choices": [], "usage": usage})
        self.chunk(exchange, b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")
        return None

    def usage(self, byte_count: int) -> dict:
        prompt, answer = max(8, byte_count // 5), self.random.randint(40, 900)
        return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}

    def event(self, exchange: Exchange, value: dict) -> None:
        self.chunk(exchange, b"data: " + json.dumps(value).encode() + b"\n\n")

    def chunk(self, exchange: Exchange, data: bytes) -> None:
        exchange.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def limited(self) -> bytes:
        error = {"message": "litellm.RateLimitError: slow down", "type": "throttling_error", "code": "429"}
        body = json.dumps({"error": error}).encode()
        head = f"HTTP/1.1 429 Too Many Requests\r\nretry-after: 540\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


def sections(images: str) -> dict:
    """The configuration beside listeners and upstreams."""
    return {
        "models": [
            {"match": ["claude*"], "tokenScale": 1.25, "contextTokens": 200_000, "vision": True, "images": "inline"},
            {"match": ["gemini*"], "encoding": "gemma", "contextTokens": 1_048_576, "vision": True, "images": "url"},
            {"match": ["gpt-5*"], "contextTokens": 400_000, "vision": True},
        ],
        "routes": [
            {"name": "tasks", "when": {"task": True}, "chain": ["$requested", FLASH]},
            {"name": "claude", "when": {"model": ["claude*"]}, "chain": ["$requested", SONNET, GEMINI]},
            {"name": "long", "when": {"model": ["gemini*"], "minTokens": 20_000}, "chain": [GEMINI, FLASH]},
            {"name": "gpt", "when": {"model": ["gpt*"]}, "chain": ["$requested", GEMINI]},
        ],
        "experiments": [
            {
                "name": "tight-history",
                "by": "conversation",
                "when": {"model": ["claude*"]},
                "arms": [
                    {"name": "control", "weight": 50},
                    {"name": "tight", "weight": 50, "patch": {"clip": {"maxContextTokens": 16_000}}},
                ],
            }
        ],
        "clip": {"maxContextTokens": 24_000},
        "media": {"store": {"kind": "directory", "path": images}},
        "egress": {
            "hops": {"google": [f"socks5://proxy:canary-password@127.0.0.1:{free_port()}", "direct"]},
            "forward": [{"hosts": ["*.googleapis.com"], "via": "google"}],
        },
    }


class Day:
    """Clients that ask one after the other."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self.port = port
        self.random = random.Random(seed)

    def text(self, count: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(count))

    def history(self, turns: int, words: int) -> list[dict]:
        messages = [{"role": "system", "content": "You lay out magazines. " + self.text(80)}]
        for _ in range(turns):
            messages.append({"role": "user", "content": self.text(words)})
            messages.append({"role": "assistant", "content": self.text(words * 2)})
        return [*messages, {"role": "user", "content": self.text(12)}]

    def ask(self, model: str, messages: list[dict] | None = None, stream: bool = True, **headers: str) -> Message:
        value = {"model": model, "messages": messages or self.history(2, 40), "stream": stream}
        return self.send(json.dumps(value).encode(), **headers)

    def send(self, body: bytes, **headers: str) -> Message:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"Host: s\r\nAuthorization: Bearer {SECRET}\r\n{lines}Content-Length: {len(body)}"
        with Client(self.port) as client:
            client.send(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n".encode() + body)
            return client.read()

    def ask_about_images(self, model: str, count: int) -> Message:
        parts = [{"type": "text", "text": self.text(20)}]
        for number in range(count):
            data = base64.b64encode(png(number, 40_000)).decode()
            parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
        return self.ask(model, [{"role": "user", "content": parts}])

    def go_by(self, requests: int) -> None:
        """Asks so many times, of every kind."""
        for number in range(requests):
            chat = {"X_OpenWebUI_Chat_Id": f"chat-{self.random.randint(1, 24)}"}
            match number % 9:
                case 0 | 5:
                    self.ask(OPUS, **chat)
                case 1:
                    self.ask(OPUS, self.history(self.random.randint(90, 150), 90), **chat)
                case 2:
                    self.ask_about_images(GEMINI, self.random.randint(1, 4))
                case 3 | 6:
                    self.ask(GPT, **chat)
                case 4:
                    self.ask(FLASH, stream=False)
                case 7:
                    self.ask(SONNET, **chat)
                case _:
                    self.ask(GEMINI, self.history(30, 100), stream=False)
        self.send(b'{"model": "gpt-5", "messages": 5}')


def take_picture(path: Path) -> None:
    """The page on a wide screen, one clipped request unfolded."""
    # Only those who take pictures need a browser.
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, Provider(pace=0.25) as provider, sync_playwright() as playwright:
        listen = {
            "gateway": {"address": "127.0.0.1:4100", "upstream": "litellm"},
            "admin": {"address": "127.0.0.1:4190"},
        }
        sidecar = Sidecar(Path(folder), provider.url, listen=listen, **sections("images"))
        day = Day(sidecar.port, seed=4)
        day.go_by(54)
        day.ask(OPUS, day.history(120, 90), X_OpenWebUI_Chat_Id="chat-1")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1760}, color_scheme="light")
        page.goto(f"{sidecar.admin}/")
        page.locator("#list tr.request", has_text="k → ").filter(has_text=OPUS).locator(".more").first.click()
        page.locator("#list tr.detail .runs").wait_for()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.mouse.move(2, 600)
        page.screenshot(path=path)
        browser.close()
        sidecar.stop()


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]))
