"""Implausible readings of a battery's sensors. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from luna.energy.day_fault import DayFault
from luna.energy.devices.battery import Battery
from luna.energy.timeline import SLOT, FloatArray

SLOT_HOURS = SLOT.total_seconds() / 3600
# Power goes a little beyond the name plate; a state of charge in whole percent is off by one at
# either end.
POWER_TOLERANCE = 1.25
ROUNDING_SOC = 0.02
# While a tenth of the capacity went in or out, no sensor stands still: what a full battery takes to
# balance its cells is less.
STUCK_SHARE = 0.1
# Capacity and efficiency are name-plate values: a tenth of the capacity, and of what flowed, may be
# off without a fault.
DRIFT_SHARE = 0.1
# A level that leaves its path and is back within three hours was misread; what a battery's
# controller corrects stays as it is then.
EXCURSION_SLOTS = 12
# Whole per cents at both ends, and one for losses that are none of the name plate's.
EXCURSION_SOC = 0.03
# A state of charge may be told two slots early or late.
LATE_SLOTS = 2
# Half of the energy runs against the state of charge only where charge is called discharge; a
# kilowatt-hour is what whole per cents show of any battery.
REVERSED_SHARE = 0.5
REVERSED_KWH = 1.0


def find_battery_faults(
    series: Mapping[str, FloatArray], batteries: Sequence[Battery]
) -> Iterator[DayFault]:
    """Yield what is wrong with a day's ``soc``, ``charge_kwh`` and ``discharge_kwh``.

    Slots in which one is unknown say nothing.

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
    up = (
        sum(battery.charge_limit_kw for battery in batteries)
        * SLOT_HOURS
        * POWER_TOLERANCE
        / capacity
        + ROUNDING_SOC
    )
    # What leaves the terminals is less than what leaves the cells.
    down = (
        sum(battery.discharge_limit_kw / battery.discharge_efficiency for battery in batteries)
        * SLOT_HOURS
        * POWER_TOLERANCE
        / capacity
        + ROUNDING_SOC
    )
    # A state of charge may be told a slot early or late: what moved within an hour around a step is
    # what it can be of.
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(np.abs(gained), (2, 1), constant_values=np.nan), 4
    ).sum(axis=1)
    jumps = np.flatnonzero(
        (steps > up) | (steps < -down) | (np.abs(steps) > around / capacity + DRIFT_SHARE)
    )
    if jumps.size:
        yield DayFault.of(
            "soc_jump", known=jumps.size, jump=100 * float(np.abs(steps[jumps]).max())
        )
    else:
        yield from _find_excursions(soc, stored, capacity)
    still = (steps == 0) & np.isfinite(gained)
    # Within a run of equal values, what went in or out since it began.
    flowed = np.cumsum(np.where(still, gained, 0.0))
    begun = np.concatenate([[0.0], flowed[~still]])
    furthest = float(
        np.abs(np.where(still, flowed - begun[np.cumsum(~still)], 0.0)).max(initial=0.0)
    )
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


def measure_against(steps_kwh: FloatArray, stored: FloatArray) -> tuple[float, float]:
    """Return by how much more the state of charge falls while it charges and rises while it
    discharges than the other way, and what moved in those slots.

    Args:
        steps_kwh: what each slot's state of charge gains, kWh.
        stored: what each slot's charge and discharge add to what is stored, kWh.
    """
    finite = np.isfinite(steps_kwh) & np.isfinite(stored)
    return -float((steps_kwh * np.sign(stored))[finite].sum()), float(np.abs(stored[finite]).sum())


def is_reversed(against: float, moved: float) -> bool:
    """Return whether a battery's charge and discharge look exchanged: a right one's is below zero,
    and a state of charge that lags comes to about zero.
    """
    return moved > REVERSED_KWH and against > REVERSED_SHARE * moved


def stored_kwh(series: Mapping[str, FloatArray], batteries: Sequence[Battery]) -> FloatArray:
    """Return by how much each slot's energy at the terminals changes what is stored."""
    capacity = sum(battery.capacity_kwh for battery in batteries)
    charge = (
        sum(battery.charge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    )
    discharge = (
        sum(battery.discharge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    )
    return np.asarray(series["charge_kwh"] * charge - series["discharge_kwh"] / discharge)


def _find_excursions(soc: FloatArray, stored: FloatArray, capacity: float) -> Iterator[DayFault]:
    """Yield that the state of charge leaves the path that the energy gives it, and comes back to
    it.
    """
    finite = np.isfinite(soc) & np.isfinite(stored)
    width = 2 * EXCURSION_SLOTS + 1
    if finite.sum() < width:
        return
    level = soc[finite]
    energy = np.cumsum(stored[finite]) / capacity
    # What comes and goes within a window's half its median does not see.
    path = np.median(_windows(level - energy, EXCURSION_SLOTS), axis=1) + energy
    near = _windows(path, LATE_SLOTS)
    off = np.maximum(near.min(axis=1) - level, level - near.max(axis=1))
    moved = _windows(np.abs(stored[finite]), EXCURSION_SLOTS).sum(axis=1) / capacity
    # A coarse counter shows at once what went in or out over a while.
    step = np.abs(stored[finite]).min(initial=capacity, where=stored[finite] != 0) / capacity
    away = off > EXCURSION_SOC + DRIFT_SHARE * moved + (step if moved.any() else 0.0)
    if away.any():
        yield DayFault.of("soc_excursion", known=int(away.sum()), jump=100 * float(off.max()))


def _windows(values: FloatArray, half: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(
        np.pad(values, half, mode="reflect"), 2 * half + 1
    )
