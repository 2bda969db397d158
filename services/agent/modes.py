"""Turn the agent's classifier of modes into a plan's policy of thresholds.

It is evaluated for every slot at a grid of states of charge.

The planner's own plan is kept where modes of one battery are not enough, or where a limit or demand
would be missed.
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
# Maps slots of the plan and the stored energy at their start, kWh, both ``(n,)``, to modes,
# ``(n,)``.
ChooseModes = Callable[[IndexArray, FloatArray], IntArray]
# Number of states of charge, the middles of equal parts. Source: half a kWh of ten is enough,
# docs/decisions/0004.
_LEVELS = 20


class ModesError(LunaError):
    """A classifier chose an invalid mode, or cannot choose from the known features."""

    title = "No mode was chosen"
    code = "agent-modes"


def plan_by_modes(problem: Problem, choose: ChooseModes, *, planned: Plan | None = None) -> Plan:
    """Return the plan that follows chosen modes, else the planner's with its reason.

    Codes of ``agent_obstacle`` are those of ``find_obstacle``; ``no_mode``: an invalid mode was
    chosen; ``limits_or_wishes``: the modes would miss a limit or demand that the planner's plan
    keeps.
    """
    plan = decide(problem, Solver()) if planned is None else planned
    obstacle = find_obstacle(problem, schedules=False)
    if obstacle is not None:
        return replace(plan, agent_obstacle=obstacle)
    try:
        policy = read_chosen(problem.site.batteries[0], problem.outlook.timeline.count, choose)
    except ModesError as error:
        log.warning("the planner's plan stands", site=problem.site.name, reason=str(error))
        return replace(plan, agent_obstacle="no_mode")
    followed = follow_instead(
        plan, PlanPolicy([policy], problem.curtailment, np.full(policy.no_pv.size, np.inf))
    )
    return replace(plan, agent_obstacle="limits_or_wishes") if followed is None else followed


def read_chosen(battery: Battery, count: int, choose: ChooseModes) -> BatteryPolicy:
    """Return the threshold policy of the modes chosen at ``_LEVELS`` charges in each slot.

    A threshold is the share of levels with its modes: exact where the choice changes once along the
    state of charge, and an approximation elsewhere.

    Raises:
        ModesError: an invalid mode was chosen.
    """
    usable = battery.max_soc - battery.min_soc
    level_socs = battery.min_soc + (np.arange(_LEVELS) + 0.5) / _LEVELS * usable
    stored_kwh = np.tile(battery.capacity_kwh * level_socs, count)
    slots = np.repeat(np.arange(count), _LEVELS)
    chosen_modes = np.asarray(choose(slots, stored_kwh))
    if chosen_modes.shape != (count * _LEVELS,) or not np.isin(chosen_modes, list(Mode)).all():
        raise ModesError("what was chosen is no mode", remedy="Train again: luna agent train.")
    modes = chosen_modes.astype(np.int8).reshape(count, _LEVELS)

    def share(chosen: BoolArray) -> FloatArray:
        return np.asarray(battery.min_soc + chosen.mean(axis=1) * usable)

    charges = modes == Mode.CHARGE
    sells = modes == Mode.EXPORT
    level = SocThresholds(
        buy=np.where(charges.any(axis=1), share(charges), LOWEST_SOC),
        store=share(STORES[modes]),
        # Surplus that would be curtailed is stored in every mode, as an inverter does by itself.
        spill=np.full(count, battery.max_soc),
        serve=share(~SERVES[modes]),
        sell=np.where(sells.any(axis=1), share(~sells), HIGHEST_SOC),
    )
    charge_kw = np.full(count, battery.charge_limit_kw)
    discharge_kw = np.full(count, battery.discharge_limit_kw)
    no_pv = np.zeros(count, dtype=bool)
    return BatteryPolicy(
        battery=battery,
        keep=level,
        begin=level,
        no_pv=no_pv,
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
    )


# Maps states (n, size) to scores of the modes, (n, modes); the highest is chosen.
Score = Callable[[StateArray], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class AgentModes:
    """A policy that chooses the mode of the highest score.

    ``score`` maps states ``(n, size)`` of its layout to ``(n, modes)``.

    Invariants: depends on the problem alone; the same problem, the same plan.
    """

    layout: StateLayout
    score: Score

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        """Return the plan to follow; see ``AgentPolicy``."""
        del prices  # training used those of the problem alone
        return plan_by_modes(problem, _Chooser(problem, self), planned=planned)


@dataclass(frozen=True)
class _Chooser:
    """Chooses the modes of one problem."""

    problem: Problem
    agent: AgentModes

    @cached_property
    def _features(self) -> SlotFeatures:
        return SlotFeatures.of_problem(self.problem)

    def __call__(self, slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
        capacity = np.full(slots.size, self.problem.site.batteries[0].capacity_kwh)
        states = self.agent.layout.build(self._features, slots, stored_kwh / capacity, capacity)
        return np.asarray(self.agent.score(states).argmax(axis=1), dtype=np.int8)
