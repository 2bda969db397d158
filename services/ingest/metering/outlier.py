"""Readings far from their neighbours."""

import numpy as np

from luna.timeline import FloatArray, IndexArray, InstantArray
from services.ingest.metering.rejection import Mask
from services.ingest.metering.spans import hours_between

# Source: Pearson, Neuvo, Astola and Gabbouj, Generalized Hampel Filters, EURASIP Journal on Advances in Signal Processing 2016:87: half-widths of 2 to 5 and
# a threshold of 3 are the usual ones. The narrowest window takes two neighbours at most: what lasts for three readings is believed.
HALF_WIDTH = 2
THRESHOLD = 3.0
# Median absolute deviation to standard deviation of a normal distribution. Source: Rousseeuw and Croux, JASA 88 (1993), 1273.
NORMAL_SCALE = 1.4826
# Between readings further apart than this a power or a level may truly rise and fall again.
DENSE_HOURS = 1 / 60


def find_outliers(instants: InstantArray, values: FloatArray, least: float) -> Mask:
    """Return which values depart from the median of their window by three deviations, and by ``least``, where readings are dense.

    Args:
        values: free of NaN, at least none that matters: a window that has one judges nothing.
        least: a departure that is always believed.
    """
    outlying = np.zeros(values.size, dtype=np.bool_)
    places = _suspects(values, least)
    if not places.size:
        return outlying
    windows = values[places[:, None] + np.arange(-HALF_WIDTH, HALF_WIDTH + 1)]
    centre = np.median(windows, axis=1)
    deviation = NORMAL_SCALE * np.median(np.abs(windows - centre[:, None]), axis=1)
    departs = np.abs(values[places] - centre) > np.maximum(THRESHOLD * deviation, least)
    outlying[places] = departs & (hours_between(instants[places - HALF_WIDTH], instants[places + HALF_WIDTH]) <= 2 * HALF_WIDTH * DENSE_HOURS)
    return outlying


def _suspects(values: FloatArray, least: float) -> IndexArray:
    """Return the places that differ from a neighbour in their window by more than ``least``: only those can depart from its median by as much."""
    if values.size <= 2 * HALF_WIDTH:
        return np.array([], dtype=np.int64)
    inner = values[HALF_WIDTH : values.size - HALF_WIDTH]
    differs = np.zeros(inner.size, dtype=np.bool_)
    for shift in (*range(HALF_WIDTH), *range(HALF_WIDTH + 1, 2 * HALF_WIDTH + 1)):
        differs |= np.abs(values[shift : shift + inner.size] - inner) > least
    return np.flatnonzero(differs).astype(np.int64) + HALF_WIDTH
