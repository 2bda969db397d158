"""``luna plan --pareto``: a table, one document, a picture, and bad input by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line.call import Luna
from tests.support.words.wording import wording_pattern


@pytest.fixture
def request_file(tmp_path: Path) -> str:
    battery = {"capacity_kwh": 4, "charge_limit_kw": 2, "discharge_limit_kw": 2, "wear_price": 0.01}
    outlook = {
        "load_kwh": [0.5] * 12,
        "pv_kwh": [0.0] * 12,
        "import_price": [0.2, 0.25, 0.3, 0.35] * 3,
        "export_price": [0.0] * 12,
    }
    request: dict[str, Any] = {
        "site": {"name": "home", "timezone": "Europe/Berlin", "batteries": [battery]},
        "start": "2024-02-01T00:00:00Z",
    }
    request |= {
        "slot_minutes": 60,
        "outlook": outlook,
        "state": {"batteries": {"battery": {"soc": 0.5}}},
    }
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request), encoding="utf-8")
    return str(file)


def test_a_trade_off_is_one_document_and_a_picture(
    luna: Luna, request_file: str, tmp_path: Path
) -> None:
    picture = tmp_path / "curve.svg"
    said = luna(
        "plan",
        "--request",
        request_file,
        "--pareto",
        "cost,wear",
        "--points",
        "4",
        "--out",
        str(picture),
        "--json",
    )
    assert said.code == 0, said.err
    points = said.document["points"]
    assert 2 <= len(points) <= 4
    assert points[-1]["wear"] == 0.0
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_a_weighed_plan_says_what_it_costs_beside_the_cheapest(
    luna: Luna, request_file: str
) -> None:
    document = json.loads(Path(request_file).read_text(encoding="utf-8"))
    weighed = document | {"options": {"objective": {"wear_factor": 20.0}}}
    Path(request_file).write_text(json.dumps(weighed), encoding="utf-8")
    said = luna("plan", "--request", request_file).out
    assert wording_pattern("plan_command", "beside", carbon="").search(said)


def test_a_trade_off_is_a_table_for_people(luna: Luna, request_file: str) -> None:
    said = luna("plan", "--request", request_file, "--pareto", "cost,wear")
    assert said.code == 0, said.err
    assert "cost against wear" in said.out


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--pareto", "cost"], "figures"),
        (["--pareto", "cost,beauty"], "figures"),
        (["--pareto", "cost,wear", "--points", "1"], "points"),
        (["--pareto", "cost,wear", "--out", "curve.gif"], "--out"),
        (["--pareto", "cost,carbon"], "outlook.carbon_g_per_kwh"),
    ],
    ids=["one figure", "unknown figure", "too few points", "no kind of picture", "carbon unknown"],
)
def test_bad_input_is_named(luna: Luna, request_file: str, options: list[str], field: str) -> None:
    said = luna("plan", "--request", request_file, *options, "--json")
    assert said.code == 2
    assert said.problem["field"].startswith(field)
