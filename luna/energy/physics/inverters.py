"""Inverter limits on PV and batteries.

PV is clipped at an inverter's AC power, which a hybrid inverter shares with the battery on its DC
side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.energy.devices.inverter import Inverter
from luna.energy.devices.pv import PvArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class Conversion:
    """PV output of a slot, kWh, on the AC side and per battery.

    ``ac_kwh`` has shape ``(sites,)``, the others ``(batteries, sites)``. ``own_kwh`` is PV through
    the battery's hybrid inverter, ``direct_kwh`` PV beyond its limit ``limit_kwh``, which only the
    battery can take.
    """

    ac_kwh: FloatArray
    own_kwh: FloatArray
    direct_kwh: FloatArray
    limit_kwh: FloatArray

    @property
    def room_kwh(self) -> FloatArray:
        """The energy that each battery's inverter carries beside its PV."""
        return self.limit_kwh - self.own_kwh

    @property
    def intake_kwh(self) -> FloatArray:
        """The energy that each battery may charge from the AC side, its own PV included."""
        return self.limit_kwh + self.own_kwh

    def throttle(self, share: FloatArray) -> Self:
        """Return the output with all PV scaled to ``share``, shape ``(sites,)``."""
        return replace(
            self,
            ac_kwh=self.ac_kwh * share,
            own_kwh=self.own_kwh * share,
            direct_kwh=self.direct_kwh * share,
        )


@dataclass(frozen=True, slots=True)
class InverterLimits:
    """Inverters as arrays: each one's share of the PV and its AC limit.

    The limit holds in both directions. ``pv_share`` and ``limit_kw`` are those of each battery's
    inverter, shape ``(batteries, 1)`` or ``(batteries, slots)``: 0 and infinite without one.
    ``alone_share`` and ``alone_limit_kw`` are those of inverters without a battery, shape
    ``(inverters, 1)`` or ``(inverters, slots)``.
    """

    pv_share: FloatArray
    limit_kw: FloatArray
    alone_share: FloatArray
    alone_limit_kw: FloatArray

    @classmethod
    def of(cls, site: Site) -> Self | None:
        """Return the inverters of a site, None without any.

        An inverter whose battery is not at the site counts as PV-only.
        """
        if not site.inverters:
            return None
        inverter_by_battery: dict[str, Inverter] = {}
        for inverter in site.inverters:
            inverter_by_battery |= dict.fromkeys(inverter.batteries, inverter)
        hybrid = [inverter_by_battery.get(battery.name) for battery in site.batteries]
        hybrid_ids = {id(inverter) for inverter in hybrid}
        alone = [inverter for inverter in site.inverters if id(inverter) not in hybrid_ids]
        return cls(
            _column([_share(inverter, site.pv) for inverter in hybrid]),
            _column([np.inf if inverter is None else inverter.ac_limit_kw for inverter in hybrid]),
            _column([_share(inverter, site.pv) for inverter in alone]),
            _column([inverter.ac_limit_kw for inverter in alone]),
        )

    def convert(self, pv_kwh: FloatArray, hours: FloatArray | float) -> Conversion:
        """Return the output of PV of ``pv_kwh`` (``(sites,)``) without curtailment."""
        limit = self.limit_kw * hours + np.zeros_like(self.pv_share * pv_kwh)
        dc = self.pv_share * pv_kwh
        own = np.minimum(dc, limit)
        lost = np.maximum(self.alone_share * pv_kwh - self.alone_limit_kw * hours, 0.0).sum(axis=0)
        return Conversion(pv_kwh - (dc - own).sum(axis=0) - lost, own, dc - own, limit)

    def only(self, index: int, share: FloatArray) -> Self:
        """Return the inverters for a problem of one battery, the other hybrid ones PV-only.

        ``share`` (``(slots,)``) of its PV is the site's PV.
        """
        others = np.arange(len(self.pv_share)) != index
        alone = np.concatenate([self.alone_share, self.pv_share[others]]) * share
        return type(self)(
            self.pv_share[[index]] * share,
            self.limit_kw[[index]],
            alone,
            np.concatenate([self.alone_limit_kw, self.limit_kw[others]]),
        )


def _share(inverter: Inverter | None, arrays: Sequence[PvArray]) -> float:
    """Return an inverter's share of the site's peak power.

    It splits the one PV forecast of the site.
    """
    named = inverter.pv if inverter else []
    total_kw = sum(array.peak_kw for array in arrays)
    if not total_kw:
        return 0.0
    return sum(array.peak_kw for array in arrays if array.name in named) / total_kw


def _column(values: Sequence[float]) -> FloatArray:
    return np.array(values, dtype=float).reshape(-1, 1)
