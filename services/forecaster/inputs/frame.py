"""A site's series on one gapless grid of quarter-hours.

Measurements, and inputs that are known ahead.

All forecaster modules index this grid. ``origin`` is the first slot that is not known yet;
``target`` a slot to forecast.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.devices.pv import PvArray
from luna.energy.observations import Observations
from luna.energy.public_holidays import EPOCH, list_holidays
from luna.energy.site import Site
from luna.energy.timeline import (
    SLOT,
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    FloatArray,
    InstantArray,
    floor_to,
    local_offsets,
    parse_zone,
)
from luna.energy.weather import NO_WEATHER, WeatherVintages
from luna.platform.site_country import country_of
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.rough_sky import RoughSky
from services.forecaster.inputs.solar import Sky, expected_output, limit_output, look_up, sum_peaks
from services.forecaster.inputs.standard_profile import StandardProfile

BoolArray = NDArray[np.bool_]
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Masks of slots on public holidays and bridge days.

    A bridge day is a working day between two days off, at least one of them a holiday.
    """

    holiday: BoolArray
    bridge: BoolArray

    @classmethod
    def of(cls, day: NDArray[np.int64], site: Site) -> Self:
        """Return the days off of a site's country and region.

        ``day`` is each slot's local day (since 1970, ascending).
        """
        first = int(day[0])
        last = int(day[-1])
        days = np.arange(first - 1, last + 2)
        years = range(
            (EPOCH + dt.timedelta(first - 1)).year, (EPOCH + dt.timedelta(last + 1)).year + 1
        )
        holidays_since_epoch = [
            number
            for year in years
            for number in list_holidays(country_of(site), site.region, year)
        ]
        holiday = np.isin(days, holidays_since_epoch)
        off = holiday | ((days + 3) % 7 >= SATURDAY)  # 1970 began on a Thursday
        between = off[:-2] & off[2:] & (holiday[:-2] | holiday[2:]) & ~off[1:-1]
        return cls(holiday[day - first + 1], between[day - first])


IntArray = NDArray[np.int64]
PLAUSIBLE_EXCESS = 1.5  # arrays exceed their rating briefly; half as much again is a wrong reading
# History of a forecast: 28 days of calibration, each of which uses the 28 before and forecasts 2,
# and days to spare
MEMORY_DAYS = 66


