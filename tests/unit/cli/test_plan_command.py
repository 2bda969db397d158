import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line.call import Luna
from tests.support.words.wording import wording

Change = Callable[[dict[str, Any]], object]


def plan_request() -> dict[str, Any]:
    battery = {
        "capacity_kwh": 10,
        "min_soc": 0.1,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
        "wear_price": 0.01,
    }
    return {
        "site": {
            "name": "home",
            "timezone": "Europe/Berlin",
            "batteries": [battery],
            "pv": [{"peak_kw": 6}],
        },
        "start": "2024-02-01T00:00:00Z",
        "slot_minutes": 15,
        "outlook": {
            "load_kwh": [0.2] * 8,
            "pv_kwh": [0.0] * 4 + [0.4] * 4,
            "import_price": [0.2] * 4 + [0.4] * 4,
            "export_price": [0.07] * 8,
        },
        "state": {"batteries": {"battery": {"soc": 0.5}}},
        "options": {"terminal": {"kind": "minimum_soc", "soc": 0.5}},
    }


class Call:
    """One call of the command on a request file, in this process."""

    def __init__(self, folder: Path, luna: Luna) -> None:
        self.file = folder / "request.json"
        self.luna = luna

    def __call__(self, document: Any, *options: str) -> tuple[int, str, str]:
        self.file.write_text(
            document if isinstance(document, str) else json.dumps(document), encoding="utf-8"
        )
        said = self.luna("plan", "--request", str(self.file), *options)
        return said.code, said.out, said.err

    def problem(self, document: Any) -> dict[str, Any]:
        """Return the one problem document of a call that fails on bad input with nothing on
        stdout.
        """
        code, out, err = self(document, "--json")
        assert (code, out) == (2, "")
        found: dict[str, Any] = json.loads(err)
        return found


@pytest.fixture
def call(tmp_path: Path, luna: Luna) -> Call:
    return Call(tmp_path, luna)


def test_request_file_becomes_one_json_document(call: Call) -> None:
    _, out, err = call(plan_request(), "--json")
    reply = json.loads(out)
    assert err == ""
    assert reply["status"] == "optimal"
    assert [slot["start"] for slot in reply["slots"]][:2] == [
        "2024-02-01T00:00:00Z",
        "2024-02-01T00:15:00Z",
    ]
    assert reply["cost"]["total"] == pytest.approx(
        reply["cost"]["import"] + reply["cost"]["export"] + reply["cost"]["wear"]
    )


def test_plan_for_people_names_cost_and_modes(call: Call) -> None:
    code, out, _ = call(plan_request())
    assert code == 0
    assert "Cost" in out
    assert "Plan for home, Europe/Berlin" in out


def test_people_read_why_a_car_charges_when_it_does(call: Call) -> None:
    request = plan_request() | {"options": {}}
    request["site"] |= {
        "batteries": [],
        "vehicles": [{"capacity_kwh": 40, "charge_efficiency": 1.0}],
    }
    session = {"from": "2024-02-01T00:00:00Z", "to": "2024-02-01T02:00:00Z", "target_soc": 0.4}
    request["state"] = {"vehicles": {"car": {"soc": 0.35, "sessions": [session]}}}
    request["outlook"] |= {"pv_kwh": [0.0] * 8, "import_price": [0.4] * 3 + [0.2] + [0.4] * 4}
    _, out, _ = call(request, "--language", "de")
    figures = {"time": "03:00", "kwh": "2,0 kWh", "price": "20 ct"}
    assert wording("device_reasons", "reason_use_cheapest_1", "de", **figures) in " ".join(
        out.split()
    )


def test_reasons_come_in_german_on_request(call: Call) -> None:
    english, german = (
        json.loads(call(plan_request(), "--json", "--language", language)[1])
        for language in ("en", "de")
    )
    assert english["slots"][0]["reason"]["code"] == german["slots"][0]["reason"]["code"]
    assert english["slots"][0]["reason"]["text"] != german["slots"][0]["reason"]["text"]


