"""A plan's modes as they are shown: each says what its battery does in the flows that are planned.

A set-point says what holds whatever load and sun turn out to be: "sell down to 40 %" sells nothing where the house takes it all, and an empty battery does
the same in half of all modes. What is told stands in the reply's ``setpoints``; here it is shown only where the flows bear it out.
"""

import numpy as np

from luna.physics import IntArray, Mode
from luna.timeline import IndexArray
from services.planner.answer.evidence import Evidence
from services.planner.answer.slot_flows import NOTHING_KWH

_WORDS = {mode.value: mode.word for mode in Mode}


def show_modes(seen: Evidence, told: IndexArray, codes: list[str]) -> list[str]:
    """Return the mode of each slot; that of the battery ``told`` (``(slots,)``), whose reasons have these ``codes``."""
    if not seen.problem.site.batteries:
        return [Mode.HOLD.word] * seen.outlook.timeline.count
    as_told = np.array([code == "manual" or code.startswith("charge_waits") for code in codes], dtype=bool)
    mode = np.where(as_told, seen.plan.setpoints.mode, _describe(seen))[told, np.arange(told.size)]
    return [_WORDS[value] for value in mode.tolist()]


def _describe(seen: Evidence) -> IntArray:
    """Return the mode that each battery's flows come to; of those that come to the same, the one that is told."""
    told = seen.plan.setpoints.mode
    follows = np.full_like(told, Mode.SELF_CONSUMPTION)
    saves = _among(told, (Mode.SAVE, Mode.HOLD), Mode.SAVE)
    serves = _among(told, (Mode.SUPPLY, Mode.HOLD), Mode.SUPPLY)
    spares = seen.rests & seen.short & ~seen.empty & (seen.room_kwh > NOTHING_KWH) & (seen.discharge_power_kwh > NOTHING_KWH)
    stalled = seen.shares.sun_sold_kwh + seen.shares.held_kwh < seen.least_kw * seen.hours
    leaves = seen.rests & seen.left & ~seen.full & ~stalled & (seen.charge_power_kwh > NOTHING_KWH)
    resting = np.where(spares, saves, np.where(leaves, serves, follows))
    storing = np.where(seen.bought_kwh > NOTHING_KWH, Mode.CHARGE, _among(told, (Mode.SELF_CONSUMPTION,), Mode.SAVE))
    giving = np.where(seen.sold_kwh > NOTHING_KWH, Mode.EXPORT, _among(told, (Mode.SELF_CONSUMPTION,), Mode.SUPPLY))
    return np.where(seen.charges, storing, np.where(seen.gives, giving, resting)).astype(np.int8)


def _among(told: IntArray, these: tuple[Mode, ...], otherwise: Mode) -> IntArray:
    return np.where(np.isin(told, these), told, otherwise).astype(np.int8)
