"""Limit the sources of a vehicle's energy: PV surplus alone, or anything but the batteries.

Both are judged at the site's meter per slot. Source: docs/decisions/0005, 0031.
"""

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray
from services.planner.devices.kind import SurroundingColumns
from services.planner.devices.vehicle.demand import VehicleDemand
from services.planner.devices.vehicle.rows import VehicleColumns
from services.planner.linear.model import Indices, ModelBuilder, Term

_NOTHING_KWH = 1e-6


def add_sources(
    demand: VehicleDemand, columns: VehicleColumns, builder: ModelBuilder, site: SurroundingColumns
) -> None:
    """Add the limits on the sources of a vehicle's energy to a site's model."""
    if demand.slots_of("surplus_only").any():
        _charge_from_surplus(builder, site, (demand, columns))
    if demand.vehicle.from_battery == "never" and site.batteries.size:
        _rest_batteries(builder, site, columns)
        _send_battery_energy(builder, site, columns)


def _charge_from_surplus(
    builder: ModelBuilder,
    site: SurroundingColumns,
    car: tuple[VehicleDemand, VehicleColumns],
) -> None:
    """Limit all use to the PV surplus while the vehicle charges more than its minimum.

    Nothing is imported for it, and no battery serves it. Its minimum may come from anything: there
    a binary stands for charging more than that.
    """
    demand, columns = car
    surplus = np.maximum(-site.net_kwh, 0.0)
    choosable = columns.choosable
    most_charge = _upper(builder, columns.charge[choosable])
    charges_more = most_charge > demand.least_charge_kwh[choosable] + _NOTHING_KWH
    where = np.flatnonzero((demand.slots_of("surplus_only")[choosable] > 0) & charges_more)
    slots = choosable[where]
    charges = _add_charges_more(
        builder,
        columns.charge[slots],
        least=demand.least_charge_kwh[slots],
        on=columns.on[0][where],
    )
    terms = _at_slots(_list_surplus_takers(site, columns), slots)
    most = np.zeros(slots.size)
    for taken, factor in terms:
        most = most + _upper(builder, taken) * np.maximum(factor, 0.0)
    charge = columns.charge[slots]
    room = np.maximum(most + _upper(builder, charge) - surplus[slots], 0.0)
    # rows charge[t] + taken[t] <= surplus[t] + room[t] * (1 - charges[t])
    builder.add_rows(
        np.full(slots.size, -np.inf),
        surplus[slots] + room,
        [(charge, 1.0), *terms, (charges, room)],
    )


def _list_surplus_takers(site: SurroundingColumns, columns: VehicleColumns) -> list[Term]:
    """Return everything but the vehicle that takes PV surplus: loads, curtailment, batteries."""
    takers = site.others(columns.charge)
    takers.append((site.curtailed, 1.0))
    takers.extend((charge, 1.0) for charge in site.batteries[:, 0])
    takers.extend((direct, -1.0) for direct in site.direct)
    return takers


def _add_charges_more(
    builder: ModelBuilder, charge: Indices, *, least: FloatArray, on: Indices
) -> Indices:
    """Return a binary per slot that is 1 where the vehicle charges more than ``least``.

    Without a minimum that is ``on``.
    """
    bound = np.flatnonzero(least > 0)
    if not bound.size:
        return on
    more = builder.add_columns(bound.size, cost=0.0, upper=1.0, integer=True)
    bound_charge = charge[bound]
    # rows charge[t] <= least[t] + (most[t] - least[t]) * more[t]
    unbound = np.full(bound.size, -np.inf)
    rise = least[bound] - _upper(builder, bound_charge)
    builder.add_rows(unbound, least[bound], [(bound_charge, 1.0), (more, rise)])
    charges = on.copy()
    charges[bound] = more
    return charges


def _rest_batteries(
    builder: ModelBuilder, site: SurroundingColumns, columns: VehicleColumns
) -> None:
    """Keep batteries from discharging while the vehicle charges.

    An inverter sees the meter alone: its energy would go to the vehicle whenever the house takes
    less than planned.
    """
    slots = columns.choosable
    discharges = site.batteries[:, 1]
    most = np.zeros(slots.size)
    for discharge in discharges:
        most = most + _upper(builder, discharge[slots])
    # sum of discharges[t] <= most[t] * (1 - on[t])
    terms: list[Term] = [(discharge[slots], 1.0) for discharge in discharges]
    if columns.on:
        terms.append((columns.on[0], most))
    builder.add_rows(np.full(slots.size, -np.inf), most, terms)


def _send_battery_energy(
    builder: ModelBuilder, site: SurroundingColumns, columns: VehicleColumns
) -> None:
    """Send the batteries' energy beyond the house's use to the grid or into other batteries.

    Whole choices imply these rows, shares of choices do not: they tighten the relaxation.
    """
    slots = columns.choosable
    slots = slots[site.net_kwh[slots] >= 0]
    takers: list[Term] = [
        (load.use, -np.asarray(load.kwh))
        for load in site.loads
        if load.storage is None or load.storage.from_batteries
    ]
    takers.extend((taker, -1.0) for taker in (site.sold, site.curtailed, *site.batteries[:, 0]))
    discharges: list[Term] = [(discharge[slots], 1.0) for discharge in site.batteries[:, 1]]
    # sum of discharges[t] - sum of takers[t] <= net_kwh[t]
    builder.add_rows(
        np.full(slots.size, -np.inf),
        site.net_kwh[slots],
        [*discharges, *_at_slots(takers, slots)],
    )


def _at_slots(terms: list[Term], slots: IndexArray) -> list[tuple[Indices, FloatArray]]:
    """Return the terms' columns and factors in some slots."""
    return [
        (columns[slots], np.broadcast_to(np.asarray(factor), columns.shape)[slots])
        for columns, factor in terms
    ]


def _upper(builder: ModelBuilder, columns: Indices) -> FloatArray:
    return np.concatenate(builder.upper)[columns]
