"""What a vehicle may be charged from, in the mixed-integer model: nothing but PV surplus, or anything but the house's battery.

Both are judged at the site's meter per slot, as what batteries may take and give. Source: docs/decisions/0005, 0031.
"""

import numpy as np

from luna.energy.physics import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.milp.load_columns import PlacedColumns
from services.planner.milp.vehicles import VehicleColumns
from services.planner.problem.problem import Problem
from services.planner.problem.vehicle_demand import VehicleDemand

_NOTHING_KWH = 1e-6


def add_sources(builder: ModelBuilder, problem: Problem, placed: PlacedColumns, *, batteries: Indices, grid: tuple[Indices, Indices, Indices]) -> None:
    """Add what vehicles that charge from surplus leave to everything else, and what batteries may give while others charge."""
    demands, (sold, held_back, direct) = problem.demands.vehicles, grid
    stored = [*((each, 1.0) for each in batteries[:, 0]), *((each, -1.0) for each in direct)]
    for place, (demand, columns) in enumerate(zip(demands, placed.vehicles, strict=True)):
        others = [(each.charge, 1.0) for other, each in enumerate(placed.vehicles) if other != place]
        if demand.slots_of("surplus_only").any():
            _leave_surplus(builder, problem, (demand, columns), [*others, *_uses(placed), (held_back, 1.0), *stored])
        if demand.vehicle.from_battery == "never" and batteries.size:
            fed = [(each.charge, -1.0) for other, each in zip(demands, placed.vehicles, strict=True) if other.vehicle.from_battery != "never"]
            house = [*fed, *placed.load_terms]
            _spare_batteries(builder, columns, gives=batteries[:, 1])
            _follow_energy(
                builder, problem, columns.choosable, [*house, *((each, -1.0) for each in (sold, held_back, *batteries[:, 0]))], gives=batteries[:, 1]
            )
    _supply_house(builder, problem, placed)


def _uses(placed: PlacedColumns) -> list[Term]:
    return [(columns, -np.asarray(factor)) for columns, factor in placed.load_terms]


def _leave_surplus(builder: ModelBuilder, problem: Problem, car: tuple[VehicleDemand, VehicleColumns], takers: list[Term]) -> None:
    """While the vehicle charges, all that takes energy takes no more than the surplus: nothing is imported for it, and no battery serves it.

    What it has to charge comes from anything; a binary says that it charges more.
    """
    demand, columns = car
    surplus = np.maximum(problem.ac_pv_kwh - problem.outlook.load_kwh, 0.0)
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


def _follow_energy(builder: ModelBuilder, problem: Problem, choosable: IndexArray, takers: list[Term], *, gives: Indices) -> None:
    """Say what follows for whole choices but not for shares of them: what batteries give beyond the house goes to the grid or into one another."""
    rest = problem.outlook.load_kwh - problem.ac_pv_kwh
    slots = choosable[rest[choosable] >= 0]
    terms = [(each[slots], np.broadcast_to(np.asarray(factor), each.shape)[slots]) for each, factor in takers]
    builder.add_rows(np.full(slots.size, -np.inf), rest[slots], [*((each[slots], 1.0) for each in gives), *terms])


def _supply_house(builder: ModelBuilder, problem: Problem, placed: PlacedColumns) -> None:
    """Vehicles that give serve what the house and what runs in it lack: they neither export nor charge each other."""
    giving: list[Term] = [(columns.give, 1.0) for columns in placed.vehicles if columns.give.size]
    lacks = problem.outlook.load_kwh - problem.ac_pv_kwh
    slots = np.flatnonzero(lacks > 0)
    if giving and slots.size:
        terms = [*giving, *placed.load_terms]
        parts = [(each[slots], np.broadcast_to(np.asarray(factor), each.shape)[slots]) for each, factor in terms]
        builder.add_rows(np.full(slots.size, -np.inf), lacks[slots], parts)


def _upper(builder: ModelBuilder, columns: Indices) -> FloatArray:
    return np.concatenate(builder.upper)[columns]


def limit_import(problem: Problem, charge_kwh: FloatArray, net_kwh: FloatArray) -> FloatArray:
    """Return what each slot may import so that vehicles charge from surplus alone, shape ``(slots,)``; infinite where none does.

    Args:
        problem: that was placed.
        charge_kwh: of its vehicles, shape ``(vehicles, slots)``.
        net_kwh: load with everything that is placed, less PV, shape ``(slots,)``.
    """
    limit = np.full(net_kwh.size, np.inf)
    for demand, charge in zip(problem.demands.vehicles, charge_kwh, strict=True):
        limit[(charge > demand.least_charge_kwh + _NOTHING_KWH) & (demand.slots_of("surplus_only") > 0)] = 0.0
    return np.where(np.isfinite(limit), np.maximum(net_kwh, 0.0), limit)


def find_spared(problem: Problem, charge_kwh: FloatArray) -> BoolArray:
    """Return the slots in which batteries give nothing because a vehicle charges that they may not feed, shape ``(slots,)``.

    Args:
        problem: that was placed.
        charge_kwh: of its vehicles, shape ``(vehicles, slots)``.
    """
    spared = np.array([demand.vehicle.from_battery == "never" for demand in problem.demands.vehicles], dtype=bool)
    return np.asarray((charge_kwh[spared] > _NOTHING_KWH).any(axis=0))


def limit_batteries(problem: Problem, charge_kwh: FloatArray) -> FloatArray | None:
    """Return what batteries together may give in each slot, shape ``(slots,)``: nothing where they spare a vehicle; None where they spare none."""
    spared = find_spared(problem, charge_kwh)
    return np.where(spared, 0.0, np.inf) if spared.any() and problem.site.batteries else None
