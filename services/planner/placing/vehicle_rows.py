"""Vehicles in the mixed-integer model: charging within stays, at one of its powers or not at all, with a price on every kWh that is missing."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray, IndexArray
from services.planner.model.solver import Indices, ModelBuilder
from services.planner.placing.vehicle_minimum import add_minimum, find_bound
from services.planner.placing.vehicle_runs import add_choice, add_runs, require_start
from services.planner.placing.vehicle_wish import Stay, VehicleWish

# What a kWh costs that is missing when a vehicle leaves, as a multiple of the dearest price: dearer than any trade, cheaper than the connection's limits.
DEPARTURE_SLACK = 80.0


@dataclass(frozen=True, slots=True)
class Prospect:
    """What vehicles are offered: the mean import price, the dearest price, what a stored kWh beyond a target is worth unless a session says so.

    ``surplus_kwh`` and ``deficit_kwh`` are what PV leaves over and what the house lacks, ``tie`` is a sliver that makes the earlier of two equal
    slots the better one; all ``(slots,)``.
    """

    mean_price: float
    dearest: float
    extra_value: float
    surplus_kwh: FloatArray
    deficit_kwh: FloatArray
    tie: FloatArray


@dataclass(frozen=True, slots=True)
class VehicleColumns:
    """Where a vehicle stands in the model: charging and giving per slot (``(slots,)``; giving is empty where it never may).

    ``on`` says whether it charges in the slots ``choosable``, and then whether in its higher range; it is empty where the vehicle charges with any
    power and nobody asks whether it does. ``missing`` is what each stay lacks at its end.
    """

    charge: Indices
    give: Indices
    choosable: IndexArray
    on: tuple[Indices, ...]
    missing: Indices


def add_vehicle(builder: ModelBuilder, wish: VehicleWish, prospect: Prospect) -> VehicleColumns:
    """Add a vehicle with its stays."""
    vehicle, most = wish.vehicle, _most_charge_kwh(wish, prospect)
    charge = builder.add_columns(most.size, cost=prospect.tie, upper=most)
    choosable = np.flatnonzero(most > 0)
    on = add_choice(builder, wish, charge[choosable], (choosable, most[choosable])) if _needs_choice(wish) else ()
    starts = add_runs(builder, wish, on, choosable) if on else ()
    give = _add_giving(builder, wish, prospect, (choosable, on)) if wish.slots_of("gives").any() else charge[:0]
    missing, stored = [], charge[:0]
    for stay in wish.stays:
        before = stored if stay.arrival_kwh is None else charge[:0]
        bound = find_bound(wish, stay).size > 0
        held = (
            _add_slots(builder, (wish, stay), charge, give, before=before) if stay.gives or bound else _add_stay(builder, (wish, stay), charge, before=before)
        )
        add_minimum(builder, (wish, stay), (charge, most), stored=(before, held), dearest=prospect.dearest)
        stored = held[-1:]
        missing.append(_want(builder, stay, stored, prospect, efficiency=vehicle.charge_efficiency))
        require_start(builder, wish, stay, starts=starts, slots=(choosable, missing[-1]))
    return VehicleColumns(charge, give, choosable, on, np.concatenate([*missing, charge[:0]]))


def _needs_choice(wish: VehicleWish) -> bool:
    vehicle = wish.vehicle
    least = vehicle.power_ranges[0][0] > 0 or len(vehicle.power_ranges) > 1
    runs = vehicle.start_price > 0 or vehicle.min_run_minutes > 0
    return least or runs or vehicle.from_battery == "never" or any(stay.gives or stay.surplus_only for stay in wish.stays)


def _most_charge_kwh(wish: VehicleWish, prospect: Prospect) -> FloatArray:
    """Return what each slot charges at most; nothing where that is less than the least power gives."""
    vehicle, hours = wish.vehicle, wish.plugged_hours
    most = np.zeros(hours.size)
    for stay in wish.stays:
        slots = slice(stay.first, stay.end)
        lowest = stay.left_least_kwh if stay.gives else stay.least_kwh
        most[slots] = np.minimum(vehicle.most_charge_kw * hours[slots], (stay.most_kwh - lowest) / vehicle.charge_efficiency)
        if stay.surplus_only:
            most[slots] = np.minimum(most[slots], np.maximum(prospect.surplus_kwh, wish.least_charge_kwh)[slots])
    most = np.where(wish.pinned, np.minimum(most, wish.least_charge_kwh), most)
    return np.where(most >= vehicle.power_ranges[0][0] * hours - 1e-9, most, 0.0)


def _add_giving(builder: ModelBuilder, wish: VehicleWish, prospect: Prospect, charging: tuple[IndexArray, tuple[Indices, ...]]) -> Indices:
    """Let the vehicle supply a house that lacks energy, in slots in which it does not charge."""
    choosable, on = charging
    most = wish.vehicle.discharge_limit_kw * wish.plugged_hours * wish.slots_of("gives") * (prospect.deficit_kwh > 0)
    give = builder.add_columns(most.size, cost=wish.vehicle.wear_price, upper=most)
    bound = most[choosable]
    builder.add_rows(np.full(bound.size, -np.inf), bound, [(give[choosable], 1.0), *((each, bound) for each in on[:1])])
    return give


def _add_stay(builder: ModelBuilder, wanted: tuple[VehicleWish, Stay], charge: Indices, *, before: Indices) -> Indices:
    """Add what is stored at the end of a stay that only charges; ``before`` is what the stay before left, empty where that does not count."""
    wish, stay = wanted
    stored = builder.add_columns(1, cost=0.0, upper=stay.most_kwh)
    arrives = stay.arrival_kwh or 0.0
    builder.add_sum(arrives, arrives, [(stored, 1.0), (before, -1.0), (charge[stay.first : stay.end], -wish.vehicle.charge_efficiency)])
    return stored


def _add_slots(builder: ModelBuilder, wanted: tuple[VehicleWish, Stay], charge: Indices, give: Indices, *, before: Indices) -> Indices:
    """Add what is stored in every slot of a stay: never less than the reserve where it also gives."""
    (wish, stay), slots = wanted, slice(wanted[1].first, wanted[1].end)
    if stay.first == stay.end:
        return _add_stay(builder, wanted, charge, before=before)
    stored = builder.add_columns(stay.end - stay.first, cost=0.0, lower=stay.reserve_kwh if stay.gives else 0.0, upper=stay.most_kwh)
    begin = np.zeros(stored.size)
    begin[0] = stay.arrival_kwh or 0.0
    given = [(give[slots], 1.0 / wish.vehicle.discharge_efficiency)] if stay.gives else []
    rows = builder.add_rows(begin, begin, [(stored, 1.0), (stored[:-1], -1.0), (charge[slots], -wish.vehicle.charge_efficiency), *given])
    builder.add_entries(rows[: before.size], before, -1.0)
    return stored


def _want(builder: ModelBuilder, stay: Stay, stored: Indices, prospect: Prospect, *, efficiency: float) -> Indices:
    """Want the energy at the stay's end, at a price on what is missing, and give what is stored beyond its worth."""
    missing = builder.add_columns(1, cost=DEPARTURE_SLACK * prospect.dearest, upper=stay.target_kwh)
    extra_value = prospect.extra_value if stay.extra_value is None else stay.extra_value
    later_price = max(prospect.mean_price, 0.0) / efficiency
    worth = min(extra_value, later_price) if stay.open else extra_value
    # What is worth less than nothing counts all the same, however much it is.
    beyond = builder.add_columns(1, cost=-worth, upper=stay.worth_to_kwh - stay.worth_from_kwh if worth >= 0 else np.inf)
    if worth < 0:
        builder.add_sum(-np.inf, stay.worth_from_kwh, [(stored, 1.0), (beyond, -1.0)])
    builder.add_sum(stay.wanted_kwh, np.inf, [(stored, 1.0), (missing, 1.0)])
    # What is left for after the horizon will be bought at what a kWh costs on the average.
    later = builder.add_columns(1, cost=later_price, upper=stay.target_kwh if stay.open else 0.0)
    builder.add_sum(stay.worth_from_kwh, np.inf, [(stored, 1.0), (missing, 1.0), (later, 1.0), (beyond, -1.0)])
    return missing
