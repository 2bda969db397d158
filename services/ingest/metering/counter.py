"""A counter's readings into the energy they count: it may begin again, roll over, be exchanged, or say nonsense for a while."""

from dataclasses import dataclass

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, IndexArray
from services.ingest.metering.curve import EnergyCurve, Silences
from services.ingest.metering.filling import shape_fills
from services.ingest.metering.rejection import Mask, Readings, Refusals
from services.ingest.metering.spans import LONGEST_FILL_HOURS, LONGEST_GAP_HOURS, LONGEST_STEP_HOURS, REST_KW, Spans, find_paced, hours_between

# Meters round, and some add phases that were read one after the other: a fall this small is none.
ROUNDING_KWH = 0.02
# Readings are told late, at most by the quarter-hour in which meters are read: energy of that time may come at once.
LATENESS_HOURS = 0.25
# The coarsest meters of homes count whole kWh.
COARSEST_STEP_KWH = 1.0
FEWEST_RISES = 10
# One step and what rounding makes of it, but not two.
ONE_STEP = 1.5
# A counter that leaves its level and is back within two hours was misread; one that was exchanged or began again does not come back.
LONGEST_EXCURSION = np.timedelta64(2, "h")
# Some devices say zero while what they read is away, an inverter through the night.
LONGEST_ABSENCE = np.timedelta64(1, "D")
# A reading in ten out of place is no counter: a power or an energy per interval under a counter's unit.
MOST_BREAKS_SHARE = 0.1
FEWEST_BREAKS = 20
# Where registers and displays begin again: decimal displays of five digits and more, and 16, 24, 31 and 32 bits of Wh, 10 Wh, 100 Wh or kWh.
MODULI_KWH = tuple(sorted({10.0**digits for digits in range(4, 10)} | {2.0**bits * unit for bits in (16, 24, 31, 32) for unit in (0.001, 0.01, 0.1, 1.0)}))

# A meter that rested for longer and then shows another level was exchanged rather than frozen.
LONGEST_FROZEN_HOURS = 96.0

MISREAD = RowFault("misread")
NO_COUNTER = RowFault("no_counter")


@dataclass(frozen=True, slots=True)
class _Allowance:
    """How much a counter can rise in a time; it shows its energy in steps of ``step_kwh``."""

    rise_kw: float
    step_kwh: float

    def over(self, hours: FloatArray) -> FloatArray:
        return self.rise_kw * (hours + LATENESS_HOURS) + max(COARSEST_STEP_KWH, self.step_kwh)


def read_counter(counter: Readings, rise_kw: float, refusals: Refusals) -> EnergyCurve:
    """Return the energy that a counter counted.

    A fall to what it can have counted since is a beginning from zero; a fall from just below a register's end is a roll-over; any other level out of reach is
    another meter, and what passed between is unknown.

    Args:
        counter: in kWh.
        rise_kw: how fast it can rise.

    A silence that is too long to interpolate, and no longer than a day, is filled: its energy is the difference of its two ends, its shape is that of the days
    before.

    Invariants: without resets the curve gains the difference of last and first reading, whatever lies between; a reset gains no more than the value after it.
    """
    counter = counter.without(np.isnan(counter.values))
    if len(counter) < 2:
        return EnergyCurve.empty()
    allowance = _Allowance(rise_kw, measure_step(counter.values))
    breaks = _find_breaks(counter, allowance)
    if breaks.size > max(FEWEST_BREAKS, MOST_BREAKS_SHARE * len(counter)):
        refusals.refuse(counter, np.ones(len(counter), dtype=np.bool_), NO_COUNTER)
        return EnergyCurve.empty()
    misread = np.zeros(len(counter), dtype=np.bool_)
    for place in breaks.tolist():
        # After an excursion the first reading back at the level differs from the one before as well.
        if not misread[place - 1 : place + 1].any():
            misread[place : _find_return(counter, place, allowance)] = True
    sound = counter.without(refusals.refuse(counter, misread, MISREAD))
    return _draw(sound, _find_breaks(sound, allowance), allowance)


def measure_step(kwh: FloatArray) -> float:
    """Return in which steps a counter shows its energy, kWh; zero where it rose too seldom to tell."""
    rises = np.diff(kwh)
    rises = rises[rises > 0]
    return float(rises.min()) if rises.size >= FEWEST_RISES else 0.0


def _find_breaks(counter: Readings, allowance: _Allowance) -> IndexArray:
    """Return the places of readings that do not continue the one before."""
    rise = np.diff(counter.values)
    hours = hours_between(counter.instants[:-1], counter.instants[1:])
    return np.flatnonzero((rise < -ROUNDING_KWH) | (rise > allowance.over(hours))).astype(np.int64) + 1


