"""Replace unknown values of an array by substitutes."""

import numpy as np

from luna.energy.timeline import FloatArray


def fill_gaps(values: FloatArray, *substitutes: FloatArray | float) -> FloatArray:
    """Return ``values`` with each NaN replaced by the first substitute that has a value."""
    filled = values
    for substitute in substitutes:
        filled = np.where(np.isnan(filled), substitute, filled)
    return filled
