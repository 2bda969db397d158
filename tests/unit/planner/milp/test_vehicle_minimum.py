"""What a vehicle has to charge until it is full: what its owner pins, or a minimum while it is
plugged in.
"""

from typing import Any

import numpy as np
import pytest

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.errors import InvalidInputError
from services.planner.dp.plan import objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from tests.support.planning.problems import START
from tests.support.planning.requests import answer, charging_session
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row
from tests.unit.planner.milp.vehicle_requests import BATTERY, ask, charged, draw

LOSSLESS: dict[str, Any] = {"capacity_kwh": 10, "charge_efficiency": 1.0}


def pin(
    request: PlanRequest, first: float, last: float, *, action: str = "charge", **more: Any
) -> PlanRequest:
    span = charging_session(first, last)
    block = ManualBlock.model_validate({"device": "car", "action": action, **span, **more})
    return request.model_copy(update={"manual": [*request.manual, block]})


def draw_bound(seed: int) -> PlanRequest:
    """A small problem at random in which one vehicle has a minimum, a block of charging, or
    both.
    """
    rng = np.random.default_rng(1_000 + seed)
    request = draw(seed)
    name, state = next(iter(request.state.vehicles.items()))
    kind = seed % 3
    sessions = [
        each.model_copy(update={"min_power_kw": float(rng.choice([0.7, 1.4, 4.0]))} if kind else {})
        for each in state.sessions
    ]
    vehicles = request.state.vehicles | {name: state.model_copy(update={"sessions": sessions})}
    request = request.model_copy(
        update={"state": request.state.model_copy(update={"vehicles": vehicles})}
    )
    if kind == 1:
        return request
    first = (state.sessions[0].from_ - START).total_seconds() / 3600 + int(rng.integers(0, 3))
    span = charging_session(first, first + int(rng.integers(1, 4)))
    block = ManualBlock.model_validate(
        {
            "device": name,
            "action": "charge",
            **span,
            "power_kw": float(rng.choice([1.4, 3.0, 11.0])),
        }
    )
    return request.model_copy(update={"manual": [block]})


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(24)))
def test_a_schedule_costs_what_the_model_written_for_readers_costs(seed: int) -> None:
    problem = build_problem(draw_bound(seed))
    made = make_plan(problem, Solver())
    assert made.load_schedule is not None
    assert made.load_schedule.objective == pytest.approx(
        solve_reference(problem), rel=1e-5, abs=3e-4
    )
    assert objective(made) + made.load_schedule.beside_cost == pytest.approx(
        made.load_schedule.objective, rel=1e-6, abs=5e-5
    )


def money(reply: PlanReply) -> float:
    return reply.cost.total


def test_a_pinned_charge_ends_with_a_full_car_that_nothing_kept_empty() -> None:
    # 5 kWh of sun fill the car in the first hour. Kept empty for the block it would sell them at
    # 0.05 and buy them back at 0.30: 1.25.
    request = ask(
        [0.3] * 3,
        charging_session(0, 3, target_soc=1.0),
        car=LOSSLESS,
        soc=0.5,
        load_kwh=[0.0] * 3,
        pv_kwh=[5.0, 0.0, 0.0],
    )
    reply = answer(pin(request, 2, 3))
    assert charged(reply) == pytest.approx([5.0, 0.0, 0.0])
    assert money(reply) == pytest.approx(0.0, abs=1e-6)
    assert reply.manual is not None
    assert reply.manual.cost == pytest.approx(0.0, abs=1e-6)
    assert [(each.cost, each.code) for each in reply.compromises] == [(0.0, "manual_vehicle_full")]


@pytest.mark.parametrize(("least_kw", "last"), [(0.0, 1.0), (1.4, 0.0)])
def test_a_block_of_charging_runs_without_a_pause_until_the_car_is_full(
    least_kw: float, last: float
) -> None:
    # 5 kWh at 2 kW take 2.5 hours from the block's begin, whatever each hour costs; the last kWh is
    # less than the least power.
    request = ask(
        [0.1, 0.4, 0.2, 0.1, 0.1, 0.1],
        charging_session(1, 6, target_soc=0.5),
        car=LOSSLESS | {"min_charge_kw": least_kw},
        soc=0.5,
    )
    assert charged(answer(pin(request, 1, 6, power_kw=2))) == pytest.approx(
        [0.0, 2.0, 2.0, last, 0.0, 0.0]
    )


