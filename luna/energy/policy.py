"""Plan policies: thresholds of state of charge per slot.

Reply, executor and replay read set-points from them for any state of charge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter
from typing import Any, Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.part import Part
from luna.energy.physics.mode import (
    CHARGE,
    EXPORT,
    HOLD,
    SAVE,
    SELF_CONSUMPTION,
    SERVES,
    STORES,
    SUPPLY,
    BoolArray,
    IntArray,
    Mode,
    SetPoint,
)
from luna.energy.timeline import FloatArray, bound, broadcast

# Above every state of charge, and below: what is always, or never, done. No battery that starts
# outside its limits reaches them.
HIGHEST_SOC = 2.0
LOWEST_SOC = -1.0
# Shares of a capacity this close are the same. Sources: a ten-thousandth of a watt-hour of 10 kWh;
# what a message carries of it.
SAME_SOC = 1e-8
DIGITS = 9
# So little to store or to serve is worth no change of mode, share of the capacity.
LITTLE_SOC = 1e-3
# A new plan is requested when the last one is this old, or a state of charge deviates this much
# from it.
REPLAN_AGE = timedelta(hours=1)
REPLAN_SOC = 0.05
# Forecasts that drive a planner are issued at least every hour, shadows every six: an older one has
# missed several turns, and knows no recent level.
FORECAST_MAX_AGE = timedelta(hours=6)
# A source whose prices are forecasts publishes every few minutes: when nothing came for so long, it
# is away, and what it said is no longer what it expects.
PRICE_FORECAST_MAX_AGE = timedelta(hours=2)
# A device that does not confirm its return is tried anew until then, and after that left to its
# owner, who may command it by hand.
HANDED_BACK_WITHIN = timedelta(days=1)
# Where no service outside is reached, prices and weather are asked for again after this time: with
# that of a try, and of a plan after it, a plan with real prices is there within a minute of the
# network's return.
UNREACHED_RETRY = timedelta(seconds=30)

_IS_CHARGE = np.arange(len(Mode)) == CHARGE
_IS_EXPORT = np.arange(len(Mode)) == EXPORT


@dataclass(frozen=True, slots=True)
class SocThresholds:
    """States of charge at which a battery's actions begin and end.

    They are arrays of shape ``(slots,)``. Below ``buy`` it charges from the grid, below ``store``
    it stores surplus, below ``spill`` surplus that would be held back; above ``serve`` it serves
    the load, above ``sell`` it sells.
    """

    buy: FloatArray
    store: FloatArray
    spill: FloatArray
    serve: FloatArray
    sell: FloatArray

    @classmethod
    def follow_house(cls, battery: Battery, slots: int) -> Self:
        """Return the thresholds of an inverter that follows the house.

        It stores all surplus, serves the load down to the lowest state of charge, and does not
        trade.
        """
        never_buy = np.full(slots, LOWEST_SOC)
        always = np.full(slots, battery.max_soc)
        never_sell = np.full(slots, HIGHEST_SOC)
        return cls(never_buy, always, always, np.full(slots, battery.min_soc), never_sell)

    def rounded(self) -> "SocThresholds":
        """Return the thresholds as messages carry them.

        So what is read from a message and what is read here are the same.
        """
        # An array of rows takes a third of the time that ``np.stack`` does.
        levels = np.array([self.buy, self.store, self.spill, self.serve, self.sell])
        return SocThresholds(*bound(levels, LOWEST_SOC, HIGHEST_SOC).round(DIGITS))

    def at(self, slots: slice) -> "SocThresholds":
        """Return the thresholds of some slots."""
        return SocThresholds(
            self.buy[slots],
            self.store[slots],
            self.spill[slots],
            self.serve[slots],
            self.sell[slots],
        )

    def with_hysteresis(self, keep: "SocThresholds", mode: IntArray) -> "SocThresholds":
        """Return these thresholds, with those of ``keep`` for actions under way.

        Under way is what the previous ``mode`` is doing already.
        """
        return SocThresholds(
            buy=np.where(_IS_CHARGE[mode], keep.buy, self.buy),
            store=np.where(STORES[mode], keep.store, self.store),
            spill=keep.spill,
            serve=np.where(SERVES[mode], keep.serve, self.serve),
            sell=np.where(_IS_EXPORT[mode], keep.sell, self.sell),
        )


@dataclass(frozen=True, slots=True)
class BatteryPolicy:
    """A battery's thresholds: ``keep`` for an action under way, ``begin`` for a new one.

    The two differ by the margin against switching. ``no_pv`` are slots without sun to store;
    ``charge_kw`` and ``discharge_kw`` (``(slots,)``) bound the exchange with the grid.
    """

    battery: Battery
    keep: SocThresholds
    begin: SocThresholds
    no_pv: BoolArray
    charge_kw: FloatArray
    discharge_kw: FloatArray

    @classmethod
    def follow_house(cls, battery: Battery, slots: int) -> Self:
        """Return what an inverter does by itself."""
        level = SocThresholds.follow_house(battery, slots)
        charge_kw = np.full(slots, battery.charge_limit_kw)
        discharge_kw = np.full(slots, battery.discharge_limit_kw)
        return cls(battery, level, level, np.zeros(slots, dtype=bool), charge_kw, discharge_kw)

    def sell_as(self, other: "BatteryPolicy") -> "BatteryPolicy":
        """Return this policy with the other's sales: their thresholds and powers.

        What this one keeps from the house it does not sell either.
        """
        keep = replace(self.keep, sell=np.maximum(other.keep.sell, self.keep.serve))
        begin = replace(self.begin, sell=np.maximum(other.begin.sell, self.begin.serve))
        return replace(self, keep=keep, begin=begin, discharge_kw=other.discharge_kw)

    def read(self, slots: slice, mode: IntArray, soc: FloatArray) -> SetPoint:
        """Return the battery's set-points in slots after ``mode``.

        Their shape is ``(1, slots)``, with PV unlimited. Between the thresholds a full battery
        counts as storing and an empty one as serving: the mode then follows the house instead of
        flickering with the last watt-hour.

        Args:
            slots: of the plan, each of the width of ``soc``, or one.
            mode: in force until then.
            soc: state of charge at the start of the slots.
        """
        battery = self.battery
        begin = self.begin.at(slots)
        level = begin
        if self.keep is not self.begin:
            level = begin.with_hysteresis(self.keep.at(slots), mode)
        # Actions that cannot happen stay as they are: storing without sun or when full, serving
        # when empty. Actions that pay at any state of charge begin all the same.
        night = self.no_pv[slots]
        full = soc >= battery.max_soc - LITTLE_SOC
        empty = soc <= battery.min_soc + LITTLE_SOC
        always_stores = ~night & (begin.store >= battery.max_soc - SAME_SOC)
        begins_storing = np.where(always_stores, begin.store, LOWEST_SOC)
        as_storing = np.where(STORES[mode], HIGHEST_SOC, begins_storing)
        always_serves = begin.serve <= battery.min_soc + SAME_SOC
        begins_serving = np.where(always_serves, begin.serve, HIGHEST_SOC)
        as_serving = np.where(SERVES[mode], LOWEST_SOC, begins_serving)
        store = np.where(night | full, as_storing, level.store)
        serve = np.where(empty, as_serving, level.serve)
        stores = (soc < store - SAME_SOC) | (store >= battery.max_soc - SAME_SOC)
        serves = (soc > serve + SAME_SOC) | (serve <= battery.min_soc + SAME_SOC)
        if_serving = np.where(stores, SELF_CONSUMPTION, SUPPLY)
        if_not_serving = np.where(stores, SAVE, HOLD)
        follows = np.where(serves, if_serving, if_not_serving)
        charges = soc < level.buy - SAME_SOC
        exports = soc > level.sell + SAME_SOC
        modes = np.where(charges, CHARGE, np.where(exports, EXPORT, follows))
        trade_target = np.where(charges, level.buy, level.sell)
        levels = np.array([trade_target, serve, store, broadcast(level.spill, store.shape)])
        target, floor, ceiling, spill = bound(levels, battery.min_soc, battery.max_soc)
        power_kw = np.where(charges, self.charge_kw[slots], self.discharge_kw[slots])
        return SetPoint(
            mode=modes.astype(np.int8)[None, :],
            power_kw=broadcast(power_kw, modes.shape)[None, :],
            target_soc=target[None, :],
            floor_soc=floor[None, :],
            ceiling_soc=ceiling[None, :],
            spill_soc=spill[None, :],
            curtailment=np.zeros(modes.shape, dtype=np.int8),
            pv_limit_kw=np.full(modes.shape, np.inf),
        )


_read_levels = attrgetter(*SocThresholds.__slots__)


class ThresholdSeries(Part):
    """States of charge per slot at which a battery's actions begin and end.

    They are those of ``luna.energy.policy.SocThresholds``; out of reach (below 0, above 1) means
    never, or always.
    """

    buy: list[float]
    store: list[float]
    spill: list[float]
    serve: list[float]
    sell: list[float]


class BatteryThresholds(Part):
    """A plan's action at any state of charge of a battery.

    As ``luna.energy.policy.BatteryPolicy`` has it: the executor reads its set-points from it.
    ``keep`` holds while an action goes on, ``begin`` for one that begins. ``no_pv`` are slots
    without sun to store, ``charge_kw`` and ``discharge_kw`` bound the exchange with the grid.
    """

    keep: ThresholdSeries
    begin: ThresholdSeries
    no_pv: list[bool]
    charge_kw: list[float]
    discharge_kw: list[float]

    @classmethod
    def of(cls, policy: BatteryPolicy) -> Self:
        """Return the message of a policy."""
        keep = _write_thresholds(policy.keep)
        begin = keep
        if policy.begin is not policy.keep:
            begin = _write_thresholds(policy.begin)
        (message,) = cls.trust(
            [
                {
                    "keep": keep,
                    "begin": begin,
                    "no_pv": policy.no_pv.tolist(),
                    "charge_kw": policy.charge_kw.tolist(),
                    "discharge_kw": policy.discharge_kw.tolist(),
                }
            ]
        )
        return message

    def policy(self, battery: Battery) -> BatteryPolicy:
        """Return the policy for its battery."""
        return BatteryPolicy(
            battery,
            keep=_read_thresholds(self.keep),
            begin=_read_thresholds(self.begin),
            no_pv=np.array(self.no_pv, dtype=bool),
            charge_kw=np.array(self.charge_kw),
            discharge_kw=np.array(self.discharge_kw),
        )


def _write_thresholds(thresholds: SocThresholds) -> ThresholdSeries:
    # Adding zero makes -0.0 a plain zero.
    levels = np.array(_read_levels(thresholds)) + 0.0
    row = dict(zip(SocThresholds.__slots__, levels.tolist(), strict=True))
    (series,) = ThresholdSeries.trust([row])
    return series


def _read_thresholds(series: ThresholdSeries) -> SocThresholds:
    return SocThresholds(*map(np.array, _read_levels(series)))


@dataclass(frozen=True, slots=True)
class PlanPolicy:
    """A plan's action at any state of charge: one policy a battery.

    ``curtailment`` and ``pv_limit_kw`` are how PV is held back, ``(slots,)``.

    Invariants: a battery's set-point depends on its own state of charge, the mode it was in, and
    the slot.
    """

    batteries: Sequence[BatteryPolicy]
    curtailment: IntArray
    pv_limit_kw: FloatArray

    def sell_as(self, other: "PlanPolicy") -> "PlanPolicy":
        """Return the policy with the sales of the other one.

        See ``BatteryPolicy.sell_as``.
        """
        pairs = zip(self.batteries, other.batteries, strict=True)
        return replace(self, batteries=[own.sell_as(theirs) for own, theirs in pairs])

    def bound(self, change: Callable[[SocThresholds, int], SocThresholds]) -> Self:
        """Return the policy with changed thresholds, rounded as messages carry them.

        ``change(thresholds, battery index)`` changes those of each battery.
        """
        batteries = []
        for index, part in enumerate(self.batteries):
            keep = change(part.keep, index).rounded()
            begin = keep
            if part.begin is not part.keep:
                begin = change(part.begin, index).rounded()
            batteries.append(replace(part, keep=keep, begin=begin))
        return replace(self, batteries=batteries)

    def decide(self, slot: int, soc: FloatArray, modes: IntArray) -> SetPoint:
        """Return what to follow in ``slot``.

        Args:
            slot: of the plan.
            soc: state of charge at the start of the slot, ``(batteries, sites)``.
            modes: in force until then, same shape.
        """
        return self.read(slice(slot, slot + 1), soc, modes)

    def read(self, slots: slice, soc: FloatArray, modes: IntArray) -> SetPoint:
        """Return set-points of several slots, or of one slot at several sites.

        The slot, or the site, is the last axis.
        """
        setpoints = []
        for policy, mode, level in zip(self.batteries, modes, soc, strict=True):
            setpoints.append(policy.read(slots, mode, level))
        width = soc.shape[-1]
        fields: dict[str, Any] = {
            "curtailment": broadcast(self.curtailment[slots], (width,)),
            "pv_limit_kw": broadcast(self.pv_limit_kw[slots], (width,)),
        }
        if len(setpoints) == 1:
            return replace(setpoints[0], **fields)
        battery_fields = [name for name in SetPoint.__slots__ if name not in fields]
        for name in battery_fields:
            if setpoints:
                fields[name] = np.concatenate([getattr(part, name) for part in setpoints])
            else:
                fields[name] = np.empty((0, width), dtype=np.int8 if name == "mode" else float)
        return SetPoint(**fields)


def keep_supported_modes(
    setpoint: SetPoint, supported: Sequence[frozenset[Mode] | None]
) -> SetPoint:
    """Return set-points in the modes each battery's inverter supports (None: all).

    An unsupported mode becomes self-consumption.
    """
    if all(modes is None for modes in supported):
        return setpoint
    rows = []
    for modes, row in zip(supported, setpoint.mode, strict=True):
        rows.append([modes is not None and Mode(int(mode)) not in modes for mode in row])
    unsupported = np.array(rows)
    if not unsupported.any():
        return setpoint
    return replace(
        setpoint,
        mode=np.where(unsupported, Mode.SELF_CONSUMPTION, setpoint.mode).astype(np.int8),
        power_kw=np.where(unsupported, np.inf, setpoint.power_kw),
        target_soc=np.where(unsupported, np.inf, setpoint.target_soc),
        floor_soc=np.where(unsupported, -np.inf, setpoint.floor_soc),
        ceiling_soc=np.where(unsupported, np.inf, setpoint.ceiling_soc),
        spill_soc=np.where(unsupported, np.inf, setpoint.spill_soc),
    )


def wants_plan(
    age: timedelta, planned_soc: FloatArray, soc: FloatArray, *, most_age: timedelta = REPLAN_AGE
) -> bool:
    """Return whether the plan is too old or a state of charge deviates from it.

    Unknown states (NaN) do not count.
    """
    if age >= most_age:
        return True
    deviates = np.abs(planned_soc - soc) > REPLAN_SOC + SAME_SOC
    return bool(deviates.any())
