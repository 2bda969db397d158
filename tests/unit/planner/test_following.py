"""What is followed of a plan: set-points that come to the plan's own flows, and stay right when
load, sun and state of charge turn out otherwise.
"""

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import Terminal
from luna.energy.physics.mode import Mode
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.policy import BatteryPolicy, PlanPolicy
from luna.energy.simulator import Actuals, simulate
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan, objective, value_flows
from services.planner.dp.planner import find_nights, walk_policy
from services.planner.dp.segments import problem_segments
from services.planner.following import value_policy
from services.planner.milp.solver import Solver
from services.planner.planner import decide, make_plan, plan_alone
from services.planner.policy_simulation import Follower, simulate_errors, simulate_policies
from services.planner.problem.problem import ACTING, Following, Problem, SearchLimits, Uncertainty
from services.planner.problem.scenarios import ScenarioSet
from tests.support.planning.problems import (
    describe_site,
    draw_contradiction,
    draw_problem,
    make_problem,
)
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

KINDS: dict[str, tuple[dict[str, Any], ...]] = {
    "one": ({},),
    "two": ({}, {"capacity_kwh": 5, "charge_limit_kw": 2.5, "discharge_limit_kw": 2.5}),
    "taper": ({"taper_from_soc": 0.8, "taper_to_share": 0.2},),
    "least power": ({"min_charge_kw": 1.0},),
    "wear by depth": (
        {
            "wear_price": 0.0,
            "wear_by_depth": [{"to_depth": 0.5, "price": 0.02}, {"to_depth": 1.0, "price": 0.06}],
        },
    ),
    "no trade": ({"charge_from_grid": False, "discharge_to_grid": False},),
}
FLAT = {"import_price": 0.30, "export_price": 0.08}


def day(rng: np.random.Generator, **prices: Any) -> dict[str, Any]:
    """A day in quarter-hours with a house and a roof."""
    slot = np.arange(96)
    load = 0.08 + 0.25 * np.exp(-(((slot - 76) / 9) ** 2)) + rng.gamma(1.0, 0.05, 96)
    pv = (
        1.2
        * np.clip(np.sin((slot - 28) / 44 * np.pi), 0, None)
        * (slot > 28)
        * (slot < 72)
        * rng.uniform(0.3, 1.0)
    )
    return {"load_kwh": load, "pv_kwh": pv} | prices


def follow(plan: Plan, load_kwh: FloatArray, pv_kwh: FloatArray, stored_kwh: FloatArray) -> float:
    """What the plan's policy costs on another scenario, what is left counted in."""
    assert plan.policy is not None
    limits = plan.problem.limits
    modes = np.full((len(limits.batteries.capacity_kwh), 1), Mode.SELF_CONSUMPTION, dtype=np.int8)
    run = simulate(
        Follower(plan.policy, limits.batteries.capacity_kwh, modes),
        Actuals(plan.problem.outlook.timeline, load_kwh, pv_kwh),
        limits=limits.by_slot(),
        stored_kwh=stored_kwh,
    )
    flows = replace(
        run.flows,
        **{name: getattr(run.flows, name)[..., 0, :] for name in type(run.flows).__slots__},
    )
    return value_flows(plan.problem, flows)


@each_row("seed", range(draws(40)))
def test_a_plan_is_what_its_set_points_come_to(seed: int) -> None:
    draw = draw_problem if seed % 2 else draw_contradiction
    problem = replace(
        draw(np.random.default_rng(seed + 900), batteries=1 + seed % 3 % 2, slots=24),
        following=Following(ACTING),
    )
    plan = decide(problem, Solver())
    # What exceeds limits that cannot be kept is levelled: physics would keep them as long as the
    # battery lasts.
    safe = clamp(plan.setpoints, plan.start_kwh, plan.limits)
    outlook = problem.outlook
    flows = simulate_slot(
        safe,
        plan.start_kwh,
        SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours),
        limits=plan.limits,
    )
    assert flows.stored_kwh == pytest.approx(plan.flows.stored_kwh, abs=1e-6)
    assert plan.start_kwh[:, 1:] == pytest.approx(plan.flows.stored_kwh[:, :-1], abs=1e-6)
    assert plan.start_kwh[:, 0] == pytest.approx(problem.stored_kwh)


