"""Synthetic forecasts, issued every hour: the actual series with declared errors."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import numpy as np

from bench.closed_loop.weeks import (
    QUARTERS,
    data_timeline,
    recorded_energy,
    seeded_rng,
    week_timeline,
)
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, IndexArray, Timeline
from services.planner.problem.knowledge import DAY, ForecastArchive

HOUR = timedelta(hours=1)
PER_HOUR = HOUR // SLOT
# Horizon of a forecast, and the time before the week of the first issue.
AHEAD = 2 * QUARTERS
SINCE = 16 * DAY
VERSION = "aurora_v1.0"
# Cached sets of forecasts per process, some 15 MB each.
_KEPT = 6
# Standard normal quantiles from 5 to 95 %, in the order of the quantiles' names.
_DEVIATES = (-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645)


@dataclass(frozen=True, slots=True)
class ForecastKind:
    """Errors of forecasts: factors on the actual values, standard deviations of logarithmic errors
    per hour and per day, and the hours of smoothing.

    ``biased``: the error is always to the same side.
    """

    load: float = 1.0
    pv: float = 1.0
    hourly: float = 0.03
    daily: float = 0.0
    smoothing_hours: int = 0

    @property
    def biased(self) -> bool:
        """Whether the errors do not average out."""
        return self.load != 1.0 or self.pv != 1.0


@lru_cache(_KEPT)
def issue_forecasts(kind: ForecastKind, week: str) -> ForecastArchive:
    """Return the forecasts of each hour of a week and of the sixteen days before."""
    timeline = data_timeline(week)
    inside = week_timeline(week)
    happened = recorded_energy(week)
    first = (inside.start - SINCE - timeline.start) // SLOT
    starts: IndexArray = np.arange(
        first, first + SINCE // SLOT + inside.count, PER_HOUR, dtype=np.int64
    )
    parts = [
        _forecast_parts(
            series, kind, starts=starts, factor=factor, rng=seeded_rng("forecast", name, week)
        )
        for name, series, factor in (
            ("load", happened.load_kwh, kind.load),
            ("pv", happened.pv_kwh, kind.pv),
        )
    ]
    return ForecastArchive(
        [
            _forecast(timeline.window(int(start), AHEAD), [part[:, place] for part in parts])
            for place, start in enumerate(starts)
        ]
    )


def _forecast_parts(
    series: FloatArray,
    kind: ForecastKind,
    *,
    starts: IndexArray,
    factor: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the mean and the quantiles of every forecast, shape ``(parts, forecasts, slots)``."""
    smooth = _smooth(series, kind.smoothing_hours * PER_HOUR)
    target = starts[:, None] + np.arange(AHEAD)
    hourly = np.repeat(
        _draw_factors(rng, kind.hourly, shape=(starts.size, AHEAD // PER_HOUR)), PER_HOUR, axis=1
    )
    daily = _draw_factors(rng, kind.daily, shape=(series.size // QUARTERS + 1,))[target // QUARTERS]
    expected = factor * smooth[target] * hourly * daily
    spread = np.exp(np.hypot(kind.hourly, kind.daily) * np.array(_DEVIATES))
    return np.asarray(np.concatenate([np.ones(1), spread])[:, None, None] * expected)


def _draw_factors(
    rng: np.random.Generator, deviation: float, *, shape: tuple[int, ...]
) -> FloatArray:
    """Draw lognormal factors with a mean of one."""
    return rng.lognormal(-(deviation**2) / 2, deviation, shape)


def _smooth(series: FloatArray, slots: int) -> FloatArray:
    """Smooth a series by the mean of blocks of so many slots, as a forecast without spikes."""
    if not slots:
        return series
    blocks = np.arange(series.size) // slots
    return np.asarray((np.bincount(blocks, series) / np.bincount(blocks))[blocks])


def _forecast(timeline: Timeline, parts: list[FloatArray]) -> Forecast:
    load, pv = (Quantiles(*part) for part in parts)
    return Forecast(timeline, timeline.start, VERSION, load, pv)
