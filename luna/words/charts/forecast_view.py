"""A forecast as its chart needs it: mean powers per slot, beside what is usual and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.outlook import Quantiles
from luna.energy.timeline import FloatArray
from luna.words import Numbers


@dataclass(frozen=True, slots=True)
class SeriesView:
    """Load or PV, mean power in kW, arrays of shape ``(slots,)``; ``happened`` is NaN where nobody knows, ``reasons`` are the words of each slot."""

    forecast: Quantiles
    usual: FloatArray
    happened: FloatArray
    reasons: Sequence[str]

    @property
    def highest(self) -> float:
        """The highest power drawn."""
        return float(np.nanmax([self.forecast.p95, self.forecast.expected, self.usual, np.nan_to_num(self.happened)]))

    @property
    def within(self) -> tuple[int, int]:
        """How many slots that happened lie between p10 and p90, and how many happened; those that could not but be zero do not count."""
        comparable = ~np.isnan(self.happened) & (self.forecast.p95 > 0)
        inside = (self.happened >= self.forecast.p10) & (self.happened <= self.forecast.p90)
        return int(inside[comparable].sum()), int(comparable.sum())


@dataclass(frozen=True, slots=True)
class ForecastView:
    """What is drawn: load, PV where the site has any, and the slots that the sun does not reach.

    Args:
        stage: what the forecast rests on, if that was noted: cold, profile, young or full.
        conditions: sentences about what makes it wide.
    """

    site: str
    version: str
    issued_at: datetime
    start: datetime
    step: timedelta
    load: SeriesView
    pv: SeriesView | None
    night: NDArray[np.bool_]
    numbers: Numbers
    stage: str | None
    conditions: Sequence[str]

    @property
    def count(self) -> int:
        """How many slots are shown."""
        return self.night.size

    @property
    def panels(self) -> dict[str, SeriesView]:
        """The series drawn, from top to bottom, by name."""
        return {"load": self.load} | ({"pv": self.pv} if self.pv is not None else {})

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge, 0 to ``count``."""
        return self.start + edge * self.step