@each_row("seed", range(draws(12)))
def test_slots_settled_side_by_side_are_those_simulated_one_by_one(seed: int) -> None:
    plan = decide(
        replace(
            draw_problem(np.random.default_rng(seed + 40), batteries=1, slots=48),
            following=Following(ACTING),
        ),
        Solver(),
    )
    assert plan.policy is not None
    (run,) = simulate_policies(plan.problem, [plan.policy])
    assert run.flows.stored_kwh == pytest.approx(plan.flows.stored_kwh, abs=1e-6)
    assert run.setpoints.mode.tolist() == plan.setpoints.mode.tolist()


@each_row("seed", range(draws(30)))
def test_without_a_margin_what_is_followed_costs_what_the_optimum_costs(seed: int) -> None:
    problem = draw_problem(np.random.default_rng(seed + 70), batteries=1 + seed % 2, slots=24)
    assert objective(decide(problem, Solver())) == pytest.approx(
        objective(make_plan(problem, Solver())), rel=1e-6, abs=1e-6
    )


@each_row("export_price", [0.08, 0.0], ids=["feed-in", "nothing for feed-in"])
@each_row("kind", KINDS if LONG else ["two", "wear by depth"])
def test_under_a_flat_tariff_the_inverter_is_left_to_the_house(
    kind: str, export_price: float
) -> None:
    series = day(
        np.random.default_rng(3),
        import_price=np.full(96, 0.30),
        export_price=np.full(96, export_price),
    )
    plan = decide(
        replace(make_problem(describe_site(*KINDS[kind]), series), following=Following(ACTING)),
        Solver(),
    )
    assert plan.followed == "house"
    assert set(plan.setpoints.mode.ravel().tolist()) == {Mode.SELF_CONSUMPTION}


@cache
def plan_at_reserve(kind: str) -> Plan:
    batteries = [changes | {"min_soc": 0.1} for changes in KINDS[kind]]
    series = day(
        np.random.default_rng(5), import_price=np.full(96, 0.30), export_price=np.full(96, 0.08)
    )
    problem = make_problem(describe_site(*batteries), series, soc=0.1)
    return decide(replace(problem, following=Following(ACTING)), Solver())


# How much is missing matters to each kind in the same way.
MISSING_KWH = {
    "by rounding": (1e-16, list(KINDS) if LONG else ["one", "least power"]),
    "a little": (0.02, list(KINDS) if LONG else ["one"]),
    "half a kWh": (0.5, list(KINDS) if LONG else ["one", "two", "wear by depth"]),
}


@each_row(
    "missing_kwh, kind",
    [(missing_kwh, kind) for missing_kwh, kinds in MISSING_KWH.values() for kind in kinds],
)
def test_a_battery_below_its_reserve_is_planned_like_any_other(
    missing_kwh: float, kind: str
) -> None:
    inside = plan_at_reserve(kind)
    problem = inside.problem
    below = replace(problem, stored_kwh=problem.stored_kwh - missing_kwh)
    plan = decide(below, Solver())
    assert plan.setpoints.mode.tolist() == inside.setpoints.mode.tolist()
    # It comes back with the sun, and nothing is bought for it.
    assert float(
        np.minimum(plan.flows.charge_kwh.sum(axis=0), plan.flows.import_kwh).max()
    ) == pytest.approx(0.0, abs=1e-9)


def test_a_battery_above_its_highest_charge_serves_the_house_from_it() -> None:
    problem = make_problem(
        describe_site({"max_soc": 0.9}),
        day(np.random.default_rng(5), **{name: np.full(96, price) for name, price in FLAT.items()}),
        soc=1.0,
    )
    plan = decide(replace(problem, following=Following(ACTING)), Solver())
    assert plan.flows.stored_kwh[0, 0] < 10.0
    assert plan.flows.export_kwh[:20].max() == 0.0


