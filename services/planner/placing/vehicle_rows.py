"""Vehicles in the mixed-integer model: charging within stays, at its least power or not at all, with a price on every kWh that is missing."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.placing.wishes import Stay, VehicleWish
from services.planner.solver import Indices, ModelBuilder

# What a kWh costs that is missing when a vehicle leaves, as a multiple of the dearest price: dearer than any trade, cheaper than the connection's limits.
DEPARTURE_SLACK = 80.0


@dataclass(frozen=True, slots=True)
class VehicleColumns:
    """Where a vehicle stands in the model: charging per slot, whether it charges (slots of ``choosable``), and what is missing at each stay's end."""

    charge: Indices
    charges: Indices
    choosable: Indices
    missing: Indices


def add_vehicle(builder: ModelBuilder, wish: VehicleWish, *, prices: tuple[FloatArray, float], tie: FloatArray) -> VehicleColumns:
    """Add a vehicle.

    Args:
        prices: import price per slot, and the dearest of all, currency/kWh.
        tie: a sliver per slot that makes the earlier of two equal slots the better one.
    """
    vehicle, hours = wish.vehicle, wish.plugged_hours
    most, least = vehicle.charge_limit_kw * hours, vehicle.min_charge_kw * hours
    charge = builder.add_columns(hours.size, cost=tie, upper=most)
    choosable = np.flatnonzero(least > 0).astype(np.int32)
    charges = builder.add_columns(choosable.size, cost=0.0, upper=1.0, integer=True)
    if choosable.size:
        builder.add_rows(np.zeros(choosable.size), np.full(choosable.size, np.inf), [(charge[choosable], 1.0), (charges, -least[choosable])])
        builder.add_rows(np.full(choosable.size, -np.inf), np.zeros(choosable.size), [(charge[choosable], 1.0), (charges, -most[choosable])])
    missing = np.concatenate([_add_stay(builder, (wish, stay), charge, prices=prices) for stay in wish.stays])
    return VehicleColumns(charge, charges, choosable, missing)


def _add_stay(builder: ModelBuilder, wanted: tuple[VehicleWish, Stay], charge: Indices, *, prices: tuple[FloatArray, float]) -> Indices:
    """Want the energy at the stay's end, and never more than the vehicle holds."""
    (wish, stay), (import_price, dearest) = wanted, prices
    vehicle = wish.vehicle
    missing = builder.add_columns(1, cost=DEPARTURE_SLACK * dearest, upper=vehicle.capacity_kwh)
    so_far = charge[: stay.end]
    builder.add_sum(np.maximum(stay.wanted_kwh - wish.stored_kwh, 0.0), np.inf, [(so_far, vehicle.charge_efficiency), (missing, 1.0)])
    builder.add_sum(-np.inf, max(vehicle.capacity_kwh - wish.stored_kwh, 0.0), [(so_far, vehicle.charge_efficiency)])
    if stay.open:
        # What is left for after the horizon will be bought at what a kWh costs on the average.
        target = stay.target_soc * vehicle.capacity_kwh - wish.stored_kwh
        later = builder.add_columns(1, cost=max(float(import_price.mean()), 0.0) / vehicle.charge_efficiency, upper=vehicle.capacity_kwh)
        builder.add_sum(max(target, 0.0), np.inf, [(so_far, vehicle.charge_efficiency), (missing, 1.0), (later, 1.0)])
    return missing
