"""What a sensor's unit says it measures: energy counted, power, or a level."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "power"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A counter of energy or a power, and what one of its units is in kWh or kW."""

    kind: Kind
    factor: float


_MEASURES = {
    "wh": Measure("counter", 1e-3),
    "kwh": Measure("counter", 1.0),
    "mwh": Measure("counter", 1e3),
    "gwh": Measure("counter", 1e6),
    "w": Measure("power", 1e-3),
    "kw": Measure("power", 1.0),
    "mw": Measure("power", 1e3),
}
ENERGY_UNITS = "Wh, kWh, MWh for a counter; W, kW, MW for a power"


def read_measure(unit: str | None) -> Measure | None:
    """Return what a sensor of that unit measures, None where it is neither energy nor power. Case does not count: no home measures milliwatts."""
    return _MEASURES.get((unit or "").strip().casefold())


def level_factor(unit: str | None) -> float:
    """Return what one unit of a level is as a fraction: a hundredth for per cent, else the value is one already."""
    return 0.01 if (unit or "").strip() == "%" else 1.0
