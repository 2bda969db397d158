"""Measurement errors of the state of charge that policies see, and standby losses of the true
state.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.site import Site
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class MeterKind:
    """Errors of a state of charge: noise per slot, offset, resolution (shares of the capacity).

    ``standby_kw`` is the loss of every battery.
    """

    noise_soc: float = 0.0
    offset_soc: float = 0.0
    step_soc: float = 0.0
    standby_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class Meter:
    """A kind of meter at one site.

    ``noise_soc`` has shape ``(slots, batteries)`` and is the same for every policy.
    """

    kind: MeterKind
    capacity_kwh: FloatArray
    noise_soc: FloatArray

    @classmethod
    def of(cls, kind: MeterKind, site: Site, *, slots: int, rng: np.random.Generator) -> Self:
        """Draw the meter of a site for so many slots."""
        capacity = np.array([[battery.capacity_kwh] for battery in site.batteries])
        return cls(kind, capacity, rng.normal(0.0, kind.noise_soc, (slots, capacity.size)))

    def read(self, stored_kwh: FloatArray, slot: int) -> FloatArray:
        """Return the measured stored energy at the start of ``slot``, kWh, shape
        ``(batteries, sites)``; bit-identical to the true one without errors.
        """
        kind = self.kind
        if not (kind.noise_soc or kind.offset_soc or kind.step_soc):
            return stored_kwh
        soc = stored_kwh / self.capacity_kwh + self.noise_soc[slot][:, None] + kind.offset_soc
        soc = np.round(soc / kind.step_soc) * kind.step_soc if kind.step_soc else soc
        return np.asarray(np.clip(soc, 0.0, 1.0) * self.capacity_kwh)

    def lose_standby(self, stored_kwh: FloatArray, hours: float) -> FloatArray:
        """Return ``stored_kwh`` after a slot's standby loss, which may take it below the
        reserve.
        """
        return (
            np.maximum(stored_kwh - self.kind.standby_kw * hours, 0.0)
            if self.kind.standby_kw
            else stored_kwh
        )
