"""Gaps between a counter's readings.

Short ones are interpolated, longer ones filled to the meter's total in the shape of the days
before, others unknown.
"""

from dataclasses import replace

import numpy as np

from luna.energy.timeline import SLOT, FloatArray, InstantArray
from services.ingest.metering.rejection import Mask, Readings
from services.ingest.metering.slot_energy import EnergyCurve, Silences, energy_per_slot
from services.ingest.metering.spans import (
    LONGEST_FILL_HOURS,
    LONGEST_GAP_HOURS,
    LONGEST_STEP_HOURS,
    REST_KW,
    Spans,
    find_paced,
    hours_between,
)

# One step of a counter's display with rounding, but not two.
ONE_STEP = 1.5
# Two days are read before any window: with more, a gap's shape would depend on the window.
DAYS_BEFORE = 2
DAY = np.timedelta64(1, "D")
# Rounding to a milliwatt-hour hides floating-point losses, which depend on where a sum begins. The
# parts of a gap still add up to the meter's total exactly.
DIGITS = 6
# Less than a second: the share of a day between two readings at night.
SHORTEST_HOURS = 1e-4
SAME_KWH = 1e-9


def fill_gaps(
    counter: Readings,
    gain: FloatArray,
    continued: Mask,
    *,
    step_kwh: float,
    limit_kw: float,
    idle: Spans,
) -> EnergyCurve:
    """Return the energy of a counter's readings as a curve.

    A gap is silence for more than ``LONGEST_GAP_HOURS`` while it counted. Up to
    ``LONGEST_FILL_HOURS`` it is filled: its energy is the difference of its two ends, its shape
    that of the same hours of the two days before; even where these are unknown. A longer one stays
    unknown. Shorter silences are interpolated.

    Args:
        counter: in kWh, free of NaN.
        gain: counted energy from each reading to the next, kWh; NaN where unknown.
        continued: from which readings to the next it counted without a break.
        step_kwh: its resolution.
        limit_kw: highest plausible power; a shape beyond it is replaced by an even spread.
        idle: spans in which it counts nothing, such as a roof's nights.

    Invariants: a filled gap keeps its energy; readings after a gap do not change its shape.
    """
    hours = hours_between(counter.instants[:-1], counter.instants[1:])
    if idle.starts.size:
        hours = np.maximum(hours - idle.hours_per_slot(counter.instants), SHORTEST_HOURS)
    moving = ~(gain <= REST_KW * hours)
    # A source that reports changes only is silent until the next step of the display: that is no
    # gap.
    silent = moving & (gain > ONE_STEP * step_kwh) & (hours > LONGEST_GAP_HOURS)
    filled = silent & continued & (hours <= LONGEST_FILL_HOURS)
    # After a roll-over the energy is complete; after a reset only the part since is known.
    whole = continued | (gain != counter.values[1:])
    unknown = np.isnan(gain) | (silent & ~filled)
    known_gain = np.where(unknown, 0.0, gain)
    energy = np.maximum.accumulate(np.concatenate([[0.0], np.cumsum(known_gain)]))
    is_long = (hours > LONGEST_STEP_HOURS) & ~find_paced(hours)
    interpolated = moving & ~unknown & ~filled & is_long
    curve = EnergyCurve(
        counter.instants,
        energy,
        unknown=Spans.between(counter.instants, unknown),
        interpolated=Spans.between(counter.instants, interpolated),
        resting=Spans.between(counter.instants, np.zeros(hours.size, dtype=np.bool_)),
        filled=Spans.between(counter.instants, filled),
        silences=Silences(Spans.between(counter.instants, silent), gain[silent], whole[silent]),
    )
    return _with_shapes(curve, limit_kw, idle)


def _with_shapes(curve: EnergyCurve, limit_kw: float, idle: Spans) -> EnergyCurve:
    """Return a curve with points at the slot edges within its filled gaps."""
    if not curve.filled.starts.size:
        return curve
    added_instants = [curve.instants]
    added_kwh = [curve.kwh]
    for start, end in zip(curve.filled.starts, curve.filled.ends, strict=True):
        points = _slot_edges_within(start, end)
        first, last = curve.kwh[np.searchsorted(curve.instants, [start, end])]
        gap_kwh = last - first
        shares = _share(curve, points, gap_kwh, limit_kw, idle=idle)
        counted = np.round(np.cumsum(shares)[:-1], DIGITS)
        added_instants.append(points[1:-1])
        added_kwh.append(first + np.minimum(counted, gap_kwh))
    instants = np.concatenate(added_instants)
    kwh = np.concatenate(added_kwh)
    order = np.argsort(instants, kind="stable")
    return replace(curve, instants=instants[order], kwh=np.maximum.accumulate(kwh[order]))


def _slot_edges_within(start: np.datetime64, end: np.datetime64) -> InstantArray:
    """Return a gap's ends and the slot edges in between."""
    step = np.timedelta64(SLOT)
    microseconds = start.astype("datetime64[us]").astype(np.int64)
    next_slot = microseconds // step.astype("timedelta64[us]").astype(np.int64) + 1
    numbers = np.arange(next_slot, next_slot + 2 + (end - start) // step)
    edges = np.datetime64(0, "us") + numbers * step
    points = np.concatenate([[start], edges[edges < end], [end]])
    return np.asarray(points.astype("datetime64[us]"))


def _share(
    curve: EnergyCurve, points: InstantArray, total: float, limit_kw: float, *, idle: Spans
) -> FloatArray:
    """Return ``total`` spread between ``points``, in the shape of the days before or evenly."""
    hours = hours_between(points[:-1], points[1:])
    counting = hours - idle.hours_per_slot(points)
    if counting.sum() > SHORTEST_HOURS:
        hours = counting
    usual = _usual_power(curve, points, hours)
    if np.isfinite(usual).any() and np.nansum(usual) > 0:
        weights = np.where(np.isfinite(usual), usual, np.nanmean(usual)) * hours
        shaped = total * weights / weights.sum()
        if (shaped <= limit_kw * hours + SAME_KWH).all():
            return np.asarray(shaped)
    return np.asarray(total * hours / hours.sum())


def _usual_power(curve: EnergyCurve, points: InstantArray, hours: FloatArray) -> FloatArray:
    """Return the mean power between ``points`` on the days before, NaN where unknown."""
    # Only measured energy gives a shape: unknown and filled spans, which are disjoint, are left
    # out.
    starts = np.concatenate([curve.unknown.starts, curve.filled.starts])
    ends = np.concatenate([curve.unknown.ends, curve.filled.ends])
    order = np.argsort(starts)
    measured = replace(curve, unknown=Spans(starts[order], ends[order]))
    awake = np.ones(hours.size, dtype=np.bool_)
    days = np.empty((DAYS_BEFORE, hours.size))
    for number in range(DAYS_BEFORE):
        earlier = points - (number + 1) * DAY
        days[number] = energy_per_slot(measured, earlier, awake).values
    finite = np.isfinite(days)
    usual: FloatArray = np.divide(
        np.nansum(days, axis=0),
        finite.sum(axis=0) * hours,
        out=np.full(hours.size, np.nan),
        where=finite.any(axis=0),
    )
    return usual
