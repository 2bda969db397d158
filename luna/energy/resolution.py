"""Resampling of series between slot lengths.

Energies keep their sum, prices their mean, states their value at the end of a slot; NaN stays NaN.
"""

from collections.abc import Callable

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, hold_price, spread_energy


def _sum_energy(energy: FloatArray, factor: int) -> FloatArray:
    """Add every ``factor`` values: quarter-hours into hours.

    One NaN makes the sum NaN, for a partial sum would be too low.

    Args:
        energy: shape ``(slots,)``, a multiple of ``factor``.
    """
    return np.asarray(energy.reshape(-1, factor).sum(axis=1), dtype=np.float64)


def mean_price(price: FloatArray, factor: int) -> FloatArray:
    """Average every ``factor`` values: quarter-hours into hours."""
    return np.asarray(price.reshape(-1, factor).mean(axis=1), dtype=np.float64)


def _last_state(state: FloatArray, factor: int) -> FloatArray:
    """Take the last of every ``factor`` values: the state at the end of the longer slot."""
    return state[factor - 1 :: factor]


def _hold_last_state(state: FloatArray, factor: int) -> FloatArray:
    """Put each value at the end of ``factor`` shorter slots; the others are NaN."""
    ends = np.full(state.size * factor, np.nan)
    ends[factor - 1 :: factor] = state
    return ends


Convert = Callable[[FloatArray, int], FloatArray]
JOIN: dict[str, Convert] = {"energy": _sum_energy, "price": mean_price, "state": _last_state}
SPLIT: dict[str, Convert] = {
    "energy": spread_energy,
    "price": hold_price,
    "state": _hold_last_state,
}


def kind_of(series: str) -> str:
    """Return a series' kind: ``energy``, ``state`` or ``price``.

    The kind decides how a series of that name is resampled.
    """
    if series.endswith("_kwh") and not series.endswith("_per_kwh"):
        return "energy"
    return "state" if series == "soc" else "price"


def quarter_hours(timeline: Timeline) -> Timeline:
    """Return the quarter-hours that cover ``timeline``.

    Raises:
        InvalidInputError: slots of a quarter-hour or more that do not begin on one.
    """
    start = floor_to(timeline.start, SLOT)
    if start != timeline.start and timeline.step >= SLOT:
        raise InvalidInputError(
            "slots begin on the quarter-hour",
            field="start",
            value=timeline.start.isoformat(),
            remedy="Round it down.",
        )
    return Timeline(start, SLOT, -((start - timeline.end) // SLOT))


def from_quarter_hours(values: FloatArray, timeline: Timeline, kind: str) -> FloatArray:
    """Resample ``values`` on ``quarter_hours(timeline)`` to the slots of ``timeline``."""
    if timeline.step >= SLOT:
        factor = timeline.step // SLOT
        return values if factor == 1 else JOIN[kind](values, factor)
    first = (timeline.start - floor_to(timeline.start, SLOT)) // timeline.step
    return SPLIT[kind](values, SLOT // timeline.step)[first : first + timeline.count]
