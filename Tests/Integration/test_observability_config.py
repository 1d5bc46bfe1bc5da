"""Prometheus, its rules and the dashboards: against a real Prometheus that scrapes the sidecar under load."""

import itertools
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from observability.dashboards import (
    BUILT_IN,
    VARIABLE,
    Board,
    boards,
    expressions,
    is_prometheus,
    legend_labels,
    unknown_to_grafana,
)
from observability.dashboards import substituted as substitute
from observability.load import ADDED_SECONDS, ARMS, EXPERIMENT, Load
from observability.prometheus import CONFIGURATION, Exporter, Prometheus, families, run
from rawhttp import wait_for
from stack import ROOT

RULES = sorted(CONFIGURATION.glob("rules/*.rules.yml"))
RULE_TESTS = sorted(CONFIGURATION.glob("rules/*.test.yml"))
BOARDS = boards()
PANEL_TYPES = {"row", "stat", "timeseries", "table", "heatmap", "state-timeline", "bargauge", "logs"}
LOAD_SECONDS = 5
# A dashboard's address: links and bookmarks hold it.
UIDS = {"sidecar-overview", "sidecar-policies", "sidecar-images-egress", "sidecar-containers"}

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.path.stem)


def rules() -> list[dict]:
    groups = (group for file in RULES for group in yaml.safe_load(file.read_text())["groups"])
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Has scraped a sidecar before, during and after the load, and has evaluated the rules since."""
    folder = tmp_path_factory.mktemp("observability")
    load = Load(folder / "sidecar")
    known: set[str] = set()
    exporters = [Exporter("containers.prom"), Exporter("planned.prom", but=lambda: known)]
    targets = {"sidecar": load.sidecar.admin.removeprefix("http://")}
    targets |= {"containers": exporters[0].address, "planned": exporters[1].address}
    server = Prometheus(folder / "prometheus", targets)
    load.round()
    known |= families(load.sidecar.metrics())
    assert wait_for(lambda: bool(ask_now(server, 'up{job="sidecar"} == 1')), 30), server.output()
    # Targets are found seconds after the start.
    server.begun = time.time()
    while time.time() < server.begun + LOAD_SECONDS:
        load.round()
    # Two more scrapes, and the rules after them.
    time.sleep(1.5)
    server.now = time.time()
    yield server
    server.stop()
    for exporter in exporters:
        exporter.stop()
    assert load.stop() == 0, load.sidecar.output()[-4000:]


def ask_now(server: Prometheus, expression: str) -> list[dict]:
    server.now = time.time()
    return server.ask(expression)


def asked(server: Prometheus, expression: str) -> list[dict]:
    return server.ask(substitute(expression, server.window(), experiment=EXPERIMENT))


def comparison() -> Board:
    return next(board for board in BOARDS if board.json["uid"] == "sidecar-policies")


def value_by(label: str, series: list[dict]) -> dict[str, float]:
    return {each["metric"][label]: float(each["value"][1]) for each in series}


# ---------------------------------------------------------------- files


def test_the_configuration_is_valid() -> None:
    run("promtool", "check", "config", CONFIGURATION / "prometheus.yml")


@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.name)
def test_rules(file: Path) -> None:
    run("promtool", "test", "rules", file.name, folder=file.parent)


def test_every_alert_is_tested_and_says_what_to_do() -> None:
    cases = [
        case
        for file in RULE_TESTS
        for group in yaml.safe_load(file.read_text())["tests"]
        for case in group.get("alert_rule_test", [])
    ]
    for alert in ALERTS:
        mine = [case for case in cases if case["alertname"] == alert["alert"]]
        assert any(case["exp_alerts"] for case in mine), f"no test in which {alert['alert']} fires"
        assert alert["labels"]["severity"] in ("info", "warning", "critical")
        assert alert["annotations"]["summary"] and alert["annotations"]["description"]


def test_what_is_recorded_is_used() -> None:
    used = " ".join([
        *(rule["expr"] for rule in rules()),
        *(expression for board in BOARDS for _, expression in expressions(board)),
    ])  # fmt: skip
    for rule in rules():
        if "record" in rule:
            assert rule["record"] in used, f"nothing asks for {rule['record']}"


@pytest.mark.parametrize("token", ["", "123:AbC-d_e"])
@pytest.mark.parametrize("webhook", ["", "https://hooks.example.org/a?b=1&c=2"])
def test_alertmanager_takes_its_configuration(token: str, webhook: str, tmp_path: Path) -> None:
    """With and without each receiver; values arrive as they are."""
    values = {"TELEGRAM_BOT_TOKEN": token, "TELEGRAM_CHAT_ID": "-100123", "ALERT_WEBHOOK_URL": webhook}
    written = tmp_path / "alertmanager.yml"
    script = ROOT / "config/alertmanager/start.sh"
    subprocess.run([script, written, "true"], env={**os.environ, **values}, check=True, timeout=30)
    run("amtool", "check-config", written)
    assert written.stat().st_mode & 0o077 == 0, "others can read the token"
    read = yaml.safe_load(written.read_text())
    by_name = {receiver["name"]: receiver for receiver in read["receivers"]}
    sent = [config["bot_token"] for config in by_name["telegram"].get("telegram_configs", [])]
    posted = [config["url"] for config in by_name["webhook"].get("webhook_configs", [])]
    assert (sent, posted) == ([token] if token else [], [webhook] if webhook else [])
    routed = {route["receiver"] for route in read["route"]["routes"] if "matchers" not in route}
    assert routed == {name for name, value in (("telegram", token), ("webhook", webhook)) if value}


# ---------------------------------------------------------------- dashboards


def test_dashboards_keep_their_addresses() -> None:
    assert {board.json["uid"] for board in BOARDS} == UIDS
    assert all(board.json["uid"] == f"sidecar-{board.path.stem}" for board in BOARDS)


@each_board
def test_grafana_knows_everything_in_it(board: Board) -> None:
    """Every name in the file is one of Grafana's own model: a misspelt option would be ignored in silence."""
    assert unknown_to_grafana(board) == []


