from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.contracts.plan import Terminal
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from services.planner.dp.segments import Segments, SlotCourse, slot_segments
from services.planner.dp.value import ValueFunction, follow, mean_values, solve_value
from services.planner.milp.directions import FlowDirections, PlannedFlows
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver
from services.planner.problem.problem import Problem
from tests.support.planning.problems import describe_site, make_problem
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

SLOTS = 32
HOURS = np.full(SLOTS, 0.25)


def draw_convex(seed: int) -> Problem:
    """Return a problem of one battery in which importing costs at least what exporting earns, and
    burning energy never pays.

    Every third one has prices below zero, the others connections so narrow that part of the load
    can only come from the battery.
    """
    rng = np.random.default_rng(seed)
    paid = seed % 3 == 0
    wear = rng.uniform(0.01, 0.05)
    battery = {
        "capacity_kwh": rng.uniform(2, 15),
        "min_soc": 0.1,
        "charge_limit_kw": rng.uniform(1, 6),
        "discharge_limit_kw": rng.uniform(2, 6),
        "charge_efficiency": rng.uniform(0.85, 1),
        "discharge_efficiency": rng.uniform(0.85, 1),
        "wear_price": wear,
        "charge_from_grid": paid or bool(seed % 5),
        "discharge_to_grid": paid or bool(seed % 7),
    }
    site = describe_site(
        battery,
        curtailable=bool(seed % 2),
        import_limit_kw=20.0 if paid else 2.6,
        export_limit_kw=rng.uniform(2.5, 6),
    )
    # A price this little below zero does not pay for the wear of burning energy.
    bought = np.repeat(rng.uniform(-0.3 * wear * paid, 0.5, SLOTS // 4), 4)
    load = rng.gamma(1.0, 0.15, SLOTS)
    pv = np.maximum(np.sin(np.linspace(-1, 4, SLOTS)), 0) * rng.uniform(0, 1)
    series = {
        "load_kwh": np.minimum(load, 0.8),
        "pv_kwh": pv,
        "import_price": bought,
        "export_price": bought - rng.choice([0.0, 0.05, 0.1]),
    }
    return make_problem(
        site,
        series,
        soc=rng.uniform(0.3, 0.8),
        terminal=Terminal(kind="value", value=rng.uniform(0, 0.3)),
    )


def segments_of(problem: Problem) -> Segments:
    ahead = problem.outlook
    return slot_segments(
        problem.site,
        SlotCourse(
            ahead.load_kwh,
            ahead.pv_kwh,
            ahead.import_price,
            ahead.export_price,
            ahead.timeline.hours,
        ),
    )


def usable_kwh(site: Site) -> float:
    return (site.batteries[0].max_soc - site.batteries[0].min_soc) * site.batteries[0].capacity_kwh


def value_of(problem: Problem) -> ValueFunction:
    usable = usable_kwh(problem.site)
    return solve_value(
        segments_of(problem),
        capacity_kwh=usable,
        terminal=(np.array([usable]), problem.terminal.value),
    )


def walk(problem: Problem) -> FloatArray:
    """Return stored kWh above the reserve at the start of the first and the end of every slot."""
    segments = segments_of(problem)
    lowest = problem.limits.batteries.min_kwh[0, 0]
    start = float(problem.stored_kwh[0] - lowest)
    thresholds = value_of(problem).thresholds(segments.levels)
    return np.concatenate([[start], follow(thresholds, segments, start, usable_kwh(problem.site))])


def cost_of_path(problem: Problem, path_kwh: FloatArray) -> float:
    """Return what a path of stored energy costs when PV is held back in whatever way is cheapest,
    less what is left at the end.
    """
    ahead = problem.outlook
    battery = problem.site.batteries[0]
    grid = problem.site.grid
    gained = np.diff(path_kwh)
    charge = np.maximum(gained, 0) / battery.charge_efficiency
    discharge = np.maximum(-gained, 0) * battery.discharge_efficiency
    net = ahead.load_kwh - ahead.pv_kwh + charge - discharge
    export_kwh = grid.export_limit_kw * ahead.timeline.hours
    import_kwh = grid.import_limit_kw * ahead.timeline.hours
    held_back = np.stack([np.zeros(net.size), -net - export_kwh, -net, ahead.pv_kwh]).clip(
        0, ahead.pv_kwh * problem.site.curtailable
    )
    meter = net + held_back
    possible = (meter <= import_kwh + 1e-9) & (meter >= -export_kwh - 1e-9)
    cost = np.where(
        possible,
        np.where(meter > 0, meter * ahead.import_price, meter * ahead.export_price),
        np.inf,
    ).min(axis=0)
    wear = battery.wear_price * (charge + discharge).sum()
    left = path_kwh[-1] + problem.limits.batteries.min_kwh[0, 0]
    return float(cost.sum() + wear - problem.terminal.value[0] * left)


def solve_linear(problem: Problem) -> PlannedFlows:
    """Return what HiGHS makes of the linear model."""
    ways = FlowDirections.free(1, problem.outlook.timeline.count)
    built = formulate(problem, ways)
    return built.flows(Solver().solve(built.model), ways)


@each_row("first", range(0, 300 if LONG else 100, 50))
def test_dynamic_programme_costs_what_highs_costs(first: int) -> None:
    problems = [draw_convex(seed) for seed in range(first, first + 50)]
    costs = [cost_of_path(problem, walk(problem)) for problem in problems]
    assert costs == pytest.approx(
        [solve_linear(problem).objective for problem in problems], rel=0, abs=1e-9
    )


def test_draws_hold_what_makes_them_hard() -> None:
    problems = [draw_convex(seed) for seed in range(50)]
    lengths = np.stack([segments_of(problem).length_kwh for problem in problems])
    assert min(problem.outlook.import_price.min() for problem in problems) < 0
    # Every kind of segment but displacing PV, which needs paid imports ahead
    assert (lengths.max(axis=(0, 1))[:6] > 0).all()
    assert all(segments_of(problem).covered.all() for problem in problems)


@each_row("seed", range(draws(40)))
def test_dual_of_the_linear_model_lies_between_the_values_left_and_right(seed: int) -> None:
    problem = draw_convex(seed)
    flows = solve_linear(problem)
    left, right = value_of(problem).marginal(
        flows.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0]
    )
    inside = (flows.stored_kwh[0] > problem.limits.batteries.min_kwh[0] + 1e-6) & (
        flows.stored_kwh[0] < problem.limits.batteries.max_kwh[0] - 1e-6
    )
    dual = flows.energy_value[0]
    assert (dual[inside] <= left[inside] + 1e-7).all()
    assert (dual[inside] >= right[inside] - 1e-7).all()


@each_row("seed", range(draws(40)))
def test_thresholds_are_ordered(seed: int) -> None:
    problem = draw_convex(seed)
    thresholds = value_of(problem).thresholds(
        segments_of(problem).levels, self_consumption_margin=0.005
    )
    regular = problem.outlook.import_price >= 0
    assert (thresholds.buy_kwh <= thresholds.store_kwh + 1e-9)[regular].all()
    assert (thresholds.serve_kwh <= thresholds.sell_kwh + 1e-9)[regular].all()


def test_margin_toward_house_stores_more_and_serves_deeper() -> None:
    problem = draw_convex(1)
    function = value_of(problem)
    levels = segments_of(problem).levels
    plain = function.thresholds(levels)
    eager = function.thresholds(levels, self_consumption_margin=0.05)
    assert (eager.store_kwh >= plain.store_kwh).all()
    assert (eager.serve_kwh <= plain.serve_kwh).all()


def test_ties_between_storing_now_and_later_store_now() -> None:
    # Surplus in four slots, room for two of them, one export price: waiting would gain nothing.
    site = describe_site(
        {"capacity_kwh": 2, "charge_efficiency": 1, "discharge_efficiency": 1, "wear_price": 0}
    )
    series = {
        "load_kwh": [0.0] * 4 + [0.5] * 4,
        "pv_kwh": [1.0] * 4 + [0.0] * 4,
        "import_price": 0.3,
        "export_price": 0.07,
    }
    problem = make_problem(site, series, soc=0.0, terminal=Terminal(kind="value", value=0.0))
    assert walk(problem) == pytest.approx([0, 1, 2, 2, 2, 1.5, 1, 0.5, 0])


def test_ties_between_buying_now_and_later_buy_now() -> None:
    # Four hours at 0.2, two dear kWh after them: at one price the first two hours buy.
    site = describe_site(
        {
            "capacity_kwh": 4,
            "charge_limit_kw": 4,
            "charge_efficiency": 0.8,
            "discharge_efficiency": 1,
            "wear_price": 0,
        }
    )
    series = {
        "load_kwh": [0.0] * 4 + [0.4] * 4,
        "pv_kwh": 0.0,
        "import_price": [0.2] * 4 + [0.5] * 4,
        "export_price": 0.07,
    }
    problem = make_problem(site, series, soc=0.0, terminal=Terminal(kind="value", value=0.0))
    assert walk(problem) == pytest.approx([0, 0.8, 1.6, 1.6, 1.6, 1.2, 0.8, 0.4, 0])


def test_a_price_that_never_changes_carries_nothing_through_a_battery_without_losses() -> None:
    site = describe_site({"charge_efficiency": 1, "discharge_efficiency": 1, "wear_price": 0})
    series = {"load_kwh": 0.4, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.07}
    path = walk(
        make_problem(
            site,
            series | {"load_kwh": [0.4] * 6},
            soc=0.1,
            terminal=Terminal(kind="value", value=0.0),
        )
    )
    assert (np.diff(path) <= 1e-12).all()


@pytest.mark.parametrize(
    ("bought", "sold"),
    [
        pytest.param(0.1, 0.2, id="selling earns more than buying costs"),
        pytest.param(-0.5, -0.5, id="burning energy is paid for"),
    ],
)
def test_slot_that_is_not_convex_is_named(bought: float, sold: float) -> None:
    prices = {
        "import_price": [0.3] * 3 + [bought] + [0.3] * 4,
        "export_price": [0.1] * 3 + [sold] + [0.1] * 4,
    }
    problem = make_problem(describe_site({}), {"load_kwh": 0.2, "pv_kwh": 0.0} | prices)
    with pytest.raises(InvalidInputError) as caught:
        value_of(problem)
    assert caught.value.field == "slots[3]"


def test_mean_values_are_those_of_single_solutions() -> None:
    problem = draw_convex(4)
    cells = 16
    ahead = problem.outlook
    usable = usable_kwh(problem.site)
    rng = np.random.default_rng(0)
    load = np.minimum(ahead.load_kwh * rng.uniform(0.5, 1.5, (5, SLOTS)), 0.8)
    prices = (ahead.import_price, ahead.export_price)
    paths = slot_segments(
        problem.site, SlotCourse(load, np.tile(ahead.pv_kwh, (5, 1)), *prices, HOURS)
    )
    terminal = (np.array([usable]), np.array([0.15]))
    together = mean_values(paths, capacity_kwh=usable, terminal=terminal, cells=cells)
    edges = np.linspace(0, usable, cells + 1)
    alone = []
    for path in load:
        one = slot_segments(problem.site, SlotCourse(path, ahead.pv_kwh, *prices, HOURS))
        length, value = solve_value(one, capacity_kwh=usable, terminal=terminal).after(0)
        worth = np.concatenate([[0.0], np.cumsum(length * value)])
        alone.append(
            np.diff(np.interp(edges, np.concatenate([[0.0], np.cumsum(length)]), worth))
            / np.diff(edges)
        )
    assert together == pytest.approx(np.array(alone), abs=1e-9)


def test_integral_is_what_the_marginal_values_sum_to() -> None:
    problem = draw_convex(8)
    function = value_of(problem)
    usable = usable_kwh(problem.site)
    low = np.full(SLOTS, 0.2 * usable)
    high = np.full(SLOTS, 0.7 * usable)
    levels = np.linspace(0.2 * usable, 0.7 * usable, 4001)
    middle = (levels[1:] + levels[:-1]) / 2
    summed = (
        np.mean([function.marginal(np.full(SLOTS, level))[0] for level in middle], axis=0)
        * 0.5
        * usable
    )
    assert function.integral(low, high) == pytest.approx(summed, rel=1e-3)
    assert function.integral(high, low) == pytest.approx(-function.integral(low, high))


energies = st.lists(st.floats(0, 1.5), min_size=8, max_size=8)
prices = st.lists(st.floats(0.0, 0.6), min_size=8, max_size=8)


@settings(max_examples=draws(160), deadline=None)
@given(
    load=energies,
    pv=energies,
    bought=prices,
    discount=st.floats(0, 0.2),
    battery=st.fixed_dictionaries({"capacity_kwh": st.floats(0.5, 20)}),
)
def test_value_descends_and_fills_the_capacity(
    load: list[float],
    pv: list[float],
    bought: list[float],
    discount: float,
    battery: dict[str, Any],
) -> None:
    series = {
        "load_kwh": load,
        "pv_kwh": pv,
        "import_price": bought,
        "export_price": np.array(bought) - discount,
    }
    problem = make_problem(
        describe_site(battery), series, terminal=Terminal(kind="value", value=0.1)
    )
    function = value_of(problem)
    for slot in range(-1, 8):
        length, value = function.after(slot)
        assert (np.diff(value) < 0).all()
        assert length.sum() == pytest.approx(usable_kwh(problem.site), abs=1e-9)


@settings(max_examples=draws(160), deadline=None)
@given(load=energies, pv=energies, bought=prices, soc=st.floats(0, 1))
def test_path_stays_within_capacity_and_power(
    load: list[float], pv: list[float], bought: list[float], soc: float
) -> None:
    series = {
        "load_kwh": load,
        "pv_kwh": pv,
        "import_price": bought,
        "export_price": 0.05 * np.minimum(bought, 1),
    }
    problem = make_problem(describe_site({}), series, soc=soc)
    path = walk(problem)
    assert path.min() >= -1e-12
    assert path.max() <= usable_kwh(problem.site) + 1e-12
    assert np.diff(path).max() <= 5 * 0.25 * 0.95 + 1e-12
    assert np.diff(path).min() >= -5 * 0.25 / 0.95 - 1e-12


@each_row("seed", range(draws(10)))
def test_more_stored_at_the_start_never_costs_more_than_its_value(seed: int) -> None:
    # W is convex: the cost with one kWh more lies between the values left and right of it.
    problem = draw_convex(seed)
    more = replace(problem, stored_kwh=problem.stored_kwh * 0.9)
    saved = cost_of_path(more, walk(more)) - cost_of_path(problem, walk(problem))
    length, value = value_of(problem).after(-1)
    levels = (
        np.array([more.stored_kwh[0], problem.stored_kwh[0]])
        - problem.limits.batteries.min_kwh[0, 0]
    )
    worth = np.interp(
        levels,
        np.concatenate([[0.0], np.cumsum(length)]),
        np.concatenate([[0.0], np.cumsum(length * value)]),
    )
    assert saved == pytest.approx(np.diff(worth)[0], abs=1e-9)


def test_linear_model_values_stored_energy_as_the_dynamic_programme_does() -> None:
    site = describe_site({"wear_price": 0})
    problem = make_problem(
        site,
        {"load_kwh": 0.2, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.0},
        terminal=Terminal(kind="value", value=0.1),
    )
    # The battery lasts beyond the horizon, so a kWh more is worth the terminal value.
    assert solve_linear(replace(problem, stored_kwh=np.array([9.0]))).energy_value[
        0
    ] == pytest.approx([0.1])
