"""PV that was curtailed: what was measured is not what the arrays could yield.

Which slots those are, and what the sun would have given in them. Pure.

Luna's own control log says when Luna did it. Inverters do it by themselves too, and nobody writes
that down: it shows in what was measured under a bright sky:

- off, or just what the house takes, at the same time day after day;
- output held at one level while the sun moves on, the day's highest, for hours or on several days;
- feed-in held at one level, which it never exceeds, while the output moves.

What the arrays could have yielded follows from the slots beside those, seen on the same day, and
from how the roof answers the sun at each time of day; the weather says it where a whole day was
curtailed. Where what was measured is no less than that, nothing was curtailed. A level at which PV
ends for months, and which it never exceeded, is its inverters' own: that is all it will give.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.steered_slots import NO_STEERING, Steering
from luna.energy.timeline import FloatArray, to_instant
from luna.energy.weather import NO_WEATHER, WeatherVintages
from services.forecaster.inputs.frame import DAY_SLOTS, SLOT_SECONDS, BoolArray
from services.forecaster.inputs.solar import (
    SLOT_HOURS,
    estimate_clear_sky,
    expected_output,
    limit_output,
    look_up,
)

# Under the thickest clouds a twentieth of a clear sky is left, and PV knows nothing of what the
# house takes. Shares of the best clear-sky slot: below the lower one a ratio to it says little
BRIGHT = 0.3
LOW = 0.03
# shares of a clear sky: held back, though so much came
NEXT_TO_NOTHING = 0.02
SHONE = 0.2
SHONE_SLOTS = 32  # the same day
EDGE_SLOTS = 2  # within which PV is shut off, or comes back
# By less a shadow comes earlier, or goes later, within a season: the sun at one time of day sinks
# by 10 degrees, an afternoon's in five
SHADOW_SLOTS = 8
SEASON = 28  # days before and after in which roof and sun stand alike
ALIKE = 0.01  # share of PV by which it may differ from the load
# At the same time on so many of the days before: once is a fault, a shadow or chance
OFTEN = 4
OFTEN_DAYS = 6
# Six quarter-hours within a hundredth of each other, while the clear sky changes by six: no cloud
# and no shadow is that steady. Inverters hold 0.1 to 0.5 %.
LEVEL_SLOTS = 6
LEVEL_SPREAD = 0.01
LEVEL_SKY = 0.06
FEED_SLOTS = 4  # feed-in moves with the house: shorter runs say as much
FEED_DAYS = 2  # on which it was held, at least, and never exceeded since
# Different values below a level: meters that count in coarse steps stand still by themselves
LEAST_STEPS = 20
# At a level that no other day of the season had: clouds hold six slots a few times a year
LEVEL_LONG = 12
# With a level, and from the first to the last of them: curtailment ends, or changes, within six
# weeks
CEILING_DAYS = 3
CEILING_SPAN = 42
WRONG_READINGS = 4  # slots above it
AT_INVERTER = 0.95  # of what its inverters bear: that is all the arrays will ever give
# Of what PV was limited to, and of the load where it was kept from the grid: below, the sun gave no
# more
AT_LIMIT = 0.9
AT_LOAD = 0.9


def find_curtailed(
    history: Observations, site: Site, *, before: datetime, steering: Steering = NO_STEERING
) -> tuple[BoolArray, float]:
    """Return the slots of a gapless history in which PV was, or seems to have been, curtailed, as
    far as that was known ``before`` an instant.

    Days that gave it away are marked with those that followed. Beside them the level of a
    quarter-hour, kWh, at which PV always ends: infinite without one.

    Invariants: nothing at or after that instant changes what is marked before it, and nothing after
    a later slot whether that is marked.
    """
    commanded = _mark_commanded(history, site, steering)
    if site.location is None or not site.pv or not len(history):
        return commanded, np.inf
    sky = estimate_clear_sky(history.starts, site)
    is_past = history.starts < to_instant(before)
    steady = _find_steady(history.pv_kwh, sky, is_past)
    ceiling_kwh = _find_ceiling(history.pv_kwh, steady & is_past, is_past)
    level = _mark_level(
        history.pv_kwh,
        steady & (history.pv_kwh < AT_INVERTER * min(sum_ac_limits(site), ceiling_kwh)),
        is_past,
    )
    curtailed: BoolArray = (
        commanded
        | _mark_often(history, sky, is_past)
        | level
        | _mark_feed_in(history, sky, is_past)
    )
    return curtailed, ceiling_kwh


def _mark_commanded(history: Observations, site: Site, steering: Steering) -> BoolArray:
    """Return in which slots Luna held PV back, and it would have been more."""
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
    """Return in which slots PV was off after it had shone, or just what the house took, day after
    day.
    """
    pv = history.pv_kwh
    bright = sky > BRIGHT * sky.max(initial=0.0)
    share = np.nan_to_num(pv) / np.where(bright, sky, np.inf)
    off, returned = _mark_off(pv <= NEXT_TO_NOTHING * np.where(bright, sky, -np.inf), share)
    little = ALIKE * np.nan_to_num(pv)
    # The meter knows it where devices take their part: nothing passes it either way, and no battery
    # makes up for it.
    rests = (
        (history.import_kwh <= little)
        & (history.export_kwh <= little)
        & (np.nan_to_num(history.charge_kwh) <= little)
    )
    alike = (pv > 0) & (
        (np.abs(pv - history.load_kwh) <= little)
        | rests & (np.nan_to_num(history.discharge_kwh) <= little)
    )
    low = off | bright & alike
    # A hill or a house takes the sun for good, in its season: off is who comes back the same day,
    # or shone for hours at those times of day before.
    returns = np.sum(_look_back(returned, OFTEN_DAYS), axis=0) > 0
    # Or PV shone at that time of day before, in a run in which it did so for longer than a shadow
    # moves within a season.
    shone = np.any(_look_back(share > SHONE, SEASON), axis=0)
    run = np.cumsum(off & ~np.concatenate([[False], off[:-1]]))
    slots = np.bincount(run[off & shone & is_past], minlength=int(run[-1]) + 1)
    exceeds: BoolArray = off & shone & (slots[run] >= SHADOW_SLOTS)
    proven = ~off | returns | exceeds
    often = low & proven & (np.sum(_look_back(low, OFTEN_DAYS), axis=0) >= OFTEN)
    later = [
        np.concatenate(
            [(often & is_past)[days * DAY_SLOTS :], np.zeros(days * DAY_SLOTS, dtype=np.bool_)]
        )[: low.size]
        for days in range(1, OFTEN_DAYS + 1)
    ]
    curtailed: BoolArray = often | low & np.any(later, axis=0)
    # The same under the lower sun of that day, where it alone would say nothing.
    near = sliding_window_view(np.pad(curtailed & is_past, SHONE_SLOTS // 2), SHONE_SLOTS + 1).any(
        axis=1
    )
    marked: BoolArray = curtailed | near & is_past & alike & (sky > LOW * sky.max(initial=0.0))
    return marked


def _mark_off(nothing: BoolArray, share: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return in which slots of ``nothing`` PV had been shut off from one slot to the next, and in
    which of them it came back likewise.

    What stands before the sun, a hill or a house, leaves the light of the sky, more than a
    twentieth.
    """
    place = np.arange(share.size)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], nothing, [False]]).astype(np.int8)))
    if not edges.size:
        return nothing, nothing
    starts = edges[::2]
    ends = edges[1::2]
    run = np.clip(np.searchsorted(starts, place, side="right") - 1, 0, None)
    around = np.pad(share > SHONE, EDGE_SLOTS)
    # Within the slot in which it happens it is half of both.
    began, came_back = (
        np.any([around[edge + EDGE_SLOTS + step] for step in steps], axis=0)
        for edge, steps in ((starts, (-2, -1)), (ends, (0, 1)))
    )
    off: BoolArray = nothing & began[run]
    return off, off & came_back[run]


