"""A learned chooser of modes as a policy: scores of modes for every slot of a plan, followed as thresholds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.energy.physics import IntArray
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.slot_features import SlotFeatures
from services.agent.environment.states import StateArray, StateLayout
from services.agent.modes import plan_by_modes
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem

# States (n, size) to scores of the modes, (n, modes): the highest is chosen.
Score = Callable[[StateArray], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class LearnedModes:
    """A policy that chooses the mode of the highest score: ``score`` maps states ``(n, size)`` of its layout to ``(n, modes)``.

    Invariants: depends on the problem alone; the same problem, the same plan.
    """

    layout: StateLayout
    score: Score

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        """Return the plan to follow; see ``AgentPolicy``."""
        del prices  # those of the problem say what was learned from
        return plan_by_modes(problem, _Chooser(problem, self), planned=planned)


@dataclass(frozen=True)
class _Chooser:
    """Chooses the modes of one problem."""

    problem: Problem
    learned: LearnedModes

    @cached_property
    def _features(self) -> SlotFeatures:
        return SlotFeatures.of_problem(self.problem)

    def __call__(self, slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
        capacity = np.full(slots.size, self.problem.site.batteries[0].capacity_kwh)
        states = self.learned.layout.build(self._features, slots, stored_kwh / capacity, capacity)
        return np.asarray(self.learned.score(states).argmax(axis=1), dtype=np.int8)
