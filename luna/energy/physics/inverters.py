"""What inverters let through: PV of its own, and what a battery adds to it or takes from it on the DC side."""

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
    """What PV gives in a slot, kWh: on the AC side (``(sites,)``), and by battery (``(batteries, sites)``) through its own inverter and beyond it.

    ``room_kwh`` is what the inverter of a battery carries besides its PV, ``intake_kwh`` what a battery may take from the AC side.
    """

    ac_kwh: FloatArray
    own_kwh: FloatArray
    direct_kwh: FloatArray
    limit_kwh: FloatArray

    @property
    def room_kwh(self) -> FloatArray:
        """What each battery may give."""
        return self.limit_kwh - self.own_kwh

    @property
    def intake_kwh(self) -> FloatArray:
        """What each battery may take from the AC side, its own PV included."""
        return self.limit_kwh + self.own_kwh

    def throttle(self, share: FloatArray) -> Self:
        """Return what is left when all PV gives only a share, shape ``(sites,)``."""
        return replace(self, ac_kwh=self.ac_kwh * share, own_kwh=self.own_kwh * share, direct_kwh=self.direct_kwh * share)


@dataclass(frozen=True, slots=True)
class InverterLimits:
    """Inverters as arrays: which share of the site's PV stands behind each, and what it carries either way.

    ``pv_share`` and ``limit_kw`` are those of each battery, shape ``(batteries, 1)`` or ``(batteries, slots)``: nothing and no limit where it has
    none. ``alone_share`` and ``alone_limit_kw`` are those of inverters without a battery, shape ``(inverters, 1)`` or ``(inverters, slots)``.
    """

    pv_share: FloatArray
    limit_kw: FloatArray
    alone_share: FloatArray
    alone_limit_kw: FloatArray

    @classmethod
    def of(cls, site: Site) -> Self | None:
        """Return the inverters of a site; None where nothing stands behind one. An inverter whose battery is not at the site is one of PV alone."""
        if not site.inverters:
            return None
        carries = {name: inverter for inverter in site.inverters for name in inverter.batteries}
        hybrid = [carries.get(battery.name) for battery in site.batteries]
        alone = [inverter for inverter in site.inverters if not any(inverter is each for each in hybrid)]
        return cls(
            _column([_share(each, site.pv) for each in hybrid]),
            _column([np.inf if each is None else each.ac_limit_kw for each in hybrid]),
            _column([_share(each, site.pv) for each in alone]),
            _column([each.ac_limit_kw for each in alone]),
        )

    def convert(self, pv_kwh: FloatArray, hours: FloatArray | float) -> Conversion:
        """Return what PV of ``pv_kwh`` (``(sites,)``) gives when nothing is held back."""
        limit = self.limit_kw * hours + np.zeros_like(self.pv_share * pv_kwh)
        dc = self.pv_share * pv_kwh
        own = np.minimum(dc, limit)
        lost = np.maximum(self.alone_share * pv_kwh - self.alone_limit_kw * hours, 0.0).sum(axis=0)
        return Conversion(pv_kwh - (dc - own).sum(axis=0) - lost, own, dc - own, limit)

    def only(self, index: int, share: FloatArray) -> Self:
        """Return the inverters as one battery sees them, where the PV of before is only a ``share`` (``(slots,)``) of what counts as PV."""
        others = np.arange(len(self.pv_share)) != index
        alone = np.concatenate([self.alone_share, self.pv_share[others]]) * share
        return type(self)(self.pv_share[[index]] * share, self.limit_kw[[index]], alone, np.concatenate([self.alone_limit_kw, self.limit_kw[others]]))


def _share(inverter: Inverter | None, arrays: Sequence[PvArray]) -> float:
    """Return the share of the site's peak power that stands behind an inverter: forecasts know one PV."""
    named = inverter.pv if inverter else []
    total = sum(array.peak_kw for array in arrays)
    return sum(array.peak_kw for array in arrays if array.name in named) / total if total else 0.0


def _column(values: Sequence[float]) -> FloatArray:
    return np.array(values, dtype=float).reshape(-1, 1)
