"""Numba kernel that copies features into state vectors; compiled once and cached on disk."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, IndexArray

# Features are clipped to this, so that a learner's products stay finite.
MOST = 100.0


@njit(cache=True, nogil=True)
def gather(
    states: NDArray[np.float32],
    features: tuple[int, int],
    values: FloatArray | NDArray[np.float32],
    at: IndexArray,
    factor: FloatArray,
) -> None:
    """Write consecutive features of each state.

    They are ``values[at:]`` times ``factor``, clipped to ±``MOST``; NaN and infinity stay.

    Args:
        states: output, shape ``(states, size)``.
        features: index of the first feature, and their number.
        values: shape ``(values,)``.
        at: each state's first index into ``values``, shape ``(states,)``.
        factor: shape ``(states,)``.
    """
    first, count = features
    for state in range(at.size):
        # On row views the compiler vectorises the inner loop.
        source = values[at[state] : at[state] + count]
        target = states[state, first : first + count]
        scale = factor[state]
        for step in range(count):
            value = source[step] * scale
            value = MOST if (value > MOST) & (value < np.inf) else value
            target[step] = -MOST if (value < -MOST) & (value > -np.inf) else value