def _look_back(mark: BoolArray, days: int) -> list[BoolArray]:
    """Return what was marked at the same time one day before, two days before, and so on."""
    none = np.zeros(days * DAY_SLOTS, dtype=np.bool_)
    return [
        np.concatenate([none, mark])[(days - back) * DAY_SLOTS :][: mark.size]
        for back in range(1, days + 1)
    ]


def _find_ceiling(pv: FloatArray, steady: BoolArray, is_past: BoolArray) -> float:
    """Return the level at which PV ended on clear days through all that was known, kWh.

    Infinite where none shows. ``steady`` as ``_find_steady`` has it.
    """
    measured = pv[is_past & ~np.isnan(pv)]
    if not steady.any() or measured.size <= WRONG_READINGS:
        return np.inf
    top = float(np.partition(measured, -1 - WRONG_READINGS)[-1 - WRONG_READINGS])
    ends = steady & (pv >= (1 - LEVEL_SPREAD) * top)
    days = np.unique(np.flatnonzero(ends) // DAY_SLOTS)
    lasts = days.size >= CEILING_DAYS and days[-1] - days[0] >= CEILING_SPAN
    return float(np.median(pv[ends])) if lasts else np.inf


def _find_steady(pv: FloatArray, sky: FloatArray, is_past: BoolArray) -> BoolArray:
    """Return the slots that end a run in which PV stood at one level, the day's highest by then,
    while the sun moved on.
    """
    spread = _measure_spread(pv, LEVEL_SLOTS)
    bright = sky > LOW * sky.max(initial=0.0)
    steady = (
        bright
        & (spread <= LEVEL_SPREAD)
        & (_measure_spread(sky, LEVEL_SLOTS) >= LEVEL_SKY)
        & (pv > NEXT_TO_NOTHING * sky)
    )
    # Of a sky that moves, the day so far; what rises above it later was seen by nobody yet.
    highest = sliding_window_view(
        np.concatenate([np.zeros(SHONE_SLOTS), np.nan_to_num(pv)]), SHONE_SLOTS
    )[1:].max(axis=1)
    steps = np.unique(pv[is_past & ~np.isnan(pv)])
    level_ends: BoolArray = (
        steady
        & (pv >= (1 - LEVEL_SPREAD) * highest)
        & (np.searchsorted(steps, np.nan_to_num(pv)) >= LEAST_STEPS)
    )
    return level_ends


def _mark_level(pv: FloatArray, steady: BoolArray, is_past: BoolArray) -> BoolArray:
    """Return in which slots PV was held at one level: for hours, or on several days of a season at
    the same. ``steady`` as ``_find_steady`` has it.
    """
    if not steady.any():
        return steady
    long = steady & (_measure_spread(pv, LEVEL_LONG) <= LEVEL_SPREAD)
    place = np.flatnonzero(steady)
    day = place // DAY_SLOTS
    level = pv[place]
    # Of slots of a day at one level the first speaks for all.
    _, first = np.unique(
        np.stack([day, np.round(2 * np.log(level) / LEVEL_SPREAD)]), axis=1, return_index=True
    )
    apart = np.abs(day[:, None] - day[first])
    alike = (
        (np.abs(level[:, None] - level[first]) <= LEVEL_SPREAD * level[first])
        & (apart > 0)
        & (apart <= SEASON)
    )
    # What was not known by then says nothing of what was before.
    is_available = is_past[place[first]] | (place[first] <= place[:, None])
    again = np.zeros(pv.size, dtype=np.bool_)
    again[place] = (alike & is_available).any(axis=1)
    return _extend_runs(
        again | _extend_runs(long, LEVEL_LONG - LEVEL_SLOTS + 1, is_past) & steady,
        LEVEL_SLOTS,
        is_past,
    )


def _mark_feed_in(history: Observations, sky: FloatArray, is_past: BoolArray) -> BoolArray:
    """Return in which slots feed-in was held at one level that it never exceeds, and no battery had
    a part in it.
    """
    bright = sky > BRIGHT * sky.max(initial=0.0)
    fed = history.export_kwh
    moved = _measure_spread(history.pv_kwh, FEED_SLOTS) > LEVEL_SPREAD
    still = (np.nan_to_num(history.discharge_kwh) <= ALIKE * np.nan_to_num(fed)) & (
        fed > ALIKE * np.nan_to_num(history.pv_kwh)
    )
    steady = bright & still & moved & (_measure_spread(fed, FEED_SLOTS) <= LEVEL_SPREAD)
    if not (steady & is_past).any():
        return np.zeros(fed.size, dtype=np.bool_)
    top = float(np.nanmax(fed[is_past]))
    at_top = steady & (fed >= (1 - LEVEL_SPREAD) * top)
    days = np.unique(np.flatnonzero(at_top & is_past) // DAY_SLOTS)
    return (
        _extend_runs(at_top, FEED_SLOTS, is_past)
        if days.size >= FEED_DAYS
        else np.zeros(fed.size, dtype=np.bool_)
    )


def _measure_spread(values: FloatArray, slots: int) -> FloatArray:
    """Return by how much the last ``slots`` values up to each differ, as a share of the largest.

    Infinite where one is unknown or all are zero.
    """
    window = sliding_window_view(np.concatenate([np.full(slots - 1, np.nan), values]), slots)
    most = window.max(axis=1)
    least = window.min(axis=1)
    spread: FloatArray = np.where(most > 0, (most - least) / np.where(most > 0, most, 1.0), np.inf)
    return np.where(np.isnan(spread), np.inf, spread)


def _extend_runs(ends: BoolArray, slots: int, is_past: BoolArray) -> BoolArray:
    """Return the slots of runs that ``ends`` names by their last slots.

    Back into the run as far as its end was known by then.
    """
    past_ends = np.concatenate([ends & is_past, np.zeros(slots - 1, dtype=np.bool_)])
    curtailed: BoolArray = ends | sliding_window_view(past_ends, slots).any(axis=1)
    return curtailed


def sum_ac_limits(site: Site) -> float:
    """Return what the inverters bear in a quarter-hour, infinite where the site names none."""
    return (
        sum(each.ac_limit_kw for each in site.inverters) * SLOT_HOURS if site.inverters else np.inf
    )


NEAR_SLOTS = 12.0  # after which a slot of the same day counts 1/e for another
LEAST_MEASURED = 2  # slots of a day that have to be known
CLEAR = 0.6  # of the brightest day
LEAST_YIELDED = 3  # slots that have to say so: one may be the edge of a cloud
MOST_SHARE = 1.3  # of a clear sky, as arrays yield it: more is the edge of a cloud
# By which the weather may say that the sky over a slot differs from that over the ones beside it
MOST_MOVE = 3.0
DEGREES_PER_SLOT = 360 / DAY_SLOTS
LEAST_CURTAILED = 4  # slots of a day
WORTH = 1.03  # times what was measured: less was nobody's doing


@dataclass(frozen=True, slots=True)
class Potential:
    """What the sun could have given in slots in which PV was curtailed.

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
    """Return what PV could have been in a gapless history, as known ``before`` an instant.

    What lies at or after that instant is not estimated: it is unknown where it was curtailed.

    Invariants: as ``find_curtailed``; no estimate is below what was measured.
    """
    curtailed, ceiling = find_curtailed(history, site, before=before, steering=steering)
    pv = history.pv_kwh
    sky = look_up(history.starts, site)
    if sky is None or site.location is None or not curtailed.any():
        return Potential(curtailed, np.where(curtailed, np.nan, pv), ceiling)
    first = int(history.starts[0].astype(np.int64)) // SLOT_SECONDS
    is_past = history.starts < to_instant(before)
    promised = expected_output(weather, sky, site.pv, first=first)
    # What is cut off within a slot is half of both.
    beside = sliding_window_view(np.pad(curtailed & is_past, 1), 3).any(axis=1)
    free = np.where(is_past & ~beside, pv, np.nan)
    measured = np.where(is_past, pv, np.nan)
    noon = first + round(site.location.longitude / DEGREES_PER_SLOT)
    past = _Past.of(
        free, measured, curtailed & is_past, sky=sky.clear_sky_kwh, promised=promised, noon=noon
    )
    could = past.estimate(pv.size)
    # What the slots beside explain was nobody's doing
    curtailed = curtailed & ~(is_past & (could < WORTH * pv))
    estimate = np.fmax(
        np.minimum(could, min(limit_output(site), ceiling)), np.where(np.isnan(could), np.nan, pv)
    )
    return Potential(curtailed, np.where(curtailed, estimate, pv), ceiling)


@dataclass(frozen=True, slots=True)
class _Past:
    """Days as rows of 96 slots by the sun's time: PV where it was ``free`` (else NaN), clear sky,
    what the weather promised, and where PV was curtailed.
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
        """Return the days of some consecutive slots.

        ``noon`` numbers the first of them by the sun's time.
        """
        skipped = noon % DAY_SLOTS
        rest = -(skipped + free.size) % DAY_SLOTS

        def fold(values: FloatArray) -> FloatArray:
            return np.pad(values, (skipped, rest), constant_values=np.nan).reshape(-1, DAY_SLOTS)

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
        """Return what the sun could have given where PV was curtailed.

        NaN elsewhere, and where nobody can say.
        """
        could = np.full(self.free.shape, np.nan)
        for day in np.flatnonzero(self.curtailed.any(axis=1)):
            could[day] = np.where(self.curtailed[day], self._estimate_day(int(day)), np.nan)
        return could.ravel()[self.skipped : self.skipped + slots]

    def _estimate_day(self, day: int) -> FloatArray:
        """Return a day as its free slots let expect it.

        Where there are hardly any as the weather does, and without that as any day of the season.
        """
        season = slice(max(day - SEASON, 0), day + SEASON + 1)
        usual = self.sky[day] * self._measure_roof(season)
        free = self.free[day]
        promised = self.promised[day]
        most = MOST_SHARE * self.sky[day]
        sunlit = ~np.isnan(free) & (usual > 0)
        if np.count_nonzero(sunlit) < LEAST_MEASURED:
            weather = promised * self._measure_share(season, self.promised)
            likely: FloatArray = np.where(
                np.isnan(weather), usual * self._measure_share(season, self.sky), weather
            )
            return np.where(likely > most, most, likely)
        slot = np.arange(DAY_SLOTS)
        nearness = np.exp(-np.abs(slot[:, None] - slot[sunlit]) / NEAR_SLOTS)
        brightness = nearness @ free[sunlit] / (nearness @ usual[sunlit])
        if not np.isnan(promised[sunlit]).any():
            there = nearness @ promised[sunlit] / (nearness @ usual[sunlit])
            here = promised / np.where(usual > 0, usual, np.nan)
            moved = here / np.where(there > 0, there, np.nan)
            brightness = brightness * np.where(
                np.isnan(moved), 1.0, np.clip(moved, 1 / MOST_MOVE, MOST_MOVE)
            )
        # How bright a day was at least: PV yielded what was measured while it was curtailed, and
        # where that was most, hardly more was curtailed.
        yielded = np.where(
            self.curtailed[day] & (self.sky[day] > LOW * self.sky.max()),
            self.measured[day] / np.where(usual > 0, usual, np.inf),
            0.0,
        )
        likely = usual * np.maximum(
            brightness, float(np.sort(np.nan_to_num(yielded))[-LEAST_YIELDED])
        )
        return np.where(likely > most, most, likely)

    def _measure_share(self, season: slice, expected: FloatArray) -> float:
        """Return what came of what was ``expected`` where PV was free.

        NaN where too little is known.
        """
        free = self.free[season]
        both = ~np.isnan(free) & (np.nan_to_num(expected[season]) > 0)
        return (
            float(free[both].sum() / expected[season][both].sum())
            if np.count_nonzero(both) >= LEAST_MEASURED
            else np.nan
        )

    def _measure_roof(self, season: slice) -> FloatArray:
        """Return by time of day how the roof answers the sun beside how it does all day: less where
        a chimney stands before it.

        How bright a day was is read at times at which PV was never curtailed: where sunny days are,
        the cloudy ones alone are seen.
        """
        free = self.free[season]
        sky = self.sky[season]
        measured = ~np.isnan(free)
        always = ~self.curtailed[season].any(axis=0)
        judged = (
            measured & always if np.count_nonzero(measured & always) >= LEAST_MEASURED else measured
        )
        came, could = (np.where(judged, values, 0.0).sum(axis=1) for values in (free, sky))
        bright = np.divide(came, could, out=np.zeros(came.size), where=could > 0)[:, None]
        # Of a cloudy day the darkest slots are free: they say nothing of the roof.
        clear = measured & (bright > CLEAR * bright.max(initial=0.0))
        came, could = (np.where(clear, values, 0.0).sum(axis=0) for values in (free, bright * sky))
        times = np.flatnonzero((clear.sum(axis=0) >= LEAST_MEASURED) & (could > 0))
        return (
            np.interp(np.arange(DAY_SLOTS), times, came[times] / could[times])
            if times.size
            else np.ones(DAY_SLOTS)
        )


def count_curtailed_days(curtailed: BoolArray, first: int, end: int) -> int:
    """Return on how many days, runs of 96 slots back from ``end`` (exclusive) to ``first``, PV was
    curtailed for an hour or more.
    """
    slots = np.bincount((end - 1 - first - np.flatnonzero(curtailed[first:end])) // DAY_SLOTS)
    return int(np.count_nonzero(slots >= LEAST_CURTAILED))
