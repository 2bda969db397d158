"""The two series that are forecast, and how each is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.outlook import LEVELS, SHARES
from luna.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, Frame, IntArray, Pairs
from services.forecaster.inputs.load_features import Absence, view_load
from services.forecaster.inputs.pv_features import view_pv
from services.forecaster.inputs.view import MEMORY, WEEK, FeatureMatrix, fill_gaps

COLUMN_BITS = 8
PHASES = 2 * WEEK  # days back to the newest recalled day: the longest horizon is two weeks


@dataclass(frozen=True, slots=True)
class Kernel:
    """How much each recalled quarter-hour counts.

    Args:
        reach: slots on either side of the same one that are looked at.
        half_lives: days after which a day counts half; one pool for each.
        other_day: what a working day counts for a day of the weekend, and the other way round.
    """

    reach: int
    half_lives: tuple[float, ...]
    other_day: float

    @property
    def columns(self) -> int:
        """Quarter-hours looked at for one target."""
        return MEMORY * (2 * self.reach + 1)


@cache
def weigh_kernel(kernel: Kernel) -> FloatArray:
    """Return weights by half-life, weekday and phase, and column; a last column, for what is unknown, has none."""
    days, near = np.repeat(np.arange(MEMORY), 2 * kernel.reach + 1), np.tile(np.arange(-kernel.reach, kernel.reach + 1), MEMORY)
    weekday, phase = np.divmod(np.arange(WEEK * PHASES), PHASES)
    weekend = (weekday[:, None] - phase[:, None] - 1 - days) % WEEK >= WEEK - 2
    same = np.where(weekend == (weekday >= WEEK - 2)[:, None], 1.0, kernel.other_day) * (1 - np.abs(near) / (kernel.reach + 1.5))
    faded = np.stack([0.5 ** (days / half_life) * same for half_life in kernel.half_lives])
    return np.concatenate([faded, np.zeros((*faded.shape[:2], 1))], axis=2)


@dataclass(frozen=True, slots=True)
class Pool:
    """Mean, shape ``(half-lives, rows)``, and quantiles, shape ``(half-lives, levels, rows)``, of what was recalled; NaN where nothing is known."""

    mean: FloatArray
    quantiles: FloatArray

    @classmethod
    def of(cls, values: FloatArray, pairs: Pairs, kernel: Kernel, local_slot: IntArray) -> Self:
        """Return the pool of ``values``, shape ``(slots,)``, for every pair; nothing at or after an origin is read."""
        ranked, order = _rank_values(values)
        held = np.sort(_recall_ranks(ranked, pairs, kernel, local_slot), axis=1)
        rank, column = held >> COLUMN_BITS, held & (2**COLUMN_BITS - 1)
        column[rank == ranked.size] = kernel.columns
        amount = np.append(order, 0.0)[rank]
        target_day = local_slot[pairs.target] // DAY_SLOTS
        code = (target_day + 3) % WEEK * PHASES + pairs.lead // DAY_SLOTS
        place = code.astype(np.int32)[:, None] * np.int32(kernel.columns + 1) + column
        pools = [_weigh_rows(amount, table.ravel()[place]) for table in weigh_kernel(kernel)]
        return cls(np.stack([mean for mean, _ in pools]), np.stack([quantiles for _, quantiles in pools]))

    def map(self, factor: FloatArray) -> "Pool":
        """Return the pool times ``factor``, shape ``(rows,)``."""
        return Pool(self.mean * factor, self.quantiles * factor)


def _rank_values(values: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
    """Return the rank of each value, the number of slots for those unknown, and the values in order."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    ranked = np.full(values.size, values.size, dtype=np.int32)
    ranked[order] = np.arange(order.size)
    return ranked, np.concatenate([values[order], np.zeros(values.size - order.size)])


