"""A meter at the grid that repeats itself while a house lives: what it shows then is nothing that it measured."""

from collections.abc import Sequence

import numpy as np

from luna.energy.timeline import InstantArray
from luna.energy.units import read_measure
from services.ingest.metering.counter import measure_step
from services.ingest.metering.rejection import Readings
from services.ingest.metering.spans import REST_KW, Spans, hours_between

# Before that no meter is called frozen: what a poll, a restart of its gateway or a dead band of its display does for a moment.
LEAST_STOOD_HOURS = 10 / 60
FEWEST_REPEATS = 3
# A battery that follows the house is off by tens of watts either way: at the meter that comes to some 10 W bought or sold on average, half of it at the least.
# Until a counter has to show a step of its display, at that, it may be still; and twice as long, as the error may be less for a while.
LEAST_GRID_KW = 0.005
# How much longer than ever else in the days around it.
TIMES_AS_LONG = 2.0
LEAST_OBSERVED_HOURS = 24.0
# A hundredth of a watt-hour: below it lies what sums in floating point lose.
SAME_KWH = 1e-5
# In which instants are told apart.
MOMENT = np.timedelta64(1, "us")
# Between readings further apart, nobody knows whether it stood.
LONGEST_COUNTED_HOURS = 2.0


def find_long_standstills(meter: Sequence[Readings]) -> Spans:
    """Return the stretches in which all sensors of a meter repeated themselves for longer than a meter at the grid does.

    That is ten minutes, longer than its display takes to show a step at the least power, and twice as long as ever else in the days around. A meter of which no
    whole day is known besides, whose display is not fine enough, or one of whose directions hardly ever counts, is never still for too long; nor is a power
    that rests near zero, for some displays show nothing there.

    Args:
        meter: the readings of each of its sensors, in kW or kWh.
    """
    steps = []
    for each in meter:
        kwh = each.values[np.isfinite(each.values)]
        # What is bought or sold all the time rises by much from one reading to the next, never by the same to the last digit.
        rises = np.diff(kwh)[np.diff(kwh) > 0]
        differs = np.abs(np.diff(rises))
        step = min(measure_step(kwh), float(np.min(differs, initial=np.inf, where=differs > SAME_KWH))) or np.inf
        steps.append(0.0 if _is_power(each) else step)
    if not meter or not all(np.isfinite(steps)):
        return Spans.none()
    # A stretch lasts from the first word of something to the next of something else; sensors of one meter speak in turn, so it holds the last of each.
    moved = [np.append([True], np.diff(each.values) != 0) | (_is_power(each) & (np.abs(each.values) <= REST_KW)) for each in meter]
    moves = np.unique(np.concatenate([each.instants[is_new] for each, is_new in zip(meter, moved, strict=True)]))
    following: InstantArray = np.append(moves[1:], np.max([each.instants[-1] for each in meter]) + MOMENT)
    ends = [np.searchsorted(each.instants, following) for each in meter]
    last = np.min([each.instants[np.maximum(end - 1, 0)] for each, end in zip(meter, ends, strict=True)], axis=0)
    repeats = np.min([end - np.searchsorted(each.instants, moves, side="right") for each, end in zip(meter, ends, strict=True)], axis=0)
    hours = hours_between(moves, np.maximum(last, moves))
    longest = np.sort(hours)[-2:] if hours.size > 1 else np.zeros(2)
    # The longest beside each: of the longest one the second.
    beside = np.where(hours == longest[-1], longest[0], longest[-1])
    least = np.maximum(TIMES_AS_LONG * np.maximum(max(steps) / LEAST_GRID_KW, beside), LEAST_STOOD_HOURS)
    observed_hours = min(float(np.minimum(hours_between(each.instants[:-1], each.instants[1:]), LONGEST_COUNTED_HOURS).sum()) for each in meter)
    long = (hours > least) & (repeats >= FEWEST_REPEATS) & (observed_hours - hours >= LEAST_OBSERVED_HOURS)
    return Spans(moves[long], (following - MOMENT)[long])


def _is_power(readings: Readings) -> bool:
    measure = read_measure(readings.unit)
    return measure is not None and measure.kind == "power"
