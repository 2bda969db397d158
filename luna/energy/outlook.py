"""Forecasts of load and PV, and the outlook of a plan.

Forecasts have quantiles and scenarios; the outlook joins them with prices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray, Timeline

# Quantile name → probability; names and order of ``Quantiles``.
SHARES = {"p05": 0.05, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95}
LEVELS = np.array([*SHARES.values()])


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A forecast series with its uncertainty; energies per slot, each of shape ``(slots,)``.

    Invariants: ``0 ≤ p05 ≤ p10 ≤ p25 ≤ p50 ≤ p75 ≤ p90 ≤ p95``; ``expected`` is the mean, not the
    median.
    """

    expected: FloatArray
    p05: FloatArray
    p10: FloatArray
    p25: FloatArray
    p50: FloatArray
    p75: FloatArray
    p90: FloatArray
    p95: FloatArray

    @classmethod
    def exact(cls, values: FloatArray) -> Self:
        """Return a forecast without uncertainty: every part is ``values``."""
        return cls(*(values,) * len(PARTS))

    def map(self, change: Callable[[FloatArray], FloatArray]) -> "Quantiles":
        """Return the forecast with ``change`` applied to every part."""
        return Quantiles(*(change(getattr(self, part)) for part in PARTS))


PARTS = ("expected", *SHARES)
PROBABILITY_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast issue of load and PV by one version.

    It uses nothing that became known after ``issued_at``.
    """

    timeline: Timeline
    issued_at: datetime
    version: str
    load_kwh: Quantiles
    pv_kwh: Quantiles

    def without_uncertainty(self) -> "Forecast":
        """Return the forecast with expected energies alone, in an eighth of the memory."""
        load = Quantiles.exact(self.load_kwh.expected.copy())
        pv = Quantiles.exact(self.pv_kwh.expected.copy())
        return replace(self, load_kwh=load, pv_kwh=pv)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The expected inputs of a plan.

    Arrays of shape ``(slots,)``, energies per slot, prices per kWh.

    ``carbon_g_per_kwh`` is the grid's carbon intensity, where known. ``import_limit_kw`` and
    ``export_limit_kw`` lower the connection's limits per slot.
    """

    timeline: Timeline
    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    carbon_g_per_kwh: FloatArray | None = None
    import_limit_kw: FloatArray | None = None
    export_limit_kw: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Joint scenarios of load, PV and prices around a forecast.

    Arrays have the shape ``(paths, slots)``.

    Their weighted mean is the expectation.

    Args:
        probability: of each path, shape ``(paths,)``.
        spot_price: market → currency per kWh: published prices, then scenarios of the unpublished
            ones; NaN where unknown.
        reasons: codes of the inputs that were missing; empty: none.

    Invariants: probabilities are positive and sum to one; energies are non-negative.

    Raises:
        InvalidInputError: shapes that do not match, or probabilities that are not positive or do
            not sum to one.
    """

    timeline: Timeline
    issued_at: datetime
    version: str
    probability: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray
    spot_price: Mapping[str, FloatArray] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (self.probability.size, self.timeline.count)
        for name, paths in {
            "load_kwh": self.load_kwh,
            "pv_kwh": self.pv_kwh,
            **self.spot_price,
        }.items():
            if paths.shape != shape:
                raise InvalidInputError(
                    "a scenario needs a value per slot",
                    field=name,
                    value=str(paths.shape),
                    remedy=f"Its shape is {shape}.",
                )
        if not (
            (self.probability > 0).all()
            and abs(float(self.probability.sum()) - 1) < PROBABILITY_TOLERANCE
        ):
            raise InvalidInputError(
                "probabilities are positive and sum to one",
                field="probability",
                value=float(self.probability.sum()),
            )

    def expected_price(self, market: str) -> FloatArray:
        """Return the expected price of a market, shape ``(slots,)``; published prices unchanged."""
        expected: FloatArray = self.probability @ self.spot_price[market]
        return expected
