"""No credential of a link, of the listener or of a provider is seen outside the configuration."""

from egress.addresses import NEEDS_ROOT
from egress.canaries import CLIENT_KEY, GOOGLE_KEY, LISTENER, QUERY_KEY, assert_clean, links
from egress.client import Refused, basic, connect, dial, socks5
from egress.lab import FAULT_NAMES, GOOGLE, Lab, StartEgress, chat, egress_port, ladders, listeners, upstreams
from egress.peers import SECRETS, connect_link, shadowsocks_link, socks_link
from stack import Sidecar, free_port, get

pytest_plugins = ["egress.lab"]


@NEEDS_ROOT
async def test_no_secret_shows(lab: Lab, start_egress: StartEgress) -> None:
    """Through working rungs, failing ones and refusals: logs, metrics, /status, answers."""
    good = [lab.proxies[peer].link for peer in ("microsocks-password", "xray-ws-tls", "ss-aes-256-gcm", "tinyproxy")]
    microsocks, tinyproxy = lab.proxies["microsocks-password"].port, lab.proxies["tinyproxy"].port
    wrong = [
        socks_link(microsocks, "wr0ng-c4n4ry"),
        connect_link(tinyproxy, SECRETS.user, "wr0ng-c4n4ry"),
        shadowsocks_link(lab.proxies["xray-ss-aes-256-gcm"].port, "aes-256-gcm", "wr0ng-c4n4ry"),
        "socks5://egress-user-c4n4ry:wr0ng-c4n4ry@nowhere.invalid:1080",
    ]
    hops = {f"good-{n}": [link] for n, link in enumerate(good)}
    hops |= {f"wrong-{n}": [link] for n, link in enumerate(wrong)} | {"google": links(free_port())}
    hosts = dict(zip(FAULT_NAMES, hops, strict=False))
    sidecar = start_egress(
        ladders(hops, hosts | {GOOGLE: "google"}, connectSeconds=1, firstByteSeconds=1),
        listen=listeners(credentials=LISTENER),
        upstreams=upstreams(key=GOOGLE_KEY),
        routes=[{"name": "all", "when": {"model": ["*"]}, "chain": ["gemini-3-pro@google"]}],
        log={"level": "debug"},
    )
    answers = [await use(lab, sidecar, host) for host in hosts]
    answers.append(await refusals(sidecar))
    answer = await chat(sidecar)
    answers.append(f"{answer.start} {answer.headers} {answer.body!r}")
    for path in ("/metrics", "/status", "/health/ready"):
        answers.append(get(f"{sidecar.admin}{path}")[1])
    for text in answers:
        assert_clean(text, "an answer")
    assert_clean(sidecar.output(), "the log")
    assert sum("200" in answer for answer in answers[: len(good)]) == len(good)


async def use(lab: Lab, sidecar: Sidecar, host: str) -> str:
    """What the three ways say of a host."""
    said = []
    for way in ("connect", "socks5", "reverse"):
        try:
            async with await lab.road(way, sidecar, host, LISTENER) as road:
                headers = {"x-goog-api-key": CLIENT_KEY, "Authorization": f"Bearer {CLIENT_KEY}"}
                answer = await road.ask("GET", f"/slow/0?key={QUERY_KEY}", headers=headers)
                said.append(f"{answer.start} {answer.headers} {answer.body!r}")
        except Refused as refused:
            said.append(f"{refused.code} {refused.head!r}")
        except (OSError, EOFError, TimeoutError) as error:
            said.append(repr(error))
    return "\n".join(said)


async def refusals(sidecar: Sidecar) -> str:
    said = []
    for opens in (connect, socks5):
        for credentials in ("", LISTENER + "x"):
            try:
                await opens(egress_port(sidecar), GOOGLE, credentials=credentials)
            except Refused as refused:
                said.append(f"{refused.code} {refused.head!r}")
    for target in (f"/to/evil.test/x?key={QUERY_KEY}", f"http://evil.test/x?key={QUERY_KEY}", f"/x?key={QUERY_KEY}"):
        async with await dial(egress_port(sidecar)) as connection:
            headers = {"x-goog-api-key": CLIENT_KEY, "Proxy-Authorization": basic(LISTENER)}
            answer = await connection.ask("GET", target, "s", headers=headers)
            said.append(f"{answer.start} {answer.headers} {answer.body!r}")
    assert len(said) == 7
    return "\n".join(said)
