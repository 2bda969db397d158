"""Energy of a counter's readings, with detection of resets, roll-overs, meter exchanges, frozen
values and misreadings.
"""

from dataclasses import dataclass

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, IndexArray
from services.ingest.metering.gap_filling import fill_gaps
from services.ingest.metering.no_value import NO_VALUE, find_no_counts
from services.ingest.metering.rejection import WRONG_SIGN, Readings, Refusals
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
# A reset is told from a correction by the pace around it, an hour to either side where a meter is
# read every quarter-hour.
PACE_READINGS = 4
# A register rolls over at its end, not from somewhere on its way there.
ROLL_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class _Allowance:
    """Highest possible rise of a counter with a resolution of ``step_kwh``, which reports lumps of
    ``lump_kwh``.
    """

    rise_kw: float
    step_kwh: float
    lump_kwh: float

    def between(self, counter: Readings) -> FloatArray:
        """Return the highest possible rise from each reading to the next.

        What the connection carries in the time between them, and in a quarter-hour before if the
        counter stood still then: its readings came late.
        """
        hours = hours_between(counter.instants[:-1], counter.instants[1:])
        moved = np.append([True], np.diff(counter.values) != 0)[:-1]
        last_moved = np.maximum.accumulate(np.where(moved, np.arange(moved.size), 0))
        stood = hours_between(counter.instants[last_moved], counter.instants[:-1])
        return np.asarray(
            self.rise_kw * (hours + np.minimum(stood, LATENESS_HOURS) + JITTER_HOURS)
            + self.lump_kwh
        )

    def over(self, hours: FloatArray) -> FloatArray:
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
    if _counts_down(counter.values):
        refusals.refuse(counter, np.ones(len(counter), dtype=np.bool_), WRONG_SIGN)
        return EnergyCurve.empty()
    allowance = _Allowance(rise_kw, measure_step(counter.values), _measure_lump(counter.values))
    breaks = _find_breaks(counter, allowance)
    if breaks.size > max(FEWEST_BREAKS, MOST_BREAKS_SHARE * len(counter)):
        refusals.refuse(counter, np.ones(len(counter), dtype=np.bool_), NO_COUNTER)
        return EnergyCurve.empty()
    misread = np.zeros(len(counter), dtype=np.bool_)
    for place in breaks.tolist():
        # After an excursion the first reading back at the level differs from the one before as
        # well.
        if not misread[place - 1 : place + 1].any():
            misread[place : _find_return(counter, place, allowance)] = True
    sound = counter.without(refusals.refuse(counter, misread, MISREAD))
    idle = idle or Spans.none()
    breaks = _find_breaks(sound, allowance)
    hours = hours_between(sound.instants[:-1], sound.instants[1:])
    gain = np.diff(sound.values)
    reach = allowance.over(hours)
    moved = np.flatnonzero(gain != 0) + 1
    pace = _limit_by_pace(gain, hours - idle.hours_per_slot(sound.instants), breaks, allowance)
    for place in breaks.tolist():
        before = sound.values[place - 1]
        after = sound.values[place]
        gain[place - 1] = np.nan
        if after < before:
            # A fall is a roll-over or a reset, whichever is within reach; otherwise it was
            # corrected or is another meter's, and the gain unknown.
            rolled = [
                end - before + after
                for end in MODULI_KWH
                if (1 - ROLL_SHARE) * end <= before <= end
            ]
            begun = [after] if after <= pace[place - 1] else []
            gain[place - 1] = next(
                (kwh for kwh in [*rolled, *begun] if 0 <= kwh <= reach[place - 1]), np.nan
            )
        # A counter that repeated its value and then jumps by an amount possible over that time was
        # frozen.
        begin = int(moved[np.searchsorted(moved, place) - 1]) if moved[0] < place else 0
        stood = hours_between(sound.instants[begin], sound.instants[place : place + 1])
        if stood[0] <= LONGEST_FROZEN_HOURS and 0 < after - before <= allowance.over(stood)[0]:
            gain[begin:place] = np.nan
    continued = np.ones(gain.size, dtype=np.bool_)
    continued[breaks - 1] = False
    return fill_gaps(
        sound, gain, continued, step_kwh=allowance.step_kwh, limit_kw=allowance.rise_kw, idle=idle
    )


def measure_step(kwh: FloatArray) -> float:
    """Return a counter's resolution, kWh; zero where it rose too seldom to tell."""
    rises = np.diff(kwh)
    rises = rises[rises > 0]
    return float(rises.min()) if rises.size >= FEWEST_RISES else 0.0


def _counts_down(kwh: FloatArray) -> bool:
    """Return whether a counter falls steadily, and rises at most where it begins again."""
    changes = np.diff(kwh)
    fallen = float(-changes[changes < 0].sum())
    falls = int((changes < 0).sum())
    return (
        falls >= FEWEST_RISES
        and fallen > LEAST_FALLEN_KWH
        and int((changes > 0).sum()) <= MOST_BEGUN_SHARE * falls
    )


def _measure_lump(kwh: FloatArray) -> float:
    """Return the rise that a counter reports at once, whatever the time between two readings,
    kWh.
    """
    rises = np.diff(kwh)
    rises = rises[rises > 0]
    return (
        float(np.quantile(rises, LUMP_SHARE)) if rises.size >= FEWEST_RISES else COARSEST_STEP_KWH
    )


def _limit_by_pace(
    gain: FloatArray, hours: FloatArray, breaks: IndexArray, allowance: _Allowance
) -> FloatArray:
    """Return for each interval what a counter that begun again in it may show: the highest power of
    the readings beside it.

    Over a gap nobody knows the pace: there it is unlimited.
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
    return (
        np.flatnonzero((rise < -ROUNDING_KWH) | (rise > allowance.between(counter))).astype(
            np.int64
        )
        + 1
    )


def _find_return(counter: Readings, place: int, allowance: _Allowance) -> int:
    """Return the index at which the counter is back at the level it left at ``place``.

    ``place`` itself where it is not.
    """
    level = counter.values[place - 1]
    if counter.values[place] == 0:
        # After a temporary zero it continues at its level at once, which a reset does not.
        counting = counter.values[place : _until(counter, place, LONGEST_ABSENCE)] != 0
        end = place + int(counting.argmax())
        rise_from_level, rise_from_zero = (
            allowance.over(
                hours_between(counter.instants[before], counter.instants[end : end + 1])
            )[0]
            for before in (place - 1, end - 1)
        )
        if (
            counting.any()
            and level - ROUNDING_KWH <= counter.values[end] <= level + rise_from_level
            and counter.values[end] > rise_from_zero
        ):
            return end
    until = _until(counter, place, LONGEST_EXCURSION)
    excursion = counter.values[place:until]
    there = counter.instants[place:until]
    reachable = level + allowance.over(hours_between(counter.instants[place - 1], there))
    back = (excursion >= level - ROUNDING_KWH) & (excursion <= reachable)
    if excursion[0] > level:
        # After an upward excursion it must fall to be back; one that keeps rising had caught up.
        back &= excursion < np.maximum.accumulate(excursion) - ROUNDING_KWH
    if 0 <= excursion[0] <= min(level, reachable[0] - level):
        # After a true reset it may count up to its old level, at most at ``rise_kw``: only a faster
        # return is one.
        back &= excursion - excursion[0] > allowance.rise_kw * hours_between(there[0], there)
    return place + int(back.argmax())


def _until(counter: Readings, place: int, span: np.timedelta64) -> int:
    return int(np.searchsorted(counter.instants, counter.instants[place] + span, side="right"))
