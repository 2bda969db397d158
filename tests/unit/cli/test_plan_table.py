"""The table of a plan: each day once, then by line what flows, how full batteries end, and at which
prices.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from luna.words.language import Language
from services.cli.console import out
from tests.support.command_line.call import Luna
from tests.support.words.wording import wording
from tests.unit.cli.test_plan_command import plan_request

# The end of 31 January in Berlin.
MIDNIGHT = {"en": "Thu 00:00", "de": "Do. 00:00", "nl": "do 00:00"}


def show(luna: Luna, folder: Path, request: dict[str, Any], *options: str) -> str:
    file = folder / "request.json"
    file.write_text(json.dumps(request), encoding="utf-8")
    said = luna("plan", "--request", str(file), *options)
    assert said.code == 0, said.err
    return said.out


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "width", 300)


def across_midnight() -> dict[str, Any]:
    """Return the request from 23:00 in Berlin on: four quarter-hours of 31 January, four of 1
    February.
    """
    return plan_request() | {"start": "2024-01-31T22:00:00Z"}


@pytest.mark.usefixtures("wide")
def test_each_day_is_named_once_before_its_lines(luna: Luna, tmp_path: Path) -> None:
    lines = show(luna, tmp_path, across_midnight()).splitlines()
    days = [line.split()[:3] for line in lines if line.startswith(("Wed", "Thu"))]
    assert days == [["Wed", "31", "Jan"], ["Thu", "1", "Feb"]]


@pytest.mark.usefixtures("wide")
def test_a_line_shows_charge_house_sun_and_both_prices(luna: Luna, tmp_path: Path) -> None:
    request = across_midnight()
    request["site"]["batteries"] = []
    request["state"] = {}
    shown = show(luna, tmp_path, request)
    assert [
        word
        for word in ("level", "house", "solar", "grid", "buy", "sell", "kWh", "ct")
        if word not in shown
    ] == []
    # Without a battery: an hour of 0.8 kWh at 20 ct without sun, then one at 40 ct with 1.6 kWh of
    # it, of which half is sold at 7 ct.
    first, second = (
        line.split()[-40:] for line in shown.splitlines() if line[:5] in ("23:00", "00:00")
    )
    assert [first[first.index("–") + place] for place in range(1, 6)] == [
        "0.8",
        "0.0",
        "0.8",
        "20",
        "7",
    ]
    assert [second[second.index("–") + place] for place in range(1, 6)] == [
        "0.8",
        "1.6",
        "\u22120.8",
        "40",
        "7",
    ]


@pytest.mark.usefixtures("wide")
def test_a_price_that_nobody_has_published_is_marked(luna: Luna, tmp_path: Path) -> None:
    request = across_midnight()
    request["site"]["batteries"] = []
    request["state"] = {}
    request["outlook"]["prices_known_until"] = "2024-01-31T23:00:00Z"
    shown = show(luna, tmp_path, request)
    first, second = (line.split() for line in shown.splitlines() if line[:5] in ("23:00", "00:00"))
    assert ("20" in first, "~40" in second) == (True, True)
    # What is paid for a sold kWh is the same at any time: no market's.
    assert "~7" not in second
    assert wording("plan_command", "predicted", mark="~") in shown


@pytest.mark.parametrize("language", ["en", "de", "nl"])
@pytest.mark.usefixtures("wide")
def test_it_says_whose_prices_they_are_until_when_market_by_market(
    luna: Luna, tmp_path: Path, language: Language
) -> None:
    request = across_midnight()
    start = "2024-01-31T22:00:00Z"
    midnight = "2024-01-31T23:00:00Z"
    end = "2024-02-01T00:00:00Z"
    published = {"market": "DE-LU", "version": "day_ahead", "origin": "published"}
    repeated = {"market": "DE-LU", "version": "forecast", "origin": "repeated"}
    spans = [
        published | {"from": start, "to": midnight},
        repeated | {"from": midnight, "to": end},
    ]
    request["outlook"]["price_spans"] = spans
    of_market = wording("price_versions", "market_until", language, t=MIDNIGHT[language])
    assert of_market in show(luna, tmp_path, request, "--language", language)
    # Another market, of which all is known: each has a sentence of its own.
    spans.append(published | {"market": "own:export_price", "from": start, "to": end})
    shown = show(luna, tmp_path, request, "--language", language)
    own = wording("price_versions", "loaded_all", language)
    sides = {
        "DE-LU": of_market,
        wording("price_versions", "name_export_price", language): own,
    }
    for market, sentence in sides.items():
        line = wording("price_versions", "of_market", language, market=market, sentence=sentence)
        assert line in shown.splitlines()


def test_a_narrow_terminal_has_the_reasons_below_and_loses_no_figure(
    luna: Luna, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 80)
    monkeypatch.setattr(type(out), "is_terminal", True)
    shown = show(luna, tmp_path, across_midnight(), "--language", "de")
    assert "…" not in shown
    assert [line for line in shown.splitlines() if line.split()[:2] == ["ab", "Grund"]]
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.usefixtures("wide")
def test_a_car_without_a_session_is_named(luna: Luna, tmp_path: Path, language: Language) -> None:
    request = across_midnight()
    request["site"]["vehicles"] = [
        {"name": "car", "capacity_kwh": 60},
        {"name": "van", "capacity_kwh": 60},
    ]
    session = {"from": "2024-01-31T22:00:00Z", "to": "2024-01-31T23:00:00Z", "target_soc": 0.4}
    request["state"]["vehicles"] = {"van": {"soc": 0.4, "sessions": [session]}}
    shown = show(luna, tmp_path, request, "--language", language)
    note = wording("device_vehicle", "note_no_session", language, vehicles="car")
    assert note in " ".join(shown.split())
    assert "--session" in shown
