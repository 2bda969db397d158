"""The forecasters' protocol, and the batch of forecasts that one call returns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Protocol

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.observations import Observations
from luna.energy.outlook import PARTS, Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline, floor_to, require_utc
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.forecast_series import OriginViews

HORIZON_SLOTS = 192  # 48 hours
LONGEST_HORIZON_SLOTS = 14 * 96
Level = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Forecasts issued at many instants; arrays of shape ``(instants, slots)``.

    ``stage`` is the history they rest on: ``cold`` (next to none), ``profile`` (similar days),
    ``young`` (two weeks and more), ``full`` (two months and more). ``reasons`` are, by instant, the
    codes of why bands were widened (``luna.words.compromises``); empty where input quality was not
    checked. ``levels`` are, by instant and series, the last hours' measurements and how they shift
    the next hour, kWh; empty without a trained correction.
    """

    version: str
    stage: str
    issued_at: Sequence[datetime]
    load_kwh: Quantiles
    pv_kwh: Quantiles
    reasons: Sequence[tuple[str, ...]] = ()
    levels: Sequence[Level] = ()

    def __iter__(self) -> Iterator[Forecast]:
        return (self.forecast(row) for row in range(len(self.issued_at)))

    def forecast(self, row: int) -> Forecast:
        """Return the forecast of instant ``row``.

        Its timeline begins with the slot that covers the instant.
        """
        issued_at = self.issued_at[row]
        timeline = Timeline(floor_to(issued_at, SLOT), SLOT, self.load_kwh.expected.shape[1])
        return Forecast(
            timeline=timeline,
            issued_at=issued_at,
            version=self.version,
            load_kwh=_row(self.load_kwh, row),
            pv_kwh=_row(self.pv_kwh, row),
        )


class Forecaster(Protocol):
    """A forecaster of a site's load and PV.

    Invariants: nothing measured in or after the slot that covers an issue time, or issued after its
    start, changes the forecast issued then.
    """

    @property
    def version(self) -> str:
        """The version its forecasts carry."""

    def issue_many(
        self,
        history: Observations,
        issued_at: Sequence[datetime],
        slots: int = HORIZON_SLOTS,
        *,
        context: Context = NO_CONTEXT,
    ) -> Batch:
        """Return the forecasts issued at each instant, ``slots`` quarter-hours long.

        Each begins with the quarter-hour that covers its instant.

        Raises:
            InvalidInputError: no instant, one without offset, or a horizon outside 1 … 14 days.
        """

    def issue_from_views(self, origin_views: OriginViews) -> Batch:
        """Return the forecasts from views of the history, which several versions share."""


def join_batches(batches: Sequence[Batch]) -> Batch:
    """Return batches of one forecaster as one."""
    first = batches[0]
    return Batch(
        version=first.version,
        stage=first.stage,
        issued_at=list(chain.from_iterable(batch.issued_at for batch in batches)),
        load_kwh=_join_quantiles([batch.load_kwh for batch in batches]),
        pv_kwh=_join_quantiles([batch.pv_kwh for batch in batches]),
        reasons=list(chain.from_iterable(batch.reasons for batch in batches)),
        levels=list(chain.from_iterable(batch.levels for batch in batches)),
    )


def _join_quantiles(pieces: Sequence[Quantiles]) -> Quantiles:
    parts = {part: np.concatenate([getattr(piece, part) for piece in pieces]) for part in PARTS}
    return Quantiles(**parts)


def check_issue(issued_at: Sequence[datetime], slots: int) -> list[datetime]:
    """Return the instants in UTC.

    Raises:
        InvalidInputError: no instant, one without offset, or a horizon outside 1 … 14 days.
    """
    if not issued_at:
        raise InvalidInputError("a forecast needs an instant to be issued at", field="issued_at")
    if not 1 <= slots <= LONGEST_HORIZON_SLOTS:
        raise InvalidInputError(
            "the horizon lies outside what can be forecast",
            field="slots",
            value=slots,
            remedy=f"Choose 1 to {LONGEST_HORIZON_SLOTS}.",
        )
    return [require_utc(instant, field="issued_at") for instant in issued_at]


def fold_rows(quantiles: Quantiles, slots: int) -> Quantiles:
    """Return rows ``(instants · slots,)`` as ``(instants, slots)``."""
    return quantiles.map(lambda array: np.reshape(array, (-1, slots)))


def _row(quantiles: Quantiles, row: int) -> Quantiles:
    return quantiles.map(lambda array: array[row])
