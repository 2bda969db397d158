"""A plan of modes that somebody chooses: rolled over the horizon on the expected course, then followed as thresholds like any other plan.

The planner's own decision stands wherever modes of one battery do not say everything, or a limit or wish would be missed.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import structlog

from luna.errors import LunaError
from luna.physics import IntArray, Mode
from luna.policy import HIGHEST_SOC, LOWEST_SOC, BatteryPolicy, PlanPolicy, SocThresholds
from luna.site import Battery
from luna.timeline import FloatArray, IndexArray
from services.agent.policy import find_obstacle
from services.planner.dp.plan import Plan
from services.planner.dp.policy import walk_policy
from services.planner.dp.segments import problem_segments
from services.planner.following import follow_instead
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.problem import Problem

log = structlog.get_logger(__name__)
# Slots of the plan and what the battery holds at their start, kWh, both ``(n,)``, to a mode each, ``(n,)``. Any number may be asked at once.
ChooseModes = Callable[[IndexArray, FloatArray], IntArray]
# A slot's mode depends on the slots before it: each round settles at least one slot more for good, in practice a whole run of them.
_ROUNDS = 12
_SAME_KWH = 1e-6


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
        policy = roll_modes(plan, choose)
    except ModesError as error:
        log.warning("the planner's plan stands", site=problem.site.name, reason=str(error))
        return replace(plan, not_learned="no_mode")
    followed = follow_instead(plan, PlanPolicy([policy], problem.curtailment, np.full(policy.no_pv.size, np.inf)))
    return replace(plan, not_learned="limits_or_wishes") if followed is None else followed


def roll_modes(plan: Plan, choose: ChooseModes) -> BatteryPolicy:
    """Return the policy of the modes that are chosen on the course which they themselves lead to.

    Raises:
        ModesError: something was chosen that is no mode.
    """
    problem, battery, start = plan.problem, plan.problem.site.batteries[0], float(plan.problem.stored_kwh[0])
    segments, count = problem_segments(problem), problem.outlook.timeline.count
    before = problem.following.modes[0] if problem.following.modes else None
    starts, slots, asked = plan.start_kwh[0].copy(), np.arange(count), np.ones(count, dtype=bool)
    modes, policy = np.empty(count, dtype=np.int8), BatteryPolicy.follow_house(battery, count)
    for _ in range(_ROUNDS):
        modes[asked] = _choose_checked(choose, slots[asked], starts[asked])
        policy = follow_modes(battery, modes)
        ends, _ = walk_policy(policy, segments, start, mode=Mode.SELF_CONSUMPTION if before is None else before)
        led = np.append(start, ends[:-1])
        asked = np.abs(led - starts) > _SAME_KWH
        if not asked.any():
            break
        starts = led
    return policy


def _choose_checked(choose: ChooseModes, slots: IndexArray, stored_kwh: FloatArray) -> IntArray:
    chosen = np.asarray(choose(slots, stored_kwh))
    if chosen.shape != slots.shape or not np.isin(chosen, list(Mode)).all():
        raise ModesError("what was chosen is no mode", remedy="Train again: luna agent train.")
    return chosen.astype(np.int8)


def follow_modes(battery: Battery, modes: IntArray) -> BatteryPolicy:
    """Return the policy of a mode for each slot, ``(slots,)``, whatever the battery holds; trade ends at the battery's limits."""
    level = read_as_thresholds(battery, modes)
    power = (np.full(modes.size, limit) for limit in (battery.charge_limit_kw, battery.discharge_limit_kw))
    return BatteryPolicy(battery, level, level, np.zeros(modes.size, dtype=bool), *power)


def read_as_thresholds(battery: Battery, modes: IntArray) -> SocThresholds:
    """Return modes, ``(slots,)``, as the thresholds that lead to them at any state of charge.

    Surplus that would be held back is stored in every mode, as the inverter alone does.
    """
    lowest, highest = battery.min_soc, battery.max_soc
    by_mode = np.array(
        [
            # buy, store, serve, sell
            (LOWEST_SOC, highest, lowest, HIGHEST_SOC),  # self_consumption
            (LOWEST_SOC, highest, HIGHEST_SOC, HIGHEST_SOC),  # save
            (LOWEST_SOC, LOWEST_SOC, lowest, HIGHEST_SOC),  # supply
            (LOWEST_SOC, LOWEST_SOC, HIGHEST_SOC, HIGHEST_SOC),  # hold
            (highest, highest, HIGHEST_SOC, HIGHEST_SOC),  # charge
            (LOWEST_SOC, LOWEST_SOC, lowest, lowest),  # export
        ]
    )
    buy, store, serve, sell = by_mode[modes].T
    return SocThresholds(buy=buy, store=store, spill=np.full(modes.size, highest), serve=serve, sell=sell)
