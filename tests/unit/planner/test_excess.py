"""Where a connection's limit cannot be kept: the worst kilowatt beyond it is as small as can be,
then the energy; set-points make it happen.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Terminal
from luna.energy.schedule import Committed
from luna.energy.simulator import Actuals, simulate
from services.planner.dp.plan import Plan
from services.planner.linear.model import InfeasibleError
from services.planner.milp.directions import BinarySlots, FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.slack import excess_kwh
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.owner_constraints import read_blocks
from services.planner.problem.problem import Problem
from tests.support.planning.problems import (
    START,
    describe_site,
    draw_contradiction,
    make_problem,
    simulate_plan,
)
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

LOSSLESS: dict[str, Any] = {"charge_efficiency": 1, "discharge_efficiency": 1, "wear_price": 0}
FLAT: dict[str, Any] = {"load_kwh": 0.0, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.05}


def plan(problem: Problem) -> Plan:
    return make_plan(problem, Solver())


def draw_narrow(rng: np.random.Generator, *, batteries: int) -> Problem:
    """A house whose load, or sun that may not be held back, is often too much for its connection,
    and batteries within their limits.
    """
    parts = [
        {
            "capacity_kwh": rng.uniform(2, 8),
            "charge_limit_kw": rng.uniform(1, 4),
            "discharge_limit_kw": rng.uniform(1, 4),
        }
        for _ in range(batteries)
    ]
    site = describe_site(
        *parts,
        curtailable=False,
        import_limit_kw=rng.uniform(1, 3),
        export_limit_kw=rng.uniform(0.5, 3),
    )
    sun = np.maximum(np.sin(np.linspace(-3, 6, 24)), 0.0) * rng.uniform(0.5, 2)
    series = FLAT | {
        "load_kwh": rng.gamma(1.0, 0.5, 24),
        "pv_kwh": sun,
        "import_price": rng.uniform(0.1, 0.4, 24),
    }
    return make_problem(
        site, series, soc=rng.uniform(0, 1), terminal=Terminal(kind="value", value=0.1)
    )


def has_plan(problem: Problem, beyond_kw: float) -> bool:
    """Whether the model with every binary in place has an answer where load and sun may exceed the
    limits by so much.
    """
    hours = problem.outlook.timeline.hours
    batteries = len(problem.site.batteries)
    imported, exported = (
        np.minimum(excess, max(beyond_kw, 0.0) * hours) for excess in excess_kwh(problem)
    )
    limits = (
        (problem.import_limit_kwh + imported) / hours,
        (problem.export_limit_kwh + exported) / hours,
    )
    wider = replace(
        problem,
        limits=replace(problem.limits, import_limit_kw=limits[0], export_limit_kw=limits[1]),
    )
    everywhere = np.ones((batteries, hours.size), dtype=bool)
    ways = FlowDirections.of(wider)
    choices = BinarySlots(everywhere[0], everywhere, ~everywhere)
    try:
        Solver().solve(formulate(wider, ways, choices=choices).model, mip_gap=0.5)
    except InfeasibleError:
        return False
    return beyond_kw >= 0


def test_a_battery_shares_what_it_has_over_all_slots_beyond_the_import_limit() -> None:
    # 8 slots at 8 kW against 4 through the connection: 8 kWh are missing, 4 are stored, 1 kWh and
    # so 2 kW of 4 remain in each.
    site = describe_site(LOSSLESS, import_limit_kw=4)
    made = plan(make_problem(site, FLAT | {"load_kwh": [2.0] * 8}, soc=0.4))
    assert made.flows.excess_kwh == pytest.approx([0.5] * 8, abs=1e-6)
    assert made.flows.discharge_kwh[0] == pytest.approx([0.5] * 8, abs=1e-6)


def test_several_batteries_share_together() -> None:
    site = describe_site(
        LOSSLESS | {"capacity_kwh": 4}, LOSSLESS | {"capacity_kwh": 6}, import_limit_kw=4
    )
    made = plan(make_problem(site, FLAT | {"load_kwh": [2.0] * 8}, soc=0.4))
    assert made.flows.excess_kwh == pytest.approx([0.5] * 8, abs=1e-6)


def test_the_higher_peak_is_cut_first() -> None:
    # Beyond 4 kW: 1, 5, 2 kW for half an hour each. 2 kWh take the second to 2 kW (1.5 kWh), then
    # both to 1.5.
    site = describe_site(LOSSLESS, import_limit_kw=4)
    made = plan(
        make_problem(site, FLAT | {"load_kwh": [1.25] * 2 + [2.25] * 2 + [1.5] * 2}, soc=0.2)
    )
    assert made.flows.excess_kwh * 4 == pytest.approx([1.0] * 2 + [1.5] * 4, abs=1e-6)


def test_sun_that_may_not_be_held_back_is_stored_where_it_is_highest() -> None:
    # 1, 3, 2 kW beyond the limit for an hour each, 2 kWh of room: 1.5 of them from the second hour,
    # 0.5 from the third.
    site = describe_site(LOSSLESS, curtailable=False, export_limit_kw=2)
    made = plan(make_problem(site, FLAT | {"pv_kwh": [0.75] * 4 + [1.25] * 4 + [1.0] * 4}, soc=0.8))
    assert made.flows.excess_kwh * 4 == pytest.approx([1.0] * 4 + [1.5] * 8, abs=1e-6)


def test_room_is_made_before_the_sun_exceeds_the_limit() -> None:
    # The battery is full; 2 kWh of sun will not fit through the connection, and two hours before
    # them let it sell as much.
    site = describe_site(LOSSLESS, curtailable=False, export_limit_kw=2)
    made = plan(make_problem(site, FLAT | {"pv_kwh": [0.0] * 8 + [1.0] * 4}, soc=1.0))
    assert made.flows.excess_kwh.max() == 0.0


@pytest.mark.parametrize("more", [1.0, 1.1, 1.2])
def test_a_little_more_sun_than_forecast_finds_room_where_that_costs_nothing(more: float) -> None:
    # Ten hours of sun up to 4.5 kW against 3 through the connection: 5 of 29 kWh are beyond it,
    # with 20 % more sun 10; all else may be stored early or late.
    site = describe_site({}, curtailable=False, export_limit_kw=3)
    sun = 1.125 * np.sin(np.linspace(0, np.pi, 40))
    problem = make_problem(
        site, FLAT | {"pv_kwh": sun}, soc=0.0, terminal=Terminal(kind="value", value=0.2)
    )
    actuals = Actuals(problem.outlook.timeline, problem.outlook.load_kwh, more * sun)
    flows = simulate(
        Committed(plan(problem).setpoints),
        actuals,
        limits=problem.limits,
        stored_kwh=problem.stored_kwh[:, None],
    ).flows
    assert flows.excess_kwh.max() == 0.0


def test_on_an_island_the_house_is_served_as_long_as_there_is_energy() -> None:
    # Half of what the house needs is of no use where no connection brings the rest: 4 kWh are two
    # hours of 2 kW, then there is nothing.
    site = describe_site(LOSSLESS)
    block = ManualBlock.model_validate(
        {"device": "grid", "action": "no_import", "from": START, "to": START + timedelta(hours=4)}
    )
    problem = make_problem(site, FLAT | {"load_kwh": [0.5] * 16}, soc=0.4)
    manual, _ = read_blocks([block], site, (), problem.outlook.timeline)
    made = plan(replace(problem, manual=manual, limits=manual.narrow(problem.limits)))
    assert made.flows.import_kwh == pytest.approx([0.0] * 8 + [0.5] * 8, abs=1e-6)


@each_row("seed", range(draws(60)))
def test_following_the_setpoints_brings_what_the_plan_says(seed: int) -> None:
    made = plan(draw_contradiction(np.random.default_rng(seed), batteries=1 + seed % 2, slots=24))
    assert simulate_plan(made).stored_kwh == pytest.approx(made.flows.stored_kwh, abs=1e-5)


@each_row("seed", range(draws(40)))
def test_no_plan_has_a_smaller_worst_kilowatt(seed: int) -> None:
    """A connection that carries a little less beyond its limits has no plan at all."""
    rng = np.random.default_rng(seed)
    problem = draw_narrow(rng, batteries=1 + seed % 2)
    worst_kw = float((plan(problem).flows.excess_kwh / problem.outlook.timeline.hours).max())
    assert not has_plan(problem, worst_kw - 0.02)
    assert has_plan(problem, worst_kw + 1e-4)
