"""One slot of sites side by side: what is asked passes the safety layer, physics says what happens, economics what it costs."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from luna.economics import Costs
from luna.physics import BoolArray, Flows, SetPoint, SiteLimits, SlotActuals, clamp, simulate_slot
from luna.timeline import FloatArray, IndexArray
from services.agent.environment.actions import (
    POWERS,
    Action,
    DayPrices,
    Stored,
    choose_setpoint,
    count_beyond,
    follow_powers,
    gate,
    read_actions,
    scale_powers,
)
from services.agent.environment.episodes import EpisodeBatch, SlotTable
from services.agent.environment.rewards import CHEAP_SHARE, Ends, RewardRule, SlotPrices, cost_flows, shape_reward, value_change
from services.agent.environment.states import V1_1, StateLayout
from services.planner.replay.data import INITIAL_SHARE


@dataclass(frozen=True, slots=True)
class EnvRule:
    """What an environment shows, takes and rewards.

    ``control``: one of the four actions, or shares of ``[charge, discharge, export]`` power. ``start_share`` is how much of what lies between lowest and
    highest state of charge batteries hold at the begin of an episode; None: drawn.
    """

    layout: StateLayout = V1_1
    control: Literal["discrete", "continuous"] = "discrete"
    reward: RewardRule = RewardRule()
    start_share: float | None = INITIAL_SHARE

    @property
    def action_count(self) -> int:
        """How many actions there are to choose from, or how many powers to name."""
        return len(Action) if self.control == "discrete" else POWERS


@dataclass(frozen=True, slots=True)
class Transition:
    """What became of a slot: the set-point as the safety layer let it through, flows and costs, and where the layer had to step in (``(sites,)``)."""

    setpoint: SetPoint
    flows: Flows
    costs: Costs
    intervened: BoolArray


def settle_slot(asked: SetPoint, stored_kwh: FloatArray, actuals: SlotActuals, *, limits: SiteLimits, prices: SlotPrices) -> Transition:
    """Return what a slot makes of what is asked.

    The safety layer steps in where it changes a mode: that of an action that is none, or one that the site's contract forbids.
    """
    safe = clamp(asked, stored_kwh, limits)
    flows = simulate_slot(safe, stored_kwh, actuals, limits=limits)
    return Transition(safe, flows, cost_flows(flows, prices), np.asarray((safe.mode != asked.mode).any(axis=0)))


@dataclass(frozen=True, slots=True)
class SitesNow:
    """Sites at the begin of their slots: limits and wear, stored energy ``(batteries, sites)``, and the slots' places in a batch, ``(sites,)``."""

    limits: SiteLimits
    wear_price: FloatArray
    stored_kwh: FloatArray
    slots: IndexArray


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step brought, arrays of shape ``(sites,)``: ``cost`` is what evaluations count, ``potential`` and ``shaping`` are for the learner alone."""

    transition: Transition
    cost: FloatArray
    potential: FloatArray
    shaping: FloatArray

    @property
    def reward(self) -> FloatArray:
        """What the learner is given."""
        return self.potential - self.cost + self.shaping


def step_sites(batch: EpisodeBatch, rule: EnvRule, now: SitesNow, actions: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Transition:
    """Return what a slot makes of actions: ``(sites,)``, or shares of powers ``(sites, 3)``."""
    slots, at = batch.slots, now.slots
    prices = SlotPrices(slots.import_price[at], slots.export_price[at], now.wear_price)
    curtailment = slots.curtailment[at]
    actuals = SlotActuals(slots.load_kwh[at], slots.pv_kwh[at], batch.hours)
    if rule.control == "discrete":
        asked = choose_setpoint(read_actions(actions), curtailment, batteries=len(now.stored_kwh))
        return settle_slot(asked, now.stored_kwh, actuals, limits=now.limits, prices=prices)
    shares = np.asarray(actions, dtype=float)
    powers = gate(scale_powers(shares, now.limits), DayPrices(prices.import_price, *slots.quartiles[:, at]))
    asked = follow_powers(powers, curtailment, stored=Stored(now.stored_kwh, batch.hours), limits=now.limits)
    settled = settle_slot(asked, now.stored_kwh, actuals, limits=now.limits, prices=prices)
    return replace(settled, intervened=settled.intervened | count_beyond(shares))


def reward_step(batch: EpisodeBatch, rule: EnvRule, now: SitesNow, step: Transition, episode: "EpisodeNow") -> StepResult:
    """Return what a learner is given for a step."""
    before, after = now.stored_kwh.sum(axis=0), step.flows.stored_kwh.sum(axis=0)
    potential = value_change(before, after, episode.worth, discount=rule.reward.discount)
    shaping = np.zeros(1)
    if rule.reward.shapes:
        cheap = is_cheap(batch.slots, now.slots)
        ends = Ends(episode.done, after / episode.capacity_kwh, episode.first_soc)
        shaping = shape_reward(rule.reward, step.flows.discharge_kwh.sum(axis=0), cheap, ends)
    return StepResult(step, step.costs.total, potential, shaping)


def is_cheap(slots: SlotTable, at: IndexArray) -> BoolArray:
    """Return in which slots discharging is cheap: below 0.8 × the median of the day's prices."""
    return np.asarray(slots.import_price[at] < CHEAP_SHARE * slots.quartiles[1, at])


@dataclass(frozen=True, slots=True)
class EpisodeNow:
    """What episodes are judged by, arrays of shape ``(sites,)``: worth of a stored kWh, capacity, state of charge at the begin, whether this slot is the last."""

    worth: FloatArray
    capacity_kwh: FloatArray
    first_soc: FloatArray
    done: BoolArray
