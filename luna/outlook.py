"""What is known or expected ahead of an instant: forecasts, and prices beside them."""

from dataclasses import dataclass
from datetime import datetime

from luna.timeline import FloatArray, Timeline


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A forecast series with its uncertainty; energies per slot, each of shape ``(slots,)``.

    Invariants: ``0 ≤ p10 ≤ p50 ≤ p90``; ``expected`` is the mean, not the median.
    """

    expected: FloatArray
    p10: FloatArray
    p50: FloatArray
    p90: FloatArray


@dataclass(frozen=True, slots=True)
class Forecast:
    """Load and PV ahead, as issued at one instant by one version, using nothing known after it."""

    timeline: Timeline
    issued_at: datetime
    version: str
    load_kwh: Quantiles
    pv_kwh: Quantiles


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan is made from; arrays of shape ``(slots,)``, energies per slot, prices per kWh.

    ``carbon_g_per_kwh`` is the grid's intensity, where known.
    """

    timeline: Timeline
    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    carbon_g_per_kwh: FloatArray | None = None
