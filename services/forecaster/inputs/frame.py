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
        first_year = (EPOCH + dt.timedelta(first - 1)).year
        last_year = (EPOCH + dt.timedelta(last + 1)).year
        holidays_since_epoch: list[int] = []
        for year in range(first_year, last_year + 1):
            holidays_since_epoch += list_holidays(country_of(site), site.region, year)
        holiday = np.isin(days, holidays_since_epoch)
        off = holiday | ((days + 3) % 7 >= SATURDAY)  # 1970 began on a Thursday
        is_between_days_off = off[:-2] & off[2:]
        beside_holiday = holiday[:-2] | holiday[2:]
        bridge = is_between_days_off & beside_holiday & ~off[1:-1]
        return cls(holiday[day - first + 1], bridge[day - first])


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
        parts = []
        for first in range(0, max(self.origin.size, 1), rows):
            part = slice(first, first + rows)
            parts.append(Pairs(self.origin[part], self.target[part]))
        return parts


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
    local_hour = local % SLOTS_PER_DAY * 24 // SLOTS_PER_DAY
    if sky is None:
        clear_sky_kwh = np.ones(numbers.size)
        promised_kwh = np.full(numbers.size, np.nan)
    else:
        clear_sky_kwh = sky.clear_sky_kwh
        promised_kwh = expected_output(context.weather, sky, site.pv, first=first)
    return Frame(
        first=first,
        load_kwh=_to_grid(history.starts, history.load_kwh, numbers, np.inf),
        pv_kwh=_to_grid(history.starts, history.pv_kwh, numbers, peak * PLAUSIBLE_EXCESS),
        clear_sky_kwh=clear_sky_kwh,
        local_slot=local,
        pv_limit_kwh=limit_output(site),
        brightest_kwh=peak if np.isfinite(peak) else 1.0,
        vacation_share=context.vacation.shares(numbers),
        promised_kwh=promised_kwh,
        temperature_c=context.weather.at(numbers, numbers + 1)["temperature_c"],
        days_off=DaysOff.of(local // SLOTS_PER_DAY, site),
        standard_load=StandardProfile.of(site),
        unshaded_share=unshaded_by_hour[local_hour],
        weather=context.weather,
        sky=sky,
        arrays=tuple(site.pv),
        rough_sky=RoughSky.of(starts, site),
    )


def offset_slots(numbers: IntArray, zone: ZoneInfo) -> IntArray:
    """Return local time minus UTC in slots.

    Looked up once per day, slot by slot only on days of a daylight-saving change.
    """
    days = np.arange(numbers[0] // SLOTS_PER_DAY, numbers[-1] // SLOTS_PER_DAY + 2)
    at_midnight = _offsets_at(days * SLOTS_PER_DAY, zone)
    day = numbers // SLOTS_PER_DAY - days[0]
    offsets: IntArray = at_midnight[day]
    changing = at_midnight[day] != at_midnight[day + 1]
    if changing.any():
        offsets[changing] = _offsets_at(numbers[changing], zone)
    return offsets


def _offsets_at(numbers: IntArray, zone: ZoneInfo) -> IntArray:
    instants = (numbers * SLOT_SECONDS).astype("datetime64[s]")
    offset_seconds = local_offsets(instants, zone).astype(np.int64)
    return offset_seconds // SLOT_SECONDS


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
    origins = np.array([frame.index_of(instant) for instant in issued_at], dtype=np.int64)
    origin = np.repeat(origins, slots)
    lead = np.tile(np.arange(slots, dtype=np.int64), len(issued_at))
    return Pairs(origin, origin + lead)


def _to_grid(
    starts: InstantArray, values: FloatArray, numbers: IntArray, limit: float
) -> FloatArray:
    """Return the values on the grid of ``numbers``; gaps and impossible values are NaN."""
    on_grid = np.full(numbers.size, np.nan)
    slot = starts.astype("datetime64[s]").astype(np.int64) // SLOT_SECONDS - numbers[0]
    is_within = (slot >= 0) & (slot < on_grid.size)
    is_possible = np.isfinite(values) & (values >= 0) & (values <= limit)
    good = is_within & is_possible
    on_grid[slot[good]] = values[good]
    return on_grid
