"""Rungs that fail: what the failure is called, how soon the next rung is taken, and what the client sees of it."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from egress.addresses import NEEDS_ROOT
from egress.client import Refused, connect, socks5
from egress.faults import FAULT_CASES, Fault, Faults, connections, results
from egress.lab import FAULT_NAMES, NOWHERE, Lab, egress_port, ladders, listeners, living
from rawhttp import Message
from stack import Sidecar

pytest_plugins = ["egress.lab"]
pytestmark = NEEDS_ROOT

LIMITS = {"connectSeconds": 1, "firstByteSeconds": 1}
"""Of a rung; a ladder of two has taken the next one within that time and a little."""
PATIENCE_SECONDS = 3.5
LADDERS = ["connect", "socks5", "reverse"]
"""Each way has ladders of its own, since a ladder remembers which rung works."""
ALONE = {"connect alone": connect, "socks5 alone": socks5}


@dataclass
class Outcome:
    """What a client got and when."""

    seconds: float
    answer: Message | None = None
    refusal: int | None = None
    received: bytes | None = None


@dataclass
class Trial:
    """A sidecar with a ladder for every fault and way, and what came of a request by each, all at a time."""

    lab: Lab
    sidecar: Sidecar
    faults: list[Fault]
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    def number(self, name: str) -> int:
        return FAULT_CASES.index(name)

    def hop(self, way: str, name: str) -> str:
        return f"{way.replace(' ', '-')}-{self.number(name)}"

    def host(self, way: str, name: str) -> str:
        ways = [*LADDERS, *ALONE]
        return FAULT_NAMES[len(FAULT_CASES) * ways.index(way) + self.number(name)]

    async def ask_by_ladder(self, way: str, name: str) -> Outcome:
        """A request whose first rung fails; the second is microsocks."""
        start = time.monotonic()
        async with await self.lab.road(way, self.sidecar, self.host(way, name)) as road:
            answer = await road.ask("POST", "/echo", b"a body", {"X-Goog-Api-Key": "k"})
        return Outcome(time.monotonic() - start, answer=answer)

    async def ask_by_one(self, way: str, name: str) -> Outcome:
        """A tunnel by the rung that fails and no other."""
        start = time.monotonic()
        try:
            opened = await ALONE[way](egress_port(self.sidecar), self.host(way, name), self.lab.origin.plain_port)
        except Refused as refused:
            return Outcome(time.monotonic() - start, refusal=refused.code)
        # A rung that opens without an answer from the far end cannot be refused any more.
        received = b""
        async with opened:
            opened.writer.write(b"x" * 100)
            with contextlib.suppress(ConnectionResetError):
                received = await opened.receive_all()
        return Outcome(time.monotonic() - start, received=received)

    async def ask_all(self, way: str, ask: Callable[[str, str], Awaitable[Outcome]]) -> None:
        outcomes = await asyncio.gather(*[ask(way, name) for name in FAULT_CASES], return_exceptions=True)
        self.outcomes |= {(way, name): outcome for name, outcome in zip(FAULT_CASES, outcomes, strict=True)}

    def outcome(self, way: str, name: str) -> Outcome:
        outcome = self.outcomes[way, name]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture(scope="module")
def trial(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    faults = Faults(lab)
    trial = Trial(lab, None, faults.faults)
    hops, hosts = {}, {}
    for fault in faults.faults:
        for way in LADDERS:
            hops[trial.hop(way, fault.name)] = [fault.link, lab.proxies["microsocks"].link]
            hosts[trial.host(way, fault.name)] = trial.hop(way, fault.name)
        for way in ALONE:
            hops[trial.hop(way, fault.name)] = [fault.link]
            hosts[f"{trial.host(way, fault.name)}:{lab.origin.plain_port}"] = trial.hop(way, fault.name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SIDECAR_EXTRA_CA", str(lab.authority.ca))
        folder = tmp_path_factory.mktemp("faulty")
        trial.sidecar = Sidecar(folder, NOWHERE, listen=listeners(), egress=ladders(hops, hosts, **LIMITS))
    with living(trial.sidecar):
        for way in LADDERS:
            lab.loop.run(trial.ask_all(way, trial.ask_by_ladder))
        for way in ALONE:
            lab.loop.run(trial.ask_all(way, trial.ask_by_one))
        yield trial
    faults.stop()


def test_every_fault_is_in_the_table(trial: Trial) -> None:
    assert [fault.name for fault in trial.faults] == FAULT_CASES


@pytest.mark.parametrize("name", FAULT_CASES)
@pytest.mark.parametrize("way", LADDERS)
def test_the_next_rung_is_taken(way: str, name: str, trial: Trial) -> None:
    """The client gets its answer by the second rung; the first is counted under the right name."""
    outcome = trial.outcome(way, name)
    assert outcome.answer.status == 200, outcome.answer
    seen = json.loads(outcome.answer.body)
    assert (seen["source"], seen["count"]) == (trial.lab.proxies["microsocks"].source, 6)
    assert outcome.seconds < PATIENCE_SECONDS
    fault, hop = trial.faults[trial.number(name)], trial.hop(way, name)
    counted = results(trial.sidecar, hop, fault.port)
    assert counted, connections(trial.sidecar, hop)
    assert set(counted) <= fault.results


@pytest.mark.parametrize("name", FAULT_CASES)
@pytest.mark.parametrize("way", ALONE)
def test_with_no_rung_left_the_client_is_told(way: str, name: str, trial: Trial) -> None:
    """A refusal or a close within the time of the rung, never a silence nor bytes of the proxy."""
    outcome = trial.outcome(way, name)
    assert outcome.seconds < PATIENCE_SECONDS
    if outcome.refusal is None:
        assert outcome.received == b""
    else:
        assert outcome.refusal in ((502, 503, 504) if "connect" in way else (1, 3, 4, 5))
