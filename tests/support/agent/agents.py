"""Agents of a test's own: one that is cheaper than a planner that is told to keep its modes, and
such as are broken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.policy import SocThresholds
from luna.energy.site import Site
from services.agent.policy import AgentPolicy, TrainedAgent
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem


class SwitchesFreely:
    """Plans as the planner does that does not shy away from other modes: cheaper than one that is
    told to.
    """

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        free = decide(
            replace(problem, following=replace(problem.following, switching_price=0.0)), Solver()
        )
        return replace(free, problem=problem, followed="learned")


@dataclass(frozen=True)
class Bent:
    """The planner's plan with thresholds that a test bends."""

    bend: Callable[[SocThresholds], SocThresholds]
    power_kw: float = 5.0

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        plan = decide(problem, Solver())
        assert plan.policy is not None
        power = np.full(problem.outlook.timeline.count, self.power_kw)
        parts = [
            replace(
                each,
                keep=self.bend(each.keep),
                begin=self.bend(each.begin),
                charge_kw=power,
                discharge_kw=power,
            )
            for each in plan.policy.batteries
        ]
        return replace(plan, policy=replace(plan.policy, batteries=parts))


class Raises:
    """Fails as code does that met what it does not know."""

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        raise RuntimeError("no such feature")


def sell_always(level: SocThresholds) -> SocThresholds:
    """Empty the battery into the grid whatever that pays."""
    return replace(level, buy=np.full_like(level.buy, -1.0), sell=np.full_like(level.sell, -1.0))


def know_nothing(level: SocThresholds) -> SocThresholds:
    """Thresholds that are no numbers."""
    return replace(level, serve=np.full_like(level.serve, np.nan))


def end_early(level: SocThresholds) -> SocThresholds:
    """Thresholds for the first hour alone."""
    return level.at(slice(0, 4))


def keep(level: SocThresholds) -> SocThresholds:
    return level


def loading(
    policy: AgentPolicy, run_id: str = "run"
) -> Callable[[Connection, Site, str, datetime], TrainedAgent | None]:
    """Return what finds this agent, whatever site is asked for."""

    def load(_connection: Connection, _site: Site, name: str, _before: datetime) -> TrainedAgent:
        return TrainedAgent(name, run_id, policy)

    return load
