"""What a battery's own sensors cannot have meant: a state of charge that stands still, jumps, or does not follow the energy. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from luna.site import Battery
from luna.timeline import SLOT, FloatArray

SLOT_HOURS = SLOT.total_seconds() / 3600
# Power goes a little beyond the name plate; a state of charge in whole percent is off by one at either end.
POWER_TOLERANCE, ROUNDING_SOC = 1.25, 0.02
# While a tenth of the capacity went in or out, no sensor stands still: what a full battery takes to balance its cells is less.
STUCK_SHARE = 0.1
# Capacity and efficiency are name-plate values: a tenth of the capacity, and of what flowed, may be off without a fault.
DRIFT_SHARE = 0.1


def find_battery_faults(series: Mapping[str, FloatArray], batteries: Sequence[Battery]) -> Iterator[str]:
    """Yield what is wrong with a day's ``soc``, ``charge_kwh`` and ``discharge_kwh``; slots in which one is unknown say nothing.

    Args:
        series: shape ``(slots,)`` each; SoC at the end of the slot.
        batteries: of the site, seen as one whose capacities and powers add up.
    """
    if not batteries:
        return
    capacity = sum(battery.capacity_kwh for battery in batteries)
    soc, stored = series["soc"], _stored_kwh(series, batteries, capacity)
    steps = np.diff(soc)
    yield from _find_jumps(steps, batteries, capacity)
    yield from _find_stuck(steps, stored[1:], capacity)
    yield from _find_drift(steps, stored[1:], series, capacity)


def _stored_kwh(series: Mapping[str, FloatArray], batteries: Sequence[Battery], capacity: float) -> FloatArray:
    """Return by how much each slot's energy at the terminals changes what is stored."""
    charge = sum(battery.charge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    discharge = sum(battery.discharge_efficiency * battery.capacity_kwh for battery in batteries) / capacity
    return np.asarray(series["charge_kwh"] * charge - series["discharge_kwh"] / discharge)


def _find_jumps(steps: FloatArray, batteries: Sequence[Battery], capacity: float) -> Iterator[str]:
    up = sum(battery.charge_limit_kw for battery in batteries) * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    # What leaves the terminals is less than what leaves the cells.
    down = sum(battery.discharge_limit_kw / battery.discharge_efficiency for battery in batteries) * SLOT_HOURS * POWER_TOLERANCE / capacity + ROUNDING_SOC
    jumps = np.flatnonzero((steps > up) | (steps < -down))
    if jumps.size:
        yield f"soc_jump: the state of charge moves faster than the battery can in {jumps.size} slots, by {np.abs(steps[jumps]).max():.0%} at most"


def _find_stuck(steps: FloatArray, stored: FloatArray, capacity: float) -> Iterator[str]:
    still = (steps == 0) & np.isfinite(stored)
    run = np.cumsum(~still)
    # Within a run of equal values, what went in or out since it began.
    moved = np.cumsum(np.where(still, stored, 0.0))
    begun = np.concatenate([[0.0], moved[~still]])
    furthest = float(np.abs(np.where(still, moved - begun[run], 0.0)).max(initial=0.0))
    if furthest > STUCK_SHARE * capacity:
        yield f"soc_stuck: the state of charge stands still while {furthest:.1f} kWh went in or out"


def _find_drift(steps: FloatArray, stored: FloatArray, series: Mapping[str, FloatArray], capacity: float) -> Iterator[str]:
    known = np.isfinite(steps) & np.isfinite(stored)
    told, metered = float(steps[known].sum()) * capacity, float(stored[known].sum())
    flow = float((series["charge_kwh"] + series["discharge_kwh"])[1:][known].sum())
    if abs(told - metered) > DRIFT_SHARE * (capacity + flow):
        yield f"soc_drift: the state of charge moved by {told:+.1f} kWh, the energy says {metered:+.1f} kWh"
