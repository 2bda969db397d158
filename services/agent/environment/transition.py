"""One slot of sites side by side: requests pass the safety layer, physics gives the flows, economics their cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from luna.energy.economics import Costs
from luna.energy.physics import BoolArray, Flows, Mode, SetPoint, SiteLimits, SlotActuals, clamp, simulate_slot
from luna.energy.timeline import FloatArray
from services.agent.environment.actions import ACTION_MODES, ALL_MODES, POWERS, DayPrices, Powers, beyond_limits, choose_setpoint, read_actions
from services.agent.environment.episodes import SlotTable
from services.agent.environment.rewards import CHEAP_SHARE, COST_ALONE, Ends, PricesNow, RewardRule, cost_flows, shape_reward, value_change
from services.agent.environment.states import V1_1, StateLayout
from services.planner.replay.data import INITIAL_SHARE

AnyArray = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
# Whole numbers of actions, or shares of powers.
AnyColumn = Any


@dataclass(frozen=True, slots=True)
class EnvRule:
    """What an environment shows, takes and rewards.

    ``control``: one of the four actions, one of all modes, or shares of ``[charge, discharge, export]`` power. ``start_share`` is how much of what lies
    between lowest and highest state of charge batteries hold at the begin of an episode; None: drawn.
    """

    layout: StateLayout = V1_1
    control: Literal["discrete", "modes", "continuous"] = "discrete"
    reward: RewardRule = COST_ALONE
    start_share: float | None = INITIAL_SHARE

    @property
    def action_count(self) -> int:
        """How many actions there are to choose from, or how many powers to name."""
        return POWERS if self.control == "continuous" else len(self.modes)

    @property
    def modes(self) -> Sequence[Mode]:
        """The modes that may be chosen."""
        return ALL_MODES if self.control == "modes" else ACTION_MODES

    def read(self, actions: AnyArray) -> tuple[AnyColumn, ...]:
        """Return actions (``(sites,)``, or shares ``(sites, 3)``) as columns of shape ``(sites,)``."""
        if self.control != "continuous":
            return (read_actions(actions),)
        return tuple(np.ascontiguousarray(column) for column in np.asarray(actions, dtype=float).T)


PLAIN = EnvRule()


@dataclass(frozen=True, slots=True)
class SitesNow:
    """Sites at the begin of a slot, ``(sites,)``: limits, wear and stored energy of batteries (``(batteries, sites)``), and what their episodes are judged by.

    ``worth`` is that of a stored kWh at the episode's end, ``first_soc`` the state of charge at its begin; ``done``: the slot is its last one.
    """

    limits: SiteLimits
    wear_price: FloatArray
    stored_kwh: FloatArray
    capacity_kwh: FloatArray
    worth: FloatArray
    first_soc: FloatArray
    done: BoolArray


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a slot, meter arrays of shape ``(sites,)``: the set-point as the safety layer let it through, flows, costs, and the learner's rewards.

    ``costs`` are what evaluations count; ``potential`` and ``shaping`` are for the learner alone. ``intervened``: the safety layer changed a mode, that of an
    action that is none or that the site's contract forbids, or a power was asked for that is none.
    """

    setpoint: SetPoint
    flows: Flows
    costs: Costs
    potential: FloatArray
    shaping: FloatArray
    intervened: BoolArray


def step_sites(rule: EnvRule, sites: SitesNow, slot: SlotTable, actions: Sequence[AnyColumn], *, hours: float) -> StepResult:
    """Return the result of actions in a slot.

    Args:
        rule: actions and rewards.
        sites: at the slot's begin.
        slot: the actual values of each of them, arrays of shape ``(sites,)``.
        actions: as ``EnvRule.read`` returns them.
        hours: the slot's length.
    """
    requested = _ask(rule, sites, slot, actions, hours=hours)
    safe = clamp(requested, sites.stored_kwh, sites.limits)
    flows = simulate_slot(safe, sites.stored_kwh, SlotActuals(slot.load_kwh, slot.pv_kwh, hours), limits=sites.limits)
    costs = cost_flows(flows, PricesNow(slot.import_price, slot.export_price, sites.wear_price))
    before, after = sites.stored_kwh.sum(axis=0), flows.stored_kwh.sum(axis=0)
    potential = value_change(before, after, sites.worth, discount=rule.reward.discount)
    intervened = (safe.mode != requested.mode).any(axis=0)
    if rule.control == "continuous":
        intervened = intervened | beyond_limits(actions)
    return StepResult(safe, flows, costs, potential, _shape(rule.reward, sites, slot, flows), intervened)


def _ask(rule: EnvRule, sites: SitesNow, slot: SlotTable, actions: Sequence[AnyColumn], *, hours: float) -> SetPoint:
    if rule.control != "continuous":
        return choose_setpoint(actions[0], slot.curtailment, batteries=len(sites.stored_kwh), modes=rule.modes)
    powers = Powers.of(actions, sites.limits).gate(DayPrices(slot.import_price, slot.q25, slot.q50, slot.q75))
    return powers.setpoint(slot.curtailment, sites.stored_kwh, hours=hours, limits=sites.limits)


def _shape(rule: RewardRule, sites: SitesNow, slot: SlotTable, flows: Flows) -> FloatArray:
    if not rule.shapes:
        return np.zeros(1)
    ends = Ends(sites.done, flows.stored_kwh.sum(axis=0) / sites.capacity_kwh, sites.first_soc)
    return shape_reward(rule, flows.discharge_kwh.sum(axis=0), slot.import_price < CHEAP_SHARE * slot.q50, ends)
