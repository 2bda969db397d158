"""Limits of batteries and the grid connection, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.inverters import InverterLimits
from luna.energy.physics.mode import BoolArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, bound


@dataclass(frozen=True, slots=True)
class BatteryLimits:
    """The limits of batteries, each array of shape ``(batteries, 1)`` or ``(batteries, sites)``."""

    capacity_kwh: FloatArray
    min_soc: FloatArray
    max_soc: FloatArray
    charge_limit_kw: FloatArray
    discharge_limit_kw: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    min_charge_kw: FloatArray
    taper_from_soc: FloatArray
    taper_to_share: FloatArray
    charge_from_grid: BoolArray
    discharge_to_grid: BoolArray

    @classmethod
    def of(cls, batteries: Sequence[Battery]) -> Self:
        """Return the limits of one site's batteries, shape ``(batteries, 1)``."""
        numbers = np.array(list(map(attrgetter(*cls.__slots__), batteries)), dtype=float).reshape(
            len(batteries), len(cls.__slots__)
        )
        columns = dict(zip(cls.__slots__, np.ascontiguousarray(numbers.T)[:, :, None], strict=True))
        for name in ("charge_from_grid", "discharge_to_grid"):
            columns[name] = columns[name].astype(bool)
        return cls(**columns)

    @property
    def min_kwh(self) -> FloatArray:
        """Least stored energy, kWh."""
        return self.min_soc * self.capacity_kwh

    @property
    def max_kwh(self) -> FloatArray:
        """Most stored energy, kWh."""
        return self.max_soc * self.capacity_kwh


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """All limits of a site.

    They are those of batteries, grid connection and inverters, and whether PV may be curtailed.

    The connection's limits have shape ``(sites,)``; where they vary by slot ``(sites, slots)``, or
    ``(slots,)`` to compute all slots of one site at once.
    """

    batteries: BatteryLimits
    import_limit_kw: FloatArray
    export_limit_kw: FloatArray
    curtailable: BoolArray
    inverters: InverterLimits | None = None

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return the limits of one site; grid arrays have shape ``(1,)``."""
        return cls(
            BatteryLimits.of(site.batteries),
            np.array([site.grid.import_limit_kw]),
            np.array([site.feed_in_limit_kw]),
            np.array([site.curtailable]),
            InverterLimits.of(site) if site.inverters else None,
        )

    def narrow(self, import_kw: FloatArray | None, export_kw: FloatArray | None) -> Self:
        """Return the limits with the connection's lowered to these per slot, shape ``(slots,)``.

        None: unchanged.
        """
        imported = self.import_limit_kw
        exported = self.export_limit_kw
        return replace(
            self,
            import_limit_kw=imported if import_kw is None else np.minimum(imported, import_kw),
            export_limit_kw=exported if export_kw is None else np.minimum(exported, export_kw),
        )

    def at(self, slot: int) -> Self:
        """Return the limits of one slot, shape ``(sites,)``."""
        if self.import_limit_kw.ndim == self.export_limit_kw.ndim == 1:
            return self
        return replace(
            self,
            import_limit_kw=_take_slot(self.import_limit_kw, slot),
            export_limit_kw=_take_slot(self.export_limit_kw, slot),
        )

    def between(self, first: int, end: int) -> Self:
        """Return the limits from slot ``first`` until before ``end``, as ``by_slot``."""
        limits = self.by_slot()
        return replace(
            limits,
            import_limit_kw=_cut_row(limits.import_limit_kw, first, end),
            export_limit_kw=_cut_row(limits.export_limit_kw, first, end),
        )

    def by_slot(self) -> Self:
        """Return the limits with ``(slots,)`` reshaped to ``(1, slots)``, to simulate one site."""
        return replace(
            self,
            import_limit_kw=_as_row(self.import_limit_kw),
            export_limit_kw=_as_row(self.export_limit_kw),
        )


def _take_slot(limit: FloatArray, slot: int) -> FloatArray:
    return limit[..., slot] if limit.ndim > 1 else limit


def _as_row(limit: FloatArray) -> FloatArray:
    return limit[None, :] if limit.size > 1 else limit


def _cut_row(limit: FloatArray, first: int, end: int) -> FloatArray:
    return limit[:, first:end] if limit.ndim > 1 else limit


def charge_limit_kw(stored_kwh: FloatArray, battery: BatteryLimits) -> FloatArray:
    """Return the charging power a battery accepts, kW.

    It is constant, then falls linearly from ``taper_from_soc`` to full.
    """
    span = np.maximum(1.0 - battery.taper_from_soc, 1e-12)
    above = bound((stored_kwh / battery.capacity_kwh - battery.taper_from_soc) / span, 0.0, 1.0)
    return battery.charge_limit_kw * (1.0 - above * (1.0 - battery.taper_to_share))
