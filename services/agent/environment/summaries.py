"""Summary features of the hours after a slot, which trees cannot learn from two hundred hourly
values of a few hundred days.

They are surplus and demand ahead, the price relative to later ones, and the energy ahead at better
prices than now: the opportunity cost of selling, storing or buying now.
"""

import numpy as np
from numpy.typing import NDArray

HourArray = NDArray[np.float32]
# Hours ahead over which energy is summed, and over which prices are compared.
_ENERGY_HOURS = (1, 3, 6, 9, 12, 18, 24, 36)
_PRICE_HOURS = (2, 4, 8, 12, 16, 24, 36)
# Hours within which surplus may wait for another price, and a battery charged now may serve load.
_SURPLUS_HOURS = 14
_LOAD_HOURS = 23
# Price differences, in shares of the day's mean.
_GAPS = (-0.1, 0.0, 0.1)
_WIDE_GAPS = (-0.2, 0.0, 0.2, 0.4)


def _name_gap(gap: float) -> str:
    return f"{'minus' if gap < 0 else 'plus'}_{round(abs(gap) * 100):02d}"


ENERGY_NAMES = (
    *(f"{what}_next_{hours:02d}h" for hours in _ENERGY_HOURS for what in ("surplus", "demand")),
    *(f"surplus_exported_below_{_name_gap(gap)}" for gap in _GAPS),
    *(f"demand_imported_above_{_name_gap(gap)}" for gap in _GAPS),
    *(f"demand_imported_above_export_{_name_gap(gap)}" for gap in _WIDE_GAPS),
)
PRICE_NAMES = tuple(
    f"{side}_price_over_{which}_{hours:02d}h"
    for hours in _PRICE_HOURS
    for side in ("export", "import")
    for which in ("highest", "lowest")
)


def sum_up_energy(net_kw: HourArray, import_price: HourArray, export_price: HourArray) -> HourArray:
    """Return sums of expected energy in kWh, shape ``(slots, len(ENERGY_NAMES))``.

    Args:
        net_kw: PV less load, of the slot and the whole hours after its own, shape
            ``(slots, hours)``.
        import_price: of the same, over the day's mean.
        export_price: of the same, over the same mean.
    """
    surplus = np.maximum(net_kw[:, 1:], 0.0)
    demand = np.maximum(-net_kw[:, 1:], 0.0)
    within = [np.cumsum(each, axis=1) for each in (surplus, demand)]
    soon = slice(0, _SURPLUS_HOURS)
    later = slice(0, _LOAD_HOURS)

    def bought_above(level: HourArray) -> HourArray:
        return np.asarray((demand[:, later] * (import_price[:, 1:][:, later] > level)).sum(axis=1))

    cheaper = [
        (surplus[:, soon] * (export_price[:, 1:][:, soon] < export_price[:, :1] - gap)).sum(axis=1)
        for gap in _GAPS
    ]
    dearer = [bought_above(import_price[:, :1] + gap) for gap in _GAPS]
    beyond = [bought_above(export_price[:, :1] + gap) for gap in _WIDE_GAPS]
    sums = [each[:, hours - 1] for hours in _ENERGY_HOURS for each in within]
    return np.stack([*sums, *cheaper, *dearer, *beyond], axis=1, dtype=np.float32)


def compare_prices(import_price: HourArray, export_price: HourArray) -> HourArray:
    """Return prices less the highest and lowest of the hours after, shape
    ``(slots, len(PRICE_NAMES))``; arguments as of ``sum_up_energy``.
    """
    apart = [
        price[:, 0] - most(price[:, 1 : hours + 1], axis=1)
        for hours in _PRICE_HOURS
        for price in (export_price, import_price)
        for most in (np.max, np.min)
    ]
    return np.stack(apart, axis=1, dtype=np.float32)
