"""Numbers by which makers say that there is no value: the highest of a register, read as a
measurement.
"""

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray
from services.ingest.metering.rejection import Mask, Readings
from services.ingest.metering.spans import runs_of

# Signed and unsigned registers of 16, 32 and 64 bits. Source: SunSpec Device Information Model
# Specification 1.2, "unimplemented" values.
_REGISTERS = [
    float(number)
    for bits in (16, 32, 64)
    for number in (2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1)
]
# A register's decimals, and watts read as kilowatts.
_SCALES = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5)
_NUMBERS: FloatArray = np.sort([number * scale for number in _REGISTERS for scale in _SCALES])
# A number that passed through a float of 32 bits.
_SAME = 1.2e-7
# The highest float of 32 bits is 3.4e38: nothing that a home measures is near.
_ENORMOUS = 1e15
# 16 bits of watts: beyond it nothing but a "no value" is so many to the last digit.
CERTAIN_KW = 32.7
# Below it such a number may be measured by chance, once and on the way between its neighbours.
LONE_JUMP_KW = 1.0

NO_VALUE = RowFault("means_no_value")


def match_numbers(readings: Readings) -> Mask:
    """Return which readings are, in the sensor's unit, one of the numbers."""
    raw = np.abs(readings.values / readings.factor)
    place = np.searchsorted(_NUMBERS, raw)
    below = _NUMBERS[np.maximum(place - 1, 0)]
    above = _NUMBERS[np.minimum(place, _NUMBERS.size - 1)]
    with np.errstate(invalid="ignore"):
        near = (np.abs(raw - below) <= _SAME * below) | (np.abs(raw - above) <= _SAME * above)
        return np.asarray(near | (raw >= _ENORMOUS))


def find_no_powers(power: Readings) -> Mask:
    """Return the readings of a power (kW) that are no values: high ones, and lower ones that repeat
    or stand out.
    """
    matched = match_numbers(power)
    if not matched.any():
        return matched
    kw = power.values
    found = matched & (np.abs(kw) >= CERTAIN_KW)
    for first, end in runs_of(matched & ~found):
        beside = [
            kw[place]
            for place in (first - 1, end)
            if 0 <= place < kw.size and np.isfinite(kw[place])
        ]
        stands_out = all(abs(kw[first] - value) > LONE_JUMP_KW for value in beside)
        found[first:end] = end - first > 1 or stands_out
    return found


def find_no_counts(counter: Readings, rise_kw: float, slack_kwh: float) -> Mask:
    """Return the readings of a counter (kWh, free of NaN) that are no values: those that neither
    continue it nor are continued.

    Args:
        rise_kw: highest power.
        slack_kwh: what it may count beyond that.
    """
    matched = match_numbers(counter)
    places = np.flatnonzero(~matched)
    if not matched.any() or not places.size:
        return matched
    found = matched.copy()
    hours = (counter.instants - counter.instants[0]).astype("timedelta64[us]").astype(
        np.int64
    ) / 3.6e9
    for first, end in runs_of(matched):
        following = np.searchsorted(places, first)
        other = places[following - 1] if following > 0 else places[following]
        gain = (counter.values[first] - counter.values[other]) * (1 if other < first else -1)
        reach = rise_kw * abs(hours[first] - hours[other]) + slack_kwh
        found[first:end] = not 0 <= gain <= reach
    return found
