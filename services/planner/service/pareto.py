"""The trade-off of two figures that are to be small: points that weights lead to, found from the
widest gap on.

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
    """Return plans that no other beats in both figures, the best in the first one first, and
    whether no weights lead to another.

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
        left, right = max(
            gaps,
            key=lambda pair: max(
                (pair[1].first - pair[0].first) / ranges[0],
                (pair[0].second - pair[1].second) / ranges[1],
            ),
        )
        between = _between(solve, left, right, tolerance=tolerance, ranges=ranges)
        if between is None:
            closed.add((left.first, right.first))
        else:
            points = sorted([*points, between], key=lambda each: (each.first, -each.second))
    return keep_best(points), False


def _between(
    solve: Solve[Point],
    left: TradeoffPoint[Point],
    right: TradeoffPoint[Point],
    *,
    tolerance: float,
    ranges: tuple[float, float],
) -> TradeoffPoint[Point] | None:
    """Return a plan that counts less than both at the weights for which they count the same.

    None where there is none.
    """
    weights = left.second - right.second, right.first - left.first
    if min(weights) <= 0:
        return None
    largest = max(weights)
    point = solve(weights[0] / largest, weights[1] / largest)
    gain = weights[0] * (left.first - point.first) + weights[1] * (left.second - point.second)
    return (
        point
        if gain > tolerance * ranges[0] * ranges[1] and left.first < point.first < right.first
        else None
    )


def keep_best(points: Sequence[TradeoffPoint[Point]]) -> list[TradeoffPoint[Point]]:
    """Return those that none beats in one figure without losing in the other."""
    best: list[TradeoffPoint[Point]] = []
    for each in sorted(points, key=lambda each: (each.first, each.second)):
        if not best or each.second < best[-1].second:
            best.append(each)
    return best


def find_knee(first: FloatArray, second: FloatArray) -> int | None:
    """Return the place of the point farthest below the line between both ends, the figures scaled
    to their ranges; None for fewer than three points.

    Source: Das, "On characterizing the knee of the Pareto curve based on normal-boundary
    intersection" (1999).
    """
    if first.size < 3:
        return None
    across, down = (
        np.abs(values - values[0]) / abs(values[-1] - values[0]) for values in (first, second)
    )
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
    terminal = (
        Terminal(kind="minimum_soc") if options.terminal.kind == "automatic" else options.terminal
    )
    neutral = {
        "terminal": terminal,
        "uncertainty": "point",
        "risk": 0.0,
        "objective": Objective(),
        "switching_price": 0.0,
    }
    plan_request = request.plan.model_copy(update={"options": options.model_copy(update=neutral)})
    complete = (
        plan_request
        if plan_request.site is not None
        else complete_request(connection(), plan_request, now=now)
    )
    problem = build_problem(complete)
    curve = _Curve(problem, complete, request.figures, solver)
    points, done = trace_tradeoff(
        curve.solve,
        most=request.points,
        tolerance=max(_SAME, problem.search.mip_gap),
        progress=progress,
    )
    first, second = (
        np.array([getattr(each, name) for each in points]) for name in ("first", "second")
    )
    site = problem.site
    return ParetoReply(
        site=site.name,
        currency=site.currency,
        figures=request.figures,
        points=[curve.point(each) for each in points],
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
        wear_prices = [
            *(each.wear_price for each in batteries),
            *(segment.price for each in batteries for segment in each.wear_by_depth),
        ]
        self._units: dict[Figure, float] = {
            "cost": max(float(np.abs(problem.outlook.import_price).max()), 0.01),
            "carbon": 1.0 if carbon is None else max(float(carbon.max()), 1.0),
            "self_sufficiency": 1.0,
            "wear": max(wear_prices, default=0.0) or 1.0,
        }

    def solve(self, first: float, second: float) -> TradeoffPoint[Weighed]:
        """Return the plan under what both figures count, and what they come to."""
        weights = self._weigh({self._figures[0]: first, self._figures[1]: second})
        plan = make_plan(weigh(self._problem, weights, automatic=False), self._solver)
        figures = self._read(plan)
        return TradeoffPoint(
            (plan, weights), *(figures[name] / self._units[name] for name in self._figures)
        )

    def _weigh(self, counts: dict[Figure, float]) -> Weights:
        """Return figures' counts as prices beside one unit of cost.

        Where cost is not asked for, it only chooses among equals.
        """
        cost = max(counts["cost"], 1.0 / _DOMINANT) if "cost" in counts else 1.0 / _DOMINANT

        def price(name: Figure) -> float:
            return (
                min(counts.get(name, 0.0) / cost, _DOMINANT)
                * self._units["cost"]
                / self._units[name]
            )

        return Weights(
            carbon=price("carbon") * 1e3,
            self_sufficiency=price("self_sufficiency"),
            wear=price("wear"),
        )

    def _read(self, plan: Plan) -> dict[Figure, float]:
        cost = reply_cost(plan, self._request)
        terminal_worth = float(
            (plan.problem.at_tariff_prices.terminal.value * plan.flows.stored_kwh[:, -1]).sum()
        )
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
