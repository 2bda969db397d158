"""One slot of sites side by side: requests pass the safety layer, physics gives the flows, economics their cost, and a rule what a learner is rewarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from luna.energy.economics.costs import Costs, slot_costs
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import BoolArray, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.timeline import FloatArray
from services.agent.environment.actions import ACTION_MODES, ALL_MODES, POWERS, DayPrices, Powers, beyond_limits, choose_setpoint, read_actions
from services.agent.environment.episodes import SlotTable
from services.agent.environment.states import V1_1, StateLayout
from services.planner.replay.data import INITIAL_SHARE

# Below this share of the day's median price discharging is cheap. Source: revision 77.
CHEAP_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class RewardRule:
    """How a learner is rewarded beside the cost.

    ``discount`` is the learner's own, so that the value of stored energy telescopes under it. The penalties are shaping and zero by default:
    ``terminal_soc_penalty`` (currency) on the distance between the state of charge at the end and at the begin of an episode, ``cheap_discharge_penalty``
    (currency/kWh) on what is discharged at less than 0.8 × the day's median import price.
    """

    discount: float = 1.0
    terminal_soc_penalty: float = 0.0
    cheap_discharge_penalty: float = 0.0

    @property
    def shapes(self) -> bool:
        """Whether any penalty is configured."""
        return bool(self.terminal_soc_penalty or self.cheap_discharge_penalty)


COST_ALONE = RewardRule()


@dataclass(frozen=True, slots=True)
class PricesNow:
    """What a slot's energy costs, ``(sites,)``, and what wear does, ``(batteries, 1)`` or ``(batteries, sites)``; currency/kWh."""

    import_price: FloatArray
    export_price: FloatArray
    wear_price: FloatArray


def cost_flows(flows: Flows, prices: PricesNow) -> Costs:
    """Return what a slot costs, ``(sites,)``: import, export (negative) and wear."""
    return slot_costs(
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
        import_price=prices.import_price,
        export_price=prices.export_price,
        wear_price=prices.wear_price,
    )


def value_change(before_kwh: FloatArray, after_kwh: FloatArray, worth: FloatArray, *, discount: float) -> FloatArray:
    """Return what a slot adds for the energy that stays stored: discount × Φ(after) − Φ(before), with Φ = ``worth`` × stored energy, shape ``(sites,)``.

    Over an episode it telescopes to Φ at the end, discounted, less Φ at the begin, which no action changes: what is optimal stays so.
    Source: Ng, Harada, Russell, "Policy invariance under reward transformations", ICML 1999.

    Args:
        before_kwh: in all batteries of a site.
        after_kwh: the same at the slot's end.
        worth: of a stored kWh at the end of the episode.
        discount: the learner's.
    """
    return worth * (discount * after_kwh - before_kwh)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where episodes end with a slot, and the states of charge there and at their begin, each of shape ``(sites,)``."""

    done: BoolArray
    soc: FloatArray
    first_soc: FloatArray


def shape_reward(rule: RewardRule, discharge_kwh: FloatArray, cheap: BoolArray, ends: Ends) -> FloatArray:
    """Return the shaping of a slot, ``(sites,)``, never above zero; ``cheap`` says where the price is below 0.8 × the day's median."""
    terminal = np.where(ends.done, np.abs(ends.soc - ends.first_soc), 0.0)
    penalty: FloatArray = rule.terminal_soc_penalty * terminal + rule.cheap_discharge_penalty * np.where(cheap, discharge_kwh, 0.0)
    return -penalty


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
    if rule.control == "continuous":
        powers = Powers.of(actions, sites.limits).gate(DayPrices(slot.import_price, slot.q25, slot.q50, slot.q75))
        requested = powers.setpoint(slot.curtailment, sites.stored_kwh, hours=hours, limits=sites.limits)
    else:
        requested = choose_setpoint(actions[0], slot.curtailment, batteries=len(sites.stored_kwh), modes=rule.modes)
    safe = clamp(requested, sites.stored_kwh, sites.limits)
    flows = simulate_slot(safe, sites.stored_kwh, SlotActuals(slot.load_kwh, slot.pv_kwh, hours), limits=sites.limits)
    costs = cost_flows(flows, PricesNow(slot.import_price, slot.export_price, sites.wear_price))
    before, after = sites.stored_kwh.sum(axis=0), flows.stored_kwh.sum(axis=0)
    potential = value_change(before, after, sites.worth, discount=rule.reward.discount)
    intervened = (safe.mode != requested.mode).any(axis=0)
    if rule.control == "continuous":
        intervened = intervened | beyond_limits(actions)
    shaping: FloatArray = np.zeros(1)
    if rule.reward.shapes:
        ends = Ends(sites.done, after / sites.capacity_kwh, sites.first_soc)
        shaping = shape_reward(rule.reward, flows.discharge_kwh.sum(axis=0), slot.import_price < CHEAP_SHARE * slot.q50, ends)
    return StepResult(safe, flows, costs, potential, shaping, intervened)
