"""Summarise the hours after a slot for trees, which cannot learn it from hourly values.

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


def _list_energy_names() -> tuple[str, ...]:
    names = []
    for hours in _ENERGY_HOURS:
        names += [f"surplus_next_{hours:02d}h", f"demand_next_{hours:02d}h"]
    names += [f"surplus_exported_below_{_name_gap(gap)}" for gap in _GAPS]
    names += [f"demand_imported_above_{_name_gap(gap)}" for gap in _GAPS]
    names += [f"demand_imported_above_export_{_name_gap(gap)}" for gap in _WIDE_GAPS]
    return tuple(names)


def _list_price_names() -> tuple[str, ...]:
    names = []
    for hours in _PRICE_HOURS:
        for side in ("export", "import"):
            prefix = f"{side}_price_over"
            names += [f"{prefix}_highest_{hours:02d}h", f"{prefix}_lowest_{hours:02d}h"]
    return tuple(names)


ENERGY_NAMES = _list_energy_names()
PRICE_NAMES = _list_price_names()


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
    surplus_until = np.cumsum(surplus, axis=1)
    demand_until = np.cumsum(demand, axis=1)
    surplus_soon = surplus[:, :_SURPLUS_HOURS]
    export_soon = export_price[:, 1:][:, :_SURPLUS_HOURS]
    demand_later = demand[:, :_LOAD_HOURS]
    import_later = import_price[:, 1:][:, :_LOAD_HOURS]

    def sold_below(level: HourArray) -> HourArray:
        return np.asarray((surplus_soon * (export_soon < level)).sum(axis=1))

    def bought_above(level: HourArray) -> HourArray:
        return np.asarray((demand_later * (import_later > level)).sum(axis=1))

    # In the order of ``ENERGY_NAMES``.
    columns = []
    for hours in _ENERGY_HOURS:
        columns += [surplus_until[:, hours - 1], demand_until[:, hours - 1]]
    columns += [sold_below(export_price[:, :1] - gap) for gap in _GAPS]
    columns += [bought_above(import_price[:, :1] + gap) for gap in _GAPS]
    columns += [bought_above(export_price[:, :1] + gap) for gap in _WIDE_GAPS]
    return np.stack(columns, axis=1, dtype=np.float32)


def compare_prices(import_price: HourArray, export_price: HourArray) -> HourArray:
    """Return prices less the highest and lowest of the hours after.

    The shape is ``(slots, len(PRICE_NAMES))``; arguments as of ``sum_up_energy``.
    """
    columns = []
    for hours in _PRICE_HOURS:
        for price in (export_price, import_price):
            after = price[:, 1 : hours + 1]
            columns.append(price[:, 0] - np.max(after, axis=1))
            columns.append(price[:, 0] - np.min(after, axis=1))
    return np.stack(columns, axis=1, dtype=np.float32)
