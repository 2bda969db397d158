"""Simulate a slot of many sites: action, safety layer, flows, costs and reward."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from luna.energy.economics.costs import Costs, slot_costs
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import BoolArray, Mode, SetPoint
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.timeline import FloatArray
from services.agent.environment.actions import (
    ACTION_MODES,
    ALL_MODES,
    POWERS,
    DayPrices,
    Powers,
    beyond_limits,
    choose_setpoint,
    read_actions,
)
from services.agent.environment.episodes import SlotTable
from services.agent.environment.states import V1_1, StateLayout
from services.planner.replay.data import INITIAL_SHARE
from services.planner.settlement import settle

# Below this share of the day's median price discharging is cheap. Source: revision 77.
CHEAP_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class RewardRule:
    """Parameters of the reward besides the cost.

    ``discount`` is the learner's own, so that the value of stored energy telescopes under it. The
    penalties are shaping and zero by default: ``terminal_soc_penalty`` (currency) on the distance
    between the state of charge at the end and at the start of an episode,
    ``cheap_discharge_penalty`` (currency/kWh) on discharge below 0.8 × the day's median import
    price.
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
    """A slot's prices, currency/kWh.

    Import and export have the shape ``(sites,)``, wear ``(batteries, 1)`` or
    ``(batteries, sites)``.
    """

    import_price: FloatArray
    export_price: FloatArray
    wear_price: FloatArray


def cost_flows(flows: Flows, prices: PricesNow) -> Costs:
    """Return the costs of a slot, ``(sites,)``: import, export (negative) and wear."""
    return slot_costs(
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
        import_price=prices.import_price,
        export_price=prices.export_price,
        wear_price=prices.wear_price,
    )


def value_change(
    before_kwh: FloatArray, after_kwh: FloatArray, worth: FloatArray, *, discount: float
) -> FloatArray:
    """Return a slot's potential-based reward, shape ``(sites,)``.

    It is discount × Φ(after) − Φ(before), with Φ = ``worth`` × stored energy.

    Over an episode it telescopes to Φ at the end, discounted, less Φ at the start, which no action
    changes: the optimal policy stays the same.
    Source: Ng, Harada, Russell, "Policy invariance under reward transformations", ICML 1999.

    Args:
        before_kwh: stored energy of all batteries of a site.
        after_kwh: the same at the slot's end.
        worth: of a stored kWh at the end of the episode.
        discount: the learner's.
    """
    return worth * (discount * after_kwh - before_kwh)


@dataclass(frozen=True, slots=True)
class Ends:
    """The end of a slot, each array of shape ``(sites,)``.

    ``done``: the episode ends with it. ``soc`` is the state of charge now, ``first_soc`` that at
    the episode's start.
    """

    done: BoolArray
    soc: FloatArray
    first_soc: FloatArray


def shape_reward(
    rule: RewardRule, discharge_kwh: FloatArray, cheap: BoolArray, ends: Ends
) -> FloatArray:
    """Return the shaping reward of a slot, ``(sites,)``, at most 0.

    ``cheap`` marks sites with a price below 0.8 × the day's median.
    """
    terminal = np.where(ends.done, np.abs(ends.soc - ends.first_soc), 0.0)
    penalty: FloatArray = (
        rule.terminal_soc_penalty * terminal
        + rule.cheap_discharge_penalty * np.where(cheap, discharge_kwh, 0.0)
    )
    return -penalty


AnyArray = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
# Action indices, or shares of powers.
AnyColumn = Any


@dataclass(frozen=True, slots=True)
class EnvRule:
    """Observations, actions and rewards of an environment.

    ``control``: one of the four actions, one of all modes, or shares of
    ``[charge, discharge, export]`` power. ``start_share`` is the initial stored energy between
    lowest and highest state of charge, 0–1; None: drawn.
    """

    layout: StateLayout = V1_1
    control: Literal["discrete", "modes", "continuous"] = "discrete"
    reward: RewardRule = COST_ALONE
    start_share: float | None = INITIAL_SHARE

    @property
    def action_count(self) -> int:
        """Number of discrete actions, or of continuous powers."""
        return POWERS if self.control == "continuous" else len(self.modes)

    @property
    def modes(self) -> Sequence[Mode]:
        """The modes of the discrete actions."""
        return ALL_MODES if self.control == "modes" else ACTION_MODES

    def read(self, actions: AnyArray) -> tuple[AnyColumn, ...]:
        """Return the columns of actions, each of shape ``(sites,)``.

        Actions have the shape ``(sites,)``, shares of powers ``(sites, 3)``.
        """
        if self.control != "continuous":
            return (read_actions(actions),)
        shares = np.asarray(actions, dtype=float)
        return tuple(np.ascontiguousarray(column) for column in shares.T)


PLAIN = EnvRule()


@dataclass(frozen=True, slots=True)
class SitesNow:
    """Sites at the start of a slot, ``(sites,)``.

    Wear and stored energy of batteries are ``(batteries, sites)``.

    ``worth`` is the value of a stored kWh at the episode's end, ``first_soc`` the state of charge
    at its start; ``done``: the slot is its last one.
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
    """The result of a slot; arrays of the meter have the shape ``(sites,)``.

    ``setpoint`` is the one after the safety layer.

    Evaluations use ``costs``; ``potential`` and ``shaping`` are for the learner alone.
    ``intervened``: the safety layer changed a mode, because the action is invalid or the site's
    contract forbids it, or a requested power was outside its range.
    """

    setpoint: SetPoint
    flows: Flows
    costs: Costs
    potential: FloatArray
    shaping: FloatArray
    intervened: BoolArray


def step_sites(
    rule: EnvRule, sites: SitesNow, slot: SlotTable, actions: Sequence[AnyColumn], *, hours: float
) -> StepResult:
    """Return the result of actions in a slot.

    Args:
        rule: actions and rewards.
        sites: at the slot's start.
        slot: each site's actual values, arrays of shape ``(sites,)``.
        actions: as ``EnvRule.read`` returns them.
        hours: the slot's length.
    """
    if rule.control == "continuous":
        day_prices = DayPrices(slot.import_price, slot.q25, slot.q50, slot.q75)
        powers = Powers.of(actions, sites.limits).gate(day_prices)
        requested = powers.setpoint(
            slot.curtailment, sites.stored_kwh, hours=hours, limits=sites.limits
        )
    else:
        requested = choose_setpoint(
            actions[0], slot.curtailment, batteries=len(sites.stored_kwh), modes=rule.modes
        )
    actuals = SlotActuals(slot.load_kwh, slot.pv_kwh, hours)
    safe, flows = settle(requested, sites.stored_kwh, actuals, limits=sites.limits)
    costs = cost_flows(flows, PricesNow(slot.import_price, slot.export_price, sites.wear_price))
    before = sites.stored_kwh.sum(axis=0)
    after = flows.stored_kwh.sum(axis=0)
    potential = value_change(before, after, sites.worth, discount=rule.reward.discount)
    intervened = (safe.mode != requested.mode).any(axis=0)
    if rule.control == "continuous":
        intervened = intervened | beyond_limits(actions)
    shaping: FloatArray = np.zeros(1)
    if rule.reward.shapes:
        ends = Ends(sites.done, after / sites.capacity_kwh, sites.first_soc)
        discharge_kwh = flows.discharge_kwh.sum(axis=0)
        cheap = slot.import_price < CHEAP_SHARE * slot.q50
        shaping = shape_reward(rule.reward, discharge_kwh, cheap, ends)
    return StepResult(
        setpoint=safe,
        flows=flows,
        costs=costs,
        potential=potential,
        shaping=shaping,
        intervened=intervened,
    )
