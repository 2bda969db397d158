"""How a model has done of late, and what to make of it: every quantile follows its own recent errors.

A model trained in August meets October; its errors of the last weeks say what no training window could. Tuned once per UTC day, from slots before that day; of
PV only slots in daylight count.
"""

import numpy as np
from numpy.typing import NDArray

from luna.outlook import LEVELS
from luna.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, Frame, IntArray, Pairs
from services.forecaster.inputs.series import Series
from services.forecaster.model.heads import SIDES
from services.forecaster.model.series_model import SeriesModel

TUNING_DAYS = 28
ORIGIN_STEP = 32
LEADS = np.array([1, 9, 24, 60, 110, 170])
SHIFT_STEP, LARGEST_SHIFT = 7, 20
NEEDED_ROWS = 100
LEAST, MOST = 0.5, 2.5
FOLLOWED = 0.8  # power of the factor that recent errors ask for: a month is a small sample, and what it had too much of it soon has too little of


def tune_rows(frame: Frame, pairs: Pairs, model: SeriesModel, series: Series) -> FloatArray:
    """Return factors for the distance of each quantile from the median, learned from what was measured before the UTC day of each row's origin.

    Returns:
        Shape ``(levels, rows)``.
    """
    days, rows = np.unique((frame.first + pairs.origin) // DAY_SLOTS, return_inverse=True)
    recent = pair_recent(frame, days)
    seen = series.view(frame, recent)
    actual = series.measured(frame)[recent.target]
    kept = ~np.isnan(actual) & (seen.limit_kwh > 0)
    heads = model.predict(seen, recent.lead)
    distance = SIDES[:, None] * (actual - heads.p50) / heads.measure_widths(seen.scale_kwh)
    day_begins = days * DAY_SLOTS - frame.first
    factors = np.stack([_tune_day(distance, kept & (recent.target < begin), begin - recent.origin) for begin in day_begins], axis=1)
    return factors[:, rows]


def pair_recent(frame: Frame, days: IntArray) -> Pairs:
    """Return what would have been forecast in the weeks before the first and until the last of ``days``: three origins a day, six leads each."""
    first, last = (int(days[0]) - TUNING_DAYS) * DAY_SLOTS - frame.first, int(days[-1]) * DAY_SLOTS - frame.first
    origin = np.arange(first, last, ORIGIN_STEP, dtype=np.int64)
    # Without a shift from origin to origin the same few times of day would speak for all.
    shift = (frame.first + origin) // ORIGIN_STEP * SHIFT_STEP % LARGEST_SHIFT
    target = (origin + shift)[:, None] + LEADS
    return Pairs(np.repeat(origin, LEADS.size), target.ravel()).select(target.ravel() < last)


def _tune_day(distance: FloatArray, known: NDArray[np.bool_], age: IntArray) -> FloatArray:
    # By the age of the origin: an origin before the weeks looked at would be there in one batch and not in another.
    rows = known & (age <= TUNING_DAYS * DAY_SLOTS)
    if rows.sum() < NEEDED_ROWS:
        return np.ones(LEVELS.size)
    asked = np.array([np.quantile(of_level[rows], max(share, 1 - share)) for of_level, share in zip(distance, LEVELS, strict=True)])
    factors: FloatArray = np.where(SIDES == 0, 1.0, np.clip(asked, LEAST, MOST) ** FOLLOWED)
    return factors
