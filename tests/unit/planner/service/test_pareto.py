"""What two aims cost each other: every point is the best for its weights, none beats another, and
nothing lives on what was stored.
"""

import re
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.plan import PlanRequest
from luna.contracts.plan_questions import Figure, ParetoReply, ParetoRequest
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray
from luna.words.charts.tradeoff import draw_tradeoff, read_figure
from services.planner.milp.solver import Solver
from services.planner.service.pareto import TradeoffPoint, find_knee, trace_pareto, trace_tradeoff
from tests.support.planning.problems import START
from tests.support.planning.requests import make_request, solve
from tests.support.suite.tables import each_row

BATTERY = {"capacity_kwh": 4, "charge_limit_kw": 2, "discharge_limit_kw": 2, "wear_price": 0.01}
CAR = {"name": "car", "capacity_kwh": 20, "charge_limit_kw": 4}


def ask(seed: int = 0, **changes: Any) -> PlanRequest:
    """A day in hours whose prices and carbon do not agree.

    ``changes`` go into the request's parts.
    """
    rng = np.random.default_rng(seed)
    sun = np.maximum(np.sin((np.arange(24) - 6) / 12 * np.pi), 0) * rng.uniform(1, 2, 24)
    outlook = {
        "load_kwh": rng.gamma(3, 0.2, 24),
        "pv_kwh": sun,
        "import_price": rng.normal(0.25, 0.05, 24),
        "carbon_g_per_kwh": rng.uniform(100, 700, 24),
    }
    site = {"batteries": [BATTERY], "pv": [{"peak_kw": 4}]} | changes.get("site", {})
    series = outlook | {"export_price": 0.12} | changes.get("outlook", {})
    return make_request(
        site, series, soc=0.3, state=changes.get("state", {}), options=changes.get("options", {})
    )


def no_database() -> Connection:
    raise AssertionError("a request of its own needs no database")


def trace(
    plan: PlanRequest, figures: tuple[Figure, Figure] = ("cost", "carbon"), points: int = 9
) -> ParetoReply:
    return trace_pareto(
        ParetoRequest(plan=plan, figures=figures, points=points),
        no_database,
        now=START,
        solver=Solver(),
    )


def columns(reply: ParetoReply) -> tuple[FloatArray, FloatArray]:
    first, second = (
        np.array([read_figure(point, name) for point in reply.points]) for name in reply.figures
    )
    return first, second


def tangent(first: float, second: float) -> TradeoffPoint[tuple[float, float]]:
    """The point of a quarter circle that weights lead to: a curve of known shape."""
    length = float(np.hypot(first, second))
    return TradeoffPoint((first, second), 1 - first / length, 1 - second / length)


PAIRS: list[tuple[Figure, Figure]] = [
    ("cost", "carbon"),
    ("cost", "wear"),
    ("carbon", "wear"),
    ("cost", "self_sufficiency"),
]


