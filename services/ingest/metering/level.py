"""States of charge at the ends of quarter-hours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray, InstantArray
from services.ingest.metering.outlier import find_outliers
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.spans import LONGEST_GAP_HOURS, hours_between

# Battery systems that recalibrate show 101 % or −1 % for a while.
ROUNDING = 0.02
# No battery of a home gains or loses a tenth of its charge within the seconds of a window of readings.
LONE_JUMP = 0.1
# One step of the coarsest displays: a battery that says nothing and then the same again has rested.
STEADY = 0.02

OUT_OF_BOUNDS = "no state of charge: a fraction between 0 and 1, or per cent with the unit %"
FAR_FROM_NEIGHBOURS = "far from the readings beside it"


@dataclass(frozen=True, slots=True)
class SlotLevel:
    """A state of charge at the end of each slot, NaN where unknown; ``estimated`` where it was taken to have rested through a long silence."""

    soc: FloatArray
    estimated: NDArray[np.bool_]


def read_level(level: Readings, ends: InstantArray, awake: NDArray[np.bool_], refusals: Refusals) -> SlotLevel:
    """Return the last state of charge at or before each of ``ends``, if it is not older than the longest gap, or the next one is the same.

    Args:
        awake: which slots lie near a reading of any of the site's sensors.

    Invariants: a state of charge lies between 0 and 1.
    """
    level = level.without(np.isnan(level.values))
    level = level.without(refusals.refuse(level, (level.values < -ROUNDING) | (level.values > 1 + ROUNDING), OUT_OF_BOUNDS))
    level = level.without(refusals.refuse(level, find_outliers(level.instants, level.values, LONE_JUMP), FAR_FROM_NEIGHBOURS))
    if not len(level):
        return SlotLevel(np.full(ends.size, np.nan), np.zeros(ends.size, dtype=np.bool_))
    place = np.searchsorted(level.instants, ends, side="right") - 1
    last, following = np.maximum(place, 0), np.minimum(place + 1, len(level) - 1)
    fresh = (place >= 0) & (hours_between(level.instants[last], ends) <= LONGEST_GAP_HOURS)
    same = np.abs(level.values[following] - level.values[last]) <= STEADY
    rested = ~fresh & awake & same & (place >= 0) & (place + 1 < len(level))
    return SlotLevel(np.where(fresh | rested, np.clip(level.values[last], 0.0, 1.0), np.nan), rested)
