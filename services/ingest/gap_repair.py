"""Short gaps in energies that came as slots, filled by the rule that meters' readings follow. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.timeline import SLOT, FloatArray, InstantArray
from services.ingest.metering.curve import energy_per_slot
from services.ingest.metering.power import read_power
from services.ingest.metering.rejection import Readings, Refusals
from services.ingest.metering.spans import Spans

SLOT_HOURS = SLOT.total_seconds() / 3600
GAP_FILLED = "short gap filled"


@dataclass(frozen=True, slots=True)
class SlotSeries:
    """Energies of quarter-hours without a hole in time: ``kwh`` is NaN where unknown, ``limit_kw`` the highest believable power."""

    name: str
    starts: InstantArray
    kwh: FloatArray
    limit_kw: float


def fill_short_gaps(series: SlotSeries) -> NDArray[np.float64]:
    """Return energies for the unknown slots between known ones that a power's reading may bridge, NaN everywhere else.

    A slot's mean power is taken as a reading at its start that holds until the next: longer than readings may be silent, nothing is filled.

    Invariants: what is known is not touched; filling twice fills nothing the second time.
    """
    known = np.isfinite(series.kwh)
    if known.sum() < 2:
        return np.full(series.kwh.size, np.nan)
    edges = np.append(series.starts, series.starts[-1:] + np.timedelta64(SLOT)).astype("datetime64[us]")
    power = Readings(series.name, "kW", 1.0, edges[:-1][known], series.kwh[known] / SLOT_HOURS)
    # What is stored was judged when it was loaded.
    released = {series.name: Spans(edges[:1], edges[-1:])}
    curve = read_power(power, series.limit_kw, Refusals(released), reverse_kw=series.limit_kw)
    bridged = energy_per_slot(curve, edges, np.zeros(series.kwh.size, dtype=np.bool_))
    return np.where(known, np.nan, bridged.kwh)
