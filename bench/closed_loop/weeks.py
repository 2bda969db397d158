"""Made-up weeks of a household: load, PV and market prices in quarter-hours, the same for the same
seed.

Each has more than a fortnight before it, so that past forecast errors are known, and two days after
it for plans to look into.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.prices import publication_times
from luna.energy.timeline import SLOT, FloatArray, IndexArray, Timeline, local_days, local_offsets
from services.planner.problem.knowledge import DAY, PerfectForesight, PriceVintages

ZONE = ZoneInfo("Europe/Berlin")
SEED = 20240115
# Errors of sixteen days before the week, and a day more for prices to be carried on from.
BEFORE = 17 * DAY
AFTER = 2 * DAY
QUARTERS = DAY // SLOT


@dataclass(frozen=True, slots=True)
class Week:
    """A week: when the sun rises and sets (local hours), what a clear noon gives (kW), the share of
    it on dull and bright days, and a factor on the load.
    """

    first: date
    days: int
    sun: tuple[float, float]
    clear_kw: float
    bright: tuple[float, float]
    load: float


WEEKS = {
    "winter": Week(date(2024, 1, 15), 7, (8.2, 16.7), 2.6, (0.1, 0.9), 1.3),
    "spring": Week(date(2024, 5, 13), 7, (5.3, 21.0), 6.8, (0.6, 1.0), 0.95),
    # The clock is put back on the last day.
    "autumn": Week(date(2024, 10, 21), 7, (7.8, 18.1), 4.4, (0.15, 1.0), 1.05),
}


@dataclass(frozen=True, slots=True)
class Market:
    """The shape of a made-up day-ahead market, currency/kWh: its level, what evenings add, what
    sunny noons and windy nights take off at most.
    """

    level: float
    evening: float
    noon: float
    night: float


MARKETS = {"DA": Market(0.085, 0.07, 0.06, 0.03), "DA-NEGATIVE": Market(0.06, 0.07, 0.21, 0.10)}


def seeded_rng(*names: str) -> np.random.Generator:
    """Return the generator that belongs to ``names``, the same in every process."""
    return np.random.default_rng([SEED, crc32("/".join(names).encode())])


@cache
def week_timeline(week: str) -> Timeline:
    """Return the slots of a week."""
    first = WEEKS[week].first
    return local_days(first, first + timedelta(days=WEEKS[week].days - 1), ZONE)


@cache
def data_timeline(week: str) -> Timeline:
    """Return the week's slots with those before and after it."""
    inside = week_timeline(week)
    return Timeline(inside.start - BEFORE, SLOT, (BEFORE + AFTER) // SLOT + inside.count)


@cache
def recorded_energy(week: str) -> PerfectForesight:
    """Return what happened in a week and around it."""
    timeline = data_timeline(week)
    rng = seeded_rng("household", week)
    return PerfectForesight(
        timeline,
        _draw_load(WEEKS[week], timeline, rng=rng),
        _draw_pv(WEEKS[week], timeline, rng=rng),
    )


@cache
def market_prices(week: str) -> dict[str, PriceVintages]:
    """Return every market's prices, published at 13:00 of the day before."""
    timeline = data_timeline(week)
    known = publication_times(timeline.starts, ZONE)
    slots = np.arange(timeline.count)
    return {
        name: PriceVintages(
            timeline, slots, known, _draw_prices(market, timeline, rng=seeded_rng(name, week))
        )
        for name, market in MARKETS.items()
    }


def _local_clock(timeline: Timeline) -> tuple[FloatArray, IndexArray]:
    """Return local hour and number of the local day of each slot."""
    minutes = (
        (timeline.starts + local_offsets(timeline.starts, ZONE))
        .astype("datetime64[m]")
        .astype(np.int64)
    )
    days = minutes // 1440
    return minutes % 1440 / 60, days - days[0]


def _draw_load(week: Week, timeline: Timeline, *, rng: np.random.Generator) -> FloatArray:
    """Return a load with mornings, evenings, days that differ, and the spikes of kettles, ovens and
    washing, kWh.
    """
    hour, day = _local_clock(timeline)
    habit = (
        0.16
        + 0.30 * _hump(hour, 7.2, 1.0)
        + 0.18 * _hump(hour, 12.5, 1.5)
        + 0.55 * _hump(hour, 19.6, 1.8)
    )
    kw = (
        week.load
        * habit
        * rng.lognormal(-0.03, 0.25, day[-1] + 1)[day]
        * rng.lognormal(-0.02, 0.2, timeline.count)
    )
    awake = (hour >= 6.5) & (hour < 23)
    kw += (awake & (rng.random(timeline.count) < 0.12)) * rng.uniform(0.3, 2.2, timeline.count)
    cooks = awake & (rng.random(timeline.count) < 0.025) | (np.abs(hour - 18.5) < 0.6) & (
        rng.random(timeline.count) < 0.4
    )
    kw += np.convolve(cooks, np.ones(3))[: timeline.count].clip(max=1) * rng.uniform(
        0.8, 2.8, timeline.count
    )
    return np.asarray(kw * timeline.hours)


def _draw_pv(week: Week, timeline: Timeline, *, rng: np.random.Generator) -> FloatArray:
    """Return PV with a day's weather and passing clouds, kWh."""
    hour, day = _local_clock(timeline)
    rise, fall = week.sun
    height = np.sin(np.pi * np.clip((hour - rise) / (fall - rise), 0, 1)) ** 1.4
    weather = rng.uniform(*week.bright, day[-1] + 1)[day]
    clouds = np.convolve(rng.normal(0, 0.25, timeline.count), np.ones(4) / 2, mode="same")
    kw = week.clear_kw * height * np.clip(weather * (1 + clouds * (1.1 - weather)), 0.02, 1.05)
    return np.asarray(np.where(height > 1e-3, kw, 0.0) * timeline.hours)


def _draw_prices(market: Market, timeline: Timeline, *, rng: np.random.Generator) -> FloatArray:
    """Return hourly prices on quarter-hours, currency/kWh, in hundredths of a cent."""
    hours, days = _local_clock(timeline)
    hour = hours[::4]
    day = days[::4]
    level = rng.normal(0, 0.02, day[-1] + 1)
    sunny = rng.random(day[-1] + 1)
    windy = rng.random(day[-1] + 1) ** 2
    price = (
        market.level
        + level[day]
        + market.evening * (_hump(hour, 19.0, 1.6) + 0.6 * _hump(hour, 7.5, 1.2))
    )
    price -= market.noon * sunny[day] * _hump(hour, 13.0, 2.4) + market.night * windy[day] * _hump(
        hour, 3.0, 2.0
    )
    return np.repeat(np.round(price + rng.normal(0, 0.006, hour.size), 4), 4)


def _hump(hour: FloatArray, middle: float, width: float) -> FloatArray:
    return np.asarray(np.exp(-0.5 * ((hour - middle) / width) ** 2))
