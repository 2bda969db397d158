"""Energy of a counter's readings.

Detects resets, roll-overs, meter exchanges, frozen values and misreadings.
"""

from dataclasses import dataclass

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, IndexArray
from services.ingest.metering.gap_filling import fill_gaps
from services.ingest.metering.no_value import NO_VALUE, find_no_counts
from services.ingest.metering.rejection import WRONG_SIGN, Mask, Readings, Refusals
from services.ingest.metering.slot_energy import EnergyCurve
from services.ingest.metering.spans import LONGEST_GAP_HOURS, Spans, hours_between

# Meters round, and some add up phases read one after the other: so small a fall is no reset.
ROUNDING_KWH = 0.02
# Readings arrive up to a quarter-hour late, with the energy of that time at once.
LATENESS_HOURS = 0.25
# The coarsest meters of homes count whole kWh.
COARSEST_STEP_KWH = 1.0
FEWEST_RISES = 10
# A counter back at its level within two hours was misread; after a reset or an exchange it does not
# come back.
LONGEST_EXCURSION = np.timedelta64(2, "h")
# Some devices report zero while their source is off, such as an inverter at night.
LONGEST_ABSENCE = np.timedelta64(1, "D")
# One reading in ten out of place means no counter, but a power or an energy per interval in a
# counter's unit.
MOST_BREAKS_SHARE = 0.1
FEWEST_BREAKS = 20
# Roll-over points: decimal displays of 10^4 to 10^9 kWh, and registers of 16, 24, 31 and 32 bits of
# Wh, 10 Wh, 100 Wh or kWh.
MODULI_KWH = tuple(
    sorted(
        {10.0**digits for digits in range(4, 10)}
        | {2.0**bits * unit for bits in (16, 24, 31, 32) for unit in (0.001, 0.01, 0.1, 1.0)}
    )
)

# A meter unchanged for longer that then shows another level was exchanged, not frozen.
LONGEST_FROZEN_HOURS = 96.0

# Less is rounding; a counter of the day that falls begins again once in a day's readings.
LEAST_FALLEN_KWH = 0.2
MOST_BEGUN_SHARE = 0.1

MISREAD = RowFault("misread")
NO_COUNTER = RowFault("no_counter")


# Clocks of source and recorder differ by seconds, and readings arrive a little apart.
JITTER_HOURS = 1 / 60
# Of a counter that reports in lumps most rises are no larger than this share of them.
LUMP_SHARE = 0.95
# The pace around a fall distinguishes a reset from a correction: these readings to either side are
# an hour of a meter that is read every quarter-hour.
PACE_READINGS = 4
# A register rolls over near its end.
ROLL_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class _Allowance:
    """Highest possible rise of a counter."""

    rise_kw: float
    # Resolution, and what the counter reports at once.
    step_kwh: float
    lump_kwh: float

    def between(self, counter: Readings) -> FloatArray:
        """Return the highest possible rise from each reading to the next.

        It is the connection's energy in the time between them, and in a quarter-hour before if the
        counter stood still then: its readings came late.
        """
        hours = hours_between(counter.instants[:-1], counter.instants[1:])
        moved = np.append([True], np.diff(counter.values) != 0)[:-1]
        last_moved = np.maximum.accumulate(np.where(moved, np.arange(moved.size), 0))
        stood = hours_between(counter.instants[last_moved], counter.instants[:-1])
        counted_hours = hours + np.minimum(stood, LATENESS_HOURS) + JITTER_HOURS
        return np.asarray(self.rise_kw * counted_hours + self.lump_kwh)

    def over(self, hours: FloatArray) -> FloatArray:
        """Return the highest possible rise within ``hours``."""
        return self.rise_kw * (hours + LATENESS_HOURS) + max(COARSEST_STEP_KWH, self.step_kwh)


