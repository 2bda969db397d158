"""How earlier forecasts erred over their whole horizon: where what happened lay within what was
said, slot after slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np

from luna.energy.observations import Observations
from luna.energy.outlook import PARTS, Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, Timeline, align, floor_to
from services.forecaster.inputs.frame import DAY_SLOTS, IntArray
from services.forecaster.scenarios.marginal import Marginals

LIBRARY_DAYS = 42
LEAST_MEASURED_SHARE = 0.5  # of the slots of a day's load; with less, the day says nothing
UNDECIDED = 0.5
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ErrorHistory:
    """Shares of earlier forecasts' distributions that lay below what happened, by day of issue and
    slot of the horizon; shape ``(days, slots)``.

    ``days_back`` says how long before the forecast that is asked about each was issued, shape
    ``(days,)``; ``limit_kwh`` is where distributions of PV end.
    """

    days_back: IntArray
    load: FloatArray
    pv: FloatArray
    limit_kwh: float

    @classmethod
    def of(
        cls,
        forecasts: Sequence[Forecast],
        measured: Observations,
        *,
        issued_at: datetime,
        limit_kwh: float,
        slots: int,
    ) -> Self:
        """Return how ``forecasts`` erred whose horizon of ``slots`` had passed at ``issued_at``.

        Others are left out, and days hardly measured too.

        Invariants: nothing measured in or after the slot that covers ``issued_at`` changes the
        result.
        """
        start = floor_to(issued_at, SLOT)
        past = [
            each
            for each in forecasts
            if each.timeline.start + slots * SLOT <= start and each.timeline.count >= slots
        ]
        if not past:
            return cls(np.empty(0, np.int64), np.empty((0, slots)), np.empty((0, slots)), limit_kwh)
        days_back = np.array(
            [round((start - each.timeline.start) / DAY) for each in past], dtype=np.int64
        )
        load = _stack([each.load_kwh for each in past], np.inf, slots).place(
            _measured(past, measured, measured.load_kwh, slots)
        )
        pv = _stack([each.pv_kwh for each in past], limit_kwh, slots).place(
            _measured(past, measured, measured.pv_kwh, slots)
        )
        is_complete = np.isfinite(load).mean(axis=1) >= LEAST_MEASURED_SHARE
        return cls(
            days_back[is_complete],
            fill_shares(load[is_complete]),
            fill_shares(pv[is_complete]),
            limit_kwh,
        )


def days_before(issued_at: datetime, slots: int) -> list[datetime]:
    """Return the instants, a day apart, whose forecasts of ``slots`` say how those at ``issued_at``
    may err: those whose horizon has passed.
    """
    first = -(-slots // DAY_SLOTS)
    return [issued_at - back * DAY for back in range(first, first + LIBRARY_DAYS)]


def fill_shares(share: FloatArray) -> FloatArray:
    """Return shares free of NaN: gaps between known slots become straight lines, what is wholly
    unknown is undecided.
    """
    filled = share.copy()
    slots = np.arange(share.shape[1])
    for path in filled:
        gaps = np.isnan(path)
        path[gaps] = (
            np.interp(slots[gaps], slots[~gaps], path[~gaps]) if not gaps.all() else UNDECIDED
        )
    return filled


def _stack(quantiles: Sequence[Quantiles], limit_kwh: float, slots: int) -> Marginals:
    stacked = Quantiles(
        *(np.stack([getattr(each, part)[:slots] for each in quantiles]) for part in PARTS)
    )
    return Marginals.of(stacked, limit_kwh)


def _measured(
    past: Sequence[Forecast], recorded: Observations, values: FloatArray, slots: int
) -> FloatArray:
    first = min(each.timeline.start for each in past)
    last = max(each.timeline.start for each in past)
    around = align(recorded.starts, values, Timeline(first, SLOT, (last - first) // SLOT + slots))
    begins = np.array([(each.timeline.start - first) // SLOT for each in past], dtype=np.int64)
    measured: FloatArray = around[begins[:, None] + np.arange(slots)]
    return measured
