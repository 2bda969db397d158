"""The interface of a trained agent: a named policy that returns plans.

Replay, shadow mode and executor use the same plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem


class AgentPolicy(Protocol):
    """A trained policy.

    Its plan depends only on its training, the problem, and the prices published by the problem's
    start.
    """

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        """Return the plan to follow, with a policy for any state of charge.

        The contract is that of ``services.planner.planner.decide``. ``planned`` is the planner's
        own plan of the problem; if it is None, a policy that needs it makes it.
        """


@runtime_checkable
class ExplainsValue(Protocol):
    """A policy that explains the difference of its plan from the planner's own."""

    def list_figures(
        self, plan: Plan, problem: Problem, prices: SitePrices, *, planned: Plan
    ) -> Mapping[str, float]:
        """Return a stored kWh's value to planner and agent, and the prices that each expects.

        ``plan`` and ``planned`` are both plans of ``problem``.
        """


@dataclass(frozen=True, slots=True)
class TrainedAgent:
    """A trained policy, its name in replays, and its training run."""

    name: str
    run_id: str
    policy: AgentPolicy
    facts: Mapping[str, Any] = field(default_factory=dict)


def find_obstacle(problem: Problem, *, schedules: bool) -> str | None:
    """Return the code of why a one-battery policy cannot plan a problem, or None.

    ``several_batteries``, ``no_battery``: there is not exactly one. ``flexible_loads``: there are
    loads or peaks, and the policy does not schedule them (``schedules``). ``unknown_outlook``: a
    price, an expected energy or the stored energy is not finite.
    """
    if len(problem.site.batteries) != 1:
        return "several_batteries" if problem.site.batteries else "no_battery"
    if problem.schedules_loads and not schedules:
        return "flexible_loads"
    outlook = problem.outlook
    series = (
        outlook.load_kwh,
        outlook.pv_kwh,
        outlook.import_price,
        outlook.export_price,
        problem.stored_kwh,
    )
    known = all(np.isfinite(values).all() for values in series)
    return None if known else "unknown_outlook"
