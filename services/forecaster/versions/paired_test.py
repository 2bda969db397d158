"""Whether one forecaster is better than another by more than chance: a paired test over days. Pure."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from luna.timeline import FloatArray

# A forecast of 48 hours that is issued on a day is judged by what happens up to two days later: losses that far apart share what they missed.
OVERLAP_DAYS = 2


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The outcome: ``mean`` gain per day, and how likely at least so much would be seen where there is none."""

    days: int
    mean: float
    p_value: float


def assess_gain(gain: FloatArray, *, overlap: int = OVERLAP_DAYS) -> PairedTest:
    """Test whether ``gain``, one value per day in order, has a mean above zero.

    Diebold and Mariano's statistic with Newey and West's variance over ``overlap`` days, corrected for few days and compared with Student's t as Harvey,
    Leybourne and Newbold propose. One-sided; a gain that never varies is certain.

    Source: Diebold, Mariano 1995, doi:10.1080/07350015.1995.10524599; Newey, West 1987, doi:10.2307/1913610;
    Harvey, Leybourne, Newbold 1997, doi:10.1016/S0169-2070(96)00719-4.

    Invariants: the p-values of a gain and of its negative add up to one.
    """
    days, mean = gain.size, float(gain.mean())
    variance = _long_run_variance(gain - mean, overlap) / days
    if variance <= 0:
        return PairedTest(days, mean, 0.5 if mean == 0 else float(mean < 0))
    ahead = overlap + 1
    shrunk = (days + 1 - 2 * ahead + ahead * (ahead - 1) / days) / days
    statistic = mean / np.sqrt(variance) * np.sqrt(shrunk)
    return PairedTest(days, mean, float(stdtr(days - 1, -statistic)))


def _long_run_variance(centred: FloatArray, overlap: int) -> float:
    """Return the variance with the covariances of days up to ``overlap`` apart, weighted so that it cannot be negative."""
    covariances = [float(centred[lag:] @ centred[: centred.size - lag]) / centred.size for lag in range(min(overlap, centred.size - 1) + 1)]
    weights = [1.0, *(2 * (1 - lag / (overlap + 1)) for lag in range(1, len(covariances)))]
    return float(np.dot(weights, covariances))
