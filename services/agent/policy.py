"""What a trained agent is to everybody else: a name, and what makes its plans. Replay, shadow and executor read the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem


class AgentPolicy(Protocol):
    """A trained policy. It depends on nothing but what it learned, the problem, and the prices published by the problem's start."""

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        """Return the plan to follow, as ``services.planner.planner.decide`` returns it: with a policy that meets any state of charge.

        ``planned`` is the planner's own decision of the problem, where it is known; who needs it makes it otherwise.
        """


@runtime_checkable
class ExplainsValue(Protocol):
    """A policy that explains the difference of its plan from the planner's own."""

    def list_figures(self, plan: Plan, problem: Problem, prices: SitePrices, *, planned: Plan) -> Mapping[str, float]:
        """Return figures of ``plan``, made of ``problem`` as ``planned`` was: worth of a stored kWh to planner and agent, prices that either expects."""


@dataclass(frozen=True, slots=True)
class TrainedAgent:
    """A trained policy by the name that replays know it by, and the training it comes from."""

    name: str
    run_id: str
    policy: AgentPolicy
    facts: Mapping[str, Any] = field(default_factory=dict)


def find_obstacle(problem: Problem, *, places: bool) -> str | None:
    """Return the code of why a policy of one battery does not answer a problem; None where it does.

    ``several_batteries``, ``no_battery``: it knows one. ``flexible_loads``: something is to be placed, and the policy does not: ``places``.
    ``unknown_outlook``: a price, an expected energy or what is stored is no number.
    """
    if len(problem.site.batteries) != 1:
        return "several_batteries" if problem.site.batteries else "no_battery"
    if problem.places and not places:
        return "flexible_loads"
    outlook = problem.outlook
    series = (outlook.load_kwh, outlook.pv_kwh, outlook.import_price, outlook.export_price, problem.stored_kwh)
    return None if all(np.isfinite(each).all() for each in series) else "unknown_outlook"
