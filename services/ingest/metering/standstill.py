"""Standstills of a grid meter that last too long to be true.

A grid meter that repeats its value while the house uses energy measures nothing.
"""

from collections.abc import Sequence

import numpy as np

from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.metering.counter import measure_step
from services.ingest.metering.rejection import Readings
from services.ingest.metering.spans import MOMENT, REST_KW, Spans, hours_between

# Shorter standstills are normal: polling, a restart of the gateway, a dead band of the display.
LEAST_STOOD_HOURS = 10 / 60
FEWEST_REPEATS = 3
# A battery that follows the load errs by tens of watts: about 10 W at the meter on average, half of
# that at least. A counter may stand still until this power makes one step of its display, and twice
# as long, for the error may be smaller for a while.
LEAST_GRID_KW = 0.005
# Factor over the longest other standstill in the days around.
TIMES_AS_LONG = 2.0
LEAST_OBSERVED_HOURS = 24.0
# A hundredth of a watt-hour: smaller differences are floating-point losses.
SAME_KWH = 1e-5
# Between readings further apart a standstill cannot be detected.
LONGEST_COUNTED_HOURS = 2.0


def find_long_standstills(meter: Sequence[Readings]) -> Spans:
    """Return the spans in which all sensors of a grid meter repeat their values for too long.

    Too long is more than ten minutes, than twice the time of one display step at the least power,
    and than twice the longest other standstill in the days around. None is found with less than a
    whole day of other readings, a coarse display or a direction that hardly ever counts, for a
    power near zero, which some displays do not show, nor for a sensor without readings.

    Args:
        meter: readings of each of its sensors, in kW or kWh.
    """
    has_silent_sensor = any(len(sensor) == 0 for sensor in meter)
    if not meter or has_silent_sensor:
        return Spans.none()
    step_kwh = max(0.0 if sensor.is_power else _display_step_kwh(sensor) for sensor in meter)
    if not np.isfinite(step_kwh):
        return Spans.none()
    # A standstill lasts from one change of any sensor to the next, until the last reading of that
    # sensor whose readings end first.
    begins = np.unique(np.concatenate([_find_changes(sensor) for sensor in meter]))
    end_of_readings = np.max([sensor.instants[-1] for sensor in meter]) + MOMENT
    following: InstantArray = np.append(begins[1:], end_of_readings)
    last_readings = []
    repetitions = []
    for sensor in meter:
        end = np.searchsorted(sensor.instants, following)
        last_readings.append(sensor.instants[np.maximum(end - 1, 0)])
        repetitions.append(end - np.searchsorted(sensor.instants, begins, side="right"))
    last = np.min(last_readings, axis=0)
    repeats = np.min(repetitions, axis=0)
    hours = hours_between(begins, np.maximum(last, begins))
    # The longest other standstill of each: for the longest one the second.
    longest = np.sort(hours)[-2:] if hours.size > 1 else np.zeros(2)
    longest_other = np.where(hours == longest[-1], longest[0], longest[-1])
    one_step_hours = step_kwh / LEAST_GRID_KW
    least = np.maximum(TIMES_AS_LONG * np.maximum(one_step_hours, longest_other), LEAST_STOOD_HOURS)
    observed_hours = min(_observed_hours(sensor) for sensor in meter)
    is_observed = observed_hours - hours >= LEAST_OBSERVED_HOURS
    is_long = (hours > least) & (repeats >= FEWEST_REPEATS) & is_observed
    return Spans(begins[is_long], (following - MOMENT)[is_long])


def _display_step_kwh(counter: Readings) -> float:
    """Return the resolution of a counter's display, infinite if it rose too seldom to tell."""
    kwh = counter.values[np.isfinite(counter.values)]
    # A fine counter hardly ever rises twice by exactly the same energy: then the smallest
    # difference of rises shows its step.
    rises = np.diff(kwh)[np.diff(kwh) > 0]
    differences: FloatArray = np.abs(np.diff(rises))
    smallest = np.min(differences, initial=np.inf, where=differences > SAME_KWH)
    return min(measure_step(kwh), float(smallest)) or np.inf


def _find_changes(sensor: Readings) -> InstantArray:
    """Return the instants of new values, and of all powers near zero."""
    is_new = np.append([True], np.diff(sensor.values) != 0)
    if sensor.is_power:
        is_new = is_new | (np.abs(sensor.values) <= REST_KW)
    instants: InstantArray = sensor.instants[is_new]
    return instants


def _observed_hours(sensor: Readings) -> float:
    distances = hours_between(sensor.instants[:-1], sensor.instants[1:])
    return float(np.minimum(distances, LONGEST_COUNTED_HOURS).sum())
