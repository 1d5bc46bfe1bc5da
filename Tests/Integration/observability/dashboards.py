"""Reads the dashboards as Grafana would."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from stack import ROOT

FOLDER = ROOT / "config/grafana/dashboards"
BUILT_IN = {"__rate_interval", "__range", "__interval"}
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass
class Board:
    """A dashboard and what it holds."""

    path: Path
    json: dict

    @property
    def panels(self) -> list[dict]:
        """Rows too."""
        return self.json["panels"]

    @property
    def shown(self) -> list[dict]:
        return [panel for panel in self.panels if panel["type"] != "row"]

    @property
    def variables(self) -> dict[str, dict]:
        return {variable["name"]: variable for variable in self.json["templating"]["list"]}


def boards() -> list[Board]:
    return [Board(path, json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]


def is_prometheus(item: dict) -> bool:
    return item["datasource"]["type"] == "prometheus"


def expressions(board: Board) -> list[tuple[str, str]]:
    """Every expression for Prometheus with where it stands: panels, annotations, variables."""
    found = [
        (f"{panel['title']} {target['refId']}", target["expr"])
        for panel in board.shown
        for target in panel["targets"]
        if is_prometheus(target)
    ]
    found += [(note["name"], note["expr"]) for note in board.json["annotations"]["list"]]
    for variable in board.variables.values():
        if variable["type"] == "query":
            found.append((variable["name"], re.fullmatch(r"label_values\((.*), \w+\)", variable["definition"])[1]))
    return found


def substituted(expression: str, window: str, **values: str) -> str:
    """The expression as Grafana sends it; a variable without a value here has All chosen."""

    def value(match: re.Match) -> str:
        name = match[1]
        return window if name in BUILT_IN or name == "window" else values.get(name, ".*")

    return VARIABLE.sub(value, expression)


def legend_labels(legend: str) -> set[str]:
    return set(re.findall(r"{{(\w+)}}", legend))


# What belongs to the data source, and so is not in Grafana's model of a dashboard.
OF_DATA_SOURCE = {"step", "titleFormat", "textFormat", "definition"}


def unknown_to_grafana(board: Board) -> list[str]:
    """What Grafana's own model of dashboards does not keep when it reads and writes one: names that are wrong."""
    register_default_plugins()
    kept = json.loads(JSONEncoder().encode(Dashboard.from_json(board.json)))
    return list(differences(board.json, kept, board.path.stem))


def differences(mine: object, kept: object, path: str) -> Iterator[str]:
    if isinstance(mine, dict) and isinstance(kept, dict):
        for name, value in mine.items():
            if name in kept:
                yield from differences(value, kept[name], f"{path}.{name}")
            elif name not in OF_DATA_SOURCE:
                yield f"{path}.{name}"
    elif isinstance(mine, list) and isinstance(kept, list) and len(mine) == len(kept):
        for index, (value, other) in enumerate(zip(mine, kept, strict=True)):
            yield from differences(value, other, f"{path}[{index}]")
    elif mine != kept:
        yield path
