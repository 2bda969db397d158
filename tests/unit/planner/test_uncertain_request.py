"""Requests that bring scenarios of their own."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from luna.contracts.plan import PlanReply, PlanRequest
from tests.support.planning.requests import answer, describe_request
from tests.support.suite.tables import each_row

SLOTS = 16
# A dear evening after cheap hours, with little load expected.
LOAD = [0.2] * SLOTS
PV = [0.0] * SLOTS
OUTLOOK = {
    "load_kwh": LOAD,
    "pv_kwh": PV,
    "import_price": [0.1] * 8 + [0.4] * 8,
    "export_price": [0.02] * SLOTS,
}
BATTERY = {
    "name": "battery",
    "capacity_kwh": 10,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "wear_price": 0.01,
}
TANK = {"name": "tank", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 12}
# The evening may also take four times as much.
BUSY = {"probability": [0.5], "load_kwh": [[0.2] * 8 + [0.8] * 8], "pv_kwh": [PV]}


def describe(
    scenarios: dict[str, Any] | None = BUSY, *, site: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    ends = {"terminal": {"kind": "value", "value": 0.0}} | options
    return describe_request(
        {"batteries": [BATTERY]} | (site or {}),
        OUTLOOK | {"scenarios": scenarios},
        soc=0.0,
        slot_minutes=15,
        options=ends,
    )


def plan(**changes: Any) -> PlanReply:
    return answer(PlanRequest.model_validate(describe(**changes)))


def stored_before_the_evening(reply: PlanReply) -> float:
    return reply.slots[7].batteries["battery"].soc_end * 10


def test_a_plan_is_by_what_is_expected_unless_asked_otherwise() -> None:
    assert plan().uncertainty is None


def test_what_may_be_needed_is_bought_where_it_pays_on_average() -> None:
    # Expected: 8 × 0.2 kWh in the evening, 1.6 / 0.95 stored. On the busy scenario 6.4 kWh: another
    # stored kWh, bought at 0.1 / 0.95, is worth half of 0.4 × 0.95 on average, 0.19: it pays to be
    # ready for it.
    point = plan()
    weighed = plan(uncertainty="scenarios")
    assert stored_before_the_evening(point) == pytest.approx(1.6 / 0.95, abs=1e-3)
    assert stored_before_the_evening(weighed) == pytest.approx(6.4 / 0.95, abs=1e-3)
    assert weighed.uncertainty is not None
    assert weighed.uncertainty.scenarios == 2
    assert weighed.uncertainty.premium > 0


def test_flows_and_cost_are_those_of_the_expected_course() -> None:
    weighed = plan(uncertainty="scenarios")
    assert [slot.load_kwh for slot in weighed.slots] == LOAD
    imported = np.array([slot.import_kwh for slot in weighed.slots])
    assert weighed.cost.import_ == pytest.approx(
        float(imported @ OUTLOOK["import_price"]), abs=1e-4
    )


def test_risk_counts_the_dear_course_alone() -> None:
    rare = BUSY | {"probability": [0.2]}
    # Worth 0.2 × 0.38 on average, less than 0.1 / 0.95 and wear: only who heeds risk buys for it.
    assert stored_before_the_evening(
        plan(scenarios=rare, uncertainty="scenarios")
    ) == pytest.approx(1.6 / 0.95, abs=1e-3)
    assert stored_before_the_evening(
        plan(scenarios=rare, uncertainty="scenarios", risk=0.9)
    ) == pytest.approx(6.4 / 0.95, abs=1e-3)


def test_loads_are_scheduled_for_what_is_expected_and_the_battery_weighs_scenarios() -> None:
    point, weighed = (
        plan(site={"loads": [TANK]}, uncertainty=kind) for kind in ("point", "scenarios")
    )
    assert [slot.loads["tank"].energy_kwh for slot in weighed.slots] == [
        slot.loads["tank"].energy_kwh for slot in point.slots
    ]
    assert stored_before_the_evening(weighed) > stored_before_the_evening(point)


# The evening may also be three times as dear, with the load as expected.
DEAR = {
    "probability": [0.5],
    "load_kwh": [LOAD],
    "pv_kwh": [PV],
    "import_change": [[0.0] * 8 + [0.8] * 8],
    "export_change": [[0.0] * 8 + [1.0] * 8],
}


def test_prices_that_may_be_higher_are_prepared_for_where_it_pays_on_average() -> None:
    # Expected, a kWh is sold at 0.02: none is kept for that. On the dear scenario it earns 1.02,
    # 0.5 × 0.95 × 1.02 on average: more than the 0.1 / 0.95 for which it is bought.
    point = plan(scenarios=DEAR)
    weighed = plan(scenarios=DEAR, uncertainty="scenarios")
    assert stored_before_the_evening(point) == pytest.approx(1.6 / 0.95, abs=1e-3)
    assert stored_before_the_evening(weighed) > 5.0
    # What is expected is billed, not what may be.
    assert [slot.import_price for slot in weighed.slots] == OUTLOOK["import_price"]


WRONG = [
    pytest.param(
        {"scenarios": DEAR | {"export_change": None}},
        "one of the prices alone",
        id="one price alone",
    ),
    pytest.param(
        {"scenarios": DEAR | {"import_change": [[0.0] * 8]}},
        "needs one value per slot",
        id="prices too short",
    ),
    pytest.param(
        {"scenarios": None, "uncertainty": "scenarios"},
        "outlook.scenarios is missing",
        id="none given",
    ),
    pytest.param({"risk": 0.5}, "needs several scenarios", id="risk without scenarios"),
    pytest.param(
        {"scenarios": BUSY | {"probability": [0.6, 0.2]}},
        "1 scenarios, probability has 2",
        id="a scenario is missing",
    ),
    pytest.param(
        {"scenarios": BUSY | {"pv_kwh": [[0.0]]}},
        "needs one value per slot",
        id="a scenario is too short",
    ),
    pytest.param(
        {"scenarios": {"probability": [0.9, 0.9], "load_kwh": [LOAD, LOAD], "pv_kwh": [PV, PV]}},
        "add up to 1.8",
        id="more than certain",
    ),
]


@each_row(("changes", "words"), WRONG)
def test_courses_that_cannot_be_weighed_are_refused_by_name(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        PlanRequest.model_validate(describe(**changes))
