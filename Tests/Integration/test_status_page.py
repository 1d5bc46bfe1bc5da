"""The status page in a real browser: what it shows, to whom, and that nothing which clients send runs in it."""

import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from rawhttp import Client, Upstream, wait_for
from stack import Sidecar, get
from status_scene import FLASH, GEMINI, OPUS, SECRET, SONNET, Day, Provider, sections

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
SHOTS = os.environ.get("STATUS_SCREENSHOTS")
"""Where pictures of the page go; none are kept without."""
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1360, "height": 1000}
TOKEN = "a-token-of-the-operator"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Chromium refuses to sandbox for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Watched:
    """A page, and everything that must not happen on it."""

    def __init__(self, browser: Browser, admin: str, **options: object) -> None:
        self.admin = admin
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.asked: list[Request] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self.hear)
        self.page.on("request", lambda request: self.asked.append(request))

    def hear(self, message: object) -> None:
        # The browser itself reports every answer 401; that the page asks for the token is what is tested.
        if message.type in ("error", "warning") and "401" not in message.text:
            self.faults.append(message.text)

    def open(self) -> Page:
        self.page.goto(f"{self.admin}/")
        return self.page

    def close(self) -> None:
        """Nothing went wrong, and nothing was asked of anybody else."""
        assert self.faults == []
        others = [request.url for request in self.asked if not request.url.startswith((self.admin, "data:"))]
        assert others == []
        self.context.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    watched: list[Watched] = []

    def start(sidecar: Sidecar, **options: object) -> Watched:
        watched.append(Watched(browser, sidecar.admin, **options))
        return watched[-1]

    yield start
    for each in watched:
        each.close()


@pytest.fixture
def scene(start_sidecar: Callable[..., Sidecar], tmp_path: Path) -> Iterator[tuple[Sidecar, Day]]:
    """A sidecar with something of everything in its configuration, and clients for it."""
    with Provider(pace=0.002) as provider:
        sidecar = start_sidecar(provider.url, **sections(str(tmp_path / "images")))
        yield sidecar, Day(sidecar.port)


def rows(page: Page) -> list[str]:
    return page.locator("#list tr.request").all_inner_texts()


def requests_of(sidecar: Sidecar) -> list[dict]:
    return json.loads(get(f"{sidecar.admin}/requests")[1])["requests"]


