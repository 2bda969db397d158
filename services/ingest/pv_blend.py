"""Blend Luna's own PV forecast with those of outside services by their proven skill."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from luna.energy.outlook import PARTS, Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, IndexArray, Timeline

# Begins of the bands of lead times whose errors are compared: who is best for the next hours need
# not be for tomorrow.
BAND_BEGINS = (timedelta(0), timedelta(hours=6), timedelta(hours=12), timedelta(hours=24))
# So many daylight quarter-hours of a band are compared at least: about a week of issues.
LEAST_COMPARED = 7 * 24
# An error below this is that of a meter, kWh²; it keeps a perfect week from being all.
_LEAST_SQUARE = 1e-6

# By band, how many times as large the squared error of Luna's own forecast was.
Skill = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class MeasuredPv:
    """Measured energy of quarter-hours, kWh, ``(slots,)``, NaN where it is unknown."""

    timeline: Timeline
    energy_kwh: FloatArray

    def square_errors(self, issues: Iterable[Forecast]) -> dict[int, float]:
        """Return the mean squared error of each band with enough slots of daylight, kWh²."""
        squares: dict[int, list[FloatArray]] = {}
        for issue in issues:
            count = issue.timeline.count
            first = (issue.timeline.start - self.timeline.start) // SLOT
            places = first + np.arange(count)
            inside = (places >= 0) & (places < self.timeline.count)
            actual = np.full(count, np.nan)
            actual[inside] = self.energy_kwh[places[inside]]
            expected = issue.pv_kwh.expected
            counts = np.isfinite(actual) & ((actual > 0) | (expected > 0))
            bands = _find_bands(count)
            for band in np.unique(bands[counts]).tolist():
                errors = (expected - actual)[counts & (bands == band)]
                squares.setdefault(band, []).append(errors**2)
        means = {}
        for band, parts in squares.items():
            errors = np.concatenate(parts)
            if errors.size >= LEAST_COMPARED:
                means[band] = max(float(errors.mean()), _LEAST_SQUARE)
        return means


def compare_skill(
    issues: Sequence[Forecast], own_issues: Sequence[Forecast], measured: MeasuredPv
) -> Skill:
    """Return the skill of a version beside Luna's own, since its first issue.

    Bands in which either has too few slots are left out.
    """
    if not issues:
        return {}
    since = issues[0].issued_at
    squares = measured.square_errors(issues)
    own_squares = measured.square_errors(own for own in own_issues if own.issued_at >= since)
    return {band: own_squares[band] / squares[band] for band in squares.keys() & own_squares}


def weigh(skills: Mapping[str, Skill], slots: int) -> dict[str, FloatArray]:
    """Return the weight of each outside version in each slot ahead, ``(slots,)``.

    The rest is Luna's own: all of it in a band whose skill is unknown.

    Source: Bates, Granger 1969, "The combination of forecasts": weights inverse to the mean squared
    error, which is least where errors are independent.

    Invariants: weights are at least 0, and their sum is below 1.
    """
    bands = _find_bands(slots)
    weights = {version: np.zeros(slots) for version in skills}
    for band in range(len(BAND_BEGINS)):
        total = 1.0 + sum(skill.get(band, 0.0) for skill in skills.values())
        for version, skill in skills.items():
            weights[version][bands == band] = skill.get(band, 0.0) / total
    return weights


def blend(
    own: Quantiles, others: Mapping[str, Quantiles], weights: Mapping[str, FloatArray]
) -> Quantiles:
    """Return the weighted mean of every quantile; ``own`` has what ``weights`` leave."""
    parts = {}
    for part in PARTS:
        blended = getattr(own, part).copy()
        for version, forecast in others.items():
            blended += weights[version] * (getattr(forecast, part) - getattr(own, part))
        parts[part] = blended
    return Quantiles(**parts)


def _find_bands(slots: int) -> IndexArray:
    """Return the band of each slot ahead of an issue."""
    begins = [begin // SLOT for begin in BAND_BEGINS]
    return np.searchsorted(begins, np.arange(slots), side="right") - 1