def _recall_ranks(ranked: NDArray[np.int32], pairs: Pairs, kernel: Kernel, local_slot: IntArray) -> NDArray[np.int32]:
    """Return rank and column of everything looked at as one number, so that sorting the ranks sorts the columns with them."""
    back = DAY_SLOTS * ((pairs.lead // DAY_SLOTS + 1)[:, None] + np.arange(MEMORY))
    where = pairs.target[:, None] - back
    where = where + local_slot[pairs.target][:, None] - back - local_slot[np.clip(where, 0, None)]
    looked = (where[:, :, None] + np.arange(-kernel.reach, kernel.reach + 1)).reshape(pairs.lead.size, -1)
    known = (looked >= 0) & (looked < pairs.origin[:, None])
    rank: NDArray[np.int32] = np.where(known, ranked[np.clip(looked, 0, ranked.size - 1)], np.int32(ranked.size))
    return np.left_shift(rank, COLUMN_BITS) + np.arange(kernel.columns, dtype=np.int32)


def _weigh_rows(amount: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and quantiles of each row of ``amount`` (ascending), shape ``(rows, columns)``."""
    total = weight.sum(axis=1)
    known = total > 0
    share = np.cumsum(weight, axis=1) / np.where(known, total, 1.0)[:, None]
    rows, columns = amount.shape
    # Rows end at 1 and begin above 0, so that all of them stand in one ascending line.
    place = np.searchsorted((share + np.arange(rows)[:, None]).ravel(), np.arange(rows) + LEVELS[:, None] - 1e-9)
    quantiles = amount.ravel()[np.minimum(place, (np.arange(rows) + 1) * columns - 1)]
    mean = np.einsum("ij,ij->i", amount, weight) / np.where(known, total, 1.0)
    return np.where(known, mean, np.nan), np.where(known, quantiles, np.nan)


LOAD_KERNEL = Kernel(reach=2, half_lives=(3.0, 7.0, 20.0), other_day=0.25)
PV_KERNEL = Kernel(reach=1, half_lives=(7.0, 28.0), other_day=1.0)
SKY_FLOOR = 0.1  # share of the best clear-sky slot below which energies are pooled as they are: a ratio to little light says little


@dataclass(frozen=True, slots=True)
class ForecastSeries:
    """A series by name, with what was measured of it, kWh, shape ``(slots,)``, and what it looks like from an origin."""

    name: str
    measured: Callable[[Frame], FloatArray]
    view: Callable[[Frame, Pairs], FeatureMatrix]


def _look_at_load(frame: Frame, pairs: Pairs) -> FeatureMatrix:
    """Return the load as its origins see it, the pools of recalled days among the members."""
    absence = Absence.of(frame, pairs)
    pool = Pool.of(absence.home_kwh, pairs, LOAD_KERNEL, frame.local_slot).map(absence.left)
    return _join_pool(view_load(frame, pairs), pool, LOAD_KERNEL)


def _look_at_pv(frame: Frame, pairs: Pairs) -> FeatureMatrix:
    """Return PV as its origins see it, the pools of recalled days, as shares of clear sky, among the members."""
    sky = np.maximum(frame.clear_sky_kwh, SKY_FLOOR * frame.brightest_kwh)
    by_sun = frame.first + np.arange(frame.pv_kwh.size, dtype=np.int64)
    pool = Pool.of(frame.pv_kwh / sky, pairs, PV_KERNEL, by_sun).map(sky[pairs.target])
    return _join_pool(view_pv(frame, pairs), pool, PV_KERNEL)


def _join_pool(view: FeatureMatrix, pool: Pool, kernel: Kernel) -> FeatureMatrix:
    """Return the view with a pool for each half-life among the members of every head, within the limit; where nothing is known, the mean stands in."""
    substitute = view.members["centre"]["mean"]
    names = [f"pool_{half_life:.0f}" for half_life in kernel.half_lives]
    heads = {"expected": pool.mean, **{name: pool.quantiles[:, place] for place, name in enumerate(SHARES)}}
    pools = {head: dict(zip(names, np.minimum(fill_gaps(values, substitute), view.limit_kwh), strict=True)) for head, values in heads.items()}
    return replace(view, members=view.members | {head: view.members.get(head, {}) | pooled for head, pooled in pools.items()})


LOAD = ForecastSeries("load", lambda frame: frame.load_kwh, _look_at_load)
PV = ForecastSeries("pv", lambda frame: frame.pv_kwh, _look_at_pv)
EVERY_SERIES = (LOAD, PV)
