"""How good a set of scenarios is as a forecast of what happened, over the whole horizon at once.

Smaller is better.
"""

import numpy as np

from luna.energy.timeline import FloatArray

LAGS = (1, 2, 4, 8, 16, 32, 96)  # quarter-hours apart, up to a day


def score_energy(paths: FloatArray, probability: FloatArray, actual: FloatArray) -> float:
    """Return the energy score, in the units of the values.

    Args:
        paths: shape ``(paths, values)``.
        actual: what happened, shape ``(values,)``.

    Source: Gneiting and Raftery (2007), strictly proper scoring rules, section 4.3.
    """
    apart = np.linalg.norm(paths[:, None] - paths[None], axis=-1)
    return float(
        probability @ np.linalg.norm(paths - actual, axis=1) - probability @ apart @ probability / 2
    )


def score_variogram(paths: FloatArray, probability: FloatArray, actual: FloatArray) -> float:
    """Return the variogram score of order one half, mean over pairs of slots a few distances apart:
    it sees correlation where the energy score hardly does.

    Source: Scheuerer and Hamill (2015).
    """
    misses = []
    for lag in LAGS:
        said = probability @ np.sqrt(np.abs(paths[:, lag:] - paths[:, :-lag]))
        misses.append(float(((np.sqrt(np.abs(actual[lag:] - actual[:-lag])) - said) ** 2).mean()))
    return float(np.mean(misses))
