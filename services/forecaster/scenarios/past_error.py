"""Errors of earlier forecasts over their whole horizon.

An error is the share of the forecast's distribution below the measurement, slot by slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np

from luna.energy.observations import Observations
from luna.energy.outlook import PARTS, Forecast, Quantiles
from luna.energy.timeline import SLOT, SLOTS_PER_DAY, FloatArray, Timeline, align, floor_to
from services.forecaster.inputs.frame import IntArray
from services.forecaster.scenarios.marginal import Marginals

LIBRARY_DAYS = 42
LEAST_MEASURED_SHARE = 0.5  # of the slots of a day's load; with less, the day says nothing
UNDECIDED = 0.5
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ErrorHistory:
    """Shares of earlier forecasts' distributions below the measurement, shape ``(days, slots)``.

    Args:
        days_back: days from each forecast's issue to that of the new one, shape ``(days,)``.
        load: shares by day of issue and slot of the horizon.
        pv: the same.
        limit_kwh: the end of PV's distributions.
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
        """Return the errors of those ``forecasts`` whose horizon of ``slots`` had passed.

        Others are left out, and days with few measurements too.

        Invariants: nothing measured in or after the slot that covers ``issued_at`` changes the
        result.
        """
        start = floor_to(issued_at, SLOT)
        past = []
        for forecast in forecasts:
            has_passed = forecast.timeline.start + slots * SLOT <= start
            if has_passed and forecast.timeline.count >= slots:
                past.append(forecast)
        if not past:
            return cls(np.empty(0, np.int64), np.empty((0, slots)), np.empty((0, slots)), limit_kwh)
        days_back = [round((start - forecast.timeline.start) / DAY) for forecast in past]
        measured_load = _measured(past, measured, measured.load_kwh, slots)
        measured_pv = _measured(past, measured, measured.pv_kwh, slots)
        load_marginals = _stack([forecast.load_kwh for forecast in past], np.inf, slots)
        pv_marginals = _stack([forecast.pv_kwh for forecast in past], limit_kwh, slots)
        load = load_marginals.place(measured_load)
        pv = pv_marginals.place(measured_pv)
        is_complete = np.isfinite(load).mean(axis=1) >= LEAST_MEASURED_SHARE
        return cls(
            np.array(days_back, dtype=np.int64)[is_complete],
            fill_shares(load[is_complete]),
            fill_shares(pv[is_complete]),
            limit_kwh,
        )


def days_before(issued_at: datetime, slots: int) -> list[datetime]:
    """Return instants a day apart whose forecasts of ``slots`` had passed at ``issued_at``.

    Their errors show how a forecast at ``issued_at`` may err.
    """
    first = -(-slots // SLOTS_PER_DAY)
    return [issued_at - back * DAY for back in range(first, first + LIBRARY_DAYS)]


def fill_shares(share: FloatArray) -> FloatArray:
    """Return shares without NaN: gaps are interpolated, unknown days are undecided."""
    filled = share.copy()
    slots = np.arange(share.shape[1])
    for path in filled:
        gaps = np.isnan(path)
        if gaps.all():
            path[:] = UNDECIDED
        else:
            path[gaps] = np.interp(slots[gaps], slots[~gaps], path[~gaps])
    return filled


def _stack(quantiles: Sequence[Quantiles], limit_kwh: float, slots: int) -> Marginals:
    parts = {}
    for part in PARTS:
        values = [getattr(of_forecast, part)[:slots] for of_forecast in quantiles]
        parts[part] = np.stack(values)
    return Marginals.of(Quantiles(**parts), limit_kwh)


def _measured(
    past: Sequence[Forecast], recorded: Observations, values: FloatArray, slots: int
) -> FloatArray:
    """Return the measurements over each forecast's horizon, shape ``(days, slots)``."""
    starts = [forecast.timeline.start for forecast in past]
    first = min(starts)
    around = Timeline(first, SLOT, (max(starts) - first) // SLOT + slots)
    aligned = align(recorded.starts, values, around)
    begins = np.array([(start - first) // SLOT for start in starts], dtype=np.int64)
    measured: FloatArray = aligned[begins[:, None] + np.arange(slots)]
    return measured
