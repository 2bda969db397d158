"""The shape of what a counter counted while nobody read it: its total is known, its quarter-hours are not."""

from dataclasses import replace

import numpy as np

from luna.energy.timeline import SLOT, FloatArray, InstantArray
from services.ingest.metering.curve import EnergyCurve, energy_per_slot
from services.ingest.metering.spans import Spans, hours_between

# Two days are always at hand, whatever window is built: with more, a silence would take another shape in another window.
DAYS_BEFORE = 2
DAY = np.timedelta64(1, "D")
# A milliwatt-hour, as quarter-hours are rounded: the parts add up to the meter's total to the last digit.
DIGITS = 6


def shape_fills(curve: EnergyCurve, limit_kw: float) -> EnergyCurve:
    """Return the curve with its filled stretches shaped like the same hours of the two days before; even where these are unknown.

    Args:
        curve: even in each of its filled stretches.
        limit_kw: the highest believable power; a shape that goes beyond it is not taken.

    Invariants: every stretch keeps its energy; what lies after one changes nothing in it.
    """
    instants, kwh = [curve.instants], [curve.kwh]
    for start, end in zip(curve.filled.starts, curve.filled.ends, strict=True):
        points = _cut(start, end)
        first, last = curve.kwh[np.searchsorted(curve.instants, [start, end])]
        instants.append(points[1:-1])
        counted = np.round(np.cumsum(_share(curve, points, last - first, limit_kw))[:-1], DIGITS)
        kwh.append(first + np.minimum(counted, last - first))
    if len(instants) == 1:
        return curve
    order = np.argsort(np.concatenate(instants), kind="stable")
    return replace(curve, instants=np.concatenate(instants)[order], kwh=np.maximum.accumulate(np.concatenate(kwh)[order]))


def _cut(start: np.datetime64, end: np.datetime64) -> InstantArray:
    """Return the two ends of a stretch and the edges of quarter-hours between them."""
    step = np.timedelta64(SLOT)
    first = start.astype("datetime64[us]").astype(np.int64) // step.astype("timedelta64[us]").astype(np.int64) + 1
    inner = np.datetime64(0, "us") + np.arange(first, first + 2 + (end - start) // step) * step
    return np.concatenate([[start], inner[inner < end], [end]]).astype("datetime64[us]")


def _share(curve: EnergyCurve, points: InstantArray, total: float, limit_kw: float) -> FloatArray:
    """Return ``total`` shared out between ``points``."""
    hours = hours_between(points[:-1], points[1:])
    measured = replace(curve, unknown=_merge(curve.unknown, curve.filled))
    awake = np.ones(hours.size, dtype=np.bool_)
    days = np.array([energy_per_slot(measured, points - number * DAY, awake).kwh for number in range(1, DAYS_BEFORE + 1)])
    finite = np.isfinite(days)
    usual = np.divide(np.nansum(days, axis=0), finite.sum(axis=0) * hours, out=np.full(hours.size, np.nan), where=finite.any(axis=0))
    if np.isfinite(usual).any() and np.nansum(usual) > 0:
        weights = np.where(np.isfinite(usual), usual, np.nanmean(usual)) * hours
        shaped = total * weights / weights.sum()
        if (shaped <= limit_kw * hours).all():
            return np.asarray(shaped)
    return np.asarray(total * hours / hours.sum())


def _merge(one: Spans, other: Spans) -> Spans:
    """Return stretches of both, in order; they lie apart."""
    order = np.argsort(np.concatenate([one.starts, other.starts]))
    return Spans(np.concatenate([one.starts, other.starts])[order], np.concatenate([one.ends, other.ends])[order])
