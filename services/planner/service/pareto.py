"""Trace the trade-off of two figures that are to be small, from the widest gap on.

Between two neighbours the weights are those for which both count the same; a plan that counts less
lies between them, and where there is none, no weights lead to any. Source: Cohon, Church, Sheer,
"Generating multiobjective trade-offs: an algorithm for bicriterion problems" (1979).
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
# What the other figure counts at the ends: enough to choose among plans that are equally good in
# one, too little to make that worse.
_BESIDE = 1e-6


@dataclass(frozen=True, slots=True)
class TradeoffPoint(Generic[Point]):
    """A plan with its two figures."""

    plan: Point
    first: float
    second: float


Progress = Callable[[int, int, str], None]
# Plans by what each figure counts.
Solve = Callable[[float, float], TradeoffPoint[Point]]


def trace_tradeoff(
    solve: Solve[Point], *, most: int, tolerance: float, progress: Progress | None = None
) -> tuple[list[TradeoffPoint[Point]], bool]:
    """Return the Pareto points by the first figure, and whether no weights lead to another.

    Args:
        solve: plans by what each of both figures counts, the larger of both weights being 1.
        most: number of points.
        tolerance: by what share of the figures' ranges a plan has to be better to be another one.
        progress: told points found and points wanted.
    """
    ends = [solve(1.0, _BESIDE), solve(_BESIDE, 1.0)]
    ranges = ends[1].first - ends[0].first, ends[0].second - ends[1].second
    if ranges[0] <= 0 or ranges[1] <= 0:
        return keep_best(ends), True
    points = ends
    closed = set[tuple[float, float]]()
    while len(points) < most:
        if progress is not None:
            progress(len(points), most, "points")
        gaps = [pair for pair in pairwise(points) if (pair[0].first, pair[1].first) not in closed]
        if not gaps:
            return keep_best(points), True
        widths = [_measure_gap(*gap, ranges) for gap in gaps]
        left, right = gaps[widths.index(max(widths))]
        between = _between(solve, left, right, tolerance=tolerance, ranges=ranges)
        if between is None:
            closed.add((left.first, right.first))
        else:
            points = sorted([*points, between], key=lambda point: (point.first, -point.second))
    return keep_best(points), False


def _measure_gap(
    left: TradeoffPoint[Point], right: TradeoffPoint[Point], ranges: tuple[float, float]
) -> float:
    """Return the larger of a gap's two widths, in shares of the figures' ranges."""
    across = (right.first - left.first) / ranges[0]
    down = (left.second - right.second) / ranges[1]
    return max(across, down)


def _between(
    solve: Solve[Point],
    left: TradeoffPoint[Point],
    right: TradeoffPoint[Point],
    *,
    tolerance: float,
    ranges: tuple[float, float],
) -> TradeoffPoint[Point] | None:
    """Return a Pareto point between two neighbours, or None if there is none."""
    # Under these weights both neighbours count the same.
    first_weight = left.second - right.second
    second_weight = right.first - left.first
    if min(first_weight, second_weight) <= 0:
        return None
    largest = max(first_weight, second_weight)
    point = solve(first_weight / largest, second_weight / largest)
    first_gain = first_weight * (left.first - point.first)
    gain = first_gain + second_weight * (left.second - point.second)
    counts_less = gain > tolerance * ranges[0] * ranges[1]
    return point if counts_less and left.first < point.first < right.first else None


def keep_best(points: Sequence[TradeoffPoint[Point]]) -> list[TradeoffPoint[Point]]:
    """Return the points that none beats in one figure without losing in the other."""
    best: list[TradeoffPoint[Point]] = []
    for point in sorted(points, key=lambda point: (point.first, point.second)):
        if not best or point.second < best[-1].second:
            best.append(point)
    return best


def find_knee(first: FloatArray, second: FloatArray) -> int | None:
    """Return the place of the curve's knee; None for fewer than three points.

    It is the point farthest below the line between both ends, figures scaled to their ranges.
    Source: Das, "On characterizing the knee of the Pareto curve based on normal-boundary
    intersection" (1999).
    """
    if first.size < 3:
        return None
    across = np.abs(first - first[0]) / abs(first[-1] - first[0])
    down = np.abs(second - second[0]) / abs(second[-1] - second[0])
    return int(np.argmax(down - across))


# How far one figure may outweigh another: enough to decide alone, small enough for the solver's
# tolerances.
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
    """Return the plans along the trade-off of two figures, of any request or of a stored site.

    Raises:
        NotFoundError: no such site, or no forecast to plan from.
        InvalidInputError: the request cannot be planned from, or carbon is asked for where its
            intensity is unknown.
    """
    # Plans can be compared on what is expected, none living on what is in the batteries.
    options = request.plan.options
    terminal = options.terminal
    if terminal.kind == "automatic":
        terminal = Terminal(kind="minimum_soc")
    neutral = {
        "terminal": terminal,
        "uncertainty": "point",
        "risk": 0.0,
        "objective": Objective(),
        "switching_price": 0.0,
    }
    plan_request = request.plan.model_copy(update={"options": options.model_copy(update=neutral)})
    complete = plan_request
    if complete.site is None:
        complete = complete_request(connection(), plan_request, now=now)
    problem = build_problem(complete)
    curve = _Curve(problem, complete, request.figures, solver)
    points, done = trace_tradeoff(
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
        complete=done,
    )


class _Curve:
    """Solves one problem under weights on two figures, each counted in units of about a kWh."""

    def __init__(
        self, problem: Problem, request: PlanRequest, figures: tuple[Figure, Figure], solver: Solver
    ) -> None:
        if "carbon" in figures and problem.outlook.carbon_g_per_kwh is None:
            raise refuse("carbon-figure-missing", field="outlook.carbon_g_per_kwh")
        self._problem = problem
        self._request = request
        self._figures = figures
        self._solver = solver
        carbon = problem.outlook.carbon_g_per_kwh
        batteries = problem.site.batteries
        wear_prices = [battery.wear_price for battery in batteries]
        for battery in batteries:
            wear_prices += [segment.price for segment in battery.wear_by_depth]
        self._units: dict[Figure, float] = {
            "cost": max(float(np.abs(problem.outlook.import_price).max()), 0.01),
            "carbon": 1.0 if carbon is None else max(float(carbon.max()), 1.0),
            "self_sufficiency": 1.0,
            "wear": max(wear_prices, default=0.0) or 1.0,
        }

    def solve(self, first: float, second: float) -> TradeoffPoint[Weighed]:
        """Return the plan under the weights of both figures."""
        weights = self._weigh({self._figures[0]: first, self._figures[1]: second})
        plan = make_plan(weigh(self._problem, weights, automatic=False), self._solver)
        figures = self._read(plan)
        first_name, second_name = self._figures
        return TradeoffPoint(
            (plan, weights),
            figures[first_name] / self._units[first_name],
            figures[second_name] / self._units[second_name],
        )

    def _weigh(self, counts: dict[Figure, float]) -> Weights:
        """Return figures' counts as prices beside one unit of cost.

        Where cost is not asked for, it only chooses among equals.
        """
        cost = 1.0 / _DOMINANT
        if "cost" in counts:
            cost = max(counts["cost"], cost)

        def price(name: Figure) -> float:
            times_cost = min(counts.get(name, 0.0) / cost, _DOMINANT)
            return times_cost * self._units["cost"] / self._units[name]

        return Weights(
            carbon=price("carbon") * 1e3,
            self_sufficiency=price("self_sufficiency"),
            wear=price("wear"),
        )

    def _read(self, plan: Plan) -> dict[Figure, float]:
        cost = reply_cost(plan, self._request)
        value = plan.problem.at_tariff_prices.terminal.value
        terminal_worth = float((value * plan.flows.stored_kwh[:, -1]).sum())
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
