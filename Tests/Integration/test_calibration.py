"""Counts are compared with what the provider reports, and a model's scale follows it where that is asked for."""

import json
from collections.abc import Callable

from rawhttp import Client, Exchange, Message, Upstream, ok, wait_for
from stack import Sidecar, get, post
from test_endings import chat
from test_reload import ConfigurationFile, reloads

MODEL = "claude-calibrated"
TEXT = "Move the caption down a little and let the photograph breathe. " * 40


class Provider:
    """Reports as many prompt tokens as it is told to."""

    def __init__(self) -> None:
        self.reported = 1

    def __call__(self, request: Message, _: Exchange) -> bytes:
        usage = {"prompt_tokens": self.reported, "completion_tokens": 1, "total_tokens": self.reported + 1}
        return ok(json.dumps({"model": json.loads(request.body)["model"], "usage": usage}).encode())


def ask(sidecar: Sidecar, times: int = 1) -> None:
    with Client(sidecar.port) as client:
        for _ in range(times):
            client.send(chat(MODEL, TEXT))
            assert client.read().status == 200


def calibration(sidecar: Sidecar) -> dict:
    found = [entry for entry in calibrations(sidecar) if entry["model"] == MODEL]
    return found[0] if found else {}


def calibrations(sidecar: Sidecar) -> list[dict]:
    return json.loads(get(f"{sidecar.admin}/status")[1])["calibration"]


def ratio(sidecar: Sidecar) -> tuple[int, float]:
    """How many answers the metric knows, and their sum."""
    lines = [line for line in sidecar.metrics().splitlines() if f'model="{MODEL}"' in line]
    count = [line.split()[-1] for line in lines if line.startswith("sidecar_count_error_ratio_count")]
    total = [line.split()[-1] for line in lines if line.startswith("sidecar_count_error_ratio_sum")]
    return int(count[0]), float(total[0])


def counted(sidecar: Sidecar) -> int:
    """What the sidecar's log says that it counted for the last request."""
    return [line["tokens_counted"] for line in sidecar.log_lines() if "tokens_counted" in line][-1]


def test_calibration(start_sidecar: Callable[..., Sidecar]) -> None:
    """Fifty answers, one of them odd, raise the scale; a reload keeps what was learned, and can undo its use."""
    provider = Provider()
    models = [{"match": [MODEL], "tokenScale": 1.25, "contextTokens": 100000, "calibrate": True}]
    routes = [{"name": "claude", "when": {}, "chain": ["$requested", "other"]}]
    with Upstream(provider) as upstream:
        sidecar = start_sidecar(upstream.url, routes=routes, models=models)
        ask(sidecar)
        wait_for(lambda: "tokens_counted" in sidecar.output())
        expected = counted(sidecar) * 1.25

        provider.reported = round(expected * 1.22)
        ask(sidecar, 24)
        provider.reported = 10_000_000
        ask(sidecar)
        provider.reported = round(expected * 1.22)
        ask(sidecar, 23)
        assert calibration(sidecar)["answers"] == 49
        assert calibration(sidecar)["factor"] == 1
        ask(sidecar, 30)

        learned = calibration(sidecar)
        assert learned["factor"] == 1.25, learned
        assert learned["medianRatio"] == 1.25
        assert learned["tokenScale"] == 1.25
        assert learned["inForce"] is True
        answers, total = ratio(sidecar)
        assert answers == 79
        # The odd answer alone is larger than all others together.
        assert 77 * 1.21 < total - 10_000_000 / expected < 79 * 1.25

        windows = [step["budget"] for step in explained(sidecar)["attempts"] if step["target"].startswith(MODEL)]
        assert windows == [int(100000 / (1.25 * 1.25))]

        file = ConfigurationFile(sidecar)
        file.put(file.with_sections(models=[models[0] | {"calibrate": False}]))
        wait_for(lambda: reloads(sidecar).get("ok", 0) >= 1)
        assert calibration(sidecar) == learned | {"inForce": False}
        assert explained(sidecar)["attempts"][0]["budget"] == int(100000 / 1.25)


def explained(sidecar: Sidecar) -> dict:
    body = {"model": MODEL, "messages": [{"role": "user", "content": TEXT}]}
    return json.loads(post(f"{sidecar.admin}/explain", body))


def test_unknown_models_are_compared_but_not_remembered(start_sidecar: Callable[..., Sidecar]) -> None:
    """Names that no rule knows may be anything: they share a series and take no memory."""
    with Upstream(Provider()) as upstream:
        sidecar = start_sidecar(upstream.url, models=[])
        ask(sidecar, 3)
        assert calibrations(sidecar) == []
        assert 'sidecar_count_error_ratio_count{model="other"} 3' in sidecar.metrics()
