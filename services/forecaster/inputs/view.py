"""Feature matrices of one series: features for the trees and member forecasts for stacking.

Training and prediction share this code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import SLOTS_PER_DAY, FloatArray
from services.forecaster.inputs.frame import Frame, IntArray, Pairs


def recall_days(
    values: FloatArray,
    pairs: Pairs,
    days: int,
    *,
    local_slot: IntArray | None = None,
    reach: int = 0,
) -> FloatArray:
    """Return the target's slot on the latest days, shape ``(rows, days)``, newest first.

    The ``days`` days lie wholly before the origin; NaN where unknown.

    Args:
        local_slot: local time of each slot; if given, days are local, so that habits follow the
            clock over a daylight-saving change.
        reach: later slots that enter a value (of a centred mean).
    """
    days_back = (pairs.lead // SLOTS_PER_DAY + 1)[:, None] + np.arange(days)
    slots_back = SLOTS_PER_DAY * days_back
    slot = pairs.target[:, None] - slots_back
    if local_slot is not None:
        local_target = local_slot[pairs.target][:, None]
        clock_change = local_target - slots_back - local_slot[np.clip(slot, 0, None)]
        slot = slot + clock_change
    is_past = (slot >= 0) & (slot + reach < pairs.origin[:, None])
    recalled: FloatArray = np.where(is_past, values[np.clip(slot, 0, values.size - 1)], np.nan)
    return recalled


@dataclass(frozen=True, slots=True)
class Days:
    """Statistics of recalled days.

    ``count`` and ``mean`` of shape ``(rows,)``, ``ordered`` ``(rows, days)``; NaN where no day is
    known.
    """

    count: IntArray
    mean: FloatArray
    ordered: FloatArray

    @classmethod
    def of(cls, recalled: FloatArray) -> Self:
        """Return the statistics of ``recalled``, shape ``(rows, days)``."""
        has_value = ~np.isnan(recalled)
        count = has_value.sum(axis=1)
        mean = np.divide(
            np.where(has_value, recalled, 0.0).sum(axis=1),
            count,
            out=np.full(count.size, np.nan),
            where=count > 0,
        )
        return cls(count, mean, np.sort(recalled, axis=1))

    def quantile(self, share: float) -> FloatArray:
        """Return a quantile of the known days; NaN where none is known."""
        last = np.maximum(self.count - 1, 0)
        place = share * last
        low = place.astype(np.int64)
        high = np.minimum(low + 1, last)
        rows = np.arange(self.ordered.shape[0])
        below = self.ordered[rows, low]
        above = self.ordered[rows, high]
        quantile: FloatArray = below + (above - below) * (place - low)
        return quantile


@dataclass(frozen=True, slots=True)
class Windows:
    """Means over any run of slots in constant time, by cumulative sums; gaps are left out."""

    totals: FloatArray
    counts: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return the windows of a series of shape ``(slots,)``."""
        has_value = ~np.isnan(values)
        return cls(
            np.concatenate([[0.0], np.cumsum(np.where(has_value, values, 0.0))]),
            np.concatenate([[0.0], np.cumsum(has_value, dtype=np.float64)]),
        )

    def mean(self, end: IntArray, length: int) -> FloatArray:
        """Return the mean of the ``length`` slots before each ``end``; NaN where none is known."""
        # On short arrays ``np.clip`` takes several times as long.
        last = np.minimum(np.maximum(end, 0), self.totals.size - 1)
        begin = np.minimum(np.maximum(end - length, 0), self.totals.size - 1)
        count = self.counts[last] - self.counts[begin]
        mean = np.divide(
            self.totals[last] - self.totals[begin],
            count,
            out=np.full(count.shape, np.nan),
            where=count > 0,
        )
        # Rounding removes the cumulative sums' error, which depends on where the series begins.
        rounded: FloatArray = np.round(mean, 9)
        return rounded

    def count(self, end: IntArray, length: int) -> FloatArray:
        """Return how many of the ``length`` slots before each ``end`` are known."""
        last = np.clip(end, 0, self.totals.size - 1)
        begin = np.clip(end - length, 0, self.totals.size - 1)
        count: FloatArray = self.counts[last] - self.counts[begin]
        return count

    def centre(self, reach: int) -> FloatArray:
        """Return the centred mean over ``2·reach + 1`` slots for every slot."""
        return self.mean(np.arange(self.totals.size - 1) + reach + 1, 2 * reach + 1)


