"""Gaps between a counter's readings: short ones are interpolated, longer ones filled to the meter's
total in the shape of the days before, others unknown.
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
# Rounding to a milliwatt-hour hides floating-point losses, which depend on where a sum begins; the
# parts of a gap add up to the meter's total exactly.
DIGITS = 6
# Less than a second of day between two readings at night.
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
    energy = np.maximum.accumulate(np.concatenate([[0.0], np.cumsum(np.where(unknown, 0.0, gain))]))
    interpolated = moving & ~unknown & ~filled & (hours > LONGEST_STEP_HOURS) & ~find_paced(hours)
    curve = EnergyCurve(
        counter.instants,
        energy,
        unknown=Spans.between(counter.instants, unknown),
        interpolated=Spans.between(counter.instants, interpolated),
        resting=Spans.between(counter.instants, np.zeros(hours.size, dtype=np.bool_)),
        filled=Spans.between(counter.instants, filled),
        silences=Silences(Spans.between(counter.instants, silent), gain[silent], whole[silent]),
    )
    instants = [curve.instants]
    kwh = [curve.kwh]
    step = np.timedelta64(SLOT)
    for start, end in zip(curve.filled.starts, curve.filled.ends, strict=True):
        # The gap's ends and the slot edges in between.
        place = (
            start.astype("datetime64[us]").astype(np.int64)
            // step.astype("timedelta64[us]").astype(np.int64)
            + 1
        )
        inner = np.datetime64(0, "us") + np.arange(place, place + 2 + (end - start) // step) * step
        points: InstantArray = np.concatenate([[start], inner[inner < end], [end]]).astype(
            "datetime64[us]"
        )
        first, last = curve.kwh[np.searchsorted(curve.instants, [start, end])]
        instants.append(points[1:-1])
        counted = np.round(
            np.cumsum(_share(curve, points, last - first, limit_kw, idle=idle))[:-1], DIGITS
        )
        kwh.append(first + np.minimum(counted, last - first))
    if len(instants) == 1:
        return curve
    order = np.argsort(np.concatenate(instants), kind="stable")
    return replace(
        curve,
        instants=np.concatenate(instants)[order],
        kwh=np.maximum.accumulate(np.concatenate(kwh)[order]),
    )


def _share(
    curve: EnergyCurve, points: InstantArray, total: float, limit_kw: float, *, idle: Spans
) -> FloatArray:
    """Return ``total`` distributed over the intervals between ``points``: in the shape of the days
    before, else evenly.
    """
    hours = hours_between(points[:-1], points[1:])
    counting = hours - idle.hours_per_slot(points)
    if counting.sum() > SHORTEST_HOURS:
        hours = counting
    # Only measured energy gives a shape: unknown and filled spans, which are disjoint, are left
    # out.
    starts, ends = (
        np.concatenate(each)
        for each in (
            (curve.unknown.starts, curve.filled.starts),
            (curve.unknown.ends, curve.filled.ends),
        )
    )
    order = np.argsort(starts)
    measured = replace(curve, unknown=Spans(starts[order], ends[order]))
    awake = np.ones(hours.size, dtype=np.bool_)
    days = np.array(
        [
            energy_per_slot(measured, points - number * DAY, awake).values
            for number in range(1, DAYS_BEFORE + 1)
        ]
    )
    finite = np.isfinite(days)
    usual = np.divide(
        np.nansum(days, axis=0),
        finite.sum(axis=0) * hours,
        out=np.full(hours.size, np.nan),
        where=finite.any(axis=0),
    )
    if np.isfinite(usual).any() and np.nansum(usual) > 0:
        weights = np.where(np.isfinite(usual), usual, np.nanmean(usual)) * hours
        shaped = total * weights / weights.sum()
        if (shaped <= limit_kw * hours + SAME_KWH).all():
            return np.asarray(shaped)
    return np.asarray(total * hours / hours.sum())