@each_board
def test_panels_are_complete(board: Board) -> None:
    """Ids are unique; every panel says what it shows, in which unit, and what is meant when there is nothing."""
    ids = [panel["id"] for panel in board.panels]
    assert len(ids) == len(set(ids))
    for panel in board.panels:
        assert panel["type"] in PANEL_TYPES and panel["title"], panel["id"]
    for panel in board.shown:
        defaults = panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) > 10, panel["title"]
        assert defaults["unit"] and defaults["noValue"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert references and len(references) == len(set(references)), panel["title"]
        renamed = [step["options"].get("renameByName", {}) for step in panel.get("transformations", [])]
        for column in itertools.chain.from_iterable(renamed):
            assert not column.startswith("Value #") or column.removeprefix("Value #") in references, panel["title"]


@each_board
def test_panels_do_not_overlap(board: Board) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in board.panels:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        assert columns.stop <= 24, panel["title"]
        for cell in itertools.product(columns, range(place["y"], place["y"] + place["h"])):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]


@each_board
def test_data_sources_are_variables(board: Board) -> None:
    """A dashboard can be moved to another Grafana; nothing in it is undefined."""
    for item in itertools.chain(*(panel["targets"] for panel in board.shown), board.shown):
        name = VARIABLE.fullmatch(item["datasource"]["uid"])[1]
        assert board.variables[name]["query"] == item["datasource"]["type"]
    used = {name for _, text in expressions(board) for name in VARIABLE.findall(text)} - BUILT_IN
    assert used <= set(board.variables), used - set(board.variables)


# ---------------------------------------------------------------- against Prometheus


@each_board
def test_every_panel_gets_data(board: Board, prometheus: Prometheus) -> None:
    """Each expression returns data, with the labels that its legend or its table asks for."""
    for panel in board.shown:
        steps = panel.get("transformations", [])
        joined = [step["options"]["byField"] for step in steps if step["id"] == "joinByField"]
        for target in filter(is_prometheus, panel["targets"]):
            series = asked(prometheus, target["expr"])
            assert series, f"{panel['title']}: no data: {target['expr']}"
            present = set().union(*(each["metric"] for each in series))
            wanted = legend_labels(target["legendFormat"]) | set(joined)
            assert wanted <= present, f"{panel['title']}: {wanted - present}"


@each_board
def test_variables_offer_something(board: Board, prometheus: Prometheus) -> None:
    for variable in board.variables.values():
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            assert [each for each in prometheus.ask(metric) if each["metric"].get(label)], variable["definition"]


