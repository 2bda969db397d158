"""A power's readings into energy: each value holds until the next."""

import numpy as np

from luna.timeline import FloatArray
from services.ingest.metering.curve import EnergyCurve
from services.ingest.metering.outlier import find_outliers
from services.ingest.metering.rejection import Mask, Readings, Refusals
from services.ingest.metering.spans import LONGEST_GAP_HOURS, LONGEST_STEP_HOURS, REST_KW, Spans, hours_between

# What a kettle, a heat pump's start or a flow heater does for a moment stays below half of what connection, roof and battery carry together.
LONE_PEAK_SHARE = 0.5
# No power that is shown in fine steps is the same to the last digit for half a day; an inverter at its limit is so for the sunny hours at most.
LONGEST_CONSTANT_HOURS = 12.0
FINE_STEPS = 50

FAR_FROM_NEIGHBOURS = "far from the readings beside it"
CONSTANT = f"does not move for {LONGEST_CONSTANT_HOURS:g} hours and more: the sensor is stuck"


def read_power(power: Readings, limit_kw: float, refusals: Refusals, *, reverse_kw: float) -> EnergyCurve:
    """Return the energy of a power in its own direction; what flows the other way counts nothing.

    Args:
        power: in kW; after a NaN nothing is known until the next value.
        limit_kw: the highest believable power in its direction.
        reverse_kw: the highest believable power in the other.

    Invariants: the energy between two instants is the time-weighted sum of the values that held.
    """
    if len(power) < 2:
        return EnergyCurve.empty()
    wrong = refusals.refuse(power, power.values > limit_kw, f"above {limit_kw:g} kW, more than the site can do")
    wrong |= refusals.refuse(power, power.values < -reverse_kw, f"beyond {reverse_kw:g} kW in the other direction, more than the site can do")
    kw = np.where(wrong, np.nan, power.values)
    wrong |= refusals.refuse(power, find_outliers(power.instants, kw, LONE_PEAK_SHARE * limit_kw), FAR_FROM_NEIGHBOURS)
    wrong |= refusals.refuse(power, _find_constant(power), CONSTANT)
    return _draw(power, np.maximum(np.where(wrong, np.nan, kw), 0.0))


def _draw(power: Readings, kw: FloatArray) -> EnergyCurve:
    held = kw[:-1]
    hours = hours_between(power.instants[:-1], power.instants[1:])
    moving = ~(held <= REST_KW)
    unknown = np.isnan(held) | (moving & (hours > LONGEST_GAP_HOURS))
    energy = np.concatenate([[0.0], np.cumsum(np.where(unknown, 0.0, held * hours))])
    return EnergyCurve(
        power.instants,
        energy,
        unknown=Spans.between(power.instants, unknown),
        interpolated=Spans.between(power.instants, moving & ~unknown & (hours > LONGEST_STEP_HOURS)),
        resting=Spans.between(power.instants, ~moving & (hours > LONGEST_GAP_HOURS)),
    )


def _find_constant(power: Readings) -> Mask:
    """Return the readings of runs that repeat one value, other than rest, for longer than a power does."""
    begins = np.flatnonzero(np.append([True], np.diff(power.values) != 0))
    lasts = np.append(begins[1:], len(power)) - 1
    hours = hours_between(power.instants[begins], power.instants[lasts])
    changes = np.abs(np.diff(power.values[begins]))
    step = float(np.min(changes, initial=np.inf, where=changes > 0)) if changes.size else 0.0
    stuck = (hours >= LONGEST_CONSTANT_HOURS) & (np.abs(power.values[begins]) > max(REST_KW, FINE_STEPS * step))
    return np.repeat(stuck, lasts - begins + 1)
