"""Thresholds that keep to an action: what a battery does already goes on a little longer, anything else begins a little later."""

from dataclasses import dataclass, replace

import numpy as np

from luna.physics import SERVES, STORES, BoolArray, Mode
from luna.timeline import FloatArray
from services.planner.energy_value import Thresholds, follow
from services.planner.modes import read_modes
from services.planner.plan import BatteryValue
from services.planner.problem import Problem

# Too little to be worth a change of mode.
_LITTLE_KWH = 0.01


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
        active = {
            "buy_kwh": mode == Mode.CHARGE,
            "store_kwh": STORES[mode],
            "spill_kwh": True,
            "serve_kwh": SERVES[mode],
            "sell_kwh": mode == Mode.EXPORT,
            "displace_kwh": False,
        }
        sides = {name: self.going_on if going_on else self.beginning for name, going_on in active.items()}
        now = Thresholds(**{name: getattr(side, name)[slot : slot + 1] for name, side in sides.items()})
        if self.dark[slot] or above_kwh >= self.usable_kwh - _LITTLE_KWH:
            now = replace(now, store_kwh=np.full(1, np.inf if STORES[mode] else -np.inf))
        if above_kwh <= _LITTLE_KWH:
            now = replace(now, serve_kwh=np.full(1, -np.inf if SERVES[mode] else np.inf))
        return now


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

    The first slot follows on the mode in progress; without one it is free.
    """
    battery, segments = problem.site.batteries[0], value.segments
    reading = read_value(value, dark=problem.outlook.pv_kwh <= 0, stickiness=problem.switching_price)
    stored = float(problem.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0])
    mode, chosen = problem.modes[0] if problem.modes else None, []
    for slot in range(problem.outlook.timeline.count):
        now = _pick(value.thresholds, slot) if mode is None else reading.at(slot, mode, stored)
        setpoint = read_modes(now, np.array([stored]), battery, curtailment=np.zeros(1, dtype=np.int8))
        mode = Mode(int(setpoint.mode[0, 0]))
        # A full battery counts as storing; one that sells does not.
        now = replace(now, store_kwh=np.full(1, -np.inf)) if mode == Mode.EXPORT else now
        stored = float(follow(now, segments.pick(slice(slot, slot + 1)), stored, value.function.capacity_kwh)[0])
        chosen.append(now)
    return Thresholds(**{name: np.concatenate([getattr(each, name) for each in chosen]) for name in Thresholds.__slots__})


def _pick(thresholds: Thresholds, slot: int) -> Thresholds:
    return Thresholds(**{name: getattr(thresholds, name)[slot : slot + 1] for name in Thresholds.__slots__})
