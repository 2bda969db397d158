"""Curtailed PV: the slots in which it was held back, and its potential output in them. Pure.

Luna's own control log shows Luna's curtailment. Inverters also curtail by themselves, which shows
in the measurements under a bright sky:

- PV is off, or equal to the house's load, at the same time day after day;
- output stays at one level while the sun moves, the day's highest, for hours or on several days;
- feed-in stays at one level, which it never exceeds, while the output moves.

The potential follows from the free slots of the same day and from the roof's response to the sun
at each time of day; if a whole day was curtailed, from the weather. If the measurement is no lower,
nothing was curtailed. A level at which PV ends for months, and which it never exceeds, is the
inverters' own limit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.steered_slots import NO_STEERING, Steering
from luna.energy.timeline import SLOT_HOURS, SLOT_SECONDS, SLOTS_PER_DAY, FloatArray, to_instant
from luna.energy.weather import NO_WEATHER, WeatherVintages
from services.forecaster.inputs.frame import BoolArray
from services.forecaster.inputs.solar import (
    estimate_clear_sky,
    expected_output,
    limit_output,
    look_up,
)

# Shares of the best clear-sky slot; below the lower one a ratio to clear sky is unreliable
BRIGHT = 0.3
LOW = 0.03
# Shares of a clear sky: PV that is off, although the thickest clouds leave a twentieth, and PV in
# the sun
NEXT_TO_NOTHING = 0.02
SHONE = 0.2
SHONE_SLOTS = 32  # the same day
EDGE_SLOTS = 2  # within which PV is shut off, or comes back
# A shadow's time moves by less within a season
SHADOW_SLOTS = 8
SEASON = 28  # days before and after in which the sun stands alike
ALIKE = 0.01  # share of PV by which it may differ from the load
# On so many of the days before at the same time: once is a fault, a shadow or chance
OFTEN = 4
OFTEN_DAYS = 6
# Six quarter-hours within a hundredth of each other, while the clear sky changes by six hundredths:
# no cloud and no shadow is that steady. Inverters hold a level within 0.1 to 0.5 %.
LEVEL_SLOTS = 6
LEVEL_SPREAD = 0.01
LEVEL_SKY = 0.06
FEED_SLOTS = 4  # feed-in moves with the house, so shorter runs are enough
FEED_DAYS = 2  # least days at its level
# Least different values below a level: coarse meters stand still by themselves
LEAST_STEPS = 20
# Slots at a level of a single day: clouds hold six slots a few times a year
LEVEL_LONG = 12
# Days at a level, and days from the first to the last of them: curtailment ends or changes within
# six weeks
CEILING_DAYS = 3
CEILING_SPAN = 42
WRONG_READINGS = 4  # slots above it
AT_INVERTER = 0.95  # share of the inverters' limit, above which a level is that limit
# Shares of PV's limit, and of the load under zero export, below which the sun gave no more
AT_LIMIT = 0.9
AT_LOAD = 0.9


def find_curtailed(
    history: Observations, site: Site, *, before: datetime, steering: Steering = NO_STEERING
) -> tuple[BoolArray, float]:
    """Return a gapless history's curtailed slots and PV's ceiling, known ``before`` an instant.

    A day that shows curtailment marks its own slots and those of the days after it. The ceiling is
    the energy per slot at which PV always ends, infinite without one.

    Invariants: nothing at or after that instant changes what is marked before it, and nothing after
        a later slot changes its mark.
    """
    commanded = _mark_commanded(history, site, steering)
    if site.location is None or not site.pv or not len(history):
        return commanded, np.inf
    sky = estimate_clear_sky(history.starts, site)
    is_past = history.starts < to_instant(before)
    steady = _find_steady(history.pv_kwh, sky, is_past)
    ceiling_kwh = _find_ceiling(history.pv_kwh, steady & is_past, is_past)
    limit_kwh = min(sum_ac_limits(site), ceiling_kwh)
    is_below_limit = history.pv_kwh < AT_INVERTER * limit_kwh
    often = _mark_often(history, sky, is_past)
    level = _mark_level(history.pv_kwh, steady & is_below_limit, is_past)
    feed_in = _mark_feed_in(history, sky, is_past)
    curtailed: BoolArray = commanded | often | level | feed_in
    return curtailed, ceiling_kwh


def _mark_commanded(history: Observations, site: Site, steering: Steering) -> BoolArray:
    """Mark the slots in which Luna held PV back and the sun would have given more."""
    limit_kwh = np.full(len(history), np.nan)
    if not len(history) or not steering.pv_starts.size:
        return np.zeros(len(history), dtype=np.bool_)
    place = (steering.pv_starts - history.starts[0]) // np.timedelta64(SLOT_SECONDS, "s")
    within = (place >= 0) & (place < limit_kwh.size)
    np.fmin.at(limit_kwh, place[within].astype(np.int64), steering.pv_limit_kwh[within])
    pv = np.nan_to_num(history.pv_kwh)
    up = estimate_clear_sky(history.starts, site) > 0
    limited = np.isfinite(limit_kwh) & (pv >= AT_LIMIT * limit_kwh)
    zero_export = np.isinf(limit_kwh) & ~(pv < AT_LOAD * history.load_kwh)
    curtailed: BoolArray = up & (limited | zero_export)
    return curtailed


def _mark_often(history: Observations, sky: FloatArray, is_past: BoolArray) -> BoolArray:
    """Mark the slots in which PV was off, or equal to the load, day after day."""
    pv = history.pv_kwh
    bright = sky > BRIGHT * sky.max(initial=0.0)
    share = np.nan_to_num(pv) / np.where(bright, sky, np.inf)
    is_nothing = pv <= NEXT_TO_NOTHING * np.where(bright, sky, -np.inf)
    off, returned = _mark_off(is_nothing, share)
    alike = _is_like_load(history)
    low = off | bright & alike
    # A hill or a house hides the sun for good in its season: curtailed PV comes back the same day.
    returns = np.sum(_look_back(returned, OFTEN_DAYS), axis=0) > 0
    # Or it gave power at that time of day before, for longer than a shadow moves within a season.
    shone = np.any(_look_back(share > SHONE, SEASON), axis=0)
    run = np.cumsum(off & ~np.concatenate([[False], off[:-1]]))
    slots = np.bincount(run[off & shone & is_past], minlength=int(run[-1]) + 1)
    exceeds: BoolArray = off & shone & (slots[run] >= SHADOW_SLOTS)
    proven = ~off | returns | exceeds
    often = low & proven & (np.sum(_look_back(low, OFTEN_DAYS), axis=0) >= OFTEN)
    curtailed: BoolArray = often | low & _precedes(often & is_past)
    # On such a day PV equal to the load counts under a low sun as well.
    padded = np.pad(curtailed & is_past, SHONE_SLOTS // 2)
    near = sliding_window_view(padded, SHONE_SLOTS + 1).any(axis=1)
    is_up = sky > LOW * sky.max(initial=0.0)
    marked: BoolArray = curtailed | near & is_past & alike & is_up
    return marked


def _is_like_load(history: Observations) -> BoolArray:
    """Mark the slots in which PV equals the house's load.

    If devices take a part of it, the grid's meter shows it: it rests in both directions, and no
    battery makes up for the rest.
    """
    pv = history.pv_kwh
    little = ALIKE * np.nan_to_num(pv)
    equals_load = np.abs(pv - history.load_kwh) <= little
    grid_rests = (history.import_kwh <= little) & (history.export_kwh <= little)
    battery_rests = (np.nan_to_num(history.charge_kwh) <= little) & (
        np.nan_to_num(history.discharge_kwh) <= little
    )
    alike: BoolArray = (pv > 0) & (equals_load | grid_rests & battery_rests)
    return alike


def _precedes(often: BoolArray) -> BoolArray:
    """Mark the slots whose time of day was marked within the next days."""
    later = []
    for days in range(1, OFTEN_DAYS + 1):
        none = np.zeros(days * SLOTS_PER_DAY, dtype=np.bool_)
        later.append(np.concatenate([often[days * SLOTS_PER_DAY :], none])[: often.size])
    marked: BoolArray = np.any(later, axis=0)
    return marked


def _mark_off(nothing: BoolArray, share: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Mark the slots of ``nothing`` after a sudden end of PV, and those that PV returned from.

    A hill or a house before the sun leaves the light of the sky, more than a twentieth.
    """
    place = np.arange(share.size)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], nothing, [False]]).astype(np.int8)))
    if not edges.size:
        return nothing, nothing
    starts = edges[::2]
    ends = edges[1::2]
    run = np.clip(np.searchsorted(starts, place, side="right") - 1, 0, None)
    around = np.pad(share > SHONE, EDGE_SLOTS)
    # The slot in which it happens is half of both, so the second one counts as well.
    began = around[starts + EDGE_SLOTS - 2] | around[starts + EDGE_SLOTS - 1]
    came_back = around[ends + EDGE_SLOTS] | around[ends + EDGE_SLOTS + 1]
    off: BoolArray = nothing & began[run]
    return off, off & came_back[run]


