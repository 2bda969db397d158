"""All flexible loads in the mixed-integer model, and which sources may supply them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.linear.schedules import ScheduleBlock
from services.planner.milp.appliances import ApplianceColumns, LoadColumns, add_appliances, look_ahead, most_used_kwh
from services.planner.milp.slack import dearest_price
from services.planner.milp.vehicles import VehicleColumns, VehiclePricing, add_vehicle
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.problem import Problem

# What waiting for a slot costs beside its price: equal slots are taken early, and the same ones each time. Over two days less than 1e-5 in all.
_TIE = 1e-8


@dataclass(frozen=True, slots=True)
class DemandColumns:
    """Where vehicles and appliances stand in a model, in the order of the problem's wishes; ``span`` are all columns that they brought."""

    vehicles: tuple[VehicleColumns, ...]
    appliances: ApplianceColumns
    span: slice

    def terms(self, problem: Problem) -> list[Term]:
        """Return what they add to the use of each slot, as terms of the balance."""
        charging: list[Term] = [(columns.charge, -1.0) for columns in self.vehicles]
        giving: list[Term] = [(columns.give, 1.0) for columns in self.vehicles if columns.give.size]
        return charging + giving + self.load_terms(problem)

    @property
    def vehicle_parts(self) -> tuple[list[Indices], list[Indices]]:
        """What vehicles charge and what they give, per slot; giving is empty where a vehicle never may."""
        return [columns.charge for columns in self.vehicles], [columns.give for columns in self.vehicles]

    def load_terms(self, problem: Problem) -> list[Term]:
        """Return what appliances add to the use of each slot, as terms of the balance."""
        return self.appliances.terms(problem)

    @property
    def blocks(self) -> tuple[ScheduleBlock, ...]:
        """Each appliance with the rows that tie nothing else."""
        return self.appliances.blocks

    @property
    def loads(self) -> tuple[LoadColumns, ...]:
        """Where the appliances stand that are on or off."""
        return self.appliances.loads


def add_demands(builder: ModelBuilder, problem: Problem) -> DemandColumns:
    """Add the columns and rows of every vehicle and appliance."""
    hours, dearest = problem.outlook.timeline.hours, dearest_price(problem)
    tie = _TIE * np.arange(hours.size, dtype=np.float64)
    first, prospect = builder.columns, _look_ahead(problem, dearest, tie)
    vehicles = tuple(add_vehicle(builder, demand, prospect) for demand in problem.demands.vehicles)
    appliances = add_appliances(builder, problem, look_ahead(problem))
    return DemandColumns(vehicles, appliances, slice(first, builder.columns))


def _look_ahead(problem: Problem, dearest: float, tie: FloatArray) -> VehiclePricing:
    outlook, mean = problem.outlook, float(problem.outlook.import_price.mean())
    deficit = np.maximum(outlook.load_kwh - problem.ac_pv_kwh, 0.0)
    return VehiclePricing(mean, dearest, TERMINAL_SHARE * max(mean, 0.0), problem.surplus_kwh, deficit, tie)


def most_placed_kwh(problem: Problem) -> FloatArray:
    """Return what vehicles and appliances draw at most, shape ``(slots,)``."""
    hours = problem.outlook.timeline.hours
    vehicles = sum((demand.vehicle.most_charge_kw * demand.plugged_hours for demand in problem.demands.vehicles), np.zeros_like(hours))
    return vehicles + most_used_kwh(problem.demands, hours)


def add_supply_rows(builder: ModelBuilder, problem: Problem, placed: DemandColumns, sources: Sequence[Indices]) -> None:
    """Where an appliance takes more than the surplus, the rest comes from ``sources`` in proportion to its being on.

    Every whole answer obeys anyway: it is the convex hull of off and on in a slot. It leaves 0.1 % between linear and whole instead of 0.3 %.
    """
    lacks = problem.outlook.load_kwh - problem.outlook.pv_kwh
    for columns, demand in zip(placed.loads, problem.demands.loads, strict=True):
        rest = lacks + demand.load.power_kw * problem.outlook.timeline.hours
        slots = np.flatnonzero((lacks < 0) & (rest > 0))
        builder.add_rows(np.zeros(slots.size), np.full(slots.size, np.inf), [(columns.on[slots], -rest[slots]), *((each[slots], 1.0) for each in sources)])
