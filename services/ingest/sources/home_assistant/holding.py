"""A recorder writes changes only: what a sensor said holds until it says something else.

Between two values far apart the earlier one is said again at every quarter-hour, so that a still meter is not taken for a silent one. After "unknown" or
"unavailable" nothing holds. The times lie on a grid of the clock's, so that reading again gives the same.
"""

import numpy as np

from luna.timeline import FloatArray, InstantArray

STEP = np.timedelta64(15, "m")
# A meter that counts tenths of a kilowatt-hour rose evenly between two close values rather than at the last moment.
LONGEST_RISE = np.timedelta64(60, "m")
Duration = np.timedelta64


def longest_rise(unit: str | None) -> Duration:
    """Return how far apart two values of a sensor stand as they are, with nothing said again between: a counter's an hour, others a quarter."""
    return LONGEST_RISE if (unit or "").casefold().endswith("wh") else STEP


def hold_values(instants: InstantArray, values: FloatArray, end: np.datetime64, *, longest: Duration) -> tuple[InstantArray, FloatArray]:
    """Return the values with those that hold for more than ``longest`` said again at each quarter-hour, before the next value and before ``end``.

    Args:
        instants: ascending, ``datetime64[us]``, UTC.
        values: one per instant; NaN holds for nothing.
        end: until when the last value holds.

    Invariants: every value handed in is in the answer; a value said again equals the one before it.
    """
    until = np.append(instants[1:], end)
    still = np.flatnonzero((until - instants > longest) & ~np.isnan(values))
    grids = [_quarters(instants[place], until[place]) for place in still]
    again = np.concatenate([instants, *grids])
    repeated = np.concatenate([values, np.repeat(values[still], [grid.size for grid in grids])])
    order = np.argsort(again, kind="stable")
    return again[order], repeated[order]


def _quarters(after: np.datetime64, before: np.datetime64) -> InstantArray:
    """Return the quarter-hours strictly between two instants."""
    day = after.astype("datetime64[D]")
    first = day + ((after - day) // STEP + 1) * STEP
    return np.arange(first, before, STEP).astype("datetime64[us]")
