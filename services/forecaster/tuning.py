"""How a model has done of late, and what to make of it: the band follows its own recent errors, the mean its own recent bias.

A model trained in August meets October; its errors of the last weeks say what no training window could. Tuned once per UTC day, from slots before that day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray
from services.forecaster.frame import DAY_SLOTS, Frame, IntArray, Pairs
from services.forecaster.series import Series
from services.forecaster.series_model import TAIL, Heads, SeriesModel

TUNING_DAYS = 28
BIAS_DAYS = 14
BIAS_SHARE = 0.5  # half of the recent bias is taken back: it fades while the horizon passes
ORIGIN_STEP = 24
LEADS = np.array([1, 9, 20, 40, 70, 100, 140, 180])
NEEDED_ROWS = 100
LEAST, MOST = 0.5, 2.5


@dataclass(frozen=True, slots=True)
class Tuning:
    """Factors for the lower and upper half-band and the mean; by tuned day or by row."""

    low: FloatArray
    high: FloatArray
    mean: FloatArray

    def apply(self, heads: Heads) -> Heads:
        """Return the heads, tuned row by row."""
        return Heads(heads.expected * self.mean, heads.p50, heads.low * self.low, heads.high * self.high)

    def spread(self, rows: NDArray[np.int64]) -> "Tuning":
        """Return the factors of the days that ``rows`` index."""
        return Tuning(self.low[rows], self.high[rows], self.mean[rows])


def tune_rows(frame: Frame, pairs: Pairs, model: SeriesModel, series: Series) -> Tuning:
    """Return the factors for every row of ``pairs``, learned from what was measured before the UTC day of the row's origin."""
    days, rows = np.unique((frame.first + pairs.origin) // DAY_SLOTS, return_inverse=True)
    recent = pair_recent(frame, days)
    seen = series.view(frame, recent)
    actual = series.measured(frame)[recent.target]
    kept = ~np.isnan(actual) & (seen.limit_kwh > 0)
    heads = model.predict(seen, recent.lead)
    day_begins = days * DAY_SLOTS - frame.first
    factors = [_tune_day(heads, actual, kept & (recent.target < begin), begin - recent.origin) for begin in day_begins]
    low, high, mean = (np.array(column) for column in zip(*factors, strict=True))
    return Tuning(_damp(low, series.narrowing), _damp(high, series.narrowing), mean).spread(rows)


def _damp(factor: FloatArray, narrowing: float) -> FloatArray:
    damped: FloatArray = np.where(factor < 1, factor**narrowing, factor)
    return damped


def pair_recent(frame: Frame, days: IntArray) -> Pairs:
    """Return what would have been forecast in the weeks before the first and until the last of ``days``: four origins a day, eight leads each."""
    first, last = (int(days[0]) - TUNING_DAYS) * DAY_SLOTS - frame.first, int(days[-1]) * DAY_SLOTS - frame.first
    origin = np.repeat(np.arange(first, last, ORIGIN_STEP, dtype=np.int64), LEADS.size)
    target = origin + np.tile(LEADS, origin.size // LEADS.size)
    return Pairs(origin, target).select(target < last)


def _tune_day(heads: Heads, actual: FloatArray, known: NDArray[np.bool_], age: IntArray) -> tuple[float, float, float]:
    # By the age of the origin: an origin before the weeks looked at would be there in one batch and not in another.
    rows = known & (age <= TUNING_DAYS * DAY_SLOTS)
    if rows.sum() < NEEDED_ROWS:
        return 1.0, 1.0, 1.0
    distance = actual[rows] - heads.p50[rows]
    low = np.quantile(-distance / heads.low[rows], TAIL)
    high = np.quantile(distance / heads.high[rows], TAIL)
    late = known & (age <= BIAS_DAYS * DAY_SLOTS)
    expected = float(heads.expected[late].sum())
    bias = float(actual[late].sum()) / expected if expected > 0 else 1.0
    return float(np.clip(low, LEAST, MOST)), float(np.clip(high, LEAST, MOST)), float(np.clip(bias, LEAST, MOST)) ** BIAS_SHARE
