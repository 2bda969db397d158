"""A counter's readings into the energy they count: it may begin again, roll over, be exchanged, or say nonsense for a while."""

from dataclasses import dataclass

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, IndexArray
from services.ingest.metering.curve import EnergyCurve
from services.ingest.metering.gap_filling import fill_gaps
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.spans import hours_between

# Meters round, and some add phases that were read one after the other: a fall this small is none.
ROUNDING_KWH = 0.02
# Readings are told late, at most by the quarter-hour in which meters are read: energy of that time may come at once.
LATENESS_HOURS = 0.25
# The coarsest meters of homes count whole kWh.
COARSEST_STEP_KWH = 1.0
FEWEST_RISES = 10
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

    What it counted while nobody read it is laid onto quarter-hours in ``gap_filling``.

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
    breaks, hours, gain = _find_breaks(sound, allowance), hours_between(sound.instants[:-1], sound.instants[1:]), np.diff(sound.values)
    reach, moved = allowance.over(hours), np.flatnonzero(gain != 0) + 1
    for place in breaks.tolist():
        before, after = sound.values[place - 1], sound.values[place]
        # A fall is a roll-over of the register or a beginning from zero, whichever it can have reached; of another meter's level nothing can be told.
        counted = [*(end - before + after for end in MODULI_KWH if before <= end), after] if after < before else []
        gain[place - 1] = next((kwh for kwh in counted if 0 <= kwh <= reach[place - 1]), np.nan)
        # A counter that repeated its value before it rose at once by what it can only have counted meanwhile was frozen.
        begin = int(moved[np.searchsorted(moved, place) - 1]) if moved[0] < place else 0
        stood = hours_between(sound.instants[begin], sound.instants[place : place + 1])
        if stood[0] <= LONGEST_FROZEN_HOURS and 0 < after - before <= allowance.over(stood)[0]:
            gain[begin:place] = np.nan
    continued = np.ones(gain.size, dtype=np.bool_)
    continued[breaks - 1] = False
    return fill_gaps(sound, gain, continued, step_kwh=allowance.step_kwh, limit_kw=allowance.rise_kw)


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
    level = counter.values[place - 1]
    if counter.values[place] == 0:
        # One that says zero for a while goes on at its level at once, which no beginning does.
        counting = counter.values[place : _until(counter, place, LONGEST_ABSENCE)] != 0
        end = place + int(counting.argmax())
        rise_from_level, rise_from_zero = (
            allowance.over(hours_between(counter.instants[before], counter.instants[end : end + 1]))[0] for before in (place - 1, end - 1)
        )
        if counting.any() and level - ROUNDING_KWH <= counter.values[end] <= level + rise_from_level and counter.values[end] > rise_from_zero:
            return end
    until = _until(counter, place, LONGEST_EXCURSION)
    excursion, there = counter.values[place:until], counter.instants[place:until]
    reachable = level + allowance.over(hours_between(counter.instants[place - 1], there))
    back = (excursion >= level - ROUNDING_KWH) & (excursion <= reachable)
    if excursion[0] > level:
        # What rose falls where it comes back; what goes on rising caught up, however far the time since lets it rise.
        back &= excursion < np.maximum.accumulate(excursion) - ROUNDING_KWH
    if 0 <= excursion[0] <= min(level, reachable[0] - level):
        # From a true beginning it may count up to where it was: then it takes its time. Any other lower level is one that it had passed before.
        back &= excursion - excursion[0] > allowance.rise_kw * hours_between(there[0], there)
    return place + int(back.argmax())


def _until(counter: Readings, place: int, span: np.timedelta64) -> int:
    return int(np.searchsorted(counter.instants, counter.instants[place] + span, side="right"))