def _look_back(mark: BoolArray, days: int) -> list[BoolArray]:
    """Return the marks at the same time one day before, two days before, and so on."""
    none = np.zeros(days * SLOTS_PER_DAY, dtype=np.bool_)
    padded = np.concatenate([none, mark])
    return [padded[(days - back) * SLOTS_PER_DAY :][: mark.size] for back in range(1, days + 1)]


def _find_ceiling(pv: FloatArray, steady: BoolArray, is_past: BoolArray) -> float:
    """Return the level at which PV ended on clear days through all known time, kWh.

    Infinite if there is none. ``steady`` is as ``_find_steady`` returns it.
    """
    measured = pv[is_past & ~np.isnan(pv)]
    if not steady.any() or measured.size <= WRONG_READINGS:
        return np.inf
    top = float(np.partition(measured, -1 - WRONG_READINGS)[-1 - WRONG_READINGS])
    ends = steady & (pv >= (1 - LEVEL_SPREAD) * top)
    days = np.unique(np.flatnonzero(ends) // SLOTS_PER_DAY)
    lasts = days.size >= CEILING_DAYS and days[-1] - days[0] >= CEILING_SPAN
    return float(np.median(pv[ends])) if lasts else np.inf


def _find_steady(pv: FloatArray, sky: FloatArray, is_past: BoolArray) -> BoolArray:
    """Mark the ends of runs in which PV stayed at the day's highest level while the sun moved."""
    bright = sky > LOW * sky.max(initial=0.0)
    stands = _measure_spread(pv, LEVEL_SLOTS) <= LEVEL_SPREAD
    sky_moves = _measure_spread(sky, LEVEL_SLOTS) >= LEVEL_SKY
    steady = bright & stands & sky_moves & (pv > NEXT_TO_NOTHING * sky)
    # The highest until then; later values were not known yet.
    padded = np.concatenate([np.zeros(SHONE_SLOTS), np.nan_to_num(pv)])
    highest = sliding_window_view(padded, SHONE_SLOTS)[1:].max(axis=1)
    is_highest = pv >= (1 - LEVEL_SPREAD) * highest
    steps = np.unique(pv[is_past & ~np.isnan(pv)])
    is_fine = np.searchsorted(steps, np.nan_to_num(pv)) >= LEAST_STEPS
    level_ends: BoolArray = steady & is_highest & is_fine
    return level_ends


def _mark_level(pv: FloatArray, steady: BoolArray, is_past: BoolArray) -> BoolArray:
    """Mark slots of PV at one level for hours, or on several days of a season.

    ``steady`` is as ``_find_steady`` returns it.
    """
    if not steady.any():
        return steady
    place = np.flatnonzero(steady)
    day = place // SLOTS_PER_DAY
    level = pv[place]
    # The first slot of a day represents all at one level.
    level_class = np.round(2 * np.log(level) / LEVEL_SPREAD)
    _, first = np.unique(np.stack([day, level_class]), axis=1, return_index=True)
    apart = np.abs(day[:, None] - day[first])
    same_level = np.abs(level[:, None] - level[first]) <= LEVEL_SPREAD * level[first]
    alike = same_level & (apart > 0) & (apart <= SEASON)
    # A day that was not known by then is no evidence for earlier ones.
    is_available = is_past[place[first]] | (place[first] <= place[:, None])
    again = np.zeros(pv.size, dtype=np.bool_)
    again[place] = (alike & is_available).any(axis=1)
    long = steady & (_measure_spread(pv, LEVEL_LONG) <= LEVEL_SPREAD)
    in_long = _extend_runs(long, LEVEL_LONG - LEVEL_SLOTS + 1, is_past) & steady
    return _extend_runs(again | in_long, LEVEL_SLOTS, is_past)


def _mark_feed_in(history: Observations, sky: FloatArray, is_past: BoolArray) -> BoolArray:
    """Mark the slots in which feed-in stayed at its highest level without a battery's part."""
    bright = sky > BRIGHT * sky.max(initial=0.0)
    fed = history.export_kwh
    moved = _measure_spread(history.pv_kwh, FEED_SLOTS) > LEVEL_SPREAD
    battery_rests = np.nan_to_num(history.discharge_kwh) <= ALIKE * np.nan_to_num(fed)
    is_fed = fed > ALIKE * np.nan_to_num(history.pv_kwh)
    stands = _measure_spread(fed, FEED_SLOTS) <= LEVEL_SPREAD
    steady = bright & battery_rests & is_fed & moved & stands
    nothing = np.zeros(fed.size, dtype=np.bool_)
    if not (steady & is_past).any():
        return nothing
    top = float(np.nanmax(fed[is_past]))
    at_top = steady & (fed >= (1 - LEVEL_SPREAD) * top)
    days = np.unique(np.flatnonzero(at_top & is_past) // SLOTS_PER_DAY)
    return _extend_runs(at_top, FEED_SLOTS, is_past) if days.size >= FEED_DAYS else nothing


def _measure_spread(values: FloatArray, slots: int) -> FloatArray:
    """Return the range of the last ``slots`` values up to each, as a share of the largest.

    Infinite if one is unknown or all are zero.
    """
    window = sliding_window_view(np.concatenate([np.full(slots - 1, np.nan), values]), slots)
    most = window.max(axis=1)
    least = window.min(axis=1)
    divisor = np.where(most > 0, most, 1.0)
    spread: FloatArray = np.where(most > 0, (most - least) / divisor, np.inf)
    return np.where(np.isnan(spread), np.inf, spread)


def _extend_runs(ends: BoolArray, slots: int, is_past: BoolArray) -> BoolArray:
    """Mark the slots of runs that end at ``ends``.

    A run is extended back as far as its end was known by then.
    """
    past_ends = np.concatenate([ends & is_past, np.zeros(slots - 1, dtype=np.bool_)])
    curtailed: BoolArray = ends | sliding_window_view(past_ends, slots).any(axis=1)
    return curtailed


def sum_ac_limits(site: Site) -> float:
    """Return the inverters' limit per quarter-hour, infinite if the site names none."""
    if not site.inverters:
        return np.inf
    return sum(inverter.ac_limit_kw for inverter in site.inverters) * SLOT_HOURS


NEAR_SLOTS = 12.0  # after which a slot of the same day counts 1/e for another
LEAST_MEASURED = 2  # known slots that a day needs
CLEAR = 0.6  # of the brightest day
LEAST_YIELDED = 3  # slots that must show a brightness: one may be the edge of a cloud
MOST_SHARE = 1.3  # of a clear sky, as arrays yield it: more is the edge of a cloud
# Highest factor of the weather between a slot's sky and that of the slots beside it
MOST_MOVE = 3.0
DEGREES_PER_SLOT = 360 / SLOTS_PER_DAY
LEAST_CURTAILED = 4  # slots of a curtailed day
WORTH = 1.03  # least factor of the potential over the measurement


@dataclass(frozen=True, slots=True)
class Potential:
    """The potential of PV in slots in which it was curtailed.

    ``curtailed`` marks these slots; ``pv_kwh`` is the series to learn from: as measured where PV
    was free, estimated where it was curtailed, NaN without an estimate. Both of shape ``(slots,)``.
    ``ceiling_kwh`` is the level at which PV always ends, infinite without one.
    """

    curtailed: BoolArray
    pv_kwh: FloatArray
    ceiling_kwh: float


def estimate_potential(
    history: Observations,
    site: Site,
    *,
    before: datetime,
    steering: Steering = NO_STEERING,
    weather: WeatherVintages = NO_WEATHER,
) -> Potential:
    """Return the potential of PV in a gapless history, as known ``before`` an instant.

    At or after that instant nothing is estimated: PV is unknown where it was curtailed.

    Invariants: as ``find_curtailed``; no estimate is below the measurement.
    """
    curtailed, ceiling = find_curtailed(history, site, before=before, steering=steering)
    pv = history.pv_kwh
    sky = look_up(history.starts, site)
    if sky is None or site.location is None or not curtailed.any():
        return Potential(curtailed, np.where(curtailed, np.nan, pv), ceiling)
    first = int(history.starts[0].astype(np.int64)) // SLOT_SECONDS
    is_past = history.starts < to_instant(before)
    promised = expected_output(weather, sky, site.pv, first=first)
    # The slots beside a curtailed one may be curtailed in a part.
    beside = sliding_window_view(np.pad(curtailed & is_past, 1), 3).any(axis=1)
    free = np.where(is_past & ~beside, pv, np.nan)
    measured = np.where(is_past, pv, np.nan)
    noon = first + round(site.location.longitude / DEGREES_PER_SLOT)
    past = _Past.of(
        free, measured, curtailed & is_past, sky=sky.clear_sky_kwh, promised=promised, noon=noon
    )
    could = past.estimate(pv.size)
    # Where the measurement is as high as the slots beside let expect, nothing was curtailed.
    curtailed = curtailed & ~(is_past & (could < WORTH * pv))
    limited = np.minimum(could, min(limit_output(site), ceiling))
    estimate = np.fmax(limited, np.where(np.isnan(could), np.nan, pv))
    return Potential(curtailed, np.where(curtailed, estimate, pv), ceiling)


@dataclass(frozen=True, slots=True)
class _Past:
    """Days as rows of 96 slots by the sun's time.

    ``free`` is PV where it was not curtailed, else NaN; ``promised`` is PV by the weather.
    """

    free: FloatArray
    measured: FloatArray
    sky: FloatArray
    promised: FloatArray
    curtailed: BoolArray
    skipped: int

    @classmethod
    def of(
        cls,
        free: FloatArray,
        measured: FloatArray,
        curtailed: BoolArray,
        *,
        sky: FloatArray,
        promised: FloatArray,
        noon: int,
    ) -> Self:
        """Return the days of consecutive slots; ``noon`` numbers the first by the sun's time."""
        skipped = noon % SLOTS_PER_DAY
        rest = -(skipped + free.size) % SLOTS_PER_DAY

        def fold(values: FloatArray) -> FloatArray:
            return np.pad(values, (skipped, rest), constant_values=np.nan).reshape(
                -1, SLOTS_PER_DAY
            )

        light = np.nan_to_num(fold(sky))
        sunlit = np.where(light > LOW * light.max(), fold(free), np.nan)
        return cls(
            sunlit,
            fold(measured),
            light,
            fold(promised),
            np.nan_to_num(fold(curtailed.astype(np.float64))) > 0,
            skipped,
        )

    def estimate(self, slots: int) -> FloatArray:
        """Return the potential of curtailed slots, NaN in others or if unknown."""
        could = np.full(self.free.shape, np.nan)
        for day in np.flatnonzero(self.curtailed.any(axis=1)):
            could[day] = np.where(self.curtailed[day], self._estimate_day(int(day)), np.nan)
        return could.ravel()[self.skipped : self.skipped + slots]

    def _estimate_day(self, day: int) -> FloatArray:
        """Return a day's potential from its free slots.

        With hardly any free slots it follows from the weather, without that from the season.
        """
        season = slice(max(day - SEASON, 0), day + SEASON + 1)
        usual = self.sky[day] * self._measure_roof(season)
        most = MOST_SHARE * self.sky[day]
        sunlit = ~np.isnan(self.free[day]) & (usual > 0)
        if np.count_nonzero(sunlit) < LEAST_MEASURED:
            by_weather = self.promised[day] * self._measure_share(season, self.promised)
            by_season = usual * self._measure_share(season, self.sky)
            likely: FloatArray = np.where(np.isnan(by_weather), by_season, by_weather)
        else:
            brightness = self._measure_brightness(day, usual, sunlit)
            likely = usual * np.maximum(brightness, self._least_brightness(day, usual))
        return np.where(likely > most, most, likely)

    def _measure_brightness(self, day: int, usual: FloatArray, sunlit: BoolArray) -> FloatArray:
        """Return each slot's ratio to ``usual`` from the free slots near it and the weather."""
        free = self.free[day]
        promised = self.promised[day]
        slot = np.arange(SLOTS_PER_DAY)
        nearness = np.exp(-np.abs(slot[:, None] - slot[sunlit]) / NEAR_SLOTS)
        brightness: FloatArray = nearness @ free[sunlit] / (nearness @ usual[sunlit])
        if np.isnan(promised[sunlit]).any():
            return brightness
        promised_beside = nearness @ promised[sunlit] / (nearness @ usual[sunlit])
        promised_here = promised / np.where(usual > 0, usual, np.nan)
        moved = promised_here / np.where(promised_beside > 0, promised_beside, np.nan)
        factor = np.where(np.isnan(moved), 1.0, np.clip(moved, 1 / MOST_MOVE, MOST_MOVE))
        return brightness * factor

    def _least_brightness(self, day: int, usual: FloatArray) -> float:
        """Return a day's least brightness: PV yielded its measurement although it was curtailed."""
        is_curtailed = self.curtailed[day] & (self.sky[day] > LOW * self.sky.max())
        ratio = self.measured[day] / np.where(usual > 0, usual, np.inf)
        yielded = np.where(is_curtailed, ratio, 0.0)
        return float(np.sort(np.nan_to_num(yielded))[-LEAST_YIELDED])

    def _measure_share(self, season: slice, expected: FloatArray) -> float:
        """Return the share of ``expected`` that free PV yielded, NaN if too little is known."""
        free = self.free[season]
        both = ~np.isnan(free) & (np.nan_to_num(expected[season]) > 0)
        if np.count_nonzero(both) < LEAST_MEASURED:
            return np.nan
        return float(free[both].sum() / expected[season][both].sum())

    def _measure_roof(self, season: slice) -> FloatArray:
        """Return the roof's response by time of day relative to the whole day's.

        It is lower behind a chimney. A day's brightness is read at times of day without any
        curtailment, because at others only cloudy days are free.
        """
        free = self.free[season]
        sky = self.sky[season]
        measured = ~np.isnan(free)
        always_free = ~self.curtailed[season].any(axis=0)
        judged = measured & always_free
        if np.count_nonzero(judged) < LEAST_MEASURED:
            judged = measured
        yielded = np.where(judged, free, 0.0).sum(axis=1)
        clear_kwh = np.where(judged, sky, 0.0).sum(axis=1)
        brightness = np.divide(yielded, clear_kwh, out=np.zeros(yielded.size), where=clear_kwh > 0)[
            :, None
        ]
        # On a cloudy day only the darkest slots are free, which do not show the roof.
        clear = measured & (brightness > CLEAR * brightness.max(initial=0.0))
        yielded = np.where(clear, free, 0.0).sum(axis=0)
        expected = np.where(clear, brightness * sky, 0.0).sum(axis=0)
        times = np.flatnonzero((clear.sum(axis=0) >= LEAST_MEASURED) & (expected > 0))
        if not times.size:
            return np.ones(SLOTS_PER_DAY)
        response: FloatArray = np.interp(
            np.arange(SLOTS_PER_DAY), times, yielded[times] / expected[times]
        )
        return response


def count_curtailed_days(curtailed: BoolArray, first: int, end: int) -> int:
    """Return the number of days with an hour or more of curtailment.

    Days are runs of 96 slots back from ``end`` (exclusive) to ``first``.
    """
    slots_back = end - 1 - first - np.flatnonzero(curtailed[first:end])
    slots = np.bincount(slots_back // SLOTS_PER_DAY)
    return int(np.count_nonzero(slots >= LEAST_CURTAILED))