@dataclass(frozen=True, slots=True)
class Frame:
    """Series of shape ``(slots,)`` from slot number ``first`` (quarter-hours since 1970) on.

    NaN where nothing was measured.

    ``load_kwh``, ``pv_kwh``, ``vacation_share``, ``promised_kwh`` (PV output expected from the
    weather) and ``temperature_c`` may be read before the origin only; ``clear_sky_kwh``,
    ``local_slot`` (quarter-hours since 1970 in local time), ``days_off``, ``unshaded_share`` and
    ``sky`` everywhere; ``weather`` by target and origin. ``pv_limit_kwh`` is the arrays' most per
    slot, ``brightest_kwh`` the scale of ``clear_sky_kwh``. ``sky`` is None for a site without
    coordinates or ``arrays``; a site with arrays then has the ``rough_sky`` of its time zone.
    ``standard_load`` and ``unshaded_share`` (the output left by shading) stand in for a load and a
    PV output that were never measured.
    """

    first: int
    load_kwh: FloatArray
    pv_kwh: FloatArray
    clear_sky_kwh: FloatArray
    local_slot: IntArray
    pv_limit_kwh: float
    brightest_kwh: float
    vacation_share: FloatArray
    promised_kwh: FloatArray
    temperature_c: FloatArray
    days_off: DaysOff
    standard_load: StandardProfile
    unshaded_share: FloatArray
    weather: WeatherVintages = NO_WEATHER
    sky: Sky | None = None
    arrays: tuple[PvArray, ...] = ()
    rough_sky: RoughSky | None = None

    def weather_at(self, pairs: "Pairs") -> dict[str, FloatArray]:
        """Return each target's weather as last issued by its origin, NaN where none was."""
        return self.weather.at(self.first + pairs.target, self.first + pairs.origin)

    def index_of(self, instant: datetime) -> int:
        """Return the index of the slot that covers ``instant``; it may lie outside."""
        return number_slot(instant) - self.first


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of origin and target, indices into a frame, each of shape ``(rows,)``.

    Invariants: ``origin ≤ target``.
    """

    origin: IntArray
    target: IntArray

    @property
    def lead(self) -> IntArray:
        """Slots between origin and target."""
        return self.target - self.origin

    def select(self, rows: NDArray[np.bool_]) -> "Pairs":
        """Return the pairs of the chosen rows."""
        return Pairs(self.origin[rows], self.target[rows])

    def split(self, rows: int) -> "list[Pairs]":
        """Return the pairs in parts of at most ``rows``, in order; no pairs are one empty part."""
        return [
            Pairs(self.origin[first : first + rows], self.target[first : first + rows])
            for first in range(0, max(self.origin.size, 1), rows)
        ]


def number_slot(instant: datetime) -> int:
    """Return the number of the slot that covers ``instant``: quarter-hours since 1970."""
    return int(floor_to(instant, SLOT).timestamp()) // SLOT_SECONDS


def frame_series(
    history: Observations, site: Site, *, first: int, last: int, context: Context = NO_CONTEXT
) -> Frame:
    """Return the frame of slots ``first:last`` with measurements, clear sky and local time.

    Impossible values become gaps.
    """
    numbers = np.arange(first, last, dtype=np.int64)
    starts: InstantArray = (numbers * SLOT_SECONDS).astype("datetime64[s]")
    peak = sum_peaks(site)
    sky = look_up(starts, site)
    local = numbers + offset_slots(numbers, parse_zone(site.timezone))
    by_array = [array.unshaded_by_hour for array in site.pv]
    peaks_kw = [array.peak_kw for array in site.pv]
    unshaded_by_hour = np.average(by_array, axis=0, weights=peaks_kw) if site.pv else np.ones(24)
    return Frame(
        first,
        _place(history.starts, history.load_kwh, numbers, np.inf),
        _place(history.starts, history.pv_kwh, numbers, peak * PLAUSIBLE_EXCESS),
        np.ones(numbers.size) if sky is None else sky.clear_sky_kwh,
        local,
        limit_output(site),
        peak if np.isfinite(peak) else 1.0,
        context.vacation.shares(numbers),
        np.full(numbers.size, np.nan)
        if sky is None
        else expected_output(context.weather, sky, site.pv, first=first),
        context.weather.at(numbers, numbers + 1)["temperature_c"],
        DaysOff.of(local // SLOTS_PER_DAY, site),
        StandardProfile.of(site),
        unshaded_by_hour[local % SLOTS_PER_DAY * 24 // SLOTS_PER_DAY],
        context.weather,
        sky,
        tuple(site.pv),
        RoughSky.of(starts, site),
    )


def offset_slots(numbers: IntArray, zone: ZoneInfo) -> IntArray:
    """Return local time minus UTC in slots.

    Looked up once per day, slot by slot only on days of a daylight-saving change.
    """
    days = np.arange(numbers[0] // SLOTS_PER_DAY, numbers[-1] // SLOTS_PER_DAY + 2)
    at_midnight = _look_up(days * SLOTS_PER_DAY, zone)
    day = numbers // SLOTS_PER_DAY - days[0]
    offsets: IntArray = at_midnight[day]
    changing = at_midnight[day] != at_midnight[day + 1]
    if changing.any():
        offsets[changing] = _look_up(numbers[changing], zone)
    return offsets


def _look_up(numbers: IntArray, zone: ZoneInfo) -> IntArray:
    return (
        local_offsets((numbers * SLOT_SECONDS).astype("datetime64[s]"), zone).astype(np.int64)
        // SLOT_SECONDS
    )


def frame_origins(
    history: Observations,
    site: Site,
    issued_at: Sequence[datetime],
    slots: int,
    *,
    context: Context = NO_CONTEXT,
) -> Frame:
    """Return the frame of the forecasts, with ``MEMORY_DAYS`` of history and their horizon."""
    origins = [number_slot(instant) for instant in issued_at]
    return frame_series(
        history,
        site,
        first=min(origins) - MEMORY_DAYS * SLOTS_PER_DAY,
        last=max(origins) + slots,
        context=context,
    )


def pair_origins(frame: Frame, issued_at: Sequence[datetime], slots: int) -> Pairs:
    """Return the pairs of every origin with its ``slots`` targets, by origin, then target."""
    origin = np.repeat(
        np.array([frame.index_of(instant) for instant in issued_at], dtype=np.int64), slots
    )
    return Pairs(origin, origin + np.tile(np.arange(slots, dtype=np.int64), len(issued_at)))


def _place(starts: InstantArray, values: FloatArray, numbers: IntArray, limit: float) -> FloatArray:
    placed = np.full(numbers.size, np.nan)
    where = starts.astype("datetime64[s]").astype(np.int64) // SLOT_SECONDS - numbers[0]
    good = (
        (where >= 0)
        & (where < placed.size)
        & np.isfinite(values)
        & (values >= 0)
        & (values <= limit)
    )
    placed[where[good]] = values[good]
    return placed