def post(url: str, **headers: str) -> int:
    request = urllib.request.Request(url, b"", {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        return urllib.request.urlopen(request, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code


def test_shows_what_goes_on(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    sidecar, day = scene
    day.go_by(18)
    page = watch(sidecar).open()
    breaker = page.locator("#targets tr", has_text=OPUS)
    expect(breaker).to_contain_text(re.compile(r"open, [89] min \d+ s left"))
    expect(page.locator("#routes")).to_contain_text(f"the requested model{SONNET}{GEMINI}")
    expect(page.locator("#experiments")).to_contain_text("tight-history")
    expect(page.locator("#hops")).to_contain_text("direct")
    expect(page.locator("#configuration")).to_contain_text("none since the start")
    expect(page.locator("#figures")).to_contain_text("Streams open")
    assert len(rows(page)) == 19
    moved = page.locator("#list tr.request", has_text=f"{OPUS} → {SONNET}").last
    expect(moved).to_contain_text("rate limited")
    expect(page.locator("#list")).to_contain_text(re.compile(r"\d\.\dk → 1?\d\.\dk"))
    remaining = breaker.locator("[data-until]").inner_text()
    expect(breaker.locator("[data-until]")).not_to_have_text(remaining)


def test_updates_by_itself(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    """New requests come in on top, an unfolded row stays unfolded, and a reload is seen."""
    sidecar, day = scene
    day.ask(FLASH)
    page = watch(sidecar).open()
    expect(page.locator("#list tr.request")).to_have_count(1)
    page.locator("#list .more").click()
    page.locator("#list .more").focus()
    day.ask(GEMINI)
    expect(page.locator("#list tr.request")).to_have_count(2, timeout=6000)
    assert GEMINI in rows(page)[0] and FLASH in rows(page)[1]
    expect(page.locator("#list tr.detail")).to_have_count(1)
    assert page.evaluate("document.activeElement.closest('tr').textContent.includes('gemini-3-flash')")
    path = Path(sidecar.log).with_name("sidecar.json")
    text = path.read_text()
    path.write_text(text.replace('"version": 1', '"version": 7'))
    expect(page.locator("#configuration")).to_contain_text("refused", timeout=15_000)
    expect(page.locator("#configuration .problems li")).to_have_count(1)
    path.write_text(text)
    expect(page.locator("#configuration")).to_contain_text(re.compile(r"good (now|\d+ s ago)"), timeout=15_000)


def test_pauses(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    """Nothing is asked while the page is hidden, or was told to wait."""
    sidecar, _ = scene
    watched = watch(sidecar)
    page = watched.open()
    expect(page.locator("#mood")).to_have_text("ready")
    hide = "v => { Object.defineProperty(document, 'hidden', {value: v, configurable: true});"
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"

    def asks_within(milliseconds: int, doing: Callable[[], object] = lambda: None) -> bool:
        before = len(watched.asked)
        doing()
        page.wait_for_timeout(milliseconds)
        return len(watched.asked) > before

    live = page.get_by_role("button", name="Live")
    assert asks_within(2800)
    page.evaluate(hide, True)
    page.wait_for_timeout(300)
    assert not asks_within(2800)
    assert asks_within(1000, lambda: page.evaluate(hide, False))
    live.click()
    page.wait_for_timeout(300)
    assert not asks_within(2800)
    assert asks_within(1000, live.click)


def test_names_are_text(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    """Whatever a client calls its model or its request, it is shown and does nothing."""
    sidecar, day = scene
    evil = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
    day.ask(evil)
    day.ask("claude-" + evil, X_Request_ID="<img/src=x/onerror=window.hurt=1>")
    # The longest name that is understood.
    day.ask("m" * 256)
    page = watch(sidecar).open()
    expect(page.locator("#list tr.request")).to_have_count(3)
    for button in page.locator("#list .more").all():
        button.click()
    page.wait_for_timeout(300)
    assert page.locator("td", has_text=evil).count() > 0
    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 0 and page.locator("main script").count() == 0
    assert max(len(request["requested_model"]) for request in requests_of(sidecar)) == 256


def test_token(start_sidecar: Callable[..., Sidecar], watch: Callable[..., Watched]) -> None:
    """The page is open but empty; the data are for those who know the token."""
    with Provider(pace=0) as provider:
        sidecar = start_sidecar(provider.url, token=TOKEN)
        Day(sidecar.port).ask(FLASH)
        assert get(f"{sidecar.admin}/requests")[0] == 401
        watched = watch(sidecar)
        page = watched.open()
        ask = page.get_by_role("dialog", name="Token")
        expect(ask).to_be_visible()
        assert FLASH not in page.content()
        page.keyboard.press("Escape")
        expect(ask).to_be_visible()
        field = page.get_by_label("Token", exact=True).last
        field.fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That is not the token.")
        field.fill(TOKEN)
        page.keyboard.press("Enter")
        expect(ask).to_be_hidden()
        expect(page.locator("#list tr.request")).to_have_count(1)
        page.reload()
        expect(page.locator("#list tr.request")).to_have_count(1)
        expect(ask).to_be_hidden()
        assert not any(TOKEN in request.url for request in watched.asked)
        assert page.evaluate("JSON.stringify(localStorage)").find(TOKEN) < 0


def test_keyboard(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    """Every control is reached by Tab with a ring around it, and works by keys."""
    sidecar, day = scene
    day.go_by(9)
    watched = watch(sidecar)
    page = watched.open()
    expect(page.locator("#list tr.request")).to_have_count(10)
    page.get_by_role("button", name="Live").press("Enter")
    # Of radio buttons only the chosen one is a stop.
    count = page.evaluate(
        "[...document.querySelectorAll('a, button, input')].filter(e => e.offsetParent && !e.disabled"
        " && !(e.type === 'radio' && !e.checked)).length"
    )
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    reached = set()
    for _ in range(count + 3):
        reached.add(page.evaluate("(window.stops ??= new Map(), e = document.activeElement, "
                                  "stops.has(e) || stops.set(e, stops.size), stops.get(e))")
                    if page.evaluate("document.activeElement !== document.body") else None)
        ringed = page.evaluate(
            "(e => e === document.body || [e, e.nextElementSibling].some(n => n && getComputedStyle(n).outlineStyle !== 'none'))"
            "(document.activeElement)"
        )
        assert ringed, page.evaluate("document.activeElement.outerHTML")
        page.keyboard.press("Tab")
    assert len(reached - {None}) >= count
    clipped = page.locator("#list tr.request", has_text=re.compile(r"k → \d")).locator(".more").first
    clipped.focus()
    page.keyboard.press("Enter")
    expect(clipped).to_have_attribute("aria-expanded", "true")
    detail = page.locator(f"#{clipped.get_attribute('aria-controls')}")
    expect(detail).to_contain_text("Receipt")
    expect(detail).to_contain_text(re.compile(r"\d+ messages kept, \d+ dropped"))
    expect(detail).to_contain_text("at most 160,000 tokens of o200k_base")
    page.keyboard.press("Enter")
    expect(detail).to_have_count(0)
    page.get_by_role("radio", name="All").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Moved")).to_be_checked()
    assert all("→" in row for row in rows(page)) and rows(page)


def test_breakers_by_hand(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    """Opening is asked for twice; closing at once; neither for pages of other sites."""
    sidecar, day = scene
    day.ask(SONNET)
    page = watch(sidecar).open()
    row = page.locator("#targets tr", has_text=SONNET)
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_text("Open it?")
    expect(row).to_contain_text("closed")
    row.get_by_role("button").click()
    expect(row).to_contain_text("until it is closed here")
    expect(page.get_by_role("status")).to_contain_text("left alone")
    assert day.ask(SONNET).header("x-sidecar-model") == GEMINI
    row.get_by_role("button", name=f"Close the breaker of {SONNET}@litellm").click()
    expect(row).to_contain_text("closed")
    assert day.ask(SONNET).header("x-sidecar-model") == SONNET
    url = f"{sidecar.admin}/breakers/{SONNET}/open"
    assert post(url, Sec_Fetch_Site="cross-site") == 403
    assert post(url, Origin="https://elsewhere.example") == 403
    assert "closed" in row.inner_text()
    assert post(url, Sec_Fetch_Site="same-origin", Origin=sidecar.admin) == 200
    assert post(url, Origin=sidecar.admin) == 200


def test_hundred_rows(scene: tuple[Sidecar, Day], watch: Callable[..., Watched]) -> None:
    """The newest hundred, newest first, whichever event loops they were on."""
    sidecar, day = scene
    for number in range(130):
        day.send(b'{"model": "gpt-%d", "messages": []}' % number)
    page = watch(sidecar).open()
    expect(page.locator("#list tr.request")).to_have_count(100)
    models = [request["requested_model"] for request in requests_of(sidecar)]
    assert models == [f"gpt-{number}" for number in range(129, 29, -1)]
    assert [row.split("\t")[2].split(" ")[0] for row in rows(page)] == models


def test_tells_when_nobody_answers(
    start_sidecar: Callable[..., Sidecar], browser: Browser
) -> None:
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url)
        watched = Watched(browser, sidecar.admin)
        page = watched.open()
        expect(page.locator("#mood")).to_have_text("ready")
        sidecar.stop()
        expect(page.locator("#mood")).to_have_text("no answer", timeout=6000)
        expect(page.get_by_role("status")).to_contain_text("No answer since")
        watched.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_fits(scene: tuple[Sidecar, Day], watch: Callable[..., Watched], size: dict, scheme: str) -> None:
    """Nothing sticks out to the side, and text stands out from its ground (WCAG 2.2, 1.4.3 and 1.4.10)."""
    sidecar, day = scene
    day.go_by(27)
    page = watch(sidecar, viewport=size, color_scheme=scheme).open()
    expect(page.locator("#list tr.request")).to_have_count(28)
    page.locator("#list .more").nth(9).click()
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    grounds = page.evaluate(CONTRASTS)
    assert min(ratio for ratio, _ in grounds) >= 4.5, sorted(grounds)[:5]
    if SHOTS:
        name = f"status-{'phone' if size is PHONE else 'desktop'}-{scheme}.png"
        page.screenshot(path=Path(SHOTS) / name, full_page=True)


CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgb = (...colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = channels => channels.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!own || !node.offsetParent || node.closest('.hidden, .skip, script, style, noscript')) continue;
    const grounds = [];
    for (let at = node; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const [text, ground] = [light(rgb(...grounds, getComputedStyle(node).color)), light(rgb(...grounds))];
    found.push([(Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05), node.textContent.slice(0, 40)]);
  }
  return found;
}"""


def test_page_is_guarded(start_sidecar: Callable[..., Sidecar]) -> None:
    """The page may run its own script and nothing else, nobody may frame it, and it is asked for anew when it changes."""
    with Upstream() as upstream:
        sidecar = start_sidecar(upstream.url, token=TOKEN)
        with urllib.request.urlopen(f"{sidecar.admin}/", timeout=5) as answer:
            headers, text = answer.headers, answer.read().decode()
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["connect-src"] == "'self'"
        assert re.fullmatch(r"'sha256-[\w+/]{43}='", policy["script-src"])
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "/*style*/" not in text and "innerHTML" not in text
        with Client(int(sidecar.admin.rpartition(":")[2])) as client:
            client.send(f"GET / HTTP/1.1\r\nHost: s\r\nIf-None-Match: {headers['etag']}\r\n\r\n".encode())
            unchanged = client.read()
            assert unchanged.status == 304 and unchanged.body == b""
            client.send(b"GET /health/live HTTP/1.1\r\nHost: s\r\n\r\n")
            assert client.read().body == b"ok\n"
        assert get(f"{sidecar.admin}/requests", headers={"authorization": f"Bearer {TOKEN}"})[0] == 200
        assert post(f"{sidecar.admin}/") == 405


def test_data_hold_no_secret(scene: tuple[Sidecar, Day]) -> None:
    """Neither keys nor texts nor passwords of proxies, and headers that are asked for by name alone."""
    sidecar, day = scene
    path = Path(sidecar.log).with_name("sidecar.json")
    configuration = json.loads(path.read_text())
    asked = {"name": "keyed", "when": {"header": {"x-team": "canary-of-a-header"}}, "chain": [GEMINI]}
    configuration["routes"].insert(0, asked)
    path.write_text(json.dumps(configuration))
    assert wait_for(lambda: "x-team" in get(f"{sidecar.admin}/status")[1], 15)
    day.go_by(9)
    shown = get(f"{sidecar.admin}/status")[1] + get(f"{sidecar.admin}/requests")[1]
    for secret in (SECRET, "canary", "kerning"):
        assert secret not in shown


def test_requests_are_those_of_the_log(scene: tuple[Sidecar, Day]) -> None:
    """The same requests with the same values under the same names."""
    sidecar, day = scene
    day.go_by(9)
    assert wait_for(lambda: sum(line["msg"] == "request" for line in sidecar.log_lines()) == 10)
    logged = {line["request_id"]: line for line in sidecar.log_lines() if line["msg"] == "request"}
    shown = {request["request_id"]: request for request in requests_of(sidecar)}
    assert shown.keys() == logged.keys()
    for request, line in ((shown[name], logged[name]) for name in logged):
        same = "trace_id listener route experiment arm requested_model model status stream tokens_in tokens_out bytes_in"
        for name in same.split():
            assert request.get(name) == line.get(name), name
        assert abs(request["duration_ms"] - line["duration_ms"]) < 1
        assert request.get("clip") == line.get("clip") and request.get("images") == line.get("images")
        tried = [f"{each['target'].partition('@')[0] or '@'}={each['outcome']}" for each in request["attempts"]]
        assert len(tried) == len(line.get("attempts", []))
