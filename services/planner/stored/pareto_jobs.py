"""Plans along the trade-off of two figures, as asked for."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.contracts.pareto import Figure, ParetoPoint, ParetoReply, ParetoRequest, ParetoWeights
from luna.contracts.plan import PlanOptions, PlanRequest, Terminal
from luna.errors import InvalidInputError
from luna.site import Objective
from luna.weighing import Weights
from services.planner.answer.cost_reply import reply_cost
from services.planner.model.solver import Solver
from services.planner.pareto import Found, Progress, find_knee, trace_tradeoff
from services.planner.plan import Plan
from services.planner.planning import make_plan
from services.planner.posing.problem import Problem, pose, weigh
from services.planner.stored.jobs import complete_request

# How far one figure may outweigh another: enough to decide alone, small enough for the solver's tolerances.
_DOMINANT = 200.0
# A share of both figures' ranges below which plans are the same.
_SAME = 1e-6

Weighed = tuple[Plan, Weights]


def trace_pareto(
    request: ParetoRequest, connection: Callable[[], Connection], *, now: datetime, solver: Solver, progress: Progress | None = None
) -> ParetoReply:
    """Return the plans along the trade-off of two figures, of any request or of a stored site.

    Raises:
        NotFoundError: no such site, or no forecast to plan from.
        InvalidInputError: the request cannot be planned from, or carbon is asked for where its intensity is unknown.
    """
    asked = request.plan.model_copy(update={"options": _neutral(request.plan.options)})
    complete = asked if asked.site is not None else complete_request(connection(), asked, now=now)
    problem = pose(complete)
    curve = _Curve(problem, complete, request.figures, solver)
    found, done = trace_tradeoff(curve.solve, most=request.points, tolerance=max(_SAME, problem.mip_gap), progress=progress)
    first, second = (np.array([getattr(each, name) for each in found]) for name in ("first", "second"))
    site = problem.site
    return ParetoReply(
        site=site.name,
        currency=site.currency,
        figures=request.figures,
        points=[curve.point(each) for each in found],
        knee=find_knee(first, second),
        complete=done,
    )


def _neutral(options: PlanOptions) -> PlanOptions:
    """Return options under which plans can be compared: on what is expected, none living on what is in the batteries."""
    terminal = Terminal(kind="minimum_soc") if options.terminal.kind == "automatic" else options.terminal
    return options.model_copy(update={"terminal": terminal, "uncertainty": "point", "risk": 0.0, "objective": Objective(), "switching_price": 0.0})


class _Curve:
    """Solves one problem under weights on two figures, each counted in units of about a kWh."""

    def __init__(self, problem: Problem, request: PlanRequest, figures: tuple[Figure, Figure], solver: Solver) -> None:
        if "carbon" in figures and problem.outlook.carbon_g_per_kwh is None:
            remedy = "Add it, load it (luna data load --kind carbon), or ask for other figures."
            raise InvalidInputError("the grid's carbon intensity is missing", field="outlook.carbon_g_per_kwh", remedy=remedy)
        self._problem, self._request, self._figures, self._solver = problem, request, figures, solver
        carbon = problem.outlook.carbon_g_per_kwh
        self._units: dict[Figure, float] = {
            "cost": max(float(np.abs(problem.outlook.import_price).max()), 0.01),
            "carbon": 1.0 if carbon is None else max(float(carbon.max()), 1.0),
            "self_sufficiency": 1.0,
            "wear": _dearest_wear(problem) or 1.0,
        }

    def solve(self, first: float, second: float) -> Found[Weighed]:
        """Return the plan under what both figures count, and what they come to."""
        weights = self._weigh({self._figures[0]: first, self._figures[1]: second})
        plan = make_plan(weigh(self._problem, weights, automatic=False), self._solver)
        figures = self._read(plan)
        return Found((plan, weights), *(figures[name] / self._units[name] for name in self._figures))

    def _weigh(self, counts: dict[Figure, float]) -> Weights:
        """Return figures' counts as prices beside one unit of cost; where cost is not asked for, it only chooses among equals."""
        cost = max(counts["cost"], 1.0 / _DOMINANT) if "cost" in counts else 1.0 / _DOMINANT

        def price(name: Figure) -> float:
            return min(counts.get(name, 0.0) / cost, _DOMINANT) * self._units["cost"] / self._units[name]

        return Weights(carbon=price("carbon") * 1e3, self_sufficiency=price("self_sufficiency"), wear=price("wear"))

    def _read(self, plan: Plan) -> dict[Figure, float]:
        cost = reply_cost(plan, self._request)
        left = float((plan.problem.paid.terminal.value * plan.flows.stored_kwh[:, -1]).sum())
        return {"cost": cost.total - left, "carbon": cost.carbon_g or 0.0, "self_sufficiency": float(plan.flows.import_kwh.sum()), "wear": cost.wear}

    def point(self, found: Found[Weighed]) -> ParetoPoint:
        """Return a plan's figures, and the weights as an owner would write them."""
        plan, weights = found.plan
        cost, figures = reply_cost(plan, self._request), self._read(plan)
        return ParetoPoint(
            cost=round(figures["cost"], 6),
            carbon_g=cost.carbon_g,
            import_kwh=round(figures["self_sufficiency"], 6),
            self_sufficiency=cost.self_sufficiency,
            wear=round(cost.wear, 6),
            weights=ParetoWeights(carbon_price_per_kg=weights.carbon, self_sufficiency_price=weights.self_sufficiency, wear_factor=1.0 + weights.wear),
        )


def _dearest_wear(problem: Problem) -> float:
    """Return the dearest wear of any battery, per kWh."""
    prices = [battery.wear_price for battery in problem.site.batteries]
    return max([*prices, *(segment.price for battery in problem.site.batteries for segment in battery.wear_by_depth)], default=0.0)
