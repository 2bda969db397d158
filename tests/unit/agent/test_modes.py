"""Chosen modes become a plan: as thresholds, within limits, and never where they do not say
everything.
"""

from dataclasses import replace

import numpy as np
import pytest

from luna.energy.physics.mode import IntArray, Mode
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.schedule import whole_range
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.modes import ChooseModes, plan_by_modes, read_chosen
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.problem import Problem
from tests.support.planning.problems import BATTERY, describe_site, make_problem
from tests.support.suite.tables import each_row

# A day of cheap and dear quarters of it, sun at noon, an even load.
_PRICE = np.repeat([0.1, 0.3, 0.2, 0.5], 24)
_SUN = np.maximum(np.sin((np.arange(96) - 24) / 48 * np.pi), 0.0) * 0.8
_SERIES = {
    "load_kwh": np.full(96, 0.2),
    "pv_kwh": _SUN,
    "import_price": _PRICE,
    "export_price": 0.07,
}


def _problem(*batteries: dict[str, object]) -> Problem:
    return make_problem(describe_site(*batteries), _SERIES)


def _always(mode: int) -> ChooseModes:
    return lambda slots, _: np.full(slots.size, mode, dtype=np.int8)


@each_row("mode", list(Mode))
def test_a_mode_as_thresholds_moves_what_the_mode_itself_moves(mode: Mode) -> None:
    problem = _problem({})
    battery = problem.site.batteries[0]
    limits = problem.limits
    stored = np.linspace(0.5, 9.5, 96)
    policy = read_chosen(battery, 96, _always(mode))
    told = policy.read(slice(None), np.full(96, mode, dtype=np.int8), stored / battery.capacity_kwh)
    own = whole_range(np.full((1, 96), mode, dtype=np.int8), np.zeros(96, dtype=np.int8))
    actuals = SlotActuals(problem.outlook.load_kwh, problem.outlook.pv_kwh, 0.25)
    flows = [
        simulate_slot(clamp(each, stored[None, :], limits), stored[None, :], actuals, limits=limits)
        for each in (told, own)
    ]

    np.testing.assert_allclose(flows[0].stored_kwh, flows[1].stored_kwh, atol=1e-9)


def test_the_plan_does_what_was_chosen() -> None:
    problem = _problem({})
    plan = plan_by_modes(problem, _buy_cheap(problem))

    assert plan.followed == "learned"
    assert plan.agent_obstacle is None
    # 10 kWh from half full at 5 kW and an efficiency of 0.95: 1.1875 kWh a quarter-hour, so the
    # fifth slot fills it.
    assert (plan.setpoints.mode[0, :4] == Mode.CHARGE).all()
    assert plan.flows.stored_kwh[0, 4] == pytest.approx(10.0)
    assert plan.flows.stored_kwh[0, -1] < 9.0


def _buy_cheap(problem: Problem) -> ChooseModes:
    price = problem.outlook.import_price
    return lambda slots, _: np.where(
        price[slots] <= 0.1, Mode.CHARGE, Mode.SELF_CONSUMPTION
    ).astype(np.int8)


def test_a_choice_that_depends_on_what_is_stored_becomes_the_threshold_between() -> None:
    battery = _problem({}).site.batteries[0]

    def choose(slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
        full = stored_kwh > 8.0
        empty = stored_kwh < 2.0 + slots
        return np.where(full, Mode.EXPORT, np.where(empty, Mode.CHARGE, Mode.HOLD)).astype(np.int8)

    level = read_chosen(battery, 2, choose).keep

    # Of 10 kWh, asked at the middle of each half kWh: below 2 and 3 kWh it charges, and above 8 it
    # sells what is above.
    np.testing.assert_allclose(level.buy, [0.2, 0.3])
    np.testing.assert_allclose(level.store, [0.2, 0.3])
    np.testing.assert_allclose(level.serve, [0.8, 0.8])
    np.testing.assert_allclose(level.sell, [0.8, 0.8])


@pytest.mark.parametrize(
    ("batteries", "reason"),
    [([], "no_battery"), ([{}, {}], "several_batteries")],
    ids=["none", "two"],
)
def test_where_modes_of_one_battery_do_not_say_everything_the_planner_decides(
    batteries: list[dict[str, object]], reason: str
) -> None:
    problem = _problem(*batteries)
    plan = plan_by_modes(problem, _always(Mode.CHARGE))

    assert plan.agent_obstacle == reason
    assert plan.followed != "learned"
    np.testing.assert_array_equal(plan.setpoints.mode, decide(problem, Solver()).setpoints.mode)


@pytest.mark.parametrize("chosen", [6, -1, 127], ids=["beyond", "negative", "far_beyond"])
def test_what_is_no_mode_is_not_followed(chosen: int) -> None:
    plan = plan_by_modes(_problem({}), _always(chosen))

    assert plan.agent_obstacle == "no_mode"
    assert plan.followed != "learned"


def test_a_price_that_is_no_number_is_the_planners_matter() -> None:
    problem = _problem({})
    unknown = replace(
        problem.outlook, load_kwh=np.where(np.arange(96) == 50, np.nan, problem.outlook.load_kwh)
    )
    plan = plan_by_modes(replace(problem, outlook=unknown), _always(Mode.CHARGE))

    assert plan.agent_obstacle == "unknown_outlook"


def test_modes_that_would_miss_what_is_wanted_at_the_end_are_not_followed() -> None:
    problem = _problem({})
    wanted = replace(problem.terminal, least_kwh=np.array([5.0]))
    plan = plan_by_modes(replace(problem, terminal=wanted), _always(Mode.EXPORT))

    assert plan.agent_obstacle == "limits_or_wishes"
    assert plan.flows.stored_kwh[0, -1] >= 5.0 - 1e-6


def test_whoever_always_asks_for_the_impossible_breaks_no_limit() -> None:
    site = describe_site(
        BATTERY | {"charge_from_grid": False, "discharge_to_grid": False},
        import_limit_kw=2.0,
        export_limit_kw=1.0,
    )
    problem = make_problem(site, _SERIES)
    plan = plan_by_modes(
        problem, lambda slots, _: np.where(slots % 2, Mode.CHARGE, Mode.EXPORT).astype(np.int8)
    )

    assert plan.flows.excess_kwh.sum() == 0.0
    assert plan.flows.import_kwh.max() <= 2.0 * 0.25 + 1e-9


@pytest.mark.parametrize(
    "chosen", [6, int(Mode.CHARGE)], ids=["the planner's stands", "modes are followed"]
)
def test_a_decision_of_the_planner_that_is_known_is_built_on(chosen: int) -> None:
    problem = _problem({})
    planned = decide(problem, Solver())
    plan = plan_by_modes(problem, _always(chosen), planned=planned)

    assert plan.value is planned.value
    np.testing.assert_array_equal(
        plan.setpoints.mode, plan_by_modes(problem, _always(chosen)).setpoints.mode
    )
