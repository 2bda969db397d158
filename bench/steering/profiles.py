"""Own profiles of a second each: quarter-hours refined with appliances and clouds.

Everything is drawn from one generator, so a seed and a day give the same second anywhere.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Profile = NDArray[np.float64]
DaySky = Literal["clear", "broken", "mixed", "overcast"]

SECONDS = 86_400
QUARTER_S = 900
QUARTERS = SECONDS // QUARTER_S
HOUR_S = 3_600
# Sunrise and sunset of a day in May in Central Europe, hours.
SUNRISE_H = 5.5
SUNSET_H = 20.5


@dataclass(frozen=True, slots=True)
class HomeDay:
    """A home's day by the second, kW: the house without controlled devices, and possible PV."""

    house_kw: Profile
    pv_kw: Profile
    sky: DaySky


@dataclass(frozen=True, slots=True)
class Appliance:
    """An appliance: power, and how long it is on and off while it runs, seconds."""

    kw: float
    on_s: int
    off_s: int
    run_s: int
    per_day: float


# Powers of kitchen and laundry by their rating plates; times are usual ones, not measured.
APPLIANCES = (
    Appliance(2.2, 150, 0, 150, 5.0),  # kettle
    Appliance(2.4, 60, 70, 2_700, 0.8),  # oven, by its thermostat
    Appliance(1.8, 20, 25, 1_500, 1.5),  # hob
    Appliance(2.0, 900, 1_500, 3_300, 0.7),  # dishwasher: heats twice
    Appliance(2.1, 720, 4_000, 720, 0.6),  # washing machine: heats once
    Appliance(0.09, 900, 1_800, SECONDS, 1.0),  # fridge, all day
    Appliance(1.2, 300, 0, 300, 1.5),  # vacuum cleaner, toaster
)
# Share of the day's appliances that begins in each hour: breakfast, noon, evening.
_HOURLY = np.array(
    [0, 0, 0, 0, 0, 1, 4, 6, 4, 2, 2, 4, 7, 4, 2, 2, 2, 5, 8, 6, 4, 2, 1, 0], dtype=float
)


def draw_day(rng: np.random.Generator, *, peak_kw: float, sky: DaySky) -> HomeDay:
    """Return a day of a home with PV of a peak power under a sky."""
    return HomeDay(_draw_house(rng), _draw_pv(rng, peak_kw, sky), sky)


def _draw_house(rng: np.random.Generator) -> Profile:
    """Return the house: quarter-hours of lighting and standby, and steps of appliances."""
    quarters_kw = 0.18 + 0.25 * rng.gamma(1.2, 0.5, QUARTERS)
    house_kw = np.repeat(quarters_kw, QUARTER_S)
    hourly = _HOURLY / _HOURLY.sum()
    for appliance in APPLIANCES:
        if appliance.run_s >= SECONDS:
            starts = [int(rng.integers(0, appliance.off_s))]
        else:
            count = int(rng.poisson(appliance.per_day))
            hours = rng.choice(24, size=count, p=hourly)
            starts = [int(hour * HOUR_S + rng.integers(0, HOUR_S)) for hour in hours]
        for start in starts:
            house_kw[start : start + appliance.run_s] += _draw_steps(rng, appliance, start)
    noise_kw = 0.01 * rng.standard_normal(SECONDS)
    return np.maximum(house_kw + noise_kw, 0.05)


def _draw_steps(rng: np.random.Generator, appliance: Appliance, start: int) -> Profile:
    run_s = min(appliance.run_s, SECONDS - start)
    steps_kw = np.zeros(run_s)
    at = 0
    while at < run_s:
        on_s = max(int(appliance.on_s * rng.uniform(0.8, 1.2)), 1)
        steps_kw[at : at + on_s] = appliance.kw
        at += on_s + int(appliance.off_s * rng.uniform(0.8, 1.2))
    return steps_kw


# By sky: share of the sun behind clouds, and how long gaps and clouds last, seconds.
_CLOUDS: dict[DaySky, tuple[float, float, float]] = {
    "clear": (0.9, 50_000.0, 300.0),
    "broken": (0.3, 600.0, 300.0),
    "mixed": (0.35, 1_800.0, 1_500.0),
    "overcast": (0.25, 400.0, 5_000.0),
}


def _draw_pv(rng: np.random.Generator, peak_kw: float, sky: DaySky) -> Profile:
    """Return PV: a clear sky's quarter-hours, refined with clouds that come within seconds."""
    return np.asarray(clear_sky(peak_kw) * _draw_clouds(rng, sky))


def clear_sky(peak_kw: float) -> Profile:
    """Return PV of a peak power on a day without clouds."""
    hours = np.arange(SECONDS) / HOUR_S
    height = np.sin(np.pi * (hours - SUNRISE_H) / (SUNSET_H - SUNRISE_H))
    is_day = (hours > SUNRISE_H) & (hours < SUNSET_H)
    return np.where(is_day, 0.85 * peak_kw * np.maximum(height, 0.0) ** 1.3, 0.0)


def _draw_clouds(rng: np.random.Generator, sky: DaySky) -> Profile:
    """Return the share of the clear sky's sun, with edges of 5 to 40 seconds."""
    behind, gap_s, cloud_s = _CLOUDS[sky]
    share = np.empty(SECONDS)
    at = 0
    level = 1.0
    is_cloud = bool(rng.random() < cloud_s / (gap_s + cloud_s))
    while at < SECONDS:
        length_s = max(int(rng.exponential(cloud_s if is_cloud else gap_s)), 20)
        # At the edge of a cloud the sun is brighter than under a clear sky.
        goal = behind * rng.uniform(0.6, 1.5) if is_cloud else rng.uniform(0.95, 1.06)
        edge_s = min(int(rng.uniform(5, 40)), length_s)
        end = min(at + length_s, SECONDS)
        edge_end = min(at + edge_s, end)
        share[at:edge_end] = np.linspace(level, goal, edge_s)[: edge_end - at]
        share[edge_end:end] = goal
        level = goal
        at = end
        is_cloud = not is_cloud
    flicker = 1.0 + 0.01 * np.convolve(rng.standard_normal(SECONDS), np.ones(10) / 10, "same")
    return np.asarray(share * flicker)


def draw_days(seed: int, days: int, *, peak_kw: float) -> list[HomeDay]:
    """Return days of a home; skies take turns, so that every few days have each."""
    skies: tuple[DaySky, ...] = ("clear", "broken", "mixed", "overcast")
    drawn = []
    for day in range(days):
        rng = np.random.default_rng([seed, day])
        drawn.append(draw_day(rng, peak_kw=peak_kw, sky=skies[day % len(skies)]))
    return drawn


def mean_of_minutes(power_kw: Profile) -> Profile:
    """Return means of whole minutes."""
    whole = math.floor(power_kw.size / 60) * 60
    return np.asarray(power_kw[:whole].reshape(-1, 60).mean(axis=1))
