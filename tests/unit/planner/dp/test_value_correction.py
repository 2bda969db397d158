"""A correction of the value of stored energy: nothing changes nothing, and a stored kWh worth more
is kept longer and bought sooner.
"""

from dataclasses import replace

import numpy as np
import pytest

from luna.energy.economics.costs import BreakEven
from luna.energy.policy import BatteryPolicy
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import BatteryValue, Plan
from services.planner.dp.planner import correct_value, read_policy, to_soc
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.problem import ACTING, NO_MARGIN, Following, Problem
from tests.support.planning.problems import describe_site, make_problem
from tests.support.suite.tables import each_row

SLOTS = 96
NO_NIGHT = np.zeros(SLOTS, dtype=bool)


def home(correction: FloatArray | None = None, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    spot = np.repeat(rng.uniform(0.02, 0.3, SLOTS // 4), 4)
    pv = np.maximum(np.sin(np.linspace(-1, 4, SLOTS)), 0) * 0.7
    series = {
        "load_kwh": rng.gamma(2.0, 0.15, SLOTS),
        "pv_kwh": pv,
        "import_price": spot + 0.13,
        "export_price": spot,
    }
    return replace(
        make_problem(describe_site({}), series),
        following=Following(ACTING, value_correction=correction),
    )


def value_of(plan: Plan) -> BatteryValue:
    assert plan.value is not None
    return plan.value


def policy_of(plan: Plan) -> BatteryPolicy:
    assert plan.policy is not None
    return plan.policy.batteries[0]


@each_row("seed", range(4))
def test_a_correction_of_nothing_changes_nothing(seed: int) -> None:
    plain, corrected = (
        decide(home(correction, seed), Solver()) for correction in (None, np.zeros(SLOTS))
    )
    for name in ("buy", "store", "spill", "serve", "sell"):
        for reading in ("keep", "begin"):
            levels = [
                getattr(getattr(policy_of(each), reading), name) for each in (plain, corrected)
            ]
            assert levels[0].tobytes() == levels[1].tobytes()
    assert plain.setpoints.mode.tolist() == corrected.setpoints.mode.tolist()
    assert plain.flows.stored_kwh.tobytes() == corrected.flows.stored_kwh.tobytes()


@pytest.mark.parametrize("off", [0.03, -0.03])
def test_a_constant_shifts_thresholds_as_break_even_values_that_are_so_much_lower(
    off: float,
) -> None:
    problem = home()
    value = value_of(decide(problem, Solver()))
    battery = problem.site.batteries[0]
    # V′ + c is above a level where V′ is above that level less c.
    levels = value.segments.levels
    shifted = BreakEven(
        levels.buy - off,
        levels.store - off,
        levels.spill - off,
        levels.serve - off,
        levels.sell - off,
        levels.displace - off,
    )
    expected = to_soc(
        value.function.thresholds(shifted), battery, value.function.capacity_kwh
    ).rounded()
    policy = read_policy(
        correct_value(value, np.full(SLOTS, off)),
        battery,
        night=NO_NIGHT,
        margin=NO_MARGIN,
        switching_price=0.0,
    )
    for name in ("buy", "store", "spill", "serve", "sell"):
        assert (getattr(policy.keep, name) == getattr(expected, name)).all()


def test_energy_that_is_worth_more_is_bought_sooner_and_kept_longer() -> None:
    problem = home()
    value = value_of(decide(problem, Solver()))
    battery = problem.site.batteries[0]
    corrected = (correct_value(value, np.full(SLOTS, off)) for off in (0.0, 0.05))
    less, more = (
        read_policy(each, battery, night=NO_NIGHT, margin=ACTING, switching_price=0.0)
        for each in corrected
    )
    assert (more.keep.buy >= less.keep.buy).all()
    assert (more.keep.serve >= less.keep.serve).all()
    assert more.keep.serve.sum() > less.keep.serve.sum()


def test_a_corrected_value_is_followed_though_it_costs_more_on_the_expected_course() -> None:
    plan = decide(home(np.where(np.arange(SLOTS) < 12, 0.04, 0.0)), Solver())
    assert plan.followed == "value"
    assert plan.premium >= 0.0
