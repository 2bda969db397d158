"""Convex blends of forecasts, and bands that hold what they promise. Both are learned on weeks the models have not seen, per stretch of leads."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray
from services.forecaster.frame import IntArray

BAND_STARTS = np.array([0, 12, 48])  # slots of lead: the next three hours, the half day after, the rest
STEPS = 200
NEEDED_ROWS = 200  # fewer rows than that say nothing about a band
WIDEST, NARROWEST = 6.0, 0.2


def band_of(lead: IntArray) -> IntArray:
    """Return the band of leads each row belongs to."""
    bands: IntArray = np.searchsorted(BAND_STARTS, lead, side="right") - 1
    return bands


def measure_loss(error: FloatArray, share: float | None) -> FloatArray:
    """Return squared loss, or the pinball loss of the ``share`` quantile; ``error`` is actual minus forecast."""
    loss: FloatArray = error**2 if share is None else np.maximum(share * error, (share - 1) * error)
    return loss


def weigh_members(members: FloatArray, actual: FloatArray, share: float | None) -> FloatArray:
    """Return non-negative weights that sum to one, shape ``(members,)``; the blend is never worse on these rows than the best member alone.

    Args:
        members: shape ``(rows, members)``.
        share: the quantile whose pinball loss counts; None: squared loss.

    Source: Kivinen and Warmuth (1997), exponentiated gradient.
    """
    single = measure_loss(actual[:, None] - members, share).mean(axis=0)
    best = np.eye(members.shape[1])[int(single.argmin())]
    weights = np.full(members.shape[1], 1 / members.shape[1])
    total, spread = np.zeros_like(weights), max(float(np.abs(members - actual[:, None]).mean()), 1e-9)
    for step in range(1, STEPS + 1):
        error = actual - members @ weights
        pull = 2 * error / spread if share is None else np.where(error > 0, share, share - 1)
        gradient = pull @ members / (actual.size * spread)
        weights = weights * np.exp(np.clip(2 / np.sqrt(step) * (gradient - gradient.max()), -50, 0))
        weights /= weights.sum()
        total += weights * (step > STEPS // 2)
    blended = total / total.sum()
    candidates = [blended, (blended + best) / 2, best]
    return min(candidates, key=lambda candidate: float(measure_loss(actual - members @ candidate, share).mean()))


def weigh_bands(members: FloatArray, actual: FloatArray, lead: IntArray, share: float | None) -> FloatArray:
    """Return weights per band of leads, shape ``(bands, members)``; a band with too few rows takes the weights of all."""
    everywhere = weigh_members(members, actual, share)
    bands = band_of(lead)
    rows = [bands == band for band in range(BAND_STARTS.size)]
    return np.stack([weigh_members(members[chosen], actual[chosen], share) if chosen.sum() >= NEEDED_ROWS else everywhere for chosen in rows])


def blend_members(members: Mapping[str, FloatArray], weights: FloatArray, lead: IntArray) -> FloatArray:
    """Return the blend of ``members``, whose order is that of the weights' columns."""
    by_row = weights[band_of(lead)]
    blended = np.zeros(lead.size)
    for column, member in enumerate(members.values()):
        blended += by_row[:, column] * member
    return blended


def stretch_band(distance: FloatArray, width: FloatArray, share: float) -> float:
    """Return the factor for ``width`` after which ``share`` of the distances from the median lie within it.

    Source: Romano, Patterson and Candès (2019), conformalised quantile regression, in its scaled form (Sousa 2022).
    """
    if distance.size < NEEDED_ROWS:
        return 1.0
    level = min(1.0, share * (1 + 1 / distance.size))
    return float(np.clip(np.quantile(distance / width, level), NARROWEST, WIDEST))


def stretch_bands(distance: FloatArray, width: FloatArray, lead: IntArray, share: float) -> FloatArray:
    """Return one factor per band of leads, shape ``(bands,)``."""
    rows: list[NDArray[np.bool_]] = [band_of(lead) == band for band in range(BAND_STARTS.size)]
    return np.array([stretch_band(distance[chosen], width[chosen], share) for chosen in rows])
