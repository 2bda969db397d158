"""Vehicles, appliances and peaks: scheduled at least cost, with what is missed."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.economics.charges import peak_cost
from luna.energy.errors import InvalidInputError
from services.planner.dp.plan import Plan, objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem, TariffState
from tests.support.planning.requests import answer, charging_session, make_request, value_rest
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

CAR = {"name": "car", "capacity_kwh": 40}
HEATER = {
    "name": "heater",
    "kind": "water_heater",
    "power_kw": 2,
    "energy_kwh_per_day": 6,
    "max_gap_hours": 12,
    "min_on_minutes": 120,
}
BATTERY = {"capacity_kwh": 5, "charge_limit_kw": 2.5, "discharge_limit_kw": 2.5, "wear_price": 0.01}


def ask(
    seed: int = 0, *, slots_per_hour: int = 1, state: dict[str, Any] | None = None, **changes: Any
) -> PlanRequest:
    """A day, prices and load by the seed.

    ``changes`` go into the site, ``state`` beside that of battery and car.
    """
    rng = np.random.default_rng(seed)
    count = 24 * slots_per_hour
    site = {
        "grid": {"import_limit_kw": 11},
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 4}],
        "vehicles": [CAR],
        "loads": [HEATER],
    } | changes
    cars = (
        {"car": {"soc": 0.3, "sessions": [charging_session(2, 9, target_soc=0.6)]}}
        if site["vehicles"]
        else {}
    )
    known = {"vehicles": cars, "month_peaks_kw": [2.0]} | (state or {})
    outlook = {
        "load_kwh": rng.gamma(2.0, 0.2, count) / slots_per_hour,
        "pv_kwh": np.maximum(2.5 * np.sin((np.arange(count) / slots_per_hour - 7) / 10 * np.pi), 0)
        / slots_per_hour,
        "import_price": np.repeat(rng.normal(0.25, 0.06, 24), slots_per_hour),
        "export_price": 0.07,
    }
    return make_request(
        site, outlook, slot_minutes=60 // slots_per_hour, state=known, options=value_rest(0.12)
    )


def car(session: dict[str, Any], soc: float = 0.3) -> dict[str, Any]:
    return {"vehicles": {"car": {"soc": soc, "sessions": [session]}}}


def peak(interval_minutes: int = 60, highest: int = 1) -> dict[str, Any]:
    return {
        "import": {"kind": "fixed", "price": 0.3},
        "peak": {
            "price_per_kw_month": 4.0,
            "highest": highest,
            "interval_minutes": interval_minutes,
        },
    }


def rise(problem: Problem, made: Plan) -> float:
    return peak_cost(
        made.flows.import_kwh, problem.outlook.timeline, problem.tariff.peaks, zone=ZoneInfo("UTC")
    )


SITES = each_row(
    "changes",
    [
        {"loads": []},
        {"vehicles": []},
        {},
        {"tariff": peak()},
        {"vehicles": [], "loads": [], "tariff": peak()},
    ],
    ids=["car", "heater", "both", "both and a peak", "a peak alone"],
)


@SITES
@each_row("seed", range(3 if LONG else 1))
def test_a_plan_costs_what_the_model_written_for_readers_costs(
    changes: dict[str, Any], seed: int
) -> None:
    problem = build_problem(ask(seed, **changes))
    made = make_plan(problem, Solver())
    # The model pays for the whole peak, the tariff for what rises above the 2 kW of before.
    paid = rise(problem, made) + sum(
        peak.price.price_per_kw_month * 2.0 for peak in problem.tariff.peaks
    )
    assert objective(made) + paid == pytest.approx(solve_reference(problem), abs=2e-5)


def test_the_car_is_full_when_it_leaves_and_charges_only_while_it_is_there() -> None:
    slots = answer(ask()).slots
    charged = [slot.vehicles["car"].charge_kwh for slot in slots]
    assert slots[8].vehicles["car"].soc_end >= 0.6 - 1e-6
    assert not any(charged[:2])
    assert not any(charged[9:])
    assert all(energy == 0 or energy >= 1.4 - 1e-6 for energy in charged)


def test_the_heater_gets_its_energy_and_is_never_off_for_too_long_nor_on_too_briefly() -> None:
    on = [slot.loads["heater"].on for slot in answer(ask(1)).slots]
    runs = "".join("x" if each else " " for each in on)
    assert sum(on) * 2 >= 6
    assert max(map(len, runs.split("x"))) <= 12
    assert all(len(run) >= 2 for run in runs.rstrip().split())


def test_an_appliance_that_was_off_for_long_runs_soon() -> None:
    # Off for 10 of at most 12 hours: two more, and then it has to run.
    request = ask(
        loads=[HEATER | {"min_on_minutes": 0}], state={"loads": {"heater": {"off_hours": 10}}}
    )
    assert any(slot.loads["heater"].on for slot in answer(request).slots[:3])


def test_what_was_used_today_counts() -> None:
    request = ask(
        vehicles=[],
        loads=[HEATER | {"max_gap_hours": 24}],
        state={"loads": {"heater": {"energy_today_kwh": 6}}},
    )
    assert not any(slot.loads["heater"].on for slot in answer(request).slots)


def test_every_slot_adds_up_with_what_was_scheduled() -> None:
    for slot in answer(ask(2, tariff=peak())).slots:
        battery = slot.batteries["battery"]
        supplied = slot.pv_kwh - slot.curtailed_kwh + slot.import_kwh + battery.discharge_kwh
        used = (
            slot.load_kwh
            + slot.export_kwh
            + battery.charge_kwh
            + slot.vehicles["car"].charge_kwh
            + slot.loads["heater"].energy_kwh
        )
        assert supplied == pytest.approx(used, abs=1e-5)


@pytest.mark.parametrize(
    ("interval", "highest"),
    [
        pytest.param(60, 1, id="highest hour", marks=pytest.mark.long),
        pytest.param(60, 3, id="three highest", marks=pytest.mark.long),
        pytest.param(30, 2, id="two highest half hours"),
    ],
)
def test_a_peak_that_costs_is_heeded(interval: int, highest: int) -> None:
    problem = build_problem(ask(slots_per_hour=2, loads=[], tariff=peak(interval, highest)))
    heeded = make_plan(problem, Solver())
    ignored = make_plan(replace(problem, tariff=TariffState()), Solver())
    assert rise(problem, heeded) < rise(problem, ignored)
    assert objective(heeded) + rise(problem, heeded) < objective(ignored) + rise(problem, ignored)


def test_a_car_that_cannot_be_full_in_time_gets_what_is_possible_and_says_its_lack() -> None:
    reply = answer(ask(state=car(charging_session(2, 3, target_soc=0.9), soc=0.2)))
    assert reply.status == "compromised"
    # One hour at 11 kW and 0.9 brings 9.9 of 28 kWh: 18.1 of 40 are missing, 20.1 kWh at the
    # charger.
    [compromise] = reply.compromises
    assert (compromise.code, compromise.shortfall) == ("vehicle", "45.2% missing")
    by = "2024-02-01T03:00:00+00:00"
    assert compromise.figures == {
        "name": "car",
        "wanted": 0.9,
        "by": by,
        "missing": pytest.approx(18.1 / 40, abs=1e-3),
    }
    assert reply.slots[2].vehicles["car"].charge_kwh == pytest.approx(11)
    assert reply.compromises[0].cost == pytest.approx(
        18.1 / 0.9 * max(slot.import_price for slot in reply.slots)
    )


def test_a_session_beyond_the_horizon_leaves_for_later_only_what_can_be_charged_then() -> None:
    # 20 kWh are wanted two hours after the horizon; two hours bring 19.8, so 8.2 of the 28 missing
    # have to be charged before.
    reply = answer(ask(state=car(charging_session(20, 26, target_soc=1.0))))
    assert reply.slots[-1].vehicles["car"].soc_end * 40 >= 40 - 2 * 11 * 0.9 - 1e-6


def test_an_appliance_that_is_metered_with_the_load_is_not_scheduled() -> None:
    request = ask()
    assert request.outlook is not None
    request = request.model_copy(
        update={"outlook": request.outlook.model_copy(update={"load_includes": ["heater"]})}
    )
    reply = answer(request)
    assert all(not slot.loads for slot in reply.slots)
    # Nobody wished what cannot be had.
    assert (reply.status, reply.compromises, [note.code for note in reply.notes]) == (
        "optimal",
        [],
        ["loads_not_placed"],
    )


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"vehicles": {"bus": {"soc": 0.5}}}, "state.vehicles.bus"),
        ({"loads": {"pool": {}}}, "state.loads.pool"),
        (
            {
                "vehicles": {
                    "car": {"soc": 0.5, "sessions": [charging_session(9, 2, target_soc=0.6)]}
                }
            },
            "state.vehicles.car.sessions.0",
        ),
    ],
    ids=["no such vehicle", "no such load", "ends before it begins"],
)
def test_state_that_does_not_fit_is_refused_by_name(state: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_problem(ask(state=state))
    assert caught.value.field == field
