"""Weather from Open-Meteo, without a token.

Forecasts of the national services, past ones too, and the reanalysis of decades.

Source: open-meteo.com, documentation of the APIs for forecast, historical forecast and historical
weather. Radiation is the mean of the time before its instant, quarter-hours where there are any,
hours elsewhere; everything else holds at its instant. The run a value comes from is not said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

import numpy as np
from pydantic import BaseModel

from luna.energy.site import Location
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from services.ingest.file_schema import KINDS
from services.ingest.sources.source import SourceError
from services.ingest.sources.web import Web


def hold_means(
    ends: InstantArray, means: FloatArray, step: np.timedelta64, timeline: Timeline
) -> FloatArray:
    """Return means over the ``step`` before each of ``ends`` on quarter-hours, else NaN.

    Invariants: the mean over each step stays.
    """
    parts = int(step / np.timedelta64(SLOT))
    starts = (ends - step)[:, np.newaxis] + np.arange(parts) * np.timedelta64(SLOT)
    slots = ((starts.reshape(-1) - timeline.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
    inside = (slots >= 0) & (slots < timeline.count)
    on_slots = np.full(timeline.count, np.nan)
    on_slots[slots[inside]] = np.repeat(means, parts)[inside]
    return on_slots


def interpolate(
    instants: InstantArray, values: FloatArray, step: np.timedelta64, timeline: Timeline
) -> FloatArray:
    """Return values of instants interpolated at the middle of each quarter-hour.

    NaN outside of the instants and between neighbours more than ``step`` apart.

    Args:
        instants: ascending, ``datetime64[s]``.
    """
    has_value = np.isfinite(values)
    at = instants[has_value]
    value = values[has_value]
    if not at.size:
        return np.full(timeline.count, np.nan)
    middles = timeline.starts + np.timedelta64(SLOT // 2)
    middles = middles.astype(at.dtype)
    after = np.searchsorted(at, middles)
    inside = (after > 0) & (after < at.size)
    gaps = at[np.minimum(after, at.size - 1)] - at[np.maximum(after - 1, 0)]
    between = np.interp(middles.astype(np.float64), at.astype(np.float64), value)
    return np.where(inside & (gaps <= step), between, np.nan)


NAME = "open_meteo"
FORECAST = "https://api.open-meteo.com/v1/forecast"
# Past forecasts for the next hours, from 2022 on; before that and where there are none, the
# reanalysis, which comes five days late.
PAST = (
    "https://historical-forecast-api.open-meteo.com/v1/forecast",
    "https://archive-api.open-meteo.com/v1/archive",
)

MEANS = {
    "ghi_w_m2": "shortwave_radiation",
    "dhi_w_m2": "diffuse_radiation",
    "dni_w_m2": "direct_normal_irradiance",
}
MOMENTARY = {
    "temperature_c": "temperature_2m",
    "wind_m_s": "wind_speed_10m",
    "cloud_fraction": "cloud_cover",
}
NAMES = MEANS | MOMENTARY
UNITS = {
    "shortwave_radiation": "W/m²",
    "temperature_2m": "°C",
    "wind_speed_10m": "m/s",
    "cloud_cover": "%",
}
PERCENT = 100.0
# Cloud cover comes by the hour alone, the reanalysis as a whole.
QUARTER_HOURLY = ",".join(name for name in NAMES.values() if name != MOMENTARY["cloud_fraction"])
STEPS = {"hourly": np.timedelta64(60, "m"), "minutely_15": np.timedelta64(15, "m")}
# A kilometre: finer than any weather model, coarser than an address.
DECIMALS = 2


class _Answer(BaseModel):
    hourly: dict[str, list[float | None]]
    hourly_units: dict[str, str]
    minutely_15: dict[str, list[float | None]] = {}


@dataclass(frozen=True, slots=True)
class WeatherSheet:
    """The weather at a place on quarter-hours, by series of ``weather``.

    NaN where nothing is known.
    """

    timeline: Timeline
    values: Mapping[str, FloatArray]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known."""
        return all(np.isnan(series).all() for series in self.values.values())


class OpenMeteo:
    """Weather from Open-Meteo.

    Args:
        web: the way there.
    """

    name = NAME

    def __init__(self, web: Web) -> None:
        self._web = web

    def forecast(self, location: Location, timeline: Timeline) -> WeatherSheet:
        """Return what is expected as of now.

        Raises:
            SourceError: the service is away.
            SourceRefusedError: it does not look that far ahead.
        """
        return self._ask(FORECAST, location, timeline, minutely=True)

    def past(self, location: Location, timeline: Timeline) -> WeatherSheet:
        """Return what the weather was, as the service's models have it.

        Raises:
            SourceError: the service is away.
            SourceRefusedError: it does not look that far back.
        """
        recent, reanalysis = PAST
        sheet = self._ask(recent, location, timeline, minutely=True)
        return (
            self._ask(reanalysis, location, timeline, minutely=False) if sheet.is_empty else sheet
        )

    def _ask(
        self, url: str, location: Location, timeline: Timeline, *, minutely: bool
    ) -> WeatherSheet:
        parameters: dict[str, str | float] = {
            "latitude": round(location.latitude, DECIMALS),
            "longitude": round(location.longitude, DECIMALS),
            "start_date": f"{timeline.start.astimezone(UTC):%Y-%m-%d}",
            # Of the last slot the values at its end are needed too.
            "end_date": f"{timeline.end.astimezone(UTC):%Y-%m-%d}",
            "hourly": ",".join(NAMES.values()),
            **({"minutely_15": QUARTER_HOURLY} if minutely else {}),
            "wind_speed_unit": "ms",
            "timeformat": "unixtime",
            "timezone": "GMT",
        }
        return read_answer(self._web.get(url, parameters).parse(_Answer), timeline)


def read_answer(answer: _Answer, timeline: Timeline) -> WeatherSheet:
    """Return the weather of an answer on quarter-hours; impossible values are unknown.

    Hours fill in where the answer lacks quarter-hours.

    Raises:
        SourceError: units that were not asked for, or series of different length.
    """
    units = answer.hourly_units
    strange = {name: unit for name, unit in units.items() if UNITS.get(name, unit) != unit}
    if strange:
        raise SourceError(f"answers in {strange}", field=NAME, remedy="Try again later.")
    converted = {}
    for step, block in (("hourly", answer.hourly), ("minutely_15", answer.minutely_15)):
        seconds = [int(second or 0) for second in block.get("time", [])]
        times = np.array(seconds, dtype="datetime64[s]")
        for name, theirs in NAMES.items():
            figures = np.array(block.get(theirs, [None] * times.size), dtype=np.float64)
            if figures.shape != times.shape:
                raise SourceError(
                    f"answers {figures.size} values of {theirs} for {times.size} times",
                    field=NAME,
                    remedy="Try again later.",
                )
            convert = hold_means if name in MEANS else interpolate
            converted[step, name] = convert(
                times,
                figures / (PERCENT if name == "cloud_fraction" else 1.0),
                STEPS[step],
                timeline,
            )
    values = {}
    for name in NAMES:
        hours = converted["hourly", name]
        quarters = converted["minutely_15", name]
        bounds = KINDS["weather"].series[name]
        series = np.where(np.isfinite(quarters), quarters, hours)
        values[name] = np.where(
            (series >= bounds.lowest) & (series <= bounds.highest), series, np.nan
        )
    return WeatherSheet(timeline, values)