def test_a_car_that_will_be_filled_at_a_dear_hour_is_filled_before_it() -> None:
    # All of the 5 kWh, not just so much that its least power would overfill it then.
    request = ask(
        [0.1, 0.4, 0.2, 0.1, 0.1, 0.1],
        charging_session(0, 6, target_soc=0.5),
        car=LOSSLESS,
        soc=0.5,
    )
    assert charged(answer(pin(request, 1, 6, power_kw=2))) == pytest.approx(
        [5.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    )


def test_a_pinned_charge_ends_at_the_sessions_limit() -> None:
    request = ask(
        [0.3] * 4, charging_session(0, 4, target_soc=0.6, limit_soc=0.8), car=LOSSLESS, soc=0.5
    )
    assert sum(charged(answer(pin(request, 0, 4, power_kw=11)))) == pytest.approx(3.0)


def test_what_a_least_power_would_overfill_is_full() -> None:
    # 5 of 10 kWh are missing; two hours at 2.2 kW leave 0.6, less than the 1.4 kW that it takes at
    # least: no third hour, and nothing is missing.
    request = ask([0.3] * 4, charging_session(0, 4, target_soc=0.5), car=LOSSLESS, soc=0.5)
    reply = answer(pin(request, 0, 4, power_kw=2.2))
    assert charged(reply) == pytest.approx([2.2, 2.2, 0.0, 0.0])
    assert max(each.cost for each in reply.compromises) == 0.0


def test_a_pinned_car_without_a_target_charges_from_anything() -> None:
    request = ask([0.3] * 4, charging_session(0, 4), car=LOSSLESS, soc=0.1)
    assert charged(answer(pin(request, 1, 3, power_kw=3))) == pytest.approx([0.0, 3.0, 3.0, 0.0])


def test_a_car_takes_its_minimum_from_anything_and_more_from_the_sun_alone() -> None:
    # evcc's "min+pv": 1.4 kW all the time; 3.5 of the 4 kWh of sun are left beside the house's 0.5.
    request = ask(
        [0.3] * 6,
        charging_session(0, 6, min_power_kw=1.4),
        soc=0.3,
        pv_kwh=[0.0, 0.0, 4.0, 4.0, 1.0, 0.0],
    )
    reply = answer(request)
    assert charged(reply) == pytest.approx([1.4, 1.4, 3.5, 3.5, 1.4, 1.4])
    assert [slot.import_kwh for slot in reply.slots] == pytest.approx(
        [1.9, 1.9, 0.0, 0.0, 0.9, 1.9]
    )


def test_what_has_to_be_charged_says_so() -> None:
    least = answer(
        ask([0.3] * 4, charging_session(0, 4, min_power_kw=1.4), pv_kwh=[0.0, 4.0, 4.0, 0.0])
    )
    pinned = answer(
        pin(ask([0.3] * 4, charging_session(0, 4), car=LOSSLESS, soc=0.1), 1, 3, power_kw=3)
    )
    codes = [
        [reason.code for slot in reply.slots if (reason := slot.vehicles["car"].reason)]
        for reply in (least, pinned)
    ]
    assert codes[0] == ["ev_minimum", "use_surplus", "use_surplus", "ev_minimum"]
    assert codes[1] == ["ev_waits_surplus", "ev_pinned", "ev_pinned", "ev_waits_surplus"]


def test_a_minimum_below_the_chargers_least_power_is_that() -> None:
    assert charged(
        answer(ask([0.3] * 2, charging_session(0, 2, min_power_kw=0.1)))
    ) == pytest.approx([1.4, 1.4])


def test_a_car_with_a_minimum_and_a_target_charges_more_where_that_is_cheap() -> None:
    # From 12 to 24 kWh at 0.9: 13.33, of which the minimum brings 3 × 2 in the dear hours; the rest
    # is bought in the cheap one.
    reply = answer(
        ask([0.4, 0.4, 0.1, 0.4], charging_session(0, 4, target_soc=0.6, min_power_kw=2))
    )
    assert charged(reply) == pytest.approx([2.0, 2.0, 12 / 0.9 - 6.0, 2.0])


def test_a_minimum_ends_with_a_full_car() -> None:
    # Two hours bring 3.6 of 4 kWh; the rest is less than an hour of the least power.
    reply = answer(ask([0.3] * 3, charging_session(0, 3, limit_soc=0.4, min_power_kw=2), soc=0.3))
    assert charged(reply) == pytest.approx([2.0, 2.0, 0.0])
    assert reply.compromises == []


def test_a_minimum_that_the_connection_does_not_carry_is_a_compromise() -> None:
    reply = answer(
        ask([0.3] * 2, charging_session(0, 2, min_power_kw=4), grid={"import_limit_kw": 3})
    )
    assert charged(reply) == pytest.approx([2.5, 2.5])
    [compromise] = reply.compromises
    assert (compromise.code, compromise.shortfall) == ("vehicle_minimum", "3.000 kWh missing")
    session_of_car = {"first": "2024-02-01T00:00:00+00:00", "last": "2024-02-01T02:00:00+00:00"}
    assert (
        compromise.figures == {"name": "car", "kw": 4.0, "kwh": pytest.approx(3.0)} | session_of_car
    )


def test_a_minimum_beyond_the_charger_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_problem(ask([0.3] * 2, charging_session(0, 2, min_power_kw=20)))
    assert caught.value.field == "state.vehicles.car.sessions.0.min_power_kw"


def test_a_battery_that_spares_a_car_with_a_minimum_serves_nobody_meanwhile() -> None:
    reply = answer(
        ask(
            [0.4] * 4,
            charging_session(0, 2, min_power_kw=2),
            car={"from_battery": "never"},
            batteries=[BATTERY],
            options={"terminal": {"kind": "value", "value": 0}},
        )
    )
    gives = [slot.batteries["battery"].discharge_kwh for slot in reply.slots]
    assert (gives[:2], min(gives[2:]) >= 0.5) == ([0.0, 0.0], True)


@pytest.mark.parametrize(
    ("price", "soc"), [(-0.02, 0.5), (-0.08, 0.7)], ids=["paid too little", "paid enough"]
)
def test_energy_beyond_the_target_may_be_worth_less_than_nothing(price: float, soc: float) -> None:
    # Each kWh stored beyond the target counts −0.05; charging it brings 0.02 / 0.9 or 0.08 / 0.9.
    reply = answer(
        ask([price] * 4, charging_session(0, 4, target_soc=0.5, limit_soc=0.7, extra_value=-0.05))
    )
    assert reply.slots[-1].vehicles["car"].soc_end == pytest.approx(soc)


def test_energy_worth_less_than_nothing_is_given_to_the_house_first() -> None:
    # At 0.01 a kWh is not worth giving at a wear of 0.05, until what stays in the car costs 0.10.
    car = {"discharge_limit_kw": 3, "min_soc": 0.2}
    kept, freed = (
        answer(
            ask(
                [0.01] * 4,
                charging_session(0, 4, target_soc=0.5, extra_value=worth),
                car=car,
                soc=0.6,
            )
        )
        for worth in (0.0, -0.1)
    )
    ends = [reply.slots[-1].vehicles["car"].soc_end for reply in (kept, freed)]
    assert ends[0] == pytest.approx(0.6)
    # 4 × 0.5 kWh for the house, at 0.9.
    assert ends[1] == pytest.approx(0.6 - 2 / 0.9 / 40)


def test_energy_has_a_worth_without_a_limit_too() -> None:
    reply = answer(
        ask(
            [0.1] * 4, charging_session(0, 4, target_soc=0.5, extra_value=0.2), car={"max_soc": 0.9}
        )
    )
    assert reply.slots[-1].vehicles["car"].soc_end == pytest.approx(0.9)
