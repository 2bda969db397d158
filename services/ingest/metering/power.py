"""A power's readings into energy: each value holds until the next."""

from dataclasses import dataclass, replace

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.metering.no_value import NO_VALUE, find_no_powers
from services.ingest.metering.rejection import WRONG_SIGN, Mask, Readings, Refusals
from services.ingest.metering.slot_energy import EnergyCurve
from services.ingest.metering.spans import (
    LONGEST_GAP_HOURS,
    LONGEST_STEP_HOURS,
    REST_KW,
    Spans,
    hours_between,
)

# Source: Pearson, Neuvo, Astola and Gabbouj, Generalized Hampel Filters, EURASIP Journal on
# Advances in Signal Processing 2016:87: half-widths of 2 to 5 and a threshold of 3 are usual. The
# narrowest window finds at most two readings in a row; three are believed.
HALF_WIDTH = 2
THRESHOLD = 3.0
# Median absolute deviation to standard deviation of a normal distribution. Source: Rousseeuw and
# Croux, JASA 88 (1993), 1273.
NORMAL_SCALE = 1.4826
# Between readings further apart than this a power or a level may truly rise and fall again.
DENSE_HOURS = 1 / 60


def find_outliers(instants: InstantArray, values: FloatArray, least: float) -> Mask:
    """Return a mask of the values that depart from the median of their window.

    They depart by three deviations and by ``least``, where readings are dense.

    Args:
        values: a window with a NaN judges nothing.
        least: a departure that is always believed.
    """
    outlying = np.zeros(values.size, dtype=np.bool_)
    if values.size <= 2 * HALF_WIDTH:
        return outlying
    inner = values[HALF_WIDTH : values.size - HALF_WIDTH]
    # A value that departs from the median by more than ``least`` differs from some neighbour by as
    # much.
    differs = np.zeros(inner.size, dtype=np.bool_)
    for shift in (*range(HALF_WIDTH), *range(HALF_WIDTH + 1, 2 * HALF_WIDTH + 1)):
        differs |= np.abs(values[shift : shift + inner.size] - inner) > least
    places = np.flatnonzero(differs) + HALF_WIDTH
    if not places.size:
        return outlying
    windows = values[places[:, None] + np.arange(-HALF_WIDTH, HALF_WIDTH + 1)]
    centre = np.median(windows, axis=1)
    deviation = NORMAL_SCALE * np.median(np.abs(windows - centre[:, None]), axis=1)
    departs = np.abs(values[places] - centre) > np.maximum(THRESHOLD * deviation, least)
    window_hours = hours_between(instants[places - HALF_WIDTH], instants[places + HALF_WIDTH])
    outlying[places] = departs & (window_hours <= 2 * HALF_WIDTH * DENSE_HOURS)
    return outlying


# The short peak of a kettle, a starting heat pump or a flow heater stays below half of what
# connection, roof and battery carry together.
LONE_PEAK_SHARE = 0.5
# No power shown in fine steps stays the same to the last digit for half a day. An inverter at its
# limit does for the sunny hours at most.
LONGEST_CONSTANT_HOURS = 12.0
FINE_STEPS = 50

FAR_FROM_NEIGHBOURS = RowFault("far")
CONSTANT = RowFault.of("constant", limit=LONGEST_CONSTANT_HOURS)


# If a sensor's unit is wrong by a thousand, most readings are impossible, and a thousandth of them
# is usual.
THOUSAND = 1000.0
THOUSANDFOLD_SHARE = 0.5
FEWEST_THOUSANDFOLD = 24
# An inverter's standby, and what a clamp shows of nothing, is above zero or below.
STANDBY_SHARE = 0.01
# A fridge uses three times as much in a day.
LEAST_NEGATIVE_KWH = 0.2
# A wrong sign leaves nothing but noise above zero.
MOST_POSITIVE_SHARE = 0.01

THOUSANDFOLD = RowFault("thousandfold")


def find_wrong_sign(power: Readings, *, noise_kw: float, several: bool) -> Mask:
    """Return a mask of the days' readings on which a positive power is always negative.

    Args:
        power: in kW, NaN where unknown.
        noise_kw: a power no further below zero counts as zero.
        several: whether all days with a power must show it, two at least, since the import may be
            nothing for a sunny day.
    """
    wrong = np.zeros(len(power), dtype=np.bool_)
    if len(power) < 2:
        return wrong
    hours = np.minimum(hours_between(power.instants[:-1], power.instants[1:]), LONGEST_GAP_HOURS)
    kwh = np.nan_to_num(power.values[:-1]) * hours
    kwh = np.where(np.abs(power.values[:-1]) > noise_kw, kwh, 0.0)
    days, place = np.unique(power.instants.astype("datetime64[D]"), return_inverse=True)
    negative = np.bincount(place[:-1], weights=np.maximum(-kwh, 0.0), minlength=days.size)
    positive = np.bincount(place[:-1], weights=np.maximum(kwh, 0.0), minlength=days.size)
    is_wrong = (negative > LEAST_NEGATIVE_KWH) & (positive <= MOST_POSITIVE_SHARE * negative)
    informative = np.maximum(negative, positive) > LEAST_NEGATIVE_KWH
    if several and (is_wrong.sum() < 2 or not is_wrong[informative].all()):
        return wrong
    if is_wrong.any() and is_wrong[informative].all():
        return ~wrong
    # From the first to the last negative reading, because days are those of UTC here: the zeros of
    # a night belong to the next local day.
    negatives = np.flatnonzero(is_wrong[place] & (power.values < -noise_kw))
    if negatives.size:
        wrong[negatives[0] : negatives[-1] + 1] = True
    return wrong & is_wrong[place]


