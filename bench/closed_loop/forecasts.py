"""Forecasts as they would have been issued every hour: what comes, wrong in a declared way."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import numpy as np

from bench.closed_loop.weeks import QUARTERS, data_timeline, recorded_energy, seeded_rng, week_timeline
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, IndexArray, Timeline
from services.planner.problem.knowledge import DAY, ForecastArchive

HOUR = timedelta(hours=1)
PER_HOUR = HOUR // SLOT
# Issued for so long ahead, and from so long before the week on.
AHEAD, SINCE = 2 * QUARTERS, 16 * DAY
VERSION = "aurora_v1.0"
# Books of forecasts that a process keeps, some 15 MB each.
_KEPT = 6
# Of a normal distribution, in the order of the quantiles' names from 5 to 95 %.
_DEVIATES = (-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645)


@dataclass(frozen=True, slots=True)
class ForecastKind:
    """How forecasts err: factors on what comes, standard deviations of logarithmic errors by the hour and by the day, and the hours over which they smooth.

    ``biased`` says that the error is always to the same side.
    """

    load: float = 1.0
    pv: float = 1.0
    hourly: float = 0.03
    daily: float = 0.0
    smoothing_hours: int = 0

    @property
    def biased(self) -> bool:
        """Whether errors do not cancel out."""
        return self.load != 1.0 or self.pv != 1.0


@lru_cache(_KEPT)
def issue_forecasts(kind: ForecastKind, week: str) -> ForecastArchive:
    """Return what was issued in each hour of a week and of the sixteen days before."""
    timeline, inside, happened = data_timeline(week), week_timeline(week), recorded_energy(week)
    first = (inside.start - SINCE - timeline.start) // SLOT
    starts: IndexArray = np.arange(first, first + SINCE // SLOT + inside.count, PER_HOUR, dtype=np.int64)
    parts = [
        _forecast_parts(series, kind, starts=starts, factor=factor, rng=seeded_rng("forecast", name, week))
        for name, series, factor in (("load", happened.load_kwh, kind.load), ("pv", happened.pv_kwh, kind.pv))
    ]
    return ForecastArchive([_forecast(timeline.window(int(start), AHEAD), [part[:, place] for part in parts]) for place, start in enumerate(starts)])


def _forecast_parts(series: FloatArray, kind: ForecastKind, *, starts: IndexArray, factor: float, rng: np.random.Generator) -> FloatArray:
    """Return mean and quantiles of every forecast, shape ``(parts, forecasts, slots)``."""
    smooth = _smooth(series, kind.smoothing_hours * PER_HOUR)
    target = starts[:, None] + np.arange(AHEAD)
    hourly = np.repeat(_draw_factors(rng, kind.hourly, shape=(starts.size, AHEAD // PER_HOUR)), PER_HOUR, axis=1)
    daily = _draw_factors(rng, kind.daily, shape=(series.size // QUARTERS + 1,))[target // QUARTERS]
    expected = factor * smooth[target] * hourly * daily
    spread = np.exp(np.hypot(kind.hourly, kind.daily) * np.array(_DEVIATES))
    return np.asarray(np.concatenate([np.ones(1), spread])[:, None, None] * expected)


def _draw_factors(rng: np.random.Generator, deviation: float, *, shape: tuple[int, ...]) -> FloatArray:
    """Return lognormal errors with a mean of one."""
    return rng.lognormal(-(deviation**2) / 2, deviation, shape)


def _smooth(series: FloatArray, slots: int) -> FloatArray:
    """Return what a forecast that knows no spikes says: the mean of blocks of so many slots."""
    if not slots:
        return series
    blocks = np.arange(series.size) // slots
    return np.asarray((np.bincount(blocks, series) / np.bincount(blocks))[blocks])


def _forecast(timeline: Timeline, parts: list[FloatArray]) -> Forecast:
    load, pv = (Quantiles(*part) for part in parts)
    return Forecast(timeline, timeline.start, VERSION, load, pv)
