"""Stored plans are found out where they do not hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.request_bytes import write_inputs
from luna.energy.errors import NotFoundError
from luna.platform.database import sites
from services.planner.milp.solver import Solver
from services.planner.reply.reply import digest, plan_request
from services.planner.service.plan_check import Finding, check_plans, check_reply
from tests.support.planning.plans import store_plan
from tests.support.suite.tables import each_row

START = datetime(2024, 2, 1, tzinfo=UTC)
BATTERY = {
    "name": "battery",
    "capacity_kwh": 8,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "wear_price": 0.01,
}
CAR = {"name": "car", "capacity_kwh": 40, "charge_limit_kw": 7}
STORE = {"capacity_kwh_per_k": 5, "min_c": 20, "max_c": 22, "loss_kw_per_k": 0.2}
PUMP = {"name": "pump", "power_kw": 3, "cop": [{"outdoor_c": 0, "cop": 3}], "store": STORE}
PEAK = {"price_per_kw_month": 5.0, "highest": 1, "interval_minutes": 60}
SITE = {
    "name": "checked",
    "timezone": "Europe/Berlin",
    "batteries": [BATTERY],
    "pv": [{"peak_kw": 4}],
    "vehicles": [CAR],
    "heat_pumps": [PUMP],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.07},
        "peak": PEAK,
    },
}
SESSION = {"from": "2024-02-01T01:00:00Z", "to": "2024-02-01T07:00:00Z", "target_soc": 0.9}


def build_problem() -> PlanRequest:
    sun = [0.0] * 8 + [1.5] * 8 + [0.0] * 8
    prices = [0.2] * 6 + [0.3] * 10 + [0.5] * 8
    outlook = {
        "load_kwh": [0.4] * 24,
        "pv_kwh": sun,
        "import_price": prices,
        "export_price": [0.07] * 24,
        "outdoor_temperature_c": [0.0] * 24,
    }
    state = {
        "batteries": {"battery": {"soc": 0.5}},
        "vehicles": {"car": {"soc": 0.4, "sessions": [SESSION]}},
        "month_peaks_kw": [0.2],
    }
    return PlanRequest.model_validate(
        {"site": SITE, "start": START, "slot_minutes": 60, "outlook": outlook, "state": state}
    )


@pytest.fixture(scope="module")
def plan() -> tuple[PlanReply, PlanRequest]:
    request = build_problem()
    return plan_request(request, now=START, solver=Solver()), request


def break_slot(plan: PlanReply, place: int, **changes: Any) -> PlanReply:
    slots = list(plan.slots)
    slots[place] = slots[place].model_copy(update=changes)
    return plan.model_copy(update={"slots": slots})


def break_cost(plan: PlanReply, **changes: float) -> PlanReply:
    return plan.model_copy(update={"cost": plan.cost.model_copy(update=changes)})


def test_a_plan_with_a_car_a_heat_pump_and_a_peak_holds(
    plan: tuple[PlanReply, PlanRequest],
) -> None:
    reply, inputs = plan
    assert sum(slot.vehicles["car"].charge_kwh for slot in reply.slots) > 1.0
    assert sum(slot.heat_pumps["pump"].energy_kwh for slot in reply.slots) > 1.0
    assert reply.cost.peak > 0.0
    assert check_reply(reply, inputs) == []


def test_energy_from_nowhere_is_found(plan: tuple[PlanReply, PlanRequest]) -> None:
    found = check_reply(break_slot(plan[0], 3, pv_kwh=plan[0].slots[3].pv_kwh + 0.25), plan[1])
    assert [(each.what, each.start) for each in found] == [("balance", START + timedelta(hours=3))]
    assert found[0].off == pytest.approx(0.25)


def test_a_battery_that_leaps_is_found(plan: tuple[PlanReply, PlanRequest]) -> None:
    flow = plan[0].slots[5].batteries["battery"]
    leapt = break_slot(
        plan[0], 5, batteries={"battery": flow.model_copy(update={"soc_end": flow.soc_end + 0.5})}
    )
    found = {(each.what, each.start) for each in check_reply(leapt, plan[1])}
    assert ("stored energy of battery", START + timedelta(hours=5)) in found
    assert ("stored energy of battery", START + timedelta(hours=6)) in found


PARTS = [
    ("import_", "cost of import"),
    ("export", "earnings of export"),
    ("wear", "wear"),
    ("peak", "peak"),
    ("total", "total cost"),
]


@each_row(("part", "what"), PARTS)
def test_a_cost_that_its_flows_do_not_make_is_found(
    plan: tuple[PlanReply, PlanRequest], part: str, what: str
) -> None:
    broken = break_cost(plan[0], **{part: getattr(plan[0].cost, part) + 0.01})
    assert what in {each.what for each in check_reply(broken, plan[1])}


def test_without_its_request_a_plan_still_balances(plan: tuple[PlanReply, PlanRequest]) -> None:
    assert check_reply(plan[0], None) == []
    assert check_reply(break_slot(plan[0], 0, import_kwh=50.0), None) != []


def test_a_planted_plan_is_found_among_those_stored(
    connection: Connection, plan: tuple[PlanReply, PlanRequest]
) -> None:
    reply, inputs = plan
    assert inputs.site is not None
    sites.save(connection, inputs.site)
    planted = break_slot(reply, 2, load_kwh=9.0).model_copy(
        update={"plan_id": "planted", "issued_at": START + timedelta(hours=1)}
    )
    for each in (reply, planted):
        store_plan(
            connection, "checked", each, request=inputs, inputs_digest=digest(write_inputs(inputs))
        )
    checked = check_plans(connection, "checked", START, START + timedelta(hours=3))
    assert (checked.plans, list(checked.broken)) == (2, ["planted"])
    assert checked.broken["planted"] == [
        Finding("balance", pytest.approx(reply.slots[2].load_kwh - 9.0), START + timedelta(hours=2))
    ]
    assert (
        check_plans(
            connection, "checked", START + timedelta(hours=3), START + timedelta(hours=4)
        ).plans
        == 0
    )


def test_a_site_that_is_not_there_has_no_plans(connection: Connection) -> None:
    with pytest.raises(NotFoundError):
        check_plans(connection, "nowhere", START, START + timedelta(days=1))