def read_counter(
    counter: Readings, rise_kw: float, refusals: Refusals, idle: Spans | None = None
) -> EnergyCurve:
    """Return the energy curve of a counter; gaps are filled by ``gap_filling``.

    A fall to a value that can have been counted since, at the pace of the readings beside it, is a
    reset to zero; a fall from just below a register's end is a roll-over; any other unreachable
    level is a correction or another meter, and the energy in between is unknown.

    Args:
        counter: in kWh.
        rise_kw: highest power.
        idle: spans in which it counts nothing, such as a roof's nights.

    Invariants: without resets the curve gains the difference of last and first reading, whatever
        lies between; a reset gains no more than the value after it.
    """
    counter = counter.without(np.isnan(counter.values))
    if len(counter) < 2:
        return EnergyCurve.empty()
    no_value = find_no_counts(counter, rise_kw, rise_kw * LATENESS_HOURS + COARSEST_STEP_KWH)
    counter = counter.without(refusals.refuse(counter, no_value, NO_VALUE))
    if len(counter) < 2:
        return EnergyCurve.empty()
    everything = np.ones(len(counter), dtype=np.bool_)
    if _counts_down(counter.values):
        refusals.refuse(counter, everything, WRONG_SIGN)
        return EnergyCurve.empty()
    step_kwh = measure_step(counter.values)
    allowance = _Allowance(rise_kw, step_kwh, _measure_lump(counter, rise_kw))
    breaks = _find_breaks(counter, allowance)
    if breaks.size > max(FEWEST_BREAKS, MOST_BREAKS_SHARE * len(counter)):
        refusals.refuse(counter, everything, NO_COUNTER)
        return EnergyCurve.empty()
    misread = _find_misread(counter, breaks, allowance)
    sound = counter.without(refusals.refuse(counter, misread, MISREAD))
    breaks = _find_breaks(sound, allowance)
    idle = idle or Spans.none()
    gain = _measure_gain(sound, breaks, allowance, idle)
    continued = np.ones(gain.size, dtype=np.bool_)
    continued[breaks - 1] = False
    return fill_gaps(
        sound, gain, continued, step_kwh=allowance.step_kwh, limit_kw=allowance.rise_kw, idle=idle
    )


def _find_misread(counter: Readings, breaks: IndexArray, allowance: _Allowance) -> Mask:
    misread = np.zeros(len(counter), dtype=np.bool_)
    for place in breaks.tolist():
        # The first reading after an excursion is a break as well, but no misreading.
        if not misread[place - 1 : place + 1].any():
            misread[place : _find_return(counter, place, allowance)] = True
    return misread


def _measure_gain(
    sound: Readings, breaks: IndexArray, allowance: _Allowance, idle: Spans
) -> FloatArray:
    """Return the energy from each reading to the next, NaN where unknown."""
    hours = hours_between(sound.instants[:-1], sound.instants[1:])
    gain = np.diff(sound.values)
    reach = allowance.over(hours)
    moved = np.flatnonzero(gain != 0) + 1
    counting_hours = hours - idle.hours_per_slot(sound.instants)
    pace = _limit_by_pace(gain, counting_hours, breaks, allowance)
    for place in breaks.tolist():
        before = sound.values[place - 1]
        after = sound.values[place]
        gain[place - 1] = np.nan
        if after < before:
            gain[place - 1] = _gain_of_fall(
                before, after, most_kwh=reach[place - 1], paced_kwh=pace[place - 1]
            )
        # A counter that repeated its value and then jumps by an amount possible over that time was
        # frozen.
        begin = 0
        if moved[0] < place:
            begin = int(moved[np.searchsorted(moved, place) - 1])
        stood = hours_between(sound.instants[begin], sound.instants[place : place + 1])
        is_possible = 0 < after - before <= allowance.over(stood)[0]
        if stood[0] <= LONGEST_FROZEN_HOURS and is_possible:
            gain[begin:place] = np.nan
    return gain


def _gain_of_fall(before: float, after: float, *, most_kwh: float, paced_kwh: float) -> float:
    """Return the energy of a roll-over or reset, NaN for a correction or another meter.

    Args:
        before: reading before the fall.
        after: reading after the fall.
        most_kwh: highest possible energy in between.
        paced_kwh: highest energy at the pace of the readings beside.
    """
    for end in MODULI_KWH:
        if (1 - ROLL_SHARE) * end <= before <= end:
            rolled = end - before + after
            if 0 <= rolled <= most_kwh:
                return rolled
    is_reset = after <= paced_kwh and 0 <= after <= most_kwh
    return after if is_reset else np.nan


def measure_step(kwh: FloatArray) -> float:
    """Return a counter's resolution, kWh; zero if it rose too seldom to tell."""
    rises = np.diff(kwh)
    rises = rises[rises > 0]
    return float(rises.min()) if rises.size >= FEWEST_RISES else 0.0