@each_row("figures", PAIRS, ids="-".join)
@each_row("seed", range(3))
def test_no_point_beats_another(figures: tuple[Figure, Figure], seed: int) -> None:
    first, second = columns(trace(ask(seed), figures))
    assert (np.diff(first) > 0).all()
    assert (np.diff(second) < 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_first_point_is_the_cheapest_plan_and_the_curve_bends_one_way(seed: int) -> None:
    cost, carbon = columns(trace(ask(seed)))
    cheapest = solve(ask(seed, options={"terminal": {"kind": "minimum_soc"}}))
    assert cost[0] == pytest.approx(float(cheapest.costs.total.sum()), abs=1e-5)
    slopes = np.diff(carbon) / np.diff(cost)
    assert (np.diff(slopes) >= -1e-3).all()


def test_weights_of_a_point_give_its_plan() -> None:
    reply = trace(ask())
    middle = reply.points[len(reply.points) // 2]
    options = {
        "terminal": {"kind": "minimum_soc"},
        "objective": {"carbon_price_per_kg": middle.weights.carbon_price_per_kg},
    }
    plan = solve(ask(options=options))
    assert float(plan.costs.total.sum()) == pytest.approx(middle.cost, abs=1e-5)


def test_every_plan_ends_as_full_as_it_starts() -> None:
    # Nothing to buy for, a full battery: without that rule it would be emptied for the sake of
    # carbon.
    night = {"pv_kwh": [0.0] * 24, "load_kwh": [0.1] * 24}
    reply = trace(
        ask(outlook=night, state={"batteries": {"battery": {"soc": 1.0}}}), ("carbon", "wear")
    )
    assert all(point.import_kwh >= 2.4 - 1e-6 for point in reply.points)


def test_owners_weights_do_not_count() -> None:
    weighed = ask(
        site={"objective": {"carbon_price_per_kg": 5.0, "switching_price": 0.05}},
        options={"objective": {"wear_factor": 50.0}},
    )
    assert trace(weighed).points == trace(ask()).points


def test_a_car_is_scheduled_along_the_curve() -> None:
    session = {
        "from": START.isoformat(),
        "to": START.replace(hour=20).isoformat(),
        "target_soc": 0.5,
    }
    cars = {
        "batteries": {"battery": {"soc": 0.3}},
        "vehicles": {"car": {"soc": 0.2, "sessions": [session]}},
    }
    cost, carbon = columns(trace(ask(site={"vehicles": [CAR]}, state=cars), points=4))
    assert cost[-1] > cost[0]
    assert carbon[-1] < 0.95 * carbon[0]


def test_points_lie_on_the_curve_and_the_widest_gap_comes_first() -> None:
    found, complete = trace_tradeoff(tangent, most=5, tolerance=1e-9)
    first, second = (
        np.array([getattr(each, name) for each in found]) for name in ("first", "second")
    )
    assert np.hypot(1 - first, 1 - second) == pytest.approx(np.ones(5))
    # Halves and quarters of a right angle, from one end to the other.
    assert np.degrees(np.arctan2(1 - second, 1 - first)) == pytest.approx(
        [0, 22.5, 45, 67.5, 90], abs=1e-3
    )
    assert not complete
    assert find_knee(first, second) == 2


def test_each_point_is_reported() -> None:
    told: list[tuple[int, int]] = []
    trace_tradeoff(
        tangent, most=4, tolerance=1e-9, progress=lambda done, total, _: told.append((done, total))
    )
    assert told == [(2, 4), (3, 4)]


def test_a_straight_edge_is_complete_with_its_ends() -> None:
    corners = {True: TradeoffPoint(0, 0.0, 1.0), False: TradeoffPoint(1, 1.0, 0.0)}
    found, complete = trace_tradeoff(
        lambda first, second: corners[first >= second], most=9, tolerance=1e-9
    )
    assert [each.plan for each in found] == [0, 1]
    assert complete


def test_figures_that_want_the_same_make_one_point() -> None:
    same = [TradeoffPoint(0, 1.0, 2.0), TradeoffPoint(0, 1.0, 2.0)]
    found, complete = trace_tradeoff(
        lambda first, second: same[first > second], most=9, tolerance=1e-9
    )
    assert len(found) == 1
    assert complete
    assert find_knee(np.array([1.0]), np.array([2.0])) is None


def test_carbon_without_its_intensity_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError) as refused:
        trace(ask(outlook={"carbon_g_per_kwh": None}))
    assert refused.value.field == "outlook.carbon_g_per_kwh"


def test_one_figure_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="are the same"):
        ParetoRequest(plan=ask(), figures=("cost", "cost"))


def test_the_picture_has_a_point_per_plan_and_the_knee_ringed() -> None:
    reply = trace(ask(), ("cost", "wear"), points=5)
    assert re.findall(r"<circle [^>]*class=\"(\w+)\"", draw_tradeoff(reply)) == ["point"] * 5 + [
        "knee"
    ]
