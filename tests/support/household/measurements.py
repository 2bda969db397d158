"""A made-up household: a daily rhythm, quieter nights, noise, and a roof under a changing sky."""

from datetime import UTC, datetime, timedelta

import numpy as np

from luna.energy.observations import Observations
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.energy.weather import WeatherVintages
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.aurora import TrainSettings
from services.forecaster.model.trees import TreeSettings

QUICK = TrainSettings(
    rows=5_000, trees=TreeSettings(rounds=25, learning_rate=0.08, rows_per_leaf=50)
)
START = datetime(2024, 3, 1, tzinfo=UTC)
ROOF = {"name": "roof", "peak_kw": 5}


def describe_site(**changes: object) -> Site:
    site = {
        "name": "home",
        "timezone": "Europe/Berlin",
        "location": {"latitude": 52.5, "longitude": 13.4},
        "pv": [ROOF],
    }
    return parse_site(site | changes)


def measure_days(
    days: int, *, site: Site | None = None, seed: int = 1, start: datetime = START
) -> Observations:
    """Return ``days`` (at least one) of load and PV, the same for the same seed."""
    rng = np.random.default_rng(seed)
    timeline = Timeline(start, SLOT, days * 96)
    hour = np.arange(timeline.count) % 96 / 4
    load = 0.05 + 0.15 * np.exp(-((hour - 19) ** 2) / 6) + 0.08 * np.exp(-((hour - 7) ** 2) / 3)
    sky = np.repeat(rng.uniform(0.1, 0.95, days), 96)
    series: dict[str, FloatArray] = {
        "load_kwh": load * rng.gamma(4, 0.25, timeline.count),
        "pv_kwh": estimate_clear_sky(timeline.starts, site or describe_site()) * sky,
    }
    return Observations.of(timeline.starts, series)


def forecast_weather(days: int, *, start: datetime = START, seed: int = 2) -> WeatherVintages:
    """Return the weather of ``days``: measured, and forecast every six hours for 60 hours, better
    the nearer.
    """
    rng = np.random.default_rng(seed)
    slots = np.arange(days * 96)
    truth = {
        "temperature_c": 10 + 5 * np.sin(slots / 96),
        "ghi_w_m2": 300.0 * (1 + np.sin(slots * 2 * np.pi / 96 - np.pi / 2)),
        "cloud_fraction": slots % 7 / 7,
    }
    issues = np.arange(-240, days * 96, 24)
    target = (issues[:, None] + np.arange(240)).ravel()
    issued = np.repeat(issues, 240)
    inside = (target >= 0) & (target < slots.size)
    target = np.concatenate([slots, target[inside]])
    issued = np.concatenate([slots + 1, issued[inside]])
    error = 0.002 * np.maximum(target - issued, 0) * rng.standard_normal(target.size)
    first = np.datetime64(start.replace(tzinfo=None), "s")
    instants = [first + (900 * number).astype("timedelta64[s]") for number in (target, issued)]
    return WeatherVintages.of(
        instants[0],
        instants[1],
        {name: values[target] * (1 + error) for name, values in truth.items()},
    )


def change_from(
    observations: Observations, instant: datetime, load_kwh: float, pv_kwh: float
) -> Observations:
    """Return the same past with another future: constant values from ``instant`` on."""
    later = observations.starts >= np.datetime64(instant.replace(tzinfo=None), "s")
    series = {
        "load_kwh": np.where(later, load_kwh, observations.load_kwh),
        "pv_kwh": np.where(later, pv_kwh, observations.pv_kwh),
    }
    return Observations.of(observations.starts, series)


def day(number: int, hours: float = 0) -> datetime:
    """Return an instant ``number`` days and ``hours`` after the first measured slot."""
    return START + timedelta(days=number, hours=hours)