def test_without_an_experiment_nothing_is_compared(prometheus: Prometheus) -> None:
    """Where none is configured the variable is empty, which must not stand for requests outside of experiments."""
    for name, text in expressions(comparison()):
        if "$experiment" in text:
            assert not prometheus.ask(substitute(text, prometheus.window(), experiment="")), name


def test_rules_are_evaluated(prometheus: Prometheus) -> None:
    """Prometheus has run every rule, and what is recorded is there."""
    evaluated = prometheus.rules()
    assert len(evaluated) == len(rules())
    assert not [rule for rule in evaluated if rule["health"] != "ok"]
    for rule in rules():
        if "record" in rule:
            assert prometheus.ask(rule["record"]), rule["record"]


def test_every_selector_names_labels_that_exist(prometheus: Prometheus) -> None:
    """An alert is silent when all is well: so its selectors are looked at, without their values."""
    texts = [rule["expr"] for rule in rules()]
    texts += [substitute(text, "1m") for board in BOARDS for _, text in expressions(board)]
    selectors = set()
    for metric, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", " ".join(texts)):
        selectors.add((metric, frozenset(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))))
    assert len(selectors) > 30
    for metric, labels in selectors:
        # A container that no compose file started has no service; the sidecar's series all carry their labels.
        needed = ",".join(f'{label}=~".+"' for label in sorted(labels))
        assert prometheus.ask(f"{metric}{{{needed}}}"), f"{metric} has no labels {sorted(labels)}"


def test_every_metric_is_shown_or_watched(prometheus: Prometheus) -> None:
    series = prometheus.ask('group by (__name__) ({job=~"sidecar|planned",__name__=~"sidecar_.*|process_.*"})')
    names = {re.sub(r"_(bucket|sum|count)$", "", each["metric"]["__name__"]) for each in series}
    assert len(names) > 25
    asked_for = " ".join(text for board in BOARDS for _, text in expressions(board))
    asked_for += " ".join(rule["expr"] for rule in rules())
    assert not {name for name in names if name not in asked_for}


def test_containers_are_known_by_their_service(prometheus: Prometheus) -> None:
    """Relabelling keeps one name of a container, and drops what is none."""
    series = prometheus.ask("container_memory_working_set_bytes")
    assert {each["metric"]["service"] for each in series} == {"sidecar", "qdrant", "litellm", "postgres", "dify-api"}
    labels = set().union(*(each["metric"] for each in series))
    assert labels == {"__name__", "instance", "job", "name", "service"}


def test_silent_targets_are_told(prometheus: Prometheus) -> None:
    waiting = {each["metric"]["job"] for each in prometheus.ask('ALERTS{alertname="TargetDown"}')}
    assert {"grafana", "loki", "alloy", "alertmanager"} <= waiting
    assert not prometheus.ask('ALERTS{alertname="SidecarDown"}')


def test_the_comparison_finds_the_slower_arm(prometheus: Prometheus) -> None:
    """Of the 200 ms that one arm takes longer, the dashboard shows all, within a tenth."""
    panels = {panel["title"]: panel for panel in comparison().shown}
    [difference] = panels["Difference of the mean first token"]["targets"]
    found = value_by("arm", asked(prometheus, difference["expr"]))
    assert found[ARMS[0]] == 0
    assert found[ARMS[1]] == pytest.approx(ADDED_SECONDS, rel=0.1)

    table = panels["Arms of $experiment, in the time range shown"]
    names = table["transformations"][1]["options"]["renameByName"]
    columns = {names[f"Value #{each['refId']}"]: each["expr"] for each in table["targets"]}
    means = value_by("arm", asked(prometheus, columns["First token, mean"]))
    assert means[ARMS[1]] - means[ARMS[0]] == pytest.approx(ADDED_SECONDS, rel=0.1)
    # 60 input tokens, 40 cached ones and 20 of output a request, at the prices of the load.
    costs = value_by("arm", asked(prometheus, columns["Cost per 1,000"]))
    assert costs == pytest.approx(dict.fromkeys(ARMS, 0.492), rel=0.05)
    assert value_by("arm", asked(prometheus, columns["Cached input"])) == pytest.approx(dict.fromkeys(ARMS, 0.4))
    assert value_by("arm", asked(prometheus, columns["Clipped"])) == pytest.approx(dict.fromkeys(ARMS, 1.0))
    assert value_by("arm", asked(prometheus, columns["Other model"])) == pytest.approx(dict.fromkeys(ARMS, 0), abs=1e-9)
