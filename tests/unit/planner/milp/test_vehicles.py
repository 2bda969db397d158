"""Vehicles: phases, several sessions, surplus, what is charged beyond the target, what they give to
the house, and steady charging.
"""

from datetime import timedelta
from typing import Any

import pytest

from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from services.planner.dp.plan import objective
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.reply.notes import find_gap_cost
from tests.support.planning.problems import START
from tests.support.planning.requests import answer, charging_session
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row
from tests.unit.planner.milp.vehicle_requests import (
    BATTERY,
    ask,
    charged,
    count_starts,
    draw,
    given,
)

DEAR = 0.40
CHEAP = 0.10
SUN = [0.0] * 4 + [4.0] * 4 + [0.0] * 4


@each_row("seed", range(draws(16)))
def test_a_schedule_costs_what_the_model_written_for_readers_costs_and_the_plan_around_it_the_same(
    seed: int,
) -> None:
    problem = build_problem(draw(seed))
    made = make_plan(problem, Solver())
    assert made.load_schedule is not None
    # The model counts what an appliance's waiting costs, too, so that equal slots are no tie.
    assert made.load_schedule.objective == pytest.approx(solve_reference(problem), abs=3e-4)
    assert objective(made) + made.load_schedule.beside_cost == pytest.approx(
        made.load_schedule.objective, abs=5e-5
    )


@each_row("seed", range(100, 100 + draws(24)))
def test_a_first_answer_is_within_a_cent_of_the_optimum_and_states_no_smaller_gap(
    seed: int,
) -> None:
    request = draw(seed)
    problem = build_problem(
        request.model_copy(update={"options": request.options.model_copy(update={"mip_gap": None})})
    )
    made = make_plan(problem, Solver())
    assert made.load_schedule is not None
    gap_cost = find_gap_cost(made)
    assert gap_cost is not None
    # Waiting is priced, too, so that equal slots are no tie.
    above = made.load_schedule.objective - solve_reference(problem)
    assert above <= max(0.01, 0.003 * abs(made.load_schedule.objective)) + 3e-4
    assert above <= gap_cost + 3e-4


@each_row("seed", range(200, 200 + draws(16)))
def test_a_proven_plan_is_as_near_to_the_optimum_as_its_gap_says(seed: int) -> None:
    request = draw(seed)
    options = request.options.model_copy(update={"mip_gap": None, "prove": True})
    problem = build_problem(request.model_copy(update={"options": options}))
    made = make_plan(problem, Solver())
    assert made.load_schedule is not None
    assert made.proven
    cost = made.load_schedule.objective
    gap_cost = find_gap_cost(made)
    assert gap_cost is not None
    assert gap_cost <= problem.search.allow(cost) + 1e-9
    # Waiting is priced, too, so that equal slots are no tie.
    assert cost - solve_reference(problem) <= gap_cost + 3e-4


@each_row(
    ("charger", "ranges"),
    [
        # Three phases at 6 A, as more than one phase gives.
        (None, [(4.1, 11.0)]),
        ({"phases": [3]}, [(4.14, 11.0)]),
        ({"phases": [1]}, [(1.4, 3.68)]),
        ({"phases": [1, 3]}, [(1.4, 3.68), (4.14, 11.0)]),
        # 32 A on one phase reach 7.36 kW, where three phases have long begun: no gap.
        ({"phases": [1, 3], "max_current_a": 32}, [(1.4, 11.0)]),
    ],
    ids=["no charger named", "three phases", "one phase", "one or three", "one or three at 32 A"],
)
def test_currents_and_phases_make_ranges_of_powers(
    charger: dict[str, Any] | None, ranges: list[tuple[float, float]]
) -> None:
    vehicle = ElectricVehicle.model_validate({"capacity_kwh": 60, "charger": charger})
    assert [pytest.approx(each) for each in vehicle.power_ranges] == ranges


def test_between_one_phase_and_three_is_a_gap() -> None:
    # 4 kW of surplus each hour: with a power of its own choice the car would take 4.
    request = ask(
        [DEAR] * 12,
        charging_session(0, 12),
        car={"charger": {"phases": [1, 3]}},
        load_kwh=[0.0] * 12,
        pv_kwh=SUN,
    )
    assert charged(answer(request))[4:8] == pytest.approx([3.68] * 4)
    assert answer(request).slots[4].vehicles["car"].phases == 1


def test_each_session_has_its_target_and_what_was_driven_in_between_is_charged_again() -> None:
    sessions = (
        charging_session(0, 5, target_soc=0.5),
        charging_session(8, 12, target_soc=0.6, arrival_soc=0.25),
    )
    slots = answer(ask([0.3] * 12, *sessions)).slots
    assert [slots[place].vehicles["car"].soc_end for place in (4, 7, 11)] == pytest.approx(
        [0.5, 0.5, 0.6]
    )
    # From 25 to 60 % of 40 kWh at 0.9.
    assert sum(charged(answer(ask([0.3] * 12, *sessions)))[8:]) == pytest.approx(0.35 * 40 / 0.9)