def test_surplus_and_load_beyond_the_expected_are_met_where_that_pays() -> None:
    rng = np.random.default_rng(2)
    prices = np.where(np.arange(96) < 28, 0.15, 0.35)
    series = day(rng, import_price=prices, export_price=np.full(96, 0.05))
    for kind in KINDS if LONG else ("one", "two", "wear by depth"):
        batteries = KINDS[kind]
        plan = decide(
            replace(make_problem(describe_site(*batteries), series), following=Following(ACTING)),
            Solver(),
        )
        house = plan_alone(plan.problem)
        more_sun = follow(
            plan, series["load_kwh"], series["pv_kwh"] * 2.0, plan.problem.stored_kwh[:, None]
        )
        alone = follow(
            replace(house, policy=house.policy or plan.policy),
            series["load_kwh"],
            series["pv_kwh"] * 2.0,
            plan.problem.stored_kwh[:, None],
        )
        assert more_sun <= alone + 0.02, kind


def test_what_gains_on_no_course_that_forecasts_err_to_is_left_to_the_house() -> None:
    # A dear evening is expected to use what a cheap night buys; on every scenario that errors say,
    # the sun fills the battery for nothing.
    series: dict[str, Any] = {
        "load_kwh": [0.1] * 8 + [1.0] * 4,
        "pv_kwh": [0.0] * 12,
        "import_price": [0.2] * 4 + [0.3] * 8,
        "export_price": [0.0] * 12,
    }
    problem = replace(
        make_problem(
            describe_site({}), series, soc=0.0, terminal=Terminal(kind="value", value=0.0)
        ),
        following=Following(ACTING),
    )
    sunny = np.array([0.0] * 4 + [2.0] * 4 + [0.0] * 4)
    errors = ScenarioSet(
        np.full(3, 0.3), np.tile(problem.outlook.load_kwh, (3, 1)), np.tile(sunny, (3, 1))
    )
    bought = decide(problem, Solver())
    erring = decide(replace(problem, uncertainty=Uncertainty(errors=errors)), Solver())
    assert bought.flows.charge_kwh.sum() > 1.0
    assert (erring.followed, erring.flows.charge_kwh.sum()) == ("house", 0.0)


def test_a_battery_is_told_to_sell_where_it_sells() -> None:
    for seed in range(draws(12)):
        rng = np.random.default_rng(seed)
        spot = np.repeat(rng.normal(0.1, 0.08, 24), 4)
        plan = decide(
            replace(
                make_problem(
                    describe_site({}), day(rng, import_price=spot + 0.13, export_price=spot)
                ),
                following=Following(ACTING),
            ),
            Solver(),
        )
        mode = plan.setpoints.mode[0]
        sold = np.minimum(plan.flows.discharge_kwh[0], plan.flows.export_kwh)
        edges = np.flatnonzero(np.diff(mode, prepend=-1, append=-1))
        runs = [slice(first, end) for first, end in pairwise(edges.tolist())]
        assert all(
            sold[run].sum() > 0 or plan.flows.discharge_kwh[0, run].sum() == 0
            for run in runs
            if mode[run.start] == Mode.EXPORT
        )


def test_what_may_not_be_fed_in_is_not_told_to_be_sold() -> None:
    spot = np.repeat([0.05, 0.4, 0.1, 0.5], 24)
    site = describe_site({}, export_limit_kw=0)
    plan = decide(
        replace(
            make_problem(site, day(np.random.default_rng(1), import_price=spot, export_price=spot)),
            following=Following(ACTING),
        ),
        Solver(),
    )
    assert not (plan.setpoints.mode == Mode.EXPORT).any()


def time_out(problem: Problem) -> Plan:
    return decide(
        replace(problem, search=SearchLimits(time_limit_s=1e-9), following=Following(ACTING)),
        Solver(),
    )


