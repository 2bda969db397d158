"""A measured house beside a year of weather: CityLearn Challenge 2022, building 4, Fontana, August
2016 to July 2017, in ``$LUNA_BENCH_DATA/citylearn``.

What the files hold, as far as they can be checked against each other and the sun:

- The building's hours follow the clock on the wall with its changes (its PV moves by an hour
  against the weather in November and March), the weather's are Pacific standard time all year; both
  are named by their end. The hour that the clock skips is left out, the one it repeats is there
  once.
- ``diffuse_solar_irradiance`` is the global one: at noon in June it and the direct one together
  would exceed what reaches the atmosphere.
- The weather is not that of these days: within a month, how bright a day was by the measured PV and
  by the weather has nothing to do with each other (correlations from -0.4 to 0.5 around nought, at
  no shift of days better). So ``load_citylearn`` is a house whose weather tells nothing, which a
  forecast has to find out, and ``load_sunlit`` the same house with arrays that stand in that
  weather: its PV is computed, its load measured.
- A forecast 6, 12 or 24 h ahead equals what came: weather known 23 h ahead is perfect. Beyond, the
  day before is taken again.

Hours become quarter-hours as everywhere in Luna: energies are spread evenly, weather holds. How the
array faces is not told: Luna's defaults stand.
"""

import csv
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pvlib

from luna.energy.observations import Observations
from luna.energy.site import Site, parse_site
from luna.energy.timeline import FloatArray, IndexArray, InstantArray, hold_price, spread_energy
from luna.energy.weather import WeatherVintages
from services.forecaster.inputs.context import Context

