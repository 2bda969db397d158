"""What a trained agent is to everybody else: a name, and what makes its plans. Replay, shadow and executor read the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem


class AgentPolicy(Protocol):
    """A trained policy. It depends on nothing but what it learned, the problem, and the prices published by the problem's start."""

    def plan(self, problem: Problem, prices: SitePrices) -> Plan:
        """Return what is followed, as ``services.planner.planner.decide`` returns it: with a policy that meets any state of charge."""


@runtime_checkable
class ExplainsValue(Protocol):
    """A policy that can say what tells its plan from the planner's own."""

    def list_figures(self, plan: Plan, problem: Problem, prices: SitePrices) -> Mapping[str, float]:
        """Return figures of ``plan``, made of ``problem``, by name: worth of a stored kWh to planner and agent, prices that either counts with."""


@dataclass(frozen=True, slots=True)
class TrainedAgent:
    """A trained policy by the name that replays know it by, and the training it comes from."""

    name: str
    run_id: str
    policy: AgentPolicy
    facts: Mapping[str, Any] = field(default_factory=dict)
