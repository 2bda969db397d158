"""Samples as received into readings in order: late, repeated and impossible ones are sorted, joined and refused."""

from datetime import UTC, datetime, timedelta

import numpy as np

from luna.timeline import FloatArray, InstantArray
from services.ingest.metering.rejection import Mask, Readings, Refusals
from services.ingest.reading import Samples

# Before this no meter of today was read: a device whose clock was never set says 1970 or its year of manufacture.
EARLIEST = np.datetime64("2000-01-01", "us")
# Clocks of devices that set themselves over the network agree within seconds.
CLOCK_TOLERANCE = timedelta(minutes=5)

UNSET = "before the year 2000: the device's clock is not set"
FUTURE = "lies in the future: the device's clock is wrong"
CONTRADICTS = "contradicts another value of the same instant"
NO_NUMBER = "is no finite number"


def put_in_order(samples: Samples, factor: float, refusals: Refusals, *, now: datetime | None) -> Readings:
    """Return the samples in order of time, times ``factor``; of several at one instant the highest, as a counter only rises.

    Invariants: the order of the samples, and repeating them, change nothing.
    """
    instants, values = _sort(samples.instants.astype("datetime64[us]"), samples.values.astype(np.float64) * factor)
    readings = Readings(samples.sensor, samples.unit, factor, instants, values)
    readings = readings.without(refusals.refuse(readings, np.isinf(readings.values), NO_NUMBER))
    readings = readings.without(refusals.refuse(readings, readings.instants < EARLIEST, UNSET))
    if now is not None:
        readings = readings.without(refusals.refuse(readings, readings.instants > _naive(now + CLOCK_TOLERANCE), FUTURE))
    return _join_repeats(readings, refusals)


def _sort(instants: InstantArray, values: FloatArray) -> tuple[InstantArray, FloatArray]:
    if instants.size < 2 or (np.diff(instants) > np.timedelta64(0)).all():
        return instants, values
    order = np.lexsort([np.where(np.isnan(values), -np.inf, values), instants])
    return instants[order], values[order]


def _join_repeats(readings: Readings, refusals: Refusals) -> Readings:
    repeated = _repeats(readings)
    if not repeated.any():
        return readings
    following = np.append(readings.values[1:], np.nan)
    refusals.refuse(readings, repeated & ~np.isnan(readings.values) & (readings.values != following), CONTRADICTS)
    return readings.without(repeated)


def _repeats(readings: Readings) -> Mask:
    same = np.diff(readings.instants) == np.timedelta64(0)
    return np.append(same, np.zeros(min(1, len(readings)), dtype=np.bool_))


def _naive(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")
