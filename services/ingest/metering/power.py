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
# Advances in Signal Processing 2016:87: half-widths of 2 to 5 and a threshold of 3 are the usual
# ones. The narrowest window takes two neighbours at most: what lasts for three readings is
# believed.
HALF_WIDTH = 2
THRESHOLD = 3.0
# Median absolute deviation to standard deviation of a normal distribution. Source: Rousseeuw and
# Croux, JASA 88 (1993), 1273.
NORMAL_SCALE = 1.4826
# Between readings further apart than this a power or a level may truly rise and fall again.
DENSE_HOURS = 1 / 60


def find_outliers(instants: InstantArray, values: FloatArray, least: float) -> Mask:
    """Return which values depart from the median of their window by three deviations, and by
    ``least``, where readings are dense.

    Args:
        values: free of NaN, at least none that matters: a window that has one judges nothing.
        least: a departure that is always believed.
    """
    outlying = np.zeros(values.size, dtype=np.bool_)
    if values.size <= 2 * HALF_WIDTH:
        return outlying
    inner = values[HALF_WIDTH : values.size - HALF_WIDTH]
    # Only what differs from a neighbour in its window by more than ``least`` can depart from its
    # median by as much.
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
    outlying[places] = departs & (
        hours_between(instants[places - HALF_WIDTH], instants[places + HALF_WIDTH])
        <= 2 * HALF_WIDTH * DENSE_HOURS
    )
    return outlying


# What a kettle, a heat pump's start or a flow heater does for a moment stays below half of what
# connection, roof and battery carry together.
LONE_PEAK_SHARE = 0.5
# No power that is shown in fine steps is the same to the last digit for half a day; an inverter at
# its limit is so for the sunny hours at most.
LONGEST_CONSTANT_HOURS = 12.0
FINE_STEPS = 50

FAR_FROM_NEIGHBOURS = RowFault("far")
CONSTANT = RowFault.of("constant", limit=LONGEST_CONSTANT_HOURS)


# Of a sensor whose unit is wrong by a thousand most readings are impossible, and all a thousandth
# of what is usual.
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
    """Return the readings of the days on which a power that should be above zero is always below.

    Args:
        power: in kW, NaN where unknown.
        noise_kw: what lies no further below zero says nothing.
        several: whether all days with a power must show it, two at least: what is imported may be
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
    # From the first to the last negative reading: a day is one of UTC here, and a night of zeros is
    # the next local day's.
    negatives = np.flatnonzero(is_wrong[place] & (power.values < -noise_kw))
    if negatives.size:
        wrong[negatives[0] : negatives[-1] + 1] = True
    return wrong & is_wrong[place]


def find_thousandfold(power: Readings, limit_kw: float) -> bool:
    """Return whether most readings of a power are beyond the site, and a thousandth of them would
    be usual.
    """
    moving = np.abs(power.values[np.abs(power.values) > REST_KW])
    if moving.size < FEWEST_THOUSANDFOLD or (moving > limit_kw).mean() < THOUSANDFOLD_SHARE:
        return False
    return bool(REST_KW < float(np.median(moving)) / THOUSAND <= limit_kw)


@dataclass(frozen=True, slots=True)
class OneWay:
    """A flow that a sensor tells of in one direction alone: its noise, and whether it may be zero
    for days.
    """

    noise_kw: float
    may_rest: bool


def read_power(
    power: Readings,
    limit_kw: float,
    refusals: Refusals,
    *,
    reverse_kw: float,
    direction: OneWay | None = None,
) -> EnergyCurve:
    """Return the energy of a power in its own direction; what flows the other way counts nothing.

    Args:
        power: in kW; after a NaN nothing is known until the next value.
        limit_kw: the highest believable power in its direction.
        reverse_kw: the highest believable power in the other.
        direction: None where the sensor tells of the other direction as well.

    Invariants: the energy between two instants is the time-weighted sum of the values that held.
    """
    if len(power) < 2:
        return EnergyCurve.empty()
    no_value = refusals.refuse(power, find_no_powers(power), NO_VALUE)
    power = replace(power, values=np.where(no_value, np.nan, power.values))
    everything = np.ones(len(power), dtype=np.bool_)
    if (
        find_thousandfold(power, limit_kw)
        and refusals.refuse(power, everything, THOUSANDFOLD).all()
    ):
        return EnergyCurve.empty()
    wrong = refusals.refuse(
        power, power.values > limit_kw, RowFault.of("above_power", limit=limit_kw)
    )
    wrong |= refusals.refuse(
        power, power.values < -reverse_kw, RowFault.of("beyond_power", limit=reverse_kw)
    )
    kw = np.where(wrong, np.nan, power.values)
    if direction is not None:
        judged = replace(power, values=kw)
        wrong_sign = find_wrong_sign(
            judged, noise_kw=direction.noise_kw, several=direction.may_rest
        )
        wrong |= refusals.refuse(judged, wrong_sign & ~wrong & np.isfinite(kw), WRONG_SIGN)
        kw = np.where(wrong, np.nan, kw)
    wrong |= refusals.refuse(
        power, find_outliers(power.instants, kw, LONE_PEAK_SHARE * limit_kw), FAR_FROM_NEIGHBOURS
    )
    # Runs repeat one value, other than rest, for longer than a power does.
    begins = np.flatnonzero(np.append([True], np.diff(power.values) != 0))
    lasts = np.append(begins[1:], len(power)) - 1
    repeated_hours = hours_between(power.instants[begins], power.instants[lasts])
    changes = np.abs(np.diff(power.values[begins]))
    step = float(np.min(changes, initial=np.inf, where=changes > 0)) if changes.size else 0.0
    stuck = (repeated_hours >= LONGEST_CONSTANT_HOURS) & (
        np.abs(power.values[begins]) > max(REST_KW, FINE_STEPS * step)
    )
    wrong |= refusals.refuse(power, np.repeat(stuck, lasts - begins + 1), CONSTANT)
    start_kw = np.maximum(np.where(wrong, np.nan, kw), 0.0)[:-1]
    hours = hours_between(power.instants[:-1], power.instants[1:])
    moving = ~(start_kw <= REST_KW)
    unknown = np.isnan(start_kw) | (moving & (hours > LONGEST_GAP_HOURS))
    return EnergyCurve(
        power.instants,
        np.concatenate([[0.0], np.cumsum(np.where(unknown, 0.0, start_kw * hours))]),
        unknown=Spans.between(power.instants, unknown),
        interpolated=Spans.between(
            power.instants, moving & ~unknown & (hours > LONGEST_STEP_HOURS)
        ),
        resting=Spans.between(power.instants, ~moving & (hours > LONGEST_GAP_HOURS)),
        filled=Spans.between(power.instants, np.zeros(hours.size, dtype=np.bool_)),
    )
