"""Trace the trade-off of two figures that are to be small, from the widest gap on.

In each gap a problem is solved with the weights under which both neighbours are equally good. A
plan that is better under them lies in the gap; if there is none, no weights lead to one there.
Source: Cohon, Church, Sheer, "Generating multiobjective trade-offs: an algorithm for bicriterion
problems" (1979).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import PlanRequest, Terminal
from luna.contracts.plan_questions import (
    Figure,
    ParetoPoint,
    ParetoReply,
    ParetoRequest,
    ParetoWeights,
)
from luna.energy.economics.costs import Weights
from luna.energy.refusals import refuse
from luna.energy.site import Objective
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem, weigh
from services.planner.problem.problem import Problem
from services.planner.reply.reply import reply_cost
from services.planner.service.plans import complete_request

Point = TypeVar("Point")
# The other figure's weight at the ends: enough to choose among plans that are equally good in one,
# too little to make that one worse.
_OTHER_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class TradeoffPoint(Generic[Point]):
    """A plan with its two figures."""

    plan: Point
    first: float
    second: float


Progress = Callable[[int, int, str], None]
# Returns the plan under weights on both figures.
Solve = Callable[[float, float], TradeoffPoint[Point]]


def trace_tradeoff(
    solve: Solve[Point], *, most: int, tolerance: float, progress: Progress | None = None
) -> tuple[list[TradeoffPoint[Point]], bool]:
    """Return the Pareto points, and whether no weights lead to another one.

    The best point in the first figure comes first.

    Args:
        solve: plans under weights on both figures, the larger of which is 1.
        most: number of points.
        tolerance: the share of the figures' ranges by which a plan has to be better to count.
        progress: receives the number of points found and wanted.
    """
    start = solve(1.0, _OTHER_WEIGHT)
    end = solve(_OTHER_WEIGHT, 1.0)
    points = [start, end]
    ranges = (end.first - start.first, start.second - end.second)
    if min(ranges) <= 0:
        return keep_best(points), True
    closed = set[tuple[float, float]]()
    while len(points) < most:
        if progress is not None:
            progress(len(points), most, "points")
        gap = _widest_gap(points, closed=closed, ranges=ranges)
        if gap is None:
            return keep_best(points), True
        left, right = gap
        between = _between(solve, left, right, tolerance=tolerance, ranges=ranges)
        if between is None:
            closed.add((left.first, right.first))
        else:
            points = sorted([*points, between], key=_first_then_high_second)
    return keep_best(points), False


def _first_then_high_second(point: TradeoffPoint[Point]) -> tuple[float, float]:
    return point.first, -point.second


def _widest_gap(
    points: Sequence[TradeoffPoint[Point]],
    *,
    closed: set[tuple[float, float]],
    ranges: tuple[float, float],
) -> tuple[TradeoffPoint[Point], TradeoffPoint[Point]] | None:
    """Return the neighbours with the widest gap that is not closed, or None."""
    first_range, second_range = ranges
    widest = None
    most = -np.inf
    for left, right in pairwise(points):
        first_share = (right.first - left.first) / first_range
        second_share = (left.second - right.second) / second_range
        share = max(first_share, second_share)
        if (left.first, right.first) not in closed and share > most:
            widest = (left, right)
            most = share
    return widest


def _between(
    solve: Solve[Point],
    left: TradeoffPoint[Point],
    right: TradeoffPoint[Point],
    *,
    tolerance: float,
    ranges: tuple[float, float],
) -> TradeoffPoint[Point] | None:
    """Return a Pareto point between two neighbours, or None if there is none."""
    first_weight = left.second - right.second
    second_weight = right.first - left.first
    if min(first_weight, second_weight) <= 0:
        return None
    largest = max(first_weight, second_weight)
    point = solve(first_weight / largest, second_weight / largest)
    first_gain = first_weight * (left.first - point.first)
    second_gain = second_weight * (left.second - point.second)
    is_better = first_gain + second_gain > tolerance * ranges[0] * ranges[1]
    is_between = left.first < point.first < right.first
    return point if is_better and is_between else None


def keep_best(points: Sequence[TradeoffPoint[Point]]) -> list[TradeoffPoint[Point]]:
    """Return the points that no other beats in one figure without losing in the other."""
    best: list[TradeoffPoint[Point]] = []
    for point in sorted(points, key=_first_then_second):
        if not best or point.second < best[-1].second:
            best.append(point)
    return best


def _first_then_second(point: TradeoffPoint[Point]) -> tuple[float, float]:
    return point.first, point.second


def find_knee(first: FloatArray, second: FloatArray) -> int | None:
    """Return the place of the point farthest below the line between both ends.

    The figures are scaled to their ranges. None for fewer than three points.

    Source: Das, "On characterizing the knee of the Pareto curve based on normal-boundary
    intersection" (1999).
    """
    if first.size < 3:
        return None
    return int(np.argmax(_scale_to_range(second) - _scale_to_range(first)))


def _scale_to_range(values: FloatArray) -> FloatArray:
    spread = abs(values[-1] - values[0])
    return np.asarray(np.abs(values - values[0]) / spread)


# The largest ratio of two weights: enough for one figure to decide alone, small enough for the
# solver's tolerances.
_DOMINANT = 200.0
# A share of both figures' ranges below which plans are the same.
_SAME = 1e-6

Weighed = tuple[Plan, Weights]


def trace_pareto(
    request: ParetoRequest,
    connection: Callable[[], Connection],
    *,
    now: datetime,
    solver: Solver,
    progress: Progress | None = None,
) -> ParetoReply:
    """Return plans along the trade-off of two figures, of a request or a stored site.

    Raises:
        NotFoundError: no such site, or no forecast to plan from.
        InvalidInputError: the request cannot be planned from, or carbon is asked for where its
            intensity is unknown.
    """
    plan_request = _neutralise(request.plan)
    if plan_request.site is None:
        plan_request = complete_request(connection(), plan_request, now=now)
    problem = build_problem(plan_request)
    curve = _Curve(problem, plan_request, request.figures, solver)
    points, is_complete = trace_tradeoff(
        curve.solve,
        most=request.points,
        tolerance=max(_SAME, problem.search.mip_gap),
        progress=progress,
    )
    first = np.array([point.first for point in points])
    second = np.array([point.second for point in points])
    site = problem.site
    return ParetoReply(
        site=site.name,
        currency=site.currency,
        figures=request.figures,
        points=[curve.point(point) for point in points],
        knee=find_knee(first, second),
        complete=is_complete,
    )


def _neutralise(request: PlanRequest) -> PlanRequest:
    """Return the request with options under which plans can be compared.

    They are compared by expectations, and none may use up the energy in the batteries.
    """
    terminal = request.options.terminal
    if terminal.kind == "automatic":
        terminal = Terminal(kind="minimum_soc")
    neutral = {
        "terminal": terminal,
        "uncertainty": "point",
        "risk": 0.0,
        "objective": Objective(),
        "switching_price": 0.0,
    }
    return request.model_copy(update={"options": request.options.model_copy(update=neutral)})


class _Curve:
    """Solves one problem under weights on two figures, each counted in units of about a kWh."""

    def __init__(
        self, problem: Problem, request: PlanRequest, figures: tuple[Figure, Figure], solver: Solver
    ) -> None:
        carbon = problem.outlook.carbon_g_per_kwh
        if "carbon" in figures and carbon is None:
            raise refuse("carbon-missing", field="outlook.carbon_g_per_kwh")
        self._problem = problem
        self._request = request
        self._figures = figures
        self._solver = solver
        wear_prices = []
        for battery in problem.site.batteries:
            wear_prices.append(battery.wear_price)
            wear_prices.extend(segment.price for segment in battery.wear_by_depth)
        highest_price = float(np.abs(problem.outlook.import_price).max())
        highest_carbon = 1.0 if carbon is None else float(carbon.max())
        self._units: dict[Figure, float] = {
            "cost": max(highest_price, 0.01),
            "carbon": max(highest_carbon, 1.0),
            "self_sufficiency": 1.0,
            "wear": max(wear_prices, default=0.0) or 1.0,
        }

    def solve(self, first: float, second: float) -> TradeoffPoint[Weighed]:
        """Return the plan under weights on both figures, with its figures in their units."""
        first_name, second_name = self._figures
        weights = self._weigh({first_name: first, second_name: second})
        plan = make_plan(weigh(self._problem, weights, automatic=False), self._solver)
        figures = self._read(plan)
        return TradeoffPoint(
            (plan, weights),
            first=figures[first_name] / self._units[first_name],
            second=figures[second_name] / self._units[second_name],
        )

    def _weigh(self, figure_weights: dict[Figure, float]) -> Weights:
        """Return the figures' weights as prices beside one unit of cost.

        Where cost is not one of the figures, it only chooses among equals.
        """
        cost_weight = max(figure_weights.get("cost", 0.0), 1.0 / _DOMINANT)

        def price(name: Figure) -> float:
            ratio = min(figure_weights.get(name, 0.0) / cost_weight, _DOMINANT)
            return ratio * self._units["cost"] / self._units[name]

        return Weights(
            carbon=price("carbon") * 1e3,
            self_sufficiency=price("self_sufficiency"),
            wear=price("wear"),
        )

    def _read(self, plan: Plan) -> dict[Figure, float]:
        cost = reply_cost(plan, self._request)
        terminal = plan.problem.at_tariff_prices.terminal
        terminal_worth = float((terminal.value * plan.flows.stored_kwh[:, -1]).sum())
        return {
            "cost": cost.total - terminal_worth,
            "carbon": cost.carbon_g or 0.0,
            "self_sufficiency": float(plan.flows.import_kwh.sum()),
            "wear": cost.wear,
        }

    def point(self, weighed: TradeoffPoint[Weighed]) -> ParetoPoint:
        """Return a plan's figures, and the weights as an owner would write them."""
        plan, weights = weighed.plan
        cost = reply_cost(plan, self._request)
        figures = self._read(plan)
        return ParetoPoint(
            cost=round(figures["cost"], 6),
            carbon_g=cost.carbon_g,
            import_kwh=round(figures["self_sufficiency"], 6),
            self_sufficiency=cost.self_sufficiency,
            wear=round(cost.wear, 6),
            weights=ParetoWeights(
                carbon_price_per_kg=weights.carbon,
                self_sufficiency_price=weights.self_sufficiency,
                wear_factor=1.0 + weights.wear,
            ),
        )
