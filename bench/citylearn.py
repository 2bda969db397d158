"""A measured house with weather: CityLearn Challenge 2022, building 4, Fontana, August 2016 to July 2017, in ``$LUNA_BENCH_DATA/citylearn``.

What the files hold, as far as they can be checked against each other and the sun:

- The building's hours follow the clock on the wall with its changes (its PV moves by an hour against the weather in November and March), the weather's are
  Pacific standard time all year; both are named by their end. The hour that the clock skips is left out, the one it repeats is there once.
- ``diffuse_solar_irradiance`` is the global one: at noon in June it and the direct one together would exceed what reaches the atmosphere.
- A forecast 6, 12 or 24 h ahead equals what was measured then: weather known 23 h ahead is perfect, and figures with it are a bound.

Hours become quarter-hours as everywhere in Luna: energies are spread evenly, weather holds. How the array faces is not told: Luna's defaults stand.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from luna.observations import Observations
from luna.site import Site, parse_site
from luna.timeline import FloatArray, IndexArray, InstantArray, hold_price, spread_energy
from luna.weather import WeatherBook
from services.forecaster.context import Context

HOUR = timedelta(hours=1)
FIRST = datetime(2016, 7, 31, 23)  # noqa: DTZ001 - a clock on the wall
STANDARD_OFFSET = timedelta(hours=-8)
PARTS = 4
PEAK_KW = 5.0
AHEAD_HOURS = {1: 6, 2: 12, 3: 24}
DAY_HOURS = 24
COLUMNS = {"temperature_c": "outdoor_dry_bulb_temperature", "ghi_w_m2": "diffuse_solar_irradiance", "dni_w_m2": "direct_solar_irradiance"}
SITE = parse_site(
    {
        "name": "citylearn_4",
        "timezone": "America/Los_Angeles",
        "currency": "USD",
        "location": {"latitude": 34.1, "longitude": -117.4},
        "pv": [{"peak_kw": PEAK_KW}],
    }
)


@dataclass(frozen=True, slots=True)
class House:
    """A site, what it measured, and what could be known around it."""

    site: Site
    observations: Observations
    context: Context


def load_citylearn(folder: Path) -> House:
    """Return the house whose files lie in ``folder``."""
    return House(SITE, _observe(_read(folder / "Building_4.csv")), Context(_list_revisions(_read(folder / "weather.csv"))))


def _read(path: Path) -> dict[str, FloatArray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


def _observe(building: dict[str, FloatArray]) -> Observations:
    hours, there = place_by_clock(building["hour"].size)
    series = {"load_kwh": building["non_shiftable_load"], "pv_kwh": building["solar_generation"] * PEAK_KW / 1000}
    return Observations.of(split_hours(hours), {name: spread_energy(values[there], PARTS) for name, values in series.items()})


def place_by_clock(count: int) -> tuple[InstantArray, IndexArray]:
    """Return the starts (UTC) of ``count`` hours by the clock on the wall, without the one it skips, and their rows."""
    zone = ZoneInfo(SITE.timezone)
    local = [FIRST + row * HOUR for row in range(count)]
    placed = [hour.replace(tzinfo=zone).astimezone(UTC) for hour in local]
    there = [row for row, instant in enumerate(placed) if instant.astimezone(zone).replace(tzinfo=None) == local[row]]
    return np.array([placed[row].replace(tzinfo=None) for row in there], dtype="datetime64[s]"), np.array(there)


def _list_revisions(weather: dict[str, FloatArray]) -> WeatherBook:
    """Return the weather as issued: hourly 6, 12 and 24 h ahead as told, up to 48 h ahead the forecast for the day before again, and as measured at last."""
    measured = {name: weather[column] for name, column in COLUMNS.items()}
    ahead = {key: {name: weather[f"{column}_predicted_{key}"] for name, column in COLUMNS.items()} for key in AHEAD_HOURS}
    issues = [(0, measured), *((hours, ahead[key]) for key, hours in AHEAD_HOURS.items()), (2 * DAY_HOURS, ahead[3])]
    count = measured["temperature_c"].size
    first = np.datetime64(FIRST - STANDARD_OFFSET, "s")
    starts = [split_hours(first + np.arange(hours, count) * np.timedelta64(HOUR)) for hours, _ in issues]
    known_at = [np.repeat(first + np.arange(1, count + 1 - hours) * np.timedelta64(HOUR), PARTS) for hours, _ in issues]
    series = {name: np.concatenate([hold_price(values[name][: count - hours], PARTS) for hours, values in issues]) for name in COLUMNS}
    return WeatherBook.of(np.concatenate(starts), np.concatenate(known_at), series)


def split_hours(hours: InstantArray) -> InstantArray:
    """Return the starts of the quarter-hours of each hour."""
    quarters: InstantArray = (hours.astype("datetime64[s]")[:, None] + 900 * np.arange(PARTS).astype("timedelta64[s]")).ravel()
    return quarters