Part = str  # "centre", for mean and median alike, or the name of a head: "expected", "p05" … "p95"
Matrix = NDArray[np.float32]
EDGES: tuple[tuple[Part, float], ...] = (("p10", 0.1), ("p90", 0.9))
MEMORY = 28  # days of the long profile
WEEK = 7
FLOOR_KWH = 0.002  # least scale, for a series that has long been zero


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """One series' model inputs, a row per pair of origin and target.

    Args:
        features: shape ``(rows, features)``, NaN where unknown.
        scale_kwh: factor of the trees' outputs, shape ``(rows,)``, positive.
        members: forecasts for stacking, kWh, each of shape ``(rows,)`` and free of NaN: by name,
            for the centre (mean and median) and for every head.
        known_days: number of recalled days on which the target's slot was measured, shape
            ``(rows,)``.
        limit_kwh: upper bound, shape ``(rows,)``; zero at night for PV.
        names: of the columns of ``features``.
    """

    features: Matrix
    scale_kwh: FloatArray
    members: dict[Part, dict[str, FloatArray]]
    known_days: IntArray
    limit_kwh: FloatArray
    names: tuple[str, ...]

    def column(self, name: str) -> FloatArray:
        """Return a feature by its name, shape ``(rows,)``."""
        return self.features[:, self.names.index(name)].astype(np.float64)

    def select(self, rows: NDArray[np.bool_]) -> "FeatureMatrix":
        """Return the chosen rows."""
        members = {}
        for part, named in self.members.items():
            members[part] = {name: member[rows] for name, member in named.items()}
        return FeatureMatrix(
            features=self.features[rows],
            scale_kwh=self.scale_kwh[rows],
            members=members,
            known_days=self.known_days[rows],
            limit_kwh=self.limit_kwh[rows],
            names=self.names,
        )


def join_rows(matrices: Sequence[FeatureMatrix]) -> FeatureMatrix:
    """Return the rows of all matrices, which are of one series, in order."""
    first = matrices[0]
    if len(matrices) == 1:
        return first
    members: dict[Part, dict[str, FloatArray]] = {}
    for part, named in first.members.items():
        members[part] = {}
        for name in named:
            rows = [matrix.members[part][name] for matrix in matrices]
            members[part][name] = np.concatenate(rows)
    return FeatureMatrix(
        features=np.concatenate([matrix.features for matrix in matrices]),
        scale_kwh=np.concatenate([matrix.scale_kwh for matrix in matrices]),
        members=members,
        known_days=np.concatenate([matrix.known_days for matrix in matrices]),
        limit_kwh=np.concatenate([matrix.limit_kwh for matrix in matrices]),
        names=first.names,
    )


def stack_columns(columns: Mapping[str, FloatArray]) -> Matrix:
    """Return named columns, each of shape ``(rows,)``, side by side."""
    return np.column_stack([*columns.values()]).astype(np.float32)


def name_edges(edges: Mapping[Part, Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return the members of both edges, named ``<edge>_<member>``."""
    named = {}
    for part, members in edges.items():
        for name, member in members.items():
            named[f"{part}_{name}"] = member
    return named


def mark_time(frame: Frame, pairs: Pairs) -> dict[str, FloatArray]:
    """Return each target's lead and local calendar, and its origin's slot of day."""
    local = frame.local_slot[pairs.target]
    day = local // SLOTS_PER_DAY
    weekday = (day + 3) % WEEK  # 1970 began on a Thursday
    season = 2 * np.pi * (day % 365.2425) / 365.2425
    columns = {
        "lead": pairs.lead,
        "slot_of_day": local % SLOTS_PER_DAY,
        "day_of_week": weekday,
        "weekend": weekday >= 5,
        "season_sin": np.sin(season),
        "season_cos": np.cos(season),
        "origin_slot_of_day": frame.local_slot[pairs.origin] % SLOTS_PER_DAY,
    }
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def deviate_from_week(windows: Windows, origin: IntArray, length: int) -> FloatArray:
    """Return the last slots' deviation from the same slots of the seven days before.

    Both are means over ``length`` slots, kWh per slot; NaN where unknown.
    """
    means = []
    for days_back in range(1, WEEK + 1):
        means.append(windows.mean(origin - days_back * SLOTS_PER_DAY, length))
    before = np.stack(means)
    has_value = ~np.isnan(before)
    total = np.where(has_value, before, 0.0).sum(axis=0)
    usual = divide(total, has_value.sum(axis=0).astype(np.float64))
    deviation: FloatArray = windows.mean(origin, length) - usual
    return deviation


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the ratio, NaN where the denominator is unknown or not above 0."""
    unknown = np.full(np.shape(numerator), np.nan)
    is_positive = np.nan_to_num(denominator) > 1e-9
    ratio: FloatArray = np.divide(numerator, denominator, out=unknown, where=is_positive)
    return ratio