def find_thousandfold(power: Readings, limit_kw: float) -> bool:
    """Return whether a power's unit is probably wrong by a factor of a thousand.

    Most readings are beyond the site, and a thousandth of them would be usual.
    """
    moving = np.abs(power.values[np.abs(power.values) > REST_KW])
    if moving.size < FEWEST_THOUSANDFOLD or (moving > limit_kw).mean() < THOUSANDFOLD_SHARE:
        return False
    return bool(REST_KW < float(np.median(moving)) / THOUSAND <= limit_kw)


@dataclass(frozen=True, slots=True)
class OneWay:
    """A flow that a sensor measures in one direction alone."""

    noise_kw: float
    # It may be zero for days.
    may_rest: bool


def read_power(
    power: Readings,
    limit_kw: float,
    refusals: Refusals,
    *,
    reverse_kw: float,
    direction: OneWay | None = None,
) -> EnergyCurve:
    """Return the energy of a power in its own direction; the other direction counts nothing.

    Args:
        power: in kW; after a NaN nothing is known until the next value.
        limit_kw: the highest believable power in its direction.
        reverse_kw: the highest believable power in the other.
        direction: None if the sensor measures the other direction as well.

    Invariants: the energy between two instants is the time-weighted sum of the values that held.
    """
    if len(power) < 2:
        return EnergyCurve.empty()
    no_value = refusals.refuse(power, find_no_powers(power), NO_VALUE)
    power = replace(power, values=np.where(no_value, np.nan, power.values))
    if find_thousandfold(power, limit_kw):
        everything = np.ones(len(power), dtype=np.bool_)
        if refusals.refuse(power, everything, THOUSANDFOLD).all():
            return EnergyCurve.empty()
    too_high = RowFault.of("above_power", limit=limit_kw)
    wrong = refusals.refuse(power, power.values > limit_kw, too_high)
    too_low = RowFault.of("beyond_power", limit=reverse_kw)
    wrong |= refusals.refuse(power, power.values < -reverse_kw, too_low)
    kw = np.where(wrong, np.nan, power.values)
    if direction is not None:
        judged = replace(power, values=kw)
        wrong_sign = find_wrong_sign(
            judged, noise_kw=direction.noise_kw, several=direction.may_rest
        )
        wrong |= refusals.refuse(judged, wrong_sign & ~wrong & np.isfinite(kw), WRONG_SIGN)
        kw = np.where(wrong, np.nan, kw)
    outlying = find_outliers(power.instants, kw, LONE_PEAK_SHARE * limit_kw)
    wrong |= refusals.refuse(power, outlying, FAR_FROM_NEIGHBOURS)
    wrong |= refusals.refuse(power, _find_constant(power), CONSTANT)
    return _hold_until_next(power.instants, np.maximum(np.where(wrong, np.nan, kw), 0.0))


def _find_constant(power: Readings) -> Mask:
    """Return a mask of runs that repeat one value, other than rest, for too long."""
    begins = np.flatnonzero(np.append([True], np.diff(power.values) != 0))
    lasts = np.append(begins[1:], len(power)) - 1
    repeated_hours = hours_between(power.instants[begins], power.instants[lasts])
    values = power.values[begins]
    changes = np.abs(np.diff(values))
    step = 0.0
    if changes.size:
        step = float(np.min(changes, initial=np.inf, where=changes > 0))
    is_fine = np.abs(values) > max(REST_KW, FINE_STEPS * step)
    stuck = (repeated_hours >= LONGEST_CONSTANT_HOURS) & is_fine
    return np.repeat(stuck, lasts - begins + 1)


def _hold_until_next(instants: InstantArray, kw: FloatArray) -> EnergyCurve:
    start_kw = kw[:-1]
    hours = hours_between(instants[:-1], instants[1:])
    moving = ~(start_kw <= REST_KW)
    is_gap = hours > LONGEST_GAP_HOURS
    unknown = np.isnan(start_kw) | (moving & is_gap)
    interpolated = moving & ~unknown & (hours > LONGEST_STEP_HOURS)
    kwh = np.where(unknown, 0.0, start_kw * hours)
    return EnergyCurve(
        instants,
        np.concatenate([[0.0], np.cumsum(kwh)]),
        unknown=Spans.between(instants, unknown),
        interpolated=Spans.between(instants, interpolated),
        resting=Spans.between(instants, ~moving & is_gap),
        filled=Spans.between(instants, np.zeros(hours.size, dtype=np.bool_)),
    )
