"""A loop that copies features into state vectors. Compiled once, kept on the disk."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, IndexArray

# No feature is beyond this: a learner never meets a number that it cannot multiply.
MOST = 100.0


@njit(cache=True, nogil=True)
def gather(states: NDArray[np.float32], features: tuple[int, int], values: FloatArray | NDArray[np.float32], at: IndexArray, factor: FloatArray) -> None:
    """Write values into features that follow each other, for each state those that begin ``at`` a place, times a factor; bounded, but for what is no number.

    Args:
        states: where to write, shape ``(states, size)``.
        features: the first, and how many.
        values: shape ``(values,)``.
        at: shape ``(states,)``.
        factor: shape ``(states,)``.
    """
    first, count = features
    for state in range(at.size):
        # Rows instead of places, so that the loop over them takes several at a time.
        source, target, scale = values[at[state] : at[state] + count], states[state, first : first + count], factor[state]
        for step in range(count):
            value = source[step] * scale
            value = MOST if (value > MOST) & (value < np.inf) else value
            target[step] = -MOST if (value < -MOST) & (value > -np.inf) else value
