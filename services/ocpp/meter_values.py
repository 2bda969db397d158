"""Read what a charge point measures: sums and phases of OCPP's sampled values."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from luna.energy.site.main_fuses import VOLTAGE_V
from services.ocpp.texts import read_instant, read_number

# What a value is where the charge point says nothing else. Source: OCPP 1.6, 7.43.
USUAL = "Energy.Active.Import.Register"
_PHASES = ("L1", "L2", "L3")
_FACTORS: Mapping[str, float] = {"kW": 1000.0, "kWh": 1000.0}
# More than any charge point at a home measures.
_MOST = 1e12


@dataclass(slots=True)
class ChargePointMeasurement:
    """One set of values, NaN where it is missing; currents by phase."""

    at: datetime
    power_w: float = math.nan
    energy_wh: float = math.nan
    offered_a: float = math.nan
    offered_w: float = math.nan
    soc: float = math.nan
    currents_a: dict[str, float] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured."""
        numbers = (self.power_w, self.energy_wh, self.offered_a, self.offered_w, self.soc)
        return all(math.isnan(number) for number in numbers) and not self.currents_a


def read_meter_values(values: Any, now: datetime) -> list[ChargePointMeasurement]:
    """Return the sets of values of a message in their order; what cannot be read is left out."""
    sets: list[ChargePointMeasurement] = []
    for value in values if isinstance(values, list) else ():
        if not isinstance(value, Mapping):
            continue
        samples = value.get("sampledValue")
        at = read_instant(value.get("timestamp"), now)
        measured = _read_samples(samples if isinstance(samples, list) else (), at)
        if not measured.is_empty:
            sets.append(measured)
    return sets


def _read_samples(samples: Iterable[Any], at: datetime) -> ChargePointMeasurement:
    by_phase: dict[str, dict[str, float]] = {}
    for sample in samples:
        if not isinstance(sample, Mapping) or sample.get("format") == "SignedData":
            continue
        number = _read_sample(sample)
        if math.isnan(number) or abs(number) > _MOST:
            continue
        measurand = str(sample.get("measurand") or USUAL)
        # L1-N is the first phase as well; between two phases and on N nothing is summed.
        phase = str(sample.get("phase") or "").removesuffix("-N")
        if phase in {"", *_PHASES}:
            by_phase.setdefault(measurand, {})[phase] = number
    currents = by_phase.get("Current.Import", {})
    measured = ChargePointMeasurement(
        at,
        power_w=_sum(by_phase.get("Power.Active.Import", {})),
        energy_wh=_sum(by_phase.get(USUAL, {})),
        offered_a=_highest(by_phase.get("Current.Offered", {})),
        offered_w=_sum(by_phase.get("Power.Offered", {})),
        soc=_highest(by_phase.get("SoC", {})),
        currents_a={phase: currents[phase] for phase in _PHASES if phase in currents},
    )
    if "" in currents and not measured.currents_a:
        measured.currents_a = {"": currents[""]}
    if math.isnan(measured.power_w) and measured.currents_a and "" not in measured.currents_a:
        voltages = by_phase.get("Voltage", {})
        measured.power_w = sum(
            current * voltages.get(phase, voltages.get("", VOLTAGE_V))
            for phase, current in measured.currents_a.items()
        )
    return measured


def _read_sample(sample: Mapping[str, Any]) -> float:
    number = read_number(sample.get("value"))
    unit = sample.get("unit")
    measure = sample.get("unitOfMeasure")
    if isinstance(measure, Mapping):
        unit = measure.get("unit")
        multiplier = read_number(measure.get("multiplier", 0))
        if math.isnan(multiplier) or abs(multiplier) > 9:
            return math.nan
        number *= 10**multiplier
    return number * _FACTORS.get(str(unit), 1.0)


def _sum(by_phase: Mapping[str, float]) -> float:
    if "" in by_phase:
        return by_phase[""]
    return sum(by_phase.values()) if by_phase else math.nan


def _highest(by_phase: Mapping[str, float]) -> float:
    return max(by_phase.values(), default=math.nan)
