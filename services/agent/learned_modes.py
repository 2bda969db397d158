"""A learned chooser of modes as a policy: scores of modes for every slot of a plan, read at all states of charge, followed as thresholds like any other plan.

The planner's own decision stands wherever modes of one battery do not say everything, or a limit or wish would be missed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from luna.energy.devices.battery import Battery
from luna.energy.errors import LunaError
from luna.energy.physics.mode import SERVES, STORES, BoolArray, IntArray, Mode
from luna.energy.policy import HIGHEST_SOC, LOWEST_SOC, BatteryPolicy, PlanPolicy, SocThresholds
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.slot_features import SlotFeatures
from services.agent.environment.states import StateArray, StateLayout
from services.agent.policy import find_obstacle
from services.planner.dp.plan import Plan
from services.planner.following import follow_instead
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem

log = structlog.get_logger(__name__)
# Slots of the plan and what the battery holds at their start, kWh, both ``(n,)``, to a mode each, ``(n,)``. Any number may be asked at once.
ChooseModes = Callable[[IndexArray, FloatArray], IntArray]
# States of charge at which modes are asked for, the middles of as many equal parts. Source: half a kWh of ten is enough, docs/decisions/0004.
_LEVELS = 20


class ModesError(LunaError):
    """Who chooses modes chose something that is none, or cannot choose from what is known."""

    title, code = "No mode was chosen", "agent-modes"


def plan_by_modes(problem: Problem, choose: ChooseModes, *, planned: Plan | None = None) -> Plan:
    """Return the plan that follows chosen modes; the planner's own where they do not hold, with the code of why in ``not_learned``.

    ``several_batteries``, ``flexible_loads``: modes of one battery do not say everything. ``unknown_outlook``: a price or an expected energy is no number.
    ``no_mode``: what was chosen is none. ``limits_or_wishes``: followed, the modes would miss one that the planner's plan keeps.
    """
    plan = decide(problem, Solver()) if planned is None else planned
    obstacle = find_obstacle(problem, places=False)
    if obstacle is not None:
        return replace(plan, not_learned=obstacle)
    try:
        policy = read_chosen(problem.site.batteries[0], problem.outlook.timeline.count, choose)
    except ModesError as error:
        log.warning("the planner's plan stands", site=problem.site.name, reason=str(error))
        return replace(plan, not_learned="no_mode")
    followed = follow_instead(plan, PlanPolicy([policy], problem.curtailment, np.full(policy.no_pv.size, np.inf)))
    return replace(plan, not_learned="limits_or_wishes") if followed is None else followed


def read_chosen(battery: Battery, count: int, choose: ChooseModes) -> BatteryPolicy:
    """Return the policy of the modes that are chosen at all states of charge of ``count`` slots.

    What is chosen at so many levels is counted: where it does not change once from one level to the next, as a learner's choice may, it is taken as if it did.

    Raises:
        ModesError: something was chosen that is no mode.
    """
    usable = battery.max_soc - battery.min_soc
    stored_kwh = battery.capacity_kwh * (battery.min_soc + (np.arange(_LEVELS) + 0.5) / _LEVELS * usable)
    chosen_modes = np.asarray(choose(np.repeat(np.arange(count), _LEVELS), np.tile(stored_kwh, count)))
    if chosen_modes.shape != (count * _LEVELS,) or not np.isin(chosen_modes, list(Mode)).all():
        raise ModesError("what was chosen is no mode", remedy="Train again: luna agent train.")
    modes = chosen_modes.astype(np.int8).reshape(count, _LEVELS)

    def share(chosen: BoolArray) -> FloatArray:
        return np.asarray(battery.min_soc + chosen.mean(axis=1) * usable)

    charges, sells = modes == Mode.CHARGE, modes == Mode.EXPORT
    level = SocThresholds(
        buy=np.where(charges.any(axis=1), share(charges), LOWEST_SOC),
        store=share(STORES[modes]),
        # Surplus that would be held back is stored in every mode, as the inverter alone does.
        spill=np.full(count, battery.max_soc),
        serve=share(~SERVES[modes]),
        sell=np.where(sells.any(axis=1), share(~sells), HIGHEST_SOC),
    )
    power = (np.full(count, limit) for limit in (battery.charge_limit_kw, battery.discharge_limit_kw))
    return BatteryPolicy(battery, level, level, np.zeros(count, dtype=bool), *power)


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
