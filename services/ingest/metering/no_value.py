"""Numbers that makers send for "no value", read as measurements: the highest of a register."""

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray
from services.ingest.metering.rejection import Mask, Readings
from services.ingest.metering.spans import hours_between, runs_of

# Signed and unsigned registers of 16, 32 and 64 bits. Source: SunSpec Device Information Model
# Specification 1.2, "unimplemented" values.
_REGISTERS = [
    2.0**15 - 1,
    2.0**15,
    2.0**16 - 1,
    2.0**31 - 1,
    2.0**31,
    2.0**32 - 1,
    float(2**63 - 1),
    2.0**63,
    float(2**64 - 1),
]
# A register's decimals, and watts read as kilowatts.
_SCALES = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5)
_NUMBERS: FloatArray = np.sort(np.multiply.outer(_REGISTERS, _SCALES).ravel())
# Relative error of a number that passed through a float of 32 bits.
_SAME = 1.2e-7
# No home measures so much. The highest float of 32 bits is 3.4e38.
_ENORMOUS = 1e15
# 16 bits of watts: no measurement beyond it equals one of the numbers to the last digit.
CERTAIN_KW = 32.7
# Below it such a number may be measured by chance, but only once and between its neighbours.
LONE_JUMP_KW = 1.0

NO_VALUE = RowFault("means_no_value")


def match_numbers(readings: Readings) -> Mask:
    """Return a mask of the readings that are one of the numbers, in the sensor's unit."""
    raw = np.abs(readings.values / readings.factor)
    place = np.searchsorted(_NUMBERS, raw)
    below = _NUMBERS[np.maximum(place - 1, 0)]
    above = _NUMBERS[np.minimum(place, _NUMBERS.size - 1)]
    with np.errstate(invalid="ignore"):
        near = (np.abs(raw - below) <= _SAME * below) | (np.abs(raw - above) <= _SAME * above)
        return np.asarray(near | (raw >= _ENORMOUS))


def find_no_powers(power: Readings) -> Mask:
    """Return a mask of the readings of a power (kW) that mean no value.

    These are high ones, and lower ones that repeat or stand out.
    """
    matched = match_numbers(power)
    if not matched.any():
        return matched
    kw = power.values
    is_no_value = matched & (np.abs(kw) >= CERTAIN_KW)
    for first, end in runs_of(matched & ~is_no_value):
        neighbours = [place for place in (first - 1, end) if 0 <= place < kw.size]
        known = [kw[place] for place in neighbours if np.isfinite(kw[place])]
        stands_out = all(abs(kw[first] - value) > LONE_JUMP_KW for value in known)
        is_no_value[first:end] = end - first > 1 or stands_out
    return is_no_value


def find_no_counts(counter: Readings, rise_kw: float, slack_kwh: float) -> Mask:
    """Return a mask of the readings of a counter (kWh, free of NaN) that mean no value.

    They do not continue the reading before, or if there is none, the next does not continue them.

    Args:
        rise_kw: highest power.
        slack_kwh: what it may count beyond that.
    """
    matched = match_numbers(counter)
    others = np.flatnonzero(~matched)
    if not matched.any() or not others.size:
        return matched
    is_no_value = matched.copy()
    hours = hours_between(counter.instants[0], counter.instants)
    for first, end in runs_of(matched):
        following = np.searchsorted(others, first)
        if following > 0:
            other = others[following - 1]
            gain = counter.values[first] - counter.values[other]
        else:
            other = others[following]
            gain = counter.values[other] - counter.values[first]
        reach = rise_kw * abs(hours[first] - hours[other]) + slack_kwh
        is_no_value[first:end] = not 0 <= gain <= reach
    return is_no_value