HOUR = timedelta(hours=1)
FIRST = datetime(2016, 7, 31, 23)  # noqa: DTZ001 - a clock on the wall
STANDARD_OFFSET = timedelta(hours=-8)
PARTS = 4
PEAK_KW = 5.0
AHEAD_HOURS = {1: 6, 2: 12, 3: 24}
DAY_HOURS = 24
COLUMNS = {
    "temperature_c": "outdoor_dry_bulb_temperature",
    "ghi_w_m2": "diffuse_solar_irradiance",
    "dni_w_m2": "direct_solar_irradiance",
}
LOCATION = {"latitude": 34.1, "longitude": -117.4}
SITE = parse_site(
    {
        "name": "citylearn_4",
        "timezone": "America/Los_Angeles",
        "currency": "USD",
        "location": LOCATION,
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
    return House(
        SITE,
        _observe(_read(folder / "Building_4.csv")),
        Context(_list_revisions(_read(folder / "weather.csv"))),
    )


def _read(path: Path) -> dict[str, FloatArray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


def _observe(building: dict[str, FloatArray]) -> Observations:
    hours, there = place_by_clock(building["hour"].size)
    series = {
        "load_kwh": building["non_shiftable_load"],
        "pv_kwh": building["solar_generation"] * PEAK_KW / 1000,
    }
    return Observations.of(
        split_hours(hours),
        {name: spread_energy(values[there], PARTS) for name, values in series.items()},
    )


def place_by_clock(count: int) -> tuple[InstantArray, IndexArray]:
    """Return the starts (UTC) of ``count`` hours by the clock on the wall, without the one it
    skips, and their rows.
    """
    zone = ZoneInfo(SITE.timezone)
    local = [FIRST + row * HOUR for row in range(count)]
    instants = [hour.replace(tzinfo=zone).astimezone(UTC) for hour in local]
    there = [
        row
        for row, instant in enumerate(instants)
        if instant.astimezone(zone).replace(tzinfo=None) == local[row]
    ]
    return np.array(
        [instants[row].replace(tzinfo=None) for row in there], dtype="datetime64[s]"
    ), np.array(there)


def _list_revisions(weather: dict[str, FloatArray]) -> WeatherVintages:
    """Return the weather as issued: hourly 6, 12 and 24 h ahead as told, up to 48 h ahead the
    forecast for the day before again, and as measured at last.
    """
    measured = {name: weather[column] for name, column in COLUMNS.items()}
    ahead = {
        key: {name: weather[f"{column}_predicted_{key}"] for name, column in COLUMNS.items()}
        for key in AHEAD_HOURS
    }
    return _book(
        [
            (0, measured),
            *((hours, ahead[key]) for key, hours in AHEAD_HOURS.items()),
            (2 * DAY_HOURS, ahead[3]),
        ]
    )


def _book(issues: list[tuple[int, dict[str, FloatArray]]]) -> WeatherVintages:
    """Return the weather of every hour (by row of the file), for each pair as known by the end of
    the hour so many hours before.
    """
    count = issues[0][1]["temperature_c"].size
    first = np.datetime64(FIRST - STANDARD_OFFSET, "s")
    starts = [
        split_hours(first + np.arange(hours, count) * np.timedelta64(HOUR)) for hours, _ in issues
    ]
    known_at = [
        np.repeat(first + np.arange(1, count + 1 - hours) * np.timedelta64(HOUR), PARTS)
        for hours, _ in issues
    ]
    series = {
        name: np.concatenate(
            [hold_price(values[name][: count - hours], PARTS) for hours, values in issues]
        )
        for name in COLUMNS
    }
    return WeatherVintages.of(np.concatenate(starts), np.concatenate(known_at), series)


def split_hours(hours: InstantArray) -> InstantArray:
    """Return the starts of the quarter-hours of each hour."""
    quarters: InstantArray = (
        hours.astype("datetime64[s]")[:, None] + 900 * np.arange(PARTS).astype("timedelta64[s]")
    ).ravel()
    return quarters


# The arrays of the sunlit house are not those its site tells of, nor are they computed as Luna
# does: they face south-west, stand behind a ridge in the east, are dirty, have an inverter smaller
# than they are, and another model makes light on a tilted plane of the weather.
TILT_DEG = 20.0
AZIMUTH_DEG = 205.0
RIDGE_DEG = 12.0
RIDGE_END_DEG = 120.0
CLEAN = 0.86
LOSS_PER_DEGREE = 0.0037
MOST_KW = 4.0
FLICKER = 0.08  # standard deviation of what clouds make of a quarter-hour beside the hour's mean
SEED = 20170731


# How wrong the sunlit house's weather forecasts are, issued 49 and 24 h ahead: errors last for
# hours, and that of hourly global radiation is 27 % of its mean by day a day ahead and 33 % two
# days ahead (root mean square). Source: Perez et al. (2013), who find 20 to 30 % in the south-west
# of the United States.
DAY_AHEAD = 0.25
TWO_DAYS_AHEAD = 0.31
SAME_NEXT_HOUR = 0.85
# Clouds take the beam first, so that an error of the global light is a larger one of the direct
# light, which has errors of its own; the temperature's have nothing to do with either. For each
# series: what it takes of two errors, and what clear air lets through at most, W/m².
LIGHT = {"ghi_w_m2": ((1.0, 0.0), 1050.0), "dni_w_m2": ((1.6, 1.2), 960.0)}
TEMPERATURE_ERROR_C = 6.0  # for an error of one: 1.5 degrees a day ahead


def load_sunlit(folder: Path) -> House:
    """Return the house of ``load_citylearn`` with PV computed from the weather that came, and with
    forecasts of it that are as wrong as forecasts are.
    """
    house = load_citylearn(folder)
    starts = house.observations.starts
    slots = starts.astype(np.int64) // 900
    weather = house.context.weather.at(slots, slots + PARTS)
    power_kw = _shine(
        starts + np.timedelta64(450, "s"),
        weather["ghi_w_m2"],
        weather["dni_w_m2"],
        weather["temperature_c"],
    )
    rng = np.random.default_rng(SEED)
    flicker = np.exp(FLICKER * rng.standard_normal(starts.size))
    sunlit = replace(house.observations, pv_kwh=np.clip(power_kw * flicker, 0, MOST_KW) / PARTS)
    return replace(
        house, observations=sunlit, context=Context(_forecast(_read(folder / "weather.csv"), rng))
    )


def _forecast(weather: dict[str, FloatArray], rng: np.random.Generator) -> WeatherVintages:
    measured = {name: weather[column] for name, column in COLUMNS.items()}
    count = measured["temperature_c"].size
    day = draw_errors(count, rng)
    two_days = draw_errors(count, rng)
    wrong = {24: DAY_AHEAD * day, 49: TWO_DAYS_AHEAD * (0.8 * day + 0.6 * two_days)}
    return _book(
        [
            (0, measured),
            *((hours, _err(measured, errors, hours)) for hours, errors in wrong.items()),
        ]
    )


def draw_errors(count: int, rng: np.random.Generator) -> FloatArray:
    """Return three kinds of errors of ``count`` hours, shape ``(3, hours)``, of variance one, each
    alike the one before.
    """
    errors = rng.standard_normal((3, count))
    for hour in range(1, count):
        errors[:, hour] = (
            SAME_NEXT_HOUR * errors[:, hour - 1] + np.sqrt(1 - SAME_NEXT_HOUR**2) * errors[:, hour]
        )
    return errors


def _err(measured: dict[str, FloatArray], errors: FloatArray, hours: int) -> dict[str, FloatArray]:
    """Return a forecast so many hours ahead, by the row at whose end it is issued."""
    wrong = {"temperature_c": measured["temperature_c"] + TEMPERATURE_ERROR_C * errors[2]}
    for name, (shares, most) in LIGHT.items():
        wrong[name] = np.minimum(
            measured[name] * np.exp(shares[0] * errors[0] + shares[1] * errors[1]), most
        )
    return {name: values[hours:] for name, values in wrong.items()}


def _shine(
    instants: InstantArray, ghi: FloatArray, dni: FloatArray, temperature_c: FloatArray
) -> FloatArray:
    """Return the power that the sunlit arrays give at instants in a weather, kW.

    Source: Perez and Driesse (2024); PVsyst for the cells' temperature.
    """
    sun = pvlib.solarposition.get_solarposition(pd.DatetimeIndex(instants, tz="UTC"), **LOCATION)
    zenith = sun["apparent_zenith"].to_numpy()
    azimuth = sun["azimuth"].to_numpy()
    beam = np.where((zenith > 90 - RIDGE_DEG) & (azimuth < RIDGE_END_DEG), 0.0, dni)
    diffuse = np.clip(ghi - dni * np.clip(np.cos(np.radians(zenith)), 0, None), 0, None)
    extra = pvlib.irradiance.get_extra_radiation(pd.DatetimeIndex(instants, tz="UTC")).to_numpy()
    plane = pvlib.irradiance.get_total_irradiance(
        TILT_DEG,
        AZIMUTH_DEG,
        zenith,
        azimuth,
        beam,
        ghi,
        diffuse,
        dni_extra=extra,
        model="perez-driesse",
    )
    light = np.nan_to_num(plane["poa_global"]) * (zenith < 90)
    cell = pvlib.temperature.pvsyst_cell(light, temperature_c)
    return np.clip(PEAK_KW * CLEAN * light / 1000 * (1 - LOSS_PER_DEGREE * (cell - 25)), 0, MOST_KW)
