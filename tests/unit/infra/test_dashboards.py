"""Boards: readable, about figures that exist, from sources that are there."""

import json
from itertools import combinations
from typing import Any

import yaml

from tests.support.metrics.promql import ROOT, VENDORS, declared, read_by
from tests.support.suite.tables import each_row

GRAFANA = ROOT / "infra" / "grafana"
BOARDS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((GRAFANA / "dashboards").glob("*.json"))
]
SOURCES = {
    source["uid"]: source
    for source in yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "luna.yml").read_text(encoding="utf-8")
    )["datasources"]
}
COLUMNS = 24
every_board = each_row("board", BOARDS, ids=[board["uid"] for board in BOARDS])
every_panel = each_row(
    "panel",
    [panel for board in BOARDS for panel in board["panels"]],
    ids=lambda panel: panel["title"],
)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or above)


def queries(panel: dict[str, Any], kind: str) -> list[str]:
    return [target["expr"] for target in panel["targets"] if target["datasource"]["type"] == kind]


@every_board
def test_a_board_has_an_address_and_panels_with_numbers_of_their_own(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert board["uid"].startswith("luna-")
    assert board["timezone"] == "browser"
    assert len(set(numbers)) == len(numbers) <= 16


@every_board
def test_panels_lie_side_by_side_within_the_width(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]
    assert max(place["x"] + place["w"] for place in places) <= COLUMNS


@every_panel
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")


@each_row(
    "panel",
    [
        panel
        for board in BOARDS
        for panel in board["panels"]
        if panel["type"] in {"stat", "timeseries"}
    ],
    ids=lambda panel: panel["title"],
)
def test_a_figure_has_a_unit(panel: dict[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]


@every_panel
def test_a_panel_asks_sources_that_are_provisioned(panel: dict[str, Any]) -> None:
    asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert all(SOURCES[source["uid"]]["type"] == source["type"] for source in asked)


@every_panel
def test_a_panel_shows_figures_that_exist(panel: dict[str, Any]) -> None:
    read = set().union(*map(read_by, queries(panel, "prometheus")))
    assert read <= declared() | VENDORS


@every_panel
def test_log_lines_are_chosen_by_the_labels_that_the_collector_sets(panel: dict[str, Any]) -> None:
    assert all(query.startswith('{job="luna"') for query in queries(panel, "loki"))


def test_every_source_is_a_server_of_the_platform() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert {
        source["url"].removeprefix("http://").partition(":")[0] for source in SOURCES.values()
    } <= set(services)


def test_boards_are_where_the_provider_looks() -> None:
    provider = yaml.safe_load(
        (GRAFANA / "provisioning" / "dashboards" / "luna.yml").read_text(encoding="utf-8")
    )["providers"][0]
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"][
        "grafana"
    ]["volumes"]
    assert f"./infra/grafana/dashboards:{provider['options']['path']}:ro" in mounts