def test_what_a_vehicle_holds_now_counts_and_not_what_it_held_when_it_came() -> None:
    reply = answer(
        ask([0.3] * 6, charging_session(-3, 6, target_soc=0.5, arrival_soc=0.1), soc=0.4)
    )
    assert sum(charged(reply)) == pytest.approx(0.1 * 40 / 0.9)


def test_without_a_target_a_car_takes_only_what_would_be_exported() -> None:
    slots = answer(
        ask([DEAR] * 12, charging_session(0, 12, limit_soc=0.5), batteries=[BATTERY], pv_kwh=SUN)
    ).slots
    taking = [slot for slot in slots if slot.vehicles["car"].charge_kwh > 0]
    assert taking
    assert max(
        slot.import_kwh + slot.batteries["battery"].discharge_kwh for slot in taking
    ) == pytest.approx(0.0, abs=1e-6)
    assert slots[-1].vehicles["car"].soc_end <= 0.5 + 1e-6


def test_without_a_target_nothing_is_bought_however_cheap() -> None:
    assert not any(charged(answer(ask([0.0] * 6, charging_session(0, 6, limit_soc=0.9)))))


@pytest.mark.parametrize(("price", "soc"), [(CHEAP, 0.7), (DEAR, 0.5)], ids=["cheap", "dear"])
def test_beyond_the_target_a_car_charges_where_a_kwh_costs_less_than_it_is_worth(
    price: float, soc: float
) -> None:
    # 0.2 per stored kWh against 0.10 / 0.9 or 0.40 / 0.9.
    reply = answer(
        ask([price] * 6, charging_session(0, 6, target_soc=0.5, limit_soc=0.7, extra_value=0.2))
    )
    assert reply.slots[-1].vehicles["car"].soc_end == pytest.approx(soc)


def test_a_car_above_its_target_is_left_alone_and_misses_nothing() -> None:
    reply = answer(ask([0.3] * 6, charging_session(0, 6, target_soc=0.6), soc=0.9))
    assert not any(charged(reply))
    assert reply.status == "optimal"


def test_a_car_is_never_charged_beyond_its_own_limit_even_where_buying_is_paid() -> None:
    reply = answer(ask([-0.2] * 6, charging_session(0, 6, target_soc=0.6), car={"max_soc": 0.8}))
    assert reply.slots[-1].vehicles["car"].soc_end == pytest.approx(0.8)


def test_a_car_gives_to_the_house_when_that_is_dear_and_is_back_at_its_target_when_it_leaves() -> (
    None
):
    car = {"discharge_limit_kw": 3, "min_soc": 0.4}
    reply = answer(
        ask(
            [CHEAP] * 4 + [DEAR] * 4 + [CHEAP] * 4,
            charging_session(0, 12, target_soc=0.5),
            car=car,
            soc=0.45,
            load_kwh=[2.0] * 12,
        )
    )
    assert sum(given(reply)[4:8]) == pytest.approx(4 * 2.0)
    assert min(slot.vehicles["car"].soc_end for slot in reply.slots) >= 0.4 - 1e-6
    assert reply.slots[-1].vehicles["car"].soc_end >= 0.5 - 1e-6
    assert max(slot.export_kwh for slot in reply.slots) == pytest.approx(0.0, abs=1e-6)
    assert reply.cost.wear == pytest.approx(0.05 * sum(given(reply)))


def test_a_car_gives_no_more_than_house_and_appliances_lack() -> None:
    heater = {"name": "heater", "power_kw": 1, "energy_kwh_per_day": 4, "max_gap_hours": 24}
    request = ask(
        [CHEAP] * 4 + [DEAR] * 4,
        charging_session(0, 8, target_soc=0.3),
        car={"discharge_limit_kw": 10},
        soc=0.9,
        loads=[heater],
    )
    for slot in answer(request).slots:
        assert (
            slot.vehicles["car"].discharge_kwh
            <= slot.load_kwh + slot.loads["heater"].energy_kwh + 1e-6
        )


@pytest.mark.parametrize(
    "car", [{}, {"discharge_limit_kw": 3, "min_soc": 0.5}], ids=["not allowed", "below its reserve"]
)
def test_a_car_that_may_not_give_gives_nothing(car: dict[str, Any]) -> None:
    reply = answer(
        ask([CHEAP] * 4 + [DEAR] * 4, charging_session(0, 8, target_soc=0.4), car=car, soc=0.4)
    )
    assert not any(given(reply))


