"""Implausible readings of a battery's sensors. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from luna.energy.day_fault import DayFault
from luna.energy.devices.battery import Battery
from luna.energy.timeline import SLOT_HOURS, FloatArray

# Power goes a little beyond the name plate; a state of charge in whole percent is off by one at
# either end.
POWER_TOLERANCE = 1.25
ROUNDING_SOC = 0.02
# No sensor stands still while a tenth of the capacity flows. A full battery balances its cells with
# less.
STUCK_SHARE = 0.1
# Capacity and efficiency are name-plate values: a tenth of the capacity, and of what flowed, may be
# off without a fault.
DRIFT_SHARE = 0.1
# A level that leaves its path and is back within three hours was misread. A correction by the
# battery's controller stays.
EXCURSION_SLOTS = 12
# One per cent of rounding at each end, and one for losses beyond the name plate's.
EXCURSION_SOC = 0.03
# A state of charge may be reported two slots early or late.
LATE_SLOTS = 2
# Half of the energy runs against the state of charge only if charge and discharge are exchanged. A
# kilowatt-hour is visible in the whole per cents of any battery.
REVERSED_SHARE = 0.5
REVERSED_KWH = 1.0


def find_battery_faults(
    series: Mapping[str, FloatArray], batteries: Sequence[Battery]
) -> Iterator[DayFault]:
    """Yield the faults of a day's ``soc``, ``charge_kwh`` and ``discharge_kwh``.

    Slots in which one is unknown are ignored.

    Args:
        series: shape ``(slots,)`` each; SoC at the end of the slot.
        batteries: of the site, seen as one whose capacities and powers add up.
    """
    if not batteries:
        return
    capacity = sum(battery.capacity_kwh for battery in batteries)
    soc = series["soc"]
    stored = stored_kwh(series, batteries)
    steps = np.diff(soc)
    gained = stored[1:]
    charge_kw = sum(battery.charge_limit_kw for battery in batteries)
    # Less energy leaves the terminals than the cells.
    discharge_kw = sum(
        battery.discharge_limit_kw / battery.discharge_efficiency for battery in batteries
    )
    most_up = charge_kw * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    most_down = discharge_kw * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    # A state of charge may be reported a slot early or late, so the energy within an hour around a
    # step may explain it.
    padded = np.pad(np.abs(gained), (2, 1), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 4).sum(axis=1)
    is_unexplained = np.abs(steps) > around / capacity + DRIFT_SHARE
    jumps = np.flatnonzero((steps > most_up) | (steps < -most_down) | is_unexplained)
    if jumps.size:
        highest = float(np.abs(steps[jumps]).max())
        yield DayFault.of("soc_jump", known=jumps.size, jump=100 * highest)
    else:
        yield from _find_excursions(soc, stored, capacity)
    furthest = _most_while_still(steps, gained)
    if furthest > STUCK_SHARE * capacity:
        yield DayFault.of("soc_stuck", flow=furthest)
    against, moved = measure_against(steps * capacity, gained)
    finite = np.isfinite(steps) & np.isfinite(gained)
    soc_kwh = float(steps[finite].sum()) * capacity
    metered = float(gained[finite].sum())
    flow = float((series["charge_kwh"] + series["discharge_kwh"])[1:][finite].sum())
    if is_reversed(against, moved):
        yield DayFault.of("soc_reversed", against=against, moved=moved)
    elif abs(soc_kwh - metered) > DRIFT_SHARE * (capacity + flow):
        yield DayFault.of("soc_drift", told=soc_kwh, metered=metered)


def _most_while_still(steps: FloatArray, gained: FloatArray) -> float:
    """Return the most energy that went in or out during a constant state of charge, kWh."""
    still = (steps == 0) & np.isfinite(gained)
    flowed = np.cumsum(np.where(still, gained, 0.0))
    # The sum at the beginning of each run of equal values.
    begun = np.concatenate([[0.0], flowed[~still]])
    since_begin = flowed - begun[np.cumsum(~still)]
    return float(np.abs(np.where(still, since_begin, 0.0)).max(initial=0.0))


def measure_against(steps_kwh: FloatArray, stored: FloatArray) -> tuple[float, float]:
    """Return the energy that runs against the state of charge, and all energy in those slots.

    The first is how much more the state falls while charging, and rises while discharging, than the
    other way.

    Args:
        steps_kwh: each slot's gain of the state of charge, kWh.
        stored: each slot's gain by charge and discharge, kWh.
    """
    finite = np.isfinite(steps_kwh) & np.isfinite(stored)
    against = -float((steps_kwh * np.sign(stored))[finite].sum())
    return against, float(np.abs(stored[finite]).sum())


def is_reversed(against: float, moved: float) -> bool:
    """Return whether a battery's charge and discharge look exchanged.

    A correct one's ``against`` is below zero, that of a lagging state of charge about zero.
    """
    return moved > REVERSED_KWH and against > REVERSED_SHARE * moved


def stored_kwh(series: Mapping[str, FloatArray], batteries: Sequence[Battery]) -> FloatArray:
    """Return each slot's change of the stored energy by the energy at the terminals."""
    capacity = sum(battery.capacity_kwh for battery in batteries)
    charged = sum(battery.charge_efficiency * battery.capacity_kwh for battery in batteries)
    discharged = sum(battery.discharge_efficiency * battery.capacity_kwh for battery in batteries)
    charge_efficiency = charged / capacity
    discharge_efficiency = discharged / capacity
    return np.asarray(
        series["charge_kwh"] * charge_efficiency - series["discharge_kwh"] / discharge_efficiency
    )


def _find_excursions(soc: FloatArray, stored: FloatArray, capacity: float) -> Iterator[DayFault]:
    """Yield that the state of charge leaves the path of the metered energy and returns."""
    finite = np.isfinite(soc) & np.isfinite(stored)
    width = 2 * EXCURSION_SLOTS + 1
    if finite.sum() < width:
        return
    level = soc[finite]
    energy = np.cumsum(stored[finite]) / capacity
    # The median ignores an excursion of less than half the window.
    path = np.median(_windows(level - energy, EXCURSION_SLOTS), axis=1) + energy
    near = _windows(path, LATE_SLOTS)
    off = np.maximum(near.min(axis=1) - level, level - near.max(axis=1))
    moved = _windows(np.abs(stored[finite]), EXCURSION_SLOTS).sum(axis=1) / capacity
    # A coarse counter reports the energy of a while at once.
    step = np.abs(stored[finite]).min(initial=capacity, where=stored[finite] != 0) / capacity
    away = off > EXCURSION_SOC + DRIFT_SHARE * moved + (step if moved.any() else 0.0)
    if away.any():
        yield DayFault.of("soc_excursion", known=int(away.sum()), jump=100 * float(off.max()))


def _windows(values: FloatArray, half: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(
        np.pad(values, half, mode="reflect"), 2 * half + 1
    )