def _counts_down(kwh: FloatArray) -> bool:
    """Return whether a counter falls steadily, and rises at most where it begins again."""
    changes = np.diff(kwh)
    fallen = float(-changes[changes < 0].sum())
    falls = int((changes < 0).sum())
    rises = int((changes > 0).sum())
    is_falling = falls >= FEWEST_RISES and fallen > LEAST_FALLEN_KWH
    return is_falling and rises <= MOST_BEGUN_SHARE * falls


def _measure_lump(counter: Readings, rise_kw: float) -> float:
    """Return the rise that a counter reports at once, whatever the time between two readings, kWh.

    No lump holds more than the connection carries from one to the next: in another unit all rises
    are a thousandfold.
    """
    rises = np.diff(counter.values)
    rose = np.flatnonzero(rises > 0)
    if rose.size < FEWEST_RISES:
        return COARSEST_STEP_KWH
    hours = hours_between(counter.instants[rose[:-1] + 1], counter.instants[rose[1:] + 1])
    most_kwh = rise_kw * float(np.quantile(hours, LUMP_SHARE)) + COARSEST_STEP_KWH
    return min(float(np.quantile(rises[rose], LUMP_SHARE)), most_kwh)


def _limit_by_pace(
    gain: FloatArray, hours: FloatArray, breaks: IndexArray, allowance: _Allowance
) -> FloatArray:
    """Return each interval's highest energy at the pace of the readings beside it, kWh.

    Over a gap the pace is unknown, so there is no limit.
    """
    power: FloatArray = np.divide(gain, hours, out=np.zeros(gain.size), where=hours > 0)
    power[breaks - 1] = np.nan
    limit = np.full(gain.size, np.inf)
    for place in (breaks[hours[breaks - 1] <= LONGEST_GAP_HOURS] - 1).tolist():
        beside = power[max(place - PACE_READINGS, 0) : place + 1 + PACE_READINGS]
        beside = beside[np.isfinite(beside)]
        # A counter that stands still between its steps may show one at once.
        step_kwh = allowance.step_kwh if (beside == 0).any() else 0.0
        limit[place] = float(beside.max(initial=0.0)) * hours[place] + max(ROUNDING_KWH, step_kwh)
    return limit


def _find_breaks(counter: Readings, allowance: _Allowance) -> IndexArray:
    """Return the indices of readings that do not continue the one before."""
    rise = np.diff(counter.values)
    is_broken = (rise < -ROUNDING_KWH) | (rise > allowance.between(counter))
    return np.flatnonzero(is_broken).astype(np.int64) + 1


def _find_return(counter: Readings, place: int, allowance: _Allowance) -> int:
    """Return the index at which the counter is back at its level before ``place``.

    If it never is, return ``place`` itself.
    """
    level = counter.values[place - 1]
    if counter.values[place] == 0:
        # After a temporary zero it continues at its level at once, which a reset does not.
        counting = counter.values[place : _until(counter, place, LONGEST_ABSENCE)] != 0
        end = place + int(counting.argmax())
        rise_from_level = _reach_between(counter, place - 1, end, allowance)
        rise_from_zero = _reach_between(counter, end - 1, end, allowance)
        continued = counter.values[end]
        is_at_level = level - ROUNDING_KWH <= continued <= level + rise_from_level
        if counting.any() and is_at_level and continued > rise_from_zero:
            return end
    until = _until(counter, place, LONGEST_EXCURSION)
    excursion = counter.values[place:until]
    instants = counter.instants[place:until]
    reachable = level + allowance.over(hours_between(counter.instants[place - 1], instants))
    back = (excursion >= level - ROUNDING_KWH) & (excursion <= reachable)
    if excursion[0] > level:
        # After an upward excursion it must fall to be back; one that keeps rising had caught up.
        back &= excursion < np.maximum.accumulate(excursion) - ROUNDING_KWH
    if 0 <= excursion[0] <= min(level, reachable[0] - level):
        # After a true reset it may count up to its old level, at most at ``rise_kw``: only a faster
        # return shows a misreading.
        counted = allowance.rise_kw * hours_between(instants[0], instants)
        back &= excursion - excursion[0] > counted
    return place + int(back.argmax())


def _reach_between(counter: Readings, first: int, last: int, allowance: _Allowance) -> float:
    hours = hours_between(counter.instants[first], counter.instants[last : last + 1])
    return float(allowance.over(hours)[0])


def _until(counter: Readings, place: int, span: np.timedelta64) -> int:
    return int(np.searchsorted(counter.instants, counter.instants[place] + span, side="right"))