def _find_return(counter: Readings, place: int, allowance: _Allowance) -> int:
    """Return where the counter is back at the level it left at ``place``; ``place`` itself where it is not."""
    absent = _find_end_of_zeros(counter, place, allowance) if counter.values[place] == 0 else place
    if absent > place:
        return absent
    until = _until(counter, place, LONGEST_EXCURSION)
    level, excursion, there = counter.values[place - 1], counter.values[place:until], counter.instants[place:until]
    reachable = level + allowance.over(hours_between(counter.instants[place - 1], there))
    back = (excursion >= level - ROUNDING_KWH) & (excursion <= reachable)
    if excursion[0] > level:
        # What rose falls where it comes back; what goes on rising caught up, however far the time since lets it rise.
        back &= excursion < np.maximum.accumulate(excursion) - ROUNDING_KWH
    if 0 <= excursion[0] <= min(level, reachable[0] - level):
        # From a true beginning it may count up to where it was: then it takes its time. Any other lower level is one that it had passed before.
        back &= excursion - excursion[0] > allowance.rise_kw * hours_between(there[0], there)
    return place + int(back.argmax())


def _find_end_of_zeros(counter: Readings, place: int, allowance: _Allowance) -> int:
    """Return where a counter that says zero goes on at its level at once, which no beginning does; ``place`` where it does not."""
    counting = counter.values[place : _until(counter, place, LONGEST_ABSENCE)] != 0
    end = place + int(counting.argmax())
    rise_from_level, rise_from_zero = (
        allowance.over(hours_between(counter.instants[before], counter.instants[end : end + 1]))[0] for before in (place - 1, end - 1)
    )
    level, value = counter.values[place - 1], counter.values[end]
    return end if counting.any() and level - ROUNDING_KWH <= value <= level + rise_from_level and value > rise_from_zero else place


def _until(counter: Readings, place: int, span: np.timedelta64) -> int:
    return int(np.searchsorted(counter.instants, counter.instants[place] + span, side="right"))


def _draw(counter: Readings, breaks: IndexArray, allowance: _Allowance) -> EnergyCurve:
    hours = hours_between(counter.instants[:-1], counter.instants[1:])
    gain = np.diff(counter.values)
    reach = allowance.over(hours)
    for place in breaks.tolist():
        gain[place - 1] = _gain_across(counter.values[place - 1], counter.values[place], reach[place - 1])
    gain = np.where(_find_frozen(counter, breaks, allowance), np.nan, gain)
    moving = ~(gain <= REST_KW * hours)
    # A source that tells changes only is silent until the next step of the display, however long that takes.
    silent = moving & (gain > ONE_STEP * allowance.step_kwh) & (hours > LONGEST_GAP_HOURS)
    continued = np.ones(gain.size, dtype=np.bool_)
    continued[breaks - 1] = False
    filled = silent & continued & (hours <= LONGEST_FILL_HOURS)
    # Of a register that rolled over all is known; of one that began anew what it shows since.
    whole = continued | (gain != counter.values[1:])
    unknown = np.isnan(gain) | (silent & ~filled)
    energy = np.maximum.accumulate(np.concatenate([[0.0], np.cumsum(np.where(unknown, 0.0, gain))]))
    interpolated = moving & ~unknown & ~filled & (hours > LONGEST_STEP_HOURS) & ~find_paced(hours)
    curve = EnergyCurve(
        counter.instants,
        energy,
        unknown=Spans.between(counter.instants, unknown),
        interpolated=Spans.between(counter.instants, interpolated),
        resting=Spans.between(counter.instants, np.zeros(hours.size, dtype=np.bool_)),
        filled=Spans.between(counter.instants, filled),
        silences=Silences(Spans.between(counter.instants, silent), gain[silent], whole[silent]),
    )
    return shape_fills(curve, allowance.rise_kw)


def _find_frozen(counter: Readings, breaks: IndexArray, allowance: _Allowance) -> Mask:
    """Return the steps through which a counter repeated its value before it rose at once by what it can only have counted meanwhile."""
    frozen = np.zeros(len(counter) - 1, dtype=np.bool_)
    rises = np.flatnonzero(np.diff(counter.values) != 0) + 1
    for place in breaks.tolist():
        begin = int(rises[np.searchsorted(rises, place) - 1]) if rises.size and rises[0] < place else 0
        rise = counter.values[place] - counter.values[place - 1]
        stood = hours_between(counter.instants[begin], counter.instants[place : place + 1])
        frozen[begin:place] = stood[0] <= LONGEST_FROZEN_HOURS and 0 < rise <= allowance.over(stood)[0]
    return frozen


def _gain_across(before: float, after: float, reach_kwh: float) -> float:
    """Return what was counted between two readings of which the second does not continue the first; NaN where that cannot be told."""
    if after >= before:
        return np.nan
    modulus = next((end for end in MODULI_KWH if before <= end and end - before + after <= reach_kwh), None)
    if modulus is not None:
        return modulus - before + after
    return after if 0 <= after <= reach_kwh else np.nan