@pytest.mark.parametrize("kind", ["minimum_soc", "equal_soc", "automatic"])
def test_every_terminal_rule_is_understood(call: Call, kind: str) -> None:
    code, out, _ = call(plan_request() | {"options": {"terminal": {"kind": kind}}}, "--json")
    assert code == 0
    assert json.loads(out)["status"] == "optimal"


def test_contradicting_limits_are_a_plan_with_named_compromises(call: Call) -> None:
    # Eight slots of 0.5 kWh cannot fill a battery that is half empty.
    document = plan_request()
    battery_of(document).update(charge_limit_kw=2)
    document["options"]["terminal"]["soc"] = 1.0
    code, out, _ = call(document, "--json")
    reply = json.loads(out)
    assert code == 0
    assert reply["status"] == "compromised"
    assert [
        (each["code"], each["figures"]["name"], each["figures"]["wanted"])
        for each in reply["compromises"]
    ] == [("end_at_least", "battery", 1.0)]


def battery_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["site"]["batteries"][0]
    return found


BAD: dict[str, tuple[Change, str]] = {
    "SoC in percent": (
        lambda it: it["state"]["batteries"]["battery"].update(soc=80),
        "state.batteries.battery.soc",
    ),
    "SoC beyond what is rounded": (
        lambda it: it["state"]["batteries"]["battery"].update(soc=1.03),
        "state.batteries.battery.soc",
    ),
    "PV beyond what is rounded": (
        lambda it: it["outlook"].update(pv_kwh=[-0.006] * 8),
        "outlook.pv_kwh.0",
    ),
    "SoC below nothing": (
        lambda it: it["state"]["batteries"]["battery"].update(soc=-0.1),
        "state.batteries.battery.soc",
    ),
    "start that the clock skips": (lambda it: it.update(start="2024-03-31 02:30"), "start"),
    "start that is no time": (lambda it: it.update(start="yesterday"), "start"),
    "start off the grid": (lambda it: it.update(start="2024-02-01T00:03:30Z"), "start"),
    "load that is no number": (
        lambda it: it["outlook"].update(load_kwh=[float("nan")] * 8),
        "outlook.load_kwh.0",
    ),
    "load below nothing": (
        lambda it: it["outlook"].update(load_kwh=[-0.1] * 8),
        "outlook.load_kwh.0",
    ),
    "price in another unit": (
        lambda it: it["outlook"].update(import_price=[280.0] * 8),
        "outlook.import_price.0",
    ),
    "series of different length": (lambda it: it["outlook"].update(pv_kwh=[0.0] * 7), "outlook"),
    "no slots": (lambda it: it["outlook"].update(load_kwh=[]), "outlook.load_kwh"),
    "unknown field": (lambda it: it["site"].update(colour="green"), "site.colour"),
    "unknown option": (lambda it: it["options"].update(speed=1), "options.speed"),
    "efficiency of 1.3": (
        lambda it: battery_of(it).update(charge_efficiency=1.3),
        "site.batteries.0.charge_efficiency",
    ),
    "reserve above the ceiling": (
        lambda it: battery_of(it).update(min_soc=0.9, max_soc=0.5),
        "site.batteries.0",
    ),
    "missing battery state": (
        lambda it: it.update(state={"batteries": {}}),
        "state.batteries.battery.soc",
    ),
    "state of a battery that is not there": (
        lambda it: it["state"]["batteries"].update(spare={"soc": 0.5}),
        "state.batteries.spare",
    ),
    "slots of seven minutes": (lambda it: it.update(slot_minutes=7), "slot_minutes"),
    "first slot longer than a slot": (lambda it: it.update(first_slot_minutes=20), ""),
    "terminal value without one": (
        lambda it: it["options"].update(terminal={"kind": "value"}),
        "options.terminal",
    ),
    "no outlook": (lambda it: it.pop("outlook"), ""),
    "no time zone of this name": (lambda it: it["site"].update(timezone="Berlin"), "timezone"),
}


@pytest.mark.parametrize(("change", "field"), BAD.values(), ids=BAD)
def test_bad_request_is_a_problem_document_that_names_field_and_remedy(
    call: Call, change: Change, field: str
) -> None:
    document = plan_request()
    change(document)
    problem = call.problem(document)
    assert problem["status"] == 422
    assert problem.get("field", "").endswith(field)
    assert problem["detail"]


