"""Thresholds that keep to an action: what a battery does already goes on a little longer, anything else begins a little later."""

from dataclasses import dataclass, replace

import numpy as np

from luna.physics import SERVES, STORES, BoolArray, IntArray, Mode
from luna.timeline import FloatArray
from services.planner.plan import BatteryValue
from services.planner.posing.problem import Problem
from services.planner.value.energy_value import Thresholds, follow
from services.planner.value.modes import read_modes

# Too little to be worth a change of mode.
_LITTLE_KWH = 0.01
# By threshold and mode: is its action in progress?
_ACTIVE: dict[str, BoolArray] = {
    "buy_kwh": np.arange(len(Mode)) == Mode.CHARGE,
    "store_kwh": STORES,
    "spill_kwh": np.ones(len(Mode), dtype=bool),
    "serve_kwh": SERVES,
    "sell_kwh": np.arange(len(Mode)) == Mode.EXPORT,
    "displace_kwh": np.zeros(len(Mode), dtype=bool),
}
# By mode: the threshold that keeps storing, or serving, as it is.
_AS_STORING, _AS_SERVING = np.where(STORES, np.inf, -np.inf), np.where(SERVES, -np.inf, np.inf)


@dataclass(frozen=True, slots=True)
class Reading:
    """The thresholds of a battery, read twice: to go on with an action, and to begin it; ``dark`` are slots without any sun to store."""

    going_on: Thresholds
    beginning: Thresholds
    dark: BoolArray
    usable_kwh: float

    def at(self, slot: int, mode: Mode, above_kwh: float) -> Thresholds:
        """Return the thresholds of one slot after a slot in ``mode``: what the battery does already, it stops doing only for a gain.

        What cannot happen anyway stays as it is: storing in the dark or when full, serving when empty.
        """
        sides = {name: self.going_on if active[mode] else self.beginning for name, active in _ACTIVE.items()}
        now = Thresholds(**{name: getattr(side, name)[slot : slot + 1] for name, side in sides.items()})
        if self.dark[slot] or above_kwh >= self.usable_kwh - _LITTLE_KWH:
            now = replace(now, store_kwh=_AS_STORING[mode : mode + 1])
        if above_kwh <= _LITTLE_KWH:
            now = replace(now, serve_kwh=_AS_SERVING[mode : mode + 1])
        return now

    def after(self, mode: IntArray, above_kwh: FloatArray) -> Thresholds:
        """Return the same for all slots at once, each after a slot in its ``mode``: one by one they take ten times as long."""
        sides = {name: np.where(active[mode], getattr(self.going_on, name), getattr(self.beginning, name)) for name, active in _ACTIVE.items()}
        idle, empty = self.dark | (above_kwh >= self.usable_kwh - _LITTLE_KWH), above_kwh <= _LITTLE_KWH
        sides["store_kwh"] = np.where(idle, _AS_STORING[mode], sides["store_kwh"])
        sides["serve_kwh"] = np.where(empty, _AS_SERVING[mode], sides["serve_kwh"])
        return Thresholds(**sides)


def read_value(value: BatteryValue, *, dark: BoolArray, stickiness: FloatArray | float, toward_house: FloatArray | float = 0.0) -> Reading:
    """Return a battery's thresholds with a margin against switching, and one toward storing surplus and serving the load; per stored kWh."""
    levels, function = value.segments.levels, value.function
    stick = np.asarray(stickiness)
    easier = replace(levels, buy=levels.buy - stick, store=levels.store - stick, serve=levels.serve + stick, sell=levels.sell + stick)
    harder = replace(levels, buy=levels.buy + stick, store=levels.store + stick, serve=levels.serve - stick, sell=levels.sell - stick)
    going_on, beginning = (function.thresholds(each, toward_house=toward_house) for each in (easier, harder))
    return Reading(going_on, beginning, dark, function.capacity_kwh)


def keep_modes(problem: Problem, value: BatteryValue) -> Thresholds:
    """Return the thresholds of a plan whose only battery keeps its mode unless another gains the problem's switching price, slot after slot.

    The first slot follows on the mode in progress; without one it is free. All slots are read side by side until none changes what the next one
    follows on: every round settles at least one slot more, so this is what reading them one by one comes to.
    """
    battery, length, usable = problem.site.batteries[0], problem.outlook.timeline.count, value.function.capacity_kwh
    reading = read_value(value, dark=problem.outlook.pv_kwh <= 0, stickiness=problem.switching_price)
    first, begin = problem.modes[0] if problem.modes else None, float(problem.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0])
    free, curtailment = np.arange(length) == (0 if first is None else -1), np.zeros(length, dtype=np.int8)
    chosen = value.thresholds
    starts: FloatArray = np.empty(0)
    before: IntArray = np.empty(0, dtype=np.int8)
    while True:
        path = follow(chosen, value.segments, begin, usable)
        previous, was = starts, before
        starts = np.concatenate([[begin], path[:-1]])
        mode = read_modes(chosen, starts, battery, curtailment=curtailment).mode[0]
        before = np.concatenate([np.array([Mode.HOLD if first is None else first], dtype=np.int8), mode[:-1]])
        if np.array_equal(previous, starts) and np.array_equal(was, before):
            return chosen
        now = reading.after(before, starts)
        chosen = Thresholds(**{name: np.where(free, getattr(value.thresholds, name), getattr(now, name)) for name in Thresholds.__slots__})
        # A full battery counts as storing; one that sells does not.
        sells = read_modes(chosen, starts, battery, curtailment=curtailment).mode[0] == Mode.EXPORT
        chosen = replace(chosen, store_kwh=np.where(sells, -np.inf, chosen.store_kwh))
