"""The forecast series, load and PV.

Their features, and weighted pools of similar past quarter-hours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.observations import Observations
from luna.energy.outlook import LEVELS, SHARES
from luna.energy.site import Site
from luna.energy.timeline import SLOTS_PER_DAY, FloatArray
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.frame import (
    Frame,
    IntArray,
    Pairs,
    frame_origins,
    pair_origins,
)
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.load_features import Absence, view_load
from services.forecaster.inputs.pv_features import recall_shares, view_pv
from services.forecaster.inputs.view import (
    MEMORY,
    WEEK,
    Days,
    FeatureMatrix,
    join_rows,
    recall_days,
)

COLUMN_BITS = 8
# Bounds the memory of recalled days: a training's 30,000 rows at once took 242 MB, in parts 81;
# 1,024 rows fit a processor's cache.
PART_ROWS = 1_024
PHASES = 2 * WEEK  # days back to the newest recalled day: the longest horizon is two weeks


@dataclass(frozen=True, slots=True)
class Kernel:
    """Weights of recalled quarter-hours.

    Args:
        reach: slots on either side of the target's slot of day that are included.
        half_lives: days after which the weight halves; one pool for each.
        other_day: weight of a working day for a weekend day, and vice versa.
    """

    reach: int
    half_lives: tuple[float, ...]
    other_day: float

    @property
    def columns(self) -> int:
        """Quarter-hours recalled for one target."""
        return MEMORY * (2 * self.reach + 1)


@cache
def weigh_kernel(kernel: Kernel) -> FloatArray:
    """Return weights by half-life, weekday and phase, and column.

    A last column, for unknown values, has weight 0.
    """
    days = np.repeat(np.arange(MEMORY), 2 * kernel.reach + 1)
    distance = np.abs(np.tile(np.arange(-kernel.reach, kernel.reach + 1), MEMORY))
    weekday, phase = np.divmod(np.arange(WEEK * PHASES), PHASES)
    recalled_weekday = (weekday[:, None] - phase[:, None] - 1 - days) % WEEK
    is_alike = (recalled_weekday >= WEEK - 2) == (weekday >= WEEK - 2)[:, None]
    nearness = 1 - distance / (kernel.reach + 1.5)
    unfaded = np.where(is_alike, 1.0, kernel.other_day) * nearness
    faded = np.stack([0.5 ** (days / half_life) * unfaded for half_life in kernel.half_lives])
    unknown = np.zeros((*faded.shape[:2], 1))
    return np.concatenate([faded, unknown], axis=2)


@dataclass(frozen=True, slots=True)
class Pool:
    """Mean and quantiles of recalled values; NaN where none is known.

    Shapes are ``(half-lives, rows)`` and ``(half-lives, levels, rows)``.
    """

    mean: FloatArray
    quantiles: FloatArray

    @classmethod
    def of(cls, values: FloatArray, pairs: Pairs, kernel: Kernel, local_slot: IntArray) -> Self:
        """Return the pool of ``values``, shape ``(slots,)``, for every pair.

        Nothing at or after an origin is read.
        """
        # Each value's rank (``values.size`` where unknown), and the values in order.
        measured = np.flatnonzero(~np.isnan(values))
        order = measured[np.argsort(values[measured], kind="stable")]
        rank_of = np.full(values.size, values.size, dtype=np.int32)
        rank_of[order] = np.arange(order.size)
        ordered = np.concatenate([values[order], np.zeros(values.size - order.size + 1)])
        distinct, pool_of = _find_distinct(pairs, kernel, local_slot)
        means = []
        quantiles = []
        for part in distinct.split(PART_ROWS):
            mean, levels = _pool_rows(rank_of, ordered, part, kernel=kernel, local_slot=local_slot)
            means.append(mean)
            quantiles.append(levels)
        return cls(
            np.concatenate(means, axis=1)[:, pool_of],
            np.concatenate(quantiles, axis=2)[:, :, pool_of],
        )

    def map(self, factor: FloatArray) -> "Pool":
        """Return the pool times ``factor``, shape ``(rows,)``."""
        return Pool(self.mean * factor, self.quantiles * factor)


def _find_distinct(pairs: Pairs, kernel: Kernel, local_slot: IntArray) -> tuple[Pairs, IntArray]:
    """Return pairs with distinct pools, and each pair's index into them.

    Hourly forecasts share the pools of a target between many origins.

    Pools differ by the number of days back to the newest recalled day, and by how many of its
    quarter-hours are past.
    """
    days = pairs.lead // SLOTS_PER_DAY
    slots_back = SLOTS_PER_DAY * (days + 1)
    newest = pairs.target - slots_back
    local_newest = local_slot[np.clip(newest, 0, None)]
    # Moved by the change of the clock in between.
    newest = newest + local_slot[pairs.target] - local_newest - slots_back
    past_slots = np.clip(pairs.origin - newest, -kernel.reach, kernel.reach + 1) + kernel.reach
    code = (pairs.target * PHASES + days) * (2 * kernel.reach + 2) + past_slots
    _, first, pool_of = np.unique(code, return_index=True, return_inverse=True)
    return Pairs(pairs.origin[first], pairs.target[first]), pool_of


def _pool_rows(
    rank_of: NDArray[np.int32],
    ordered: FloatArray,
    pairs: Pairs,
    *,
    kernel: Kernel,
    local_slot: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Return mean and quantiles of some pairs' pools, as ``Pool`` has them.

    Args:
        rank_of: rank of each slot's value, the number of slots where it is unknown.
        ordered: the values by rank.
    """
    days = pairs.lead // SLOTS_PER_DAY
    slots_back = SLOTS_PER_DAY * ((days + 1)[:, None] + np.arange(MEMORY))
    slot = pairs.target[:, None] - slots_back
    local_target = local_slot[pairs.target][:, None]
    # Moved by the change of the clock in between.
    slot = slot + local_target - slots_back - local_slot[np.clip(slot, 0, None)]
    nearby = slot[:, :, None] + np.arange(-kernel.reach, kernel.reach + 1)
    recalled = nearby.reshape(pairs.lead.size, -1)
    is_past = (recalled >= 0) & (recalled < pairs.origin[:, None])
    unknown_rank = np.int32(rank_of.size)
    recalled_rank = rank_of[np.clip(recalled, 0, rank_of.size - 1)]
    past_rank: NDArray[np.int32] = np.where(is_past, recalled_rank, unknown_rank)
    # Rank and column as one number, so that sorting the ranks sorts the columns with them.
    packed = np.left_shift(past_rank, COLUMN_BITS) + np.arange(kernel.columns, dtype=np.int32)
    packed = np.sort(packed, axis=1)
    rank = packed >> COLUMN_BITS
    column = packed & (2**COLUMN_BITS - 1)
    column[rank == unknown_rank] = kernel.columns
    amount = ordered[rank]
    # 1970 began on a Thursday
    weekday = (local_slot[pairs.target] // SLOTS_PER_DAY + 3) % WEEK
    table_row = (weekday * PHASES + days).astype(np.int32)[:, None]
    place = table_row * np.int32(kernel.columns + 1) + column
    means = []
    quantiles = []
    for table in weigh_kernel(kernel):
        mean, levels = _weigh_rows(amount, table.ravel()[place])
        means.append(mean)
        quantiles.append(levels)
    return np.stack(means), np.stack(quantiles)


def _weigh_rows(amount: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and quantiles of each row of ``amount``.

    It is ascending, of shape ``(rows, columns)``.
    """
    total = weight.sum(axis=1)
    has_weight = total > 0
    divisor = np.where(has_weight, total, 1.0)
    share = np.cumsum(weight, axis=1) / divisor[:, None]
    row_count, columns = amount.shape
    row = np.arange(row_count)
    # Each row's shares lie in (0, 1], so that adding the row's number makes one ascending array of
    # all rows.
    ascending = (share + row[:, None]).ravel()
    place = np.searchsorted(ascending, row + LEVELS[:, None] - 1e-9)
    last_of_row = (row + 1) * columns - 1
    quantiles = amount.ravel()[np.minimum(place, last_of_row)]
    mean = np.einsum("ij,ij->i", amount, weight) / divisor
    return np.where(has_weight, mean, np.nan), np.where(has_weight, quantiles, np.nan)


LOAD_KERNEL = Kernel(reach=2, half_lives=(3.0, 7.0, 20.0), other_day=0.25)
PV_KERNEL = Kernel(reach=1, half_lives=(7.0, 28.0), other_day=1.0)
# Least divisor, as a share of the brightest clear-sky slot: a ratio to little light says little
SKY_FLOOR = 0.1


@dataclass(frozen=True, slots=True)
class ForecastSeries:
    """A series by name: its measurements, kWh, shape ``(slots,)``, and its feature matrix.

    ``describe`` gives all but the pools of recalled days, which ``pool`` gives; some forecasters do
    without them.
    """

    name: str
    measured: Callable[[Frame], FloatArray]
    describe: Callable[[Frame, Pairs], FeatureMatrix]
    kernel: Kernel
    pool: Callable[[Frame, Pairs], Pool]

    def view(self, frame: Frame, pairs: Pairs) -> FeatureMatrix:
        """Return the feature matrix, with the pools among the members."""
        return self.add_pools(self.describe_rows(frame, pairs), frame, pairs)

    def describe_rows(self, frame: Frame, pairs: Pairs) -> FeatureMatrix:
        """Return the feature matrix without pools, computed in parts of ``PART_ROWS``."""
        return join_rows([self.describe(frame, part) for part in pairs.split(PART_ROWS)])

    def add_pools(self, described: FeatureMatrix, frame: Frame, pairs: Pairs) -> FeatureMatrix:
        """Return the feature matrix with a pool per half-life among the heads' members.

        The pairs are the same; unknown pools are the mean.
        """
        pool = self.pool(frame, pairs)
        substitute = described.members["centre"]["mean"]
        names = [f"pool_{half_life:.0f}" for half_life in self.kernel.half_lives]
        heads = {"expected": pool.mean}
        for level, name in enumerate(SHARES):
            heads[name] = pool.quantiles[:, level]
        members = dict(described.members)
        for head, values in heads.items():
            bounded = np.minimum(fill_gaps(values, substitute), described.limit_kwh)
            pools = dict(zip(names, bounded, strict=True))
            members[head] = members.get(head, {}) | pools
        return replace(described, members=members)


def _pool_load(frame: Frame, pairs: Pairs) -> Pool:
    absence = Absence.of(frame, pairs)
    return Pool.of(absence.home_kwh, pairs, LOAD_KERNEL, frame.local_slot).map(absence.load_share)


def _pool_pv(frame: Frame, pairs: Pairs) -> Pool:
    """Return the pools of shares of clear sky."""
    sky = np.maximum(frame.clear_sky_kwh, SKY_FLOOR * frame.brightest_kwh)
    by_sun = frame.first + np.arange(frame.pv_kwh.size, dtype=np.int64)
    return Pool.of(frame.pv_kwh / sky, pairs, PV_KERNEL, by_sun).map(sky[pairs.target])


LOAD = ForecastSeries(
    name="load",
    measured=lambda frame: frame.load_kwh,
    describe=view_load,
    kernel=LOAD_KERNEL,
    pool=_pool_load,
)
PV = ForecastSeries(
    name="pv",
    measured=lambda frame: frame.pv_kwh,
    describe=view_pv,
    kernel=PV_KERNEL,
    pool=_pool_pv,
)
EVERY_SERIES = (LOAD, PV)


@dataclass(frozen=True)
class OriginViews:
    """Inputs of a site's forecasts at some instants, computed once and shared by all versions.

    Args:
        issued_at: the instants, in UTC.
        slots: the horizon of each.
        frame: history and horizon of all of them.
        pairs: every origin with each of its targets, ordered by origin.
    """

    issued_at: Sequence[datetime]
    slots: int
    frame: Frame
    pairs: Pairs

    @classmethod
    def of(
        cls,
        history: Observations,
        site: Site,
        issued_at: Sequence[datetime],
        slots: int,
        *,
        context: Context = NO_CONTEXT,
    ) -> Self:
        """Return the views of a history at some instants (UTC)."""
        frame = frame_origins(history, site, issued_at, slots, context=context)
        return cls.of_frame(frame, issued_at, slots)

    @classmethod
    def of_frame(cls, frame: Frame, issued_at: Sequence[datetime], slots: int) -> Self:
        """Return the views of a frame made for these instants."""
        return cls(issued_at, slots, frame, pair_origins(frame, issued_at, slots))

    @cached_property
    def described(self) -> dict[str, FeatureMatrix]:
        """Feature matrices without pools, by series."""
        return {
            series.name: series.describe_rows(self.frame, self.pairs) for series in EVERY_SERIES
        }

    @cached_property
    def views(self) -> dict[str, FeatureMatrix]:
        """Feature matrices with pools, by series."""
        return {
            series.name: series.add_pools(self.described[series.name], self.frame, self.pairs)
            for series in EVERY_SERIES
        }

    @property
    def at_home(self) -> "OriginViews":
        """The same without vacation mode."""
        is_away = np.nan_to_num(self.frame.vacation_share).any()
        # It never holds itself: its hundred megabytes would wait for the collector of cycles.
        return self._without_vacation if is_away else self

    @cached_property
    def _without_vacation(self) -> "OriginViews":
        never = np.full(self.frame.vacation_share.size, np.nan)
        return replace(self, frame=replace(self.frame, vacation_share=never))

    @cached_property
    def load_week(self) -> dict[str, FloatArray]:
        """The quantiles of the target's slot on the last seven days, by name, NaN where unknown.

        Each of shape ``(rows,)``.
        """
        frame = self.frame
        week = recall_days(frame.load_kwh, self.pairs, WEEK, local_slot=frame.local_slot)
        return _name_quantiles(week)

    @cached_property
    def pv_week(self) -> dict[str, FloatArray]:
        """The same of PV."""
        return _name_quantiles(recall_days(self.frame.pv_kwh, self.pairs, WEEK))

    @cached_property
    def clear_sky_week(self) -> dict[str, FloatArray]:
        """The same of the shares of a clear sky, under the target's."""
        shares = recall_shares(self.frame, self.pairs, WEEK)
        clear_sky_kwh = self.frame.clear_sky_kwh[self.pairs.target]
        return _name_quantiles(shares * clear_sky_kwh[:, None])


def _name_quantiles(recalled: FloatArray) -> dict[str, FloatArray]:
    days = Days.of(recalled)
    return {name: days.quantile(share) for name, share in SHARES.items()}
