"""What a vehicle may be charged from, in the mixed-integer model: nothing but PV surplus, or anything but the house's battery.

Both are judged at the site's meter per slot, as what batteries may take and give. Source: docs/decisions/0005, 0031.
"""

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.devices.kind import SurroundingColumns
from services.planner.devices.vehicle.demand import VehicleDemand
from services.planner.devices.vehicle.rows import VehicleColumns
from services.planner.linear.model import Indices, ModelBuilder, Term

_NOTHING_KWH = 1e-6


def add_sources(demand: VehicleDemand, columns: VehicleColumns, builder: ModelBuilder, site: SurroundingColumns) -> None:
    """Add what a vehicle that charges from surplus leaves to everything else, and what batteries may give while it charges."""
    batteries = site.batteries
    if demand.slots_of("surplus_only").any():
        stored = [*((each, 1.0) for each in batteries[:, 0]), *((each, -1.0) for each in site.direct)]
        _leave_surplus(builder, site, (demand, columns), [*site.others(columns.charge), (site.held_back, 1.0), *stored])
    if demand.vehicle.from_battery == "never" and batteries.size:
        fed: list[Term] = [(each.use, -np.asarray(each.kwh)) for each in site.placed if each.storage is None or each.storage.from_batteries]
        _spare_batteries(builder, columns, gives=batteries[:, 1])
        _follow_energy(builder, site, columns, [*fed, *((each, -1.0) for each in (site.sold, site.held_back, *batteries[:, 0]))])


def _leave_surplus(builder: ModelBuilder, site: SurroundingColumns, car: tuple[VehicleDemand, VehicleColumns], takers: list[Term]) -> None:
    """While the vehicle charges, all that takes energy takes no more than the surplus: nothing is imported for it, and no battery serves it.

    What it has to charge comes from anything; a binary says that it charges more.
    """
    demand, columns = car
    surplus = np.maximum(-site.net_kwh, 0.0)
    least = demand.least_charge_kwh[columns.choosable]
    where = np.flatnonzero(
        (demand.slots_of("surplus_only")[columns.choosable] > 0) & (_upper(builder, columns.charge[columns.choosable]) > least + _NOTHING_KWH)
    )
    slots, least = columns.choosable[where], least[where]
    charges = columns.on[0][where]
    bound = np.flatnonzero(least > 0)
    if bound.size:
        more = builder.add_columns(bound.size, cost=0.0, upper=1.0, integer=True)
        charge = columns.charge[slots[bound]]
        builder.add_rows(np.full(bound.size, -np.inf), least[bound], [(charge, 1.0), (more, least[bound] - _upper(builder, charge))])
        charges = charges.copy()
        charges[bound] = more
    terms = [(charge[slots], np.broadcast_to(factor, charge.shape)[slots]) for charge, factor in takers]
    most = sum((_upper(builder, charge) * np.maximum(factor, 0.0) for charge, factor in terms), np.zeros(slots.size))
    room = np.maximum(most + _upper(builder, columns.charge[slots]) - surplus[slots], 0.0)
    builder.add_rows(np.full(slots.size, -np.inf), surplus[slots] + room, [(columns.charge[slots], 1.0), *terms, (charges, room)])


def _spare_batteries(builder: ModelBuilder, columns: VehicleColumns, *, gives: Indices) -> None:
    """While the vehicle charges, batteries give nothing: what an inverter gives that sees the meter alone goes to the vehicle when the house takes less."""
    slots = columns.choosable
    most = sum((_upper(builder, each[slots]) for each in gives), np.zeros(slots.size))
    builder.add_rows(np.full(slots.size, -np.inf), most, [*((each[slots], 1.0) for each in gives), *((each, most) for each in columns.on[:1])])


def _follow_energy(builder: ModelBuilder, site: SurroundingColumns, columns: VehicleColumns, takers: list[Term]) -> None:
    """Say what follows for whole choices but not for shares of them: what batteries give beyond the house goes to the grid or into one another."""
    slots = columns.choosable[site.net_kwh[columns.choosable] >= 0]
    terms = [(each[slots], np.broadcast_to(np.asarray(factor), each.shape)[slots]) for each, factor in takers]
    builder.add_rows(np.full(slots.size, -np.inf), site.net_kwh[slots], [*((each[slots], 1.0) for each in site.batteries[:, 1]), *terms])


def _upper(builder: ModelBuilder, columns: Indices) -> FloatArray:
    return np.concatenate(builder.upper)[columns]