@each_row("seed", range(draws(24)))
def test_a_plan_comes_even_where_there_is_no_time_for_one(seed: int) -> None:
    plan = time_out(draw_problem(np.random.default_rng(seed + 300), batteries=2, slots=24))
    assert plan.method == "self_consumption"
    assert plan.flows.stored_kwh.shape == (2, 24)


def test_a_policy_costs_on_each_course_of_errors_what_it_costs_there_alone() -> None:
    rng = np.random.default_rng(5)
    problem = replace(draw_problem(rng, batteries=2, slots=24), following=Following(ACTING))
    slots = problem.outlook.timeline.count
    errors = ScenarioSet(
        np.full(3, 0.25), rng.gamma(1.0, 0.3, (3, slots)), rng.gamma(1.0, 0.2, (3, slots))
    )
    plan = decide(problem, Solver())
    assert plan.policy is not None
    house = PlanPolicy(
        [BatteryPolicy.follow_house(each, slots) for each in problem.site.batteries],
        plan.policy.curtailment,
        plan.policy.pv_limit_kw,
    )
    costs = simulate_errors(problem, [plan.policy, house], errors)
    alone = [
        [
            follow(replace(plan, policy=policy), load, pv, problem.stored_kwh[:, None])
            for load, pv in zip(errors.load_kwh, errors.pv_kwh, strict=True)
        ]
        for policy in (plan.policy, house)
    ]
    np.testing.assert_allclose(costs, alone, atol=1e-9)
    beside = simulate_policies(problem, [plan.policy, house], errors)
    np.testing.assert_array_equal([run.costs for run in beside], costs)
    np.testing.assert_array_equal(
        beside[1].flows.stored_kwh, simulate_policies(problem, [house])[0].flows.stored_kwh
    )


def test_a_night_is_dark_for_no_longer_than_nights_last() -> None:
    night = [0.0] * 56
    day_ = [0.5] * 40
    unknown = [0.0] * 96
    found = find_nights(np.array(night + day_ + unknown), np.full(192, 0.25))
    assert found.tolist() == [True] * 56 + [False] * 136


def test_no_mode_changes_for_a_little_energy_of_little_gain() -> None:
    # A house with one battery at an hourly price: fewer changes of mode than the optimum asks for,
    # at hardly any cost.
    spot = np.repeat(np.random.default_rng(4).normal(0.08, 0.03, 24), 4)
    problem = make_problem(
        describe_site({}),
        day(np.random.default_rng(2), import_price=spot + 0.13, export_price=spot),
        soc=0.4,
    )
    exact = decide(problem, Solver())
    followed = decide(replace(problem, following=Following(ACTING)), Solver())
    changes = [int(np.count_nonzero(np.diff(plan.setpoints.mode[0]))) for plan in (exact, followed)]
    assert changes[1] < changes[0]
    assert objective(followed) - objective(exact) < 0.02


def test_what_a_policy_comes_to_is_quickly_told_where_selling_costs_less_than_importing_earns() -> (
    None
):
    noon = (np.arange(96) // 4 >= 10) & (np.arange(96) // 4 < 15)
    series = day(
        np.random.default_rng(3),
        import_price=np.where(noon, -0.35, 0.3),
        export_price=np.where(noon, -0.36, 0.08),
    )
    problem = make_problem(
        describe_site({}, import_limit_kw=11, export_limit_kw=8), series, soc=0.5
    )
    policy = value_policy(make_plan(problem, Solver()))
    (met,) = simulate_policies(problem, [policy])
    path, modes = walk_policy(
        policy.batteries[0],
        problem_segments(problem),
        float(problem.stored_kwh[0]),
        mode=Mode.SELF_CONSUMPTION,
    )
    assert (modes[noon] == Mode.EXPORT).any()
    assert modes.tolist() == met.setpoints.mode[0].tolist()
    assert path == pytest.approx(met.flows.stored_kwh[0], abs=1e-9)