def test_each_start_has_its_price() -> None:
    price = [CHEAP, CHEAP + 0.01] * 5
    jumpy, steady = (
        answer(ask(price, charging_session(0, 10, target_soc=0.9), car={"start_price": start}))
        for start in (0.0, 0.5)
    )
    assert (count_starts(jumpy) > 1, count_starts(steady)) == (True, 1)


def test_what_charges_now_goes_on_rather_than_start_again() -> None:
    # The second hour is cheaper by less than a start is worth.
    request = ask(
        [CHEAP + 0.001, CHEAP, CHEAP],
        charging_session(0, 3, target_soc=0.35),
        car={"start_price": 0.05},
        charging=True,
    )
    assert charged(answer(request)) == pytest.approx([0.05 * 40 / 0.9, 0, 0])


def test_a_charge_is_never_shorter_than_its_shortest_run() -> None:
    price = [DEAR, CHEAP, DEAR, CHEAP, DEAR, CHEAP, DEAR, DEAR]
    reply = answer(ask(price, charging_session(0, 8, target_soc=0.8), car={"min_run_minutes": 180}))
    runs = "".join("x" if energy > 0 else " " for energy in charged(reply)).split()
    assert min(len(run) for run in runs) >= 3


def test_of_equal_hours_the_first_is_taken_each_time() -> None:
    request = ask([0.3] * 8, charging_session(0, 8, target_soc=0.5))
    first = charged(answer(request))
    again = charged(answer(request))
    assert first == again
    assert first[0] == pytest.approx(0.2 * 40 / 0.9)


@each_row(
    ("sessions", "field"),
    [
        (
            [charging_session(2, 6, target_soc=0.6), charging_session(5, 8, target_soc=0.7)],
            "sessions.1.from",
        ),
        (
            [charging_session(5, 8, target_soc=0.7), charging_session(2, 6, target_soc=0.6)],
            "sessions.0.from",
        ),
        ([charging_session(6, 2, target_soc=0.6)], "sessions.0"),
        ([charging_session(2, 6, target_soc=0.95)], "sessions.0.target_soc"),
        ([charging_session(2, 6, target_soc=0.5, min_soc=0.95)], "sessions.0.min_soc"),
    ],
    ids=[
        "overlapping",
        "overlapping, not in order",
        "upside down",
        "beyond the car's limit",
        "a reserve beyond the car's limit",
    ],
)
def test_sessions_that_do_not_fit_are_refused_by_name(
    sessions: list[dict[str, Any]], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_problem(ask([0.3] * 12, *sessions, car={"max_soc": 0.9}))
    assert caught.value.field == f"state.vehicles.car.{field}"


def test_a_target_beyond_the_sessions_own_limit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"target_soc 0\.8 is above limit_soc 0\.5"):
        ask([0.3], charging_session(0, 1, target_soc=0.8, limit_soc=0.5))


@pytest.mark.parametrize(
    "charger",
    [
        {"min_current_a": 20},
        {"phases": [2]},
        {"phases": [3], "min_current_a": 16, "voltage_v": 400},
    ],
    ids=["least above most", "two phases", "no power"],
)
def test_a_charger_that_never_charges_is_refused(charger: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        parse_site(
            {
                "name": "home",
                "timezone": "UTC",
                "vehicles": [{"capacity_kwh": 60, "charge_limit_kw": 11, "charger": charger}],
            }
        )


def test_sessions_that_share_a_slot_do_not_share_its_energy() -> None:
    half = timedelta(minutes=30)
    sessions = [
        {"from": START, "to": START + 3 * half, "target_soc": 0.4},
        {"from": START + 3 * half, "to": START + 8 * half, "target_soc": 0.6},
    ]
    reply = answer(ask([0.3] * 6, *sessions))
    assert reply.slots[-1].vehicles["car"].soc_end == pytest.approx(0.6)


def test_relaxed_a_car_that_is_half_on_takes_half_of_the_surplus() -> None:
    # An hour at 3 kW takes 1 kWh of surplus and buys 2. A third of that in three hours, all of it
    # surplus, would cost less and cannot be.
    car = {"min_charge_kw": 3.0, "charge_efficiency": 1.0}
    request = ask(
        [0.3] * 6,
        charging_session(0, 6, target_soc=0.375),
        car=car,
        soc=0.3,
        load_kwh=[0.0] * 6,
        pv_kwh=[1.0] * 6,
        export_price=[0.05] * 6,
    )
    problem = build_problem(request)
    relaxed = Solver().solve(formulate(problem, FlowDirections.of(problem)).model.relaxed())
    assert relaxed.objective == pytest.approx(solve_reference(problem), abs=1e-6)
