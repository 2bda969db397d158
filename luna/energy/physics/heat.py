"""Thermal model: a heat pump's output from its COP, and a store's temperature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.devices.heat_pump import CopPoint, HeatStore
from luna.energy.timeline import FloatArray


def heat_per_kwh(cop: Sequence[CopPoint], outdoor_c: FloatArray) -> FloatArray:
    """Interpolate the COP (kWh heat per kWh electricity) at outdoor temperatures, same shape.

    Constant beyond the outer points.
    """
    return np.interp(outdoor_c, [point.outdoor_c for point in cop], [point.cop for point in cop])


@dataclass(frozen=True, slots=True)
class Warming:
    """The temperature step of a heat store, °C.

    It is ``keep`` × previous + ``per_kwh`` × heat + ``drift_c``.

    Each of shape ``(slots,)``.

    Source: exact solution of C·dT/dt = heat − demand − loss · (T − surroundings) with everything
    constant within a slot.
    """

    keep: FloatArray
    per_kwh: FloatArray
    drift_c: FloatArray

    @classmethod
    def of(
        cls, store: HeatStore, *, hours: FloatArray, outdoor_c: FloatArray, demand_kwh: FloatArray
    ) -> Self:
        """Return the steps of a store for outdoor temperatures and heat demand per slot."""
        surroundings = outdoor_c
        if store.surroundings_c is not None:
            surroundings = np.full(hours.size, store.surroundings_c)
        lost = store.loss_kw_per_k * hours
        keep = np.exp(-lost / store.capacity_kwh_per_k)
        if store.loss_kw_per_k > 0:
            per_kwh = (1.0 - keep) / lost
        else:
            per_kwh = np.full(hours.size, 1.0 / store.capacity_kwh_per_k)
        return cls(keep, per_kwh, (1.0 - keep) * surroundings - per_kwh * demand_kwh)

    def follow(self, start_c: float, heat_kwh: FloatArray) -> FloatArray:
        """Return the temperature after each slot with this heat, shape ``(slots,)``."""
        ends = np.empty(heat_kwh.size)
        now = start_c
        for slot, change in enumerate(self.per_kwh * heat_kwh + self.drift_c):
            now = self.keep[slot] * now + change
            ends[slot] = now
        return ends

    def most_warming(self, start_c: float, heat_kwh: FloatArray, most_c: FloatArray) -> FloatArray:
        """Return the temperature after each slot, capped at ``most_c``.

        The heat input is given; the shape is ``(slots,)``.
        """
        ends = np.empty(most_c.size)
        now = start_c
        for slot, change in enumerate(self.per_kwh * heat_kwh + self.drift_c):
            ends[slot] = now = min(self.keep[slot] * now + change, most_c[slot])
        return ends

    def least_warming(self, start_c: float, least_c: FloatArray) -> FloatArray:
        """Return the temperature after each slot with the least heat.

        That is what keeps it at ``least_c``; the shape is ``(slots,)``.
        """
        ends = np.empty(least_c.size)
        now = start_c
        for slot in range(least_c.size):
            ends[slot] = now = max(self.keep[slot] * now + self.drift_c[slot], least_c[slot])
        return ends
