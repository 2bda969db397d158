"""States of charge per slot, from the readings of one level sensor."""

import numpy as np
from numpy.typing import NDArray

from luna.energy.part import SOC_ROUNDING
from luna.energy.row_fault import RowFault
from luna.energy.timeline import InstantArray
from services.ingest.metering.power import find_outliers
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.slot_energy import SlotValues
from services.ingest.metering.spans import (
    LONGEST_GAP_HOURS,
    LONGEST_STEP_HOURS,
    find_paced,
    hours_between,
)

# No home battery gains or loses a tenth of its capacity within the seconds of the outlier window.
LONE_JUMP = 0.1
# One step of the coarsest displays: a battery with the same level after a silence has rested.
STEADY = 0.02

OUT_OF_BOUNDS = RowFault("no_soc")
FAR_FROM_NEIGHBOURS = RowFault("far")


def read_level(
    level: Readings, ends: InstantArray, awake: NDArray[np.bool_], refusals: Refusals
) -> SlotValues:
    """Return the state of charge at each of ``ends``, the slots' ends.

    It is the last reading if that is no older than the longest gap, or if the next reading is the
    same. Where a reading is missing between two different ones it is interpolated. Interpolated
    values and those of a rest through a silence are estimated.

    Args:
        awake: slots near a reading of any of the site's sensors.

    Invariants: a state of charge lies between 0 and 1.
    """
    level = _plausible_levels(level, refusals)
    if not len(level):
        return SlotValues.unknown(ends.size)
    place = np.searchsorted(level.instants, ends, side="right") - 1
    last = np.maximum(place, 0)
    following = np.minimum(place + 1, len(level) - 1)
    age = hours_between(level.instants[last], ends)
    until = hours_between(level.instants[last], level.instants[following])
    fresh = (place >= 0) & (age <= LONGEST_GAP_HOURS)
    same = np.abs(level.values[following] - level.values[last]) <= STEADY
    is_between = (place >= 0) & (place + 1 < len(level))
    rested = ~fresh & awake & same & is_between
    # A reading is missing where the next one differs by more than a step and comes later than a
    # slot or the source's pace.
    distances = hours_between(level.instants[:-1], level.instants[1:])
    paced = np.append(find_paced(distances), [False])[last]
    is_long = (until > LONGEST_STEP_HOURS) & (until <= LONGEST_GAP_HOURS)
    interpolated = fresh & ~same & ~paced & (age > 0) & is_long
    share = np.divide(age, until, out=np.zeros(ends.size), where=interpolated)
    soc = level.values[last] + share * (level.values[following] - level.values[last])
    values = np.where(fresh | rested, np.clip(soc, 0.0, 1.0), np.nan)
    return SlotValues(values, rested | interpolated, np.zeros(ends.size, dtype=np.bool_))


def _plausible_levels(level: Readings, refusals: Refusals) -> Readings:
    level = level.without(np.isnan(level.values))
    impossible = (level.values < -SOC_ROUNDING) | (level.values > 1 + SOC_ROUNDING)
    level = level.without(refusals.refuse(level, impossible, OUT_OF_BOUNDS))
    outlying = find_outliers(level.instants, level.values, LONE_JUMP)
    return level.without(refusals.refuse(level, outlying, FAR_FROM_NEIGHBOURS))
