"""Few paths in the place of many."""

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray


def select_paths(paths: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Return which ``count`` of equally probable ``paths`` stand for all of them, and how probable each of those is.

    Paths are taken one by one, each the one that brings all of them nearest to one that is taken; a path's probability is half an equal share and half
    the share of paths nearest to it: few paths say little about how often such a course comes (docs/decisions/0018).

    Args:
        paths: shape ``(paths, values)``, in units that may be compared.

    Invariants: the probabilities are positive and sum to one.

    Source: Heitsch and Römisch (2003), fast forward selection.
    """
    squares = (paths**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * paths @ paths.T, 0))
    nearest = np.full(paths.shape[0], np.inf)
    chosen: list[int] = []
    for _ in range(count):
        left = np.minimum(distance, nearest[:, None]).sum(axis=0)
        left[chosen] = np.inf
        chosen.append(int(left.argmin()))
        nearest = np.minimum(nearest, distance[:, chosen[-1]])
    kept = np.array(chosen)
    belongs = distance[:, kept].argmin(axis=1)
    shares = np.bincount(belongs, minlength=count) / belongs.size
    return kept, (shares + 1 / count) / 2
