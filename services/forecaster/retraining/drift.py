"""Whether a site lives otherwise than when its model was trained. Pure.

Three signs: the shape of the load, how far forecasts are off, and arrays that have grown. Levels alone are none: forecasts follow them within a week.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from luna.energy.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS

# Source: Siddiqi (2006), Credit Risk Scorecards, ch. 8: beyond 0.25 a population has shifted, up to 0.1 it has not; 0.2 is the usual middle.
LARGE_SHIFT = 0.2
BINS = 10
FEWEST = 1e-3  # share of an empty bin, so that its logarithm exists
# Fortnights of one household differ by habit and season: a shift counts where it is twice the largest between the fortnights before.
FORTNIGHT = 14
FORTNIGHTS_BEFORE = 6
EXCESS = 2.0
LEAST_MEASURED_SHARE = 0.5
# Source: Page (1954), Continuous inspection schemes, Biometrika 41. Both in standard deviations of the days before, tuned so that a year of measured PV and of
# independent noise gives no alarm, while a load of 2 kW that cycles is found within a week.
REFERENCE_VALUE = 1.0
DECISION_INTERVAL = 15.0
DAYS_BEFORE = 60
FEWEST_DAYS_BEFORE = 28
LEAST_DEVIATION = 0.1  # of the logarithm of a daily error: a tenth
NORMAL_MAD = 1.4826  # standard deviation of a normal distribution in median absolute deviations


@dataclass(frozen=True, slots=True)
class DriftSign:
    """A sign of drift: what speaks, how loud, and from where on it counts."""

    name: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f} above {self.limit:.2f}"


def list_signs(load_kwh: FloatArray, errors: Mapping[str, FloatArray]) -> list[DriftSign]:
    """Return the signs of drift, none where nothing has changed or too little is known.

    Args:
        load_kwh: quarter-hours up to now, NaN where unknown; seven fortnights are looked at.
        errors: by name, how far forecasts were off on each day up to now, NaN where unknown.
    """
    signs = [*_judge_shape(load_kwh)]
    for name, daily in errors.items():
        before, recent = daily[-DAYS_BEFORE - FORTNIGHT : -FORTNIGHT], daily[-FORTNIGHT:]
        if np.count_nonzero(before > 0) >= FEWEST_DAYS_BEFORE:
            signs.append(DriftSign(f"{name}_error", accumulate_errors(before, recent), DECISION_INTERVAL))
    return [sign for sign in signs if sign.value > sign.limit]


def measure_shift(reference: FloatArray, recent: FloatArray) -> float:
    """Return the population stability index of ``recent`` against ``reference``, each of shape ``(values,)`` and free of NaN, over tenths of the reference.

    Invariants: zero where both fall into the tenths alike, never negative.
    """
    edges = np.quantile(reference, np.arange(1, BINS) / BINS)
    before, after = (np.maximum(np.bincount(np.searchsorted(edges, values), minlength=BINS) / values.size, FEWEST) for values in (reference, recent))
    return float(((after - before) * np.log(after / before)).sum())


def accumulate_errors(before: FloatArray, recent: FloatArray) -> float:
    """Return the highest one-sided cumulative sum of the logarithms of ``recent`` daily errors, in deviations of those ``before``; NaN days are passed over."""
    usual = np.log(before[before > 0])
    middle = float(np.median(usual))
    deviation = max(NORMAL_MAD * float(np.median(np.abs(usual - middle))), LEAST_DEVIATION)
    highest = total = 0.0
    for error in np.log(recent[recent > 0]):
        total = max(0.0, total + (float(error) - middle) / deviation - REFERENCE_VALUE)
        highest = max(highest, total)
    return highest


def _judge_shape(load_kwh: FloatArray) -> Iterator[DriftSign]:
    length = FORTNIGHT * DAY_SLOTS
    if load_kwh.size < (FORTNIGHTS_BEFORE + 1) * length:
        return
    shapes = []
    for place in range(FORTNIGHTS_BEFORE + 1):
        fortnight = load_kwh[load_kwh.size - (place + 1) * length : load_kwh.size - place * length]
        measured = fortnight[~np.isnan(fortnight)]
        mean = float(measured.mean()) if measured.size else 0.0
        # In parts of the mean; none where nothing was used.
        shapes.append(measured / mean if mean > 0 else measured[:0])
    if any(shape.size < LEAST_MEASURED_SHARE * length for shape in shapes):
        return
    recent, before = shapes[0], shapes[1:]
    usual = max(measure_shift(np.concatenate(before[:place] + before[place + 1 :]), before[place]) for place in range(len(before)))
    yield DriftSign("load_shape", measure_shift(np.concatenate(before), recent), max(LARGE_SHIFT, EXCESS * usual))