def test_series_of_unequal_length_say_how_long_each_is_and_what_is_needed(call: Call) -> None:
    document = plan_request()
    document["outlook"] |= {"pv_kwh": [0.0] * 7, "import_price": [0.3] * 9}
    problem = call.problem(document)
    assert problem["detail"].startswith(
        "outlook: pv_kwh has 7 values, import_price has 9 values, load_kwh has 8;"
    )
    assert problem["remedy"] == (
        "Give 8 values, one per slot as load_kwh has them, for pv_kwh and import_price; or "
        "shorten all to 7."
    )


def test_scenarios_of_unequal_length_say_what_is_needed(call: Call) -> None:
    document = plan_request()
    document["outlook"]["scenarios"] = {
        "probability": [0.5, 0.4],
        "load_kwh": [[0.2] * 6] * 2,
        "pv_kwh": [[0.0] * 8] * 2,
    }
    assert "a scenario of scenarios.load_kwh has 6 values" in call.problem(document)["detail"]
    document["outlook"]["scenarios"] = {
        "probability": [0.5],
        "load_kwh": [[0.2] * 8] * 2,
        "pv_kwh": [[0.0] * 8] * 2,
    }
    assert (
        call.problem(document)["remedy"]
        == "Give one probability per scenario: 2 of them, or 1 of load_kwh."
    )


def test_a_start_within_a_slot_needs_what_remains_of_it(call: Call) -> None:
    start = "2024-02-01T00:07:00Z"
    remains = "8"
    problem = call.problem(plan_request() | {"start": start})
    assert problem["field"] == "start"
    assert f"first_slot_minutes: {remains}" in problem["remedy"]
    assert "2024-02-01T00:00:00" in problem["remedy"]
    code, out, _ = call(
        plan_request() | {"start": start, "first_slot_minutes": float(remains)}, "--json"
    )
    assert (code, json.loads(out)["slots"][0]["start"]) == (0, "2024-02-01T00:00:00Z")


def test_a_start_at_midnight_of_a_zone_between_whole_hours_is_one(call: Call) -> None:
    # Midnight in Kathmandu is 18:15 in UTC.
    document = plan_request() | {"start": "2024-02-01", "slot_minutes": 60}
    document["site"]["timezone"] = "Asia/Kathmandu"
    code, out, _ = call(document, "--json")
    assert (code, json.loads(out)["slots"][0]["start"]) == (0, "2024-01-31T18:15:00Z")


def test_what_sensors_round_is_rounded_in_a_request_as_well(call: Call) -> None:
    document = plan_request()
    document["state"]["batteries"]["battery"]["soc"] = 1.004
    document["outlook"]["pv_kwh"] = [-0.002] * 8
    rounded = plan_request()
    rounded["state"]["batteries"]["battery"]["soc"] = 1.0
    rounded["outlook"]["pv_kwh"] = [0.0] * 8
    replies = [json.loads(call(each, "--json")[1]) for each in (document, rounded)]
    assert replies[0]["slots"] == replies[1]["slots"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("slots: 8", "no JSON", id="not JSON"),
        pytest.param("", "no JSON", id="empty"),
        pytest.param("[1, 2]", "no JSON object", id="a list"),
        pytest.param('{"site": ', "no JSON", id="cut off"),
    ],
)
def test_file_that_is_no_request_is_named(call: Call, text: str, said: str) -> None:
    problem = call.problem(text)
    assert said in problem["detail"]
    assert problem["field"] == str(call.file)


def test_file_that_cannot_be_read_is_named(luna: Luna, tmp_path: Path) -> None:
    said = luna("plan", "--request", str(tmp_path / "nowhere.json"), "--json")
    assert said.code == 2
    assert said.problem["field"].endswith("nowhere.json")


def test_neither_request_nor_site_is_bad_input(luna: Luna) -> None:
    said = luna("plan", "--json")
    assert (said.code, said.problem["field"]) == (2, "--request")
