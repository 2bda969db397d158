"""Every wish in the mixed-integer model, and what a solved model makes of them."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.model.slack import dearest_price
from services.planner.model.solver import Block, Indices, ModelBuilder, Term
from services.planner.placing.appliance_columns import ApplianceColumns, add_appliances, look_ahead, most_used_kwh
from services.planner.placing.load_rows import LoadColumns
from services.planner.placing.vehicle_rows import Prospect, VehicleColumns, add_vehicle
from services.planner.posing.problem import TERMINAL_SHARE, Problem

# What waiting for a slot costs beside its price: equal slots are taken early, and the same ones each time. Over two days less than 1e-5 in all.
_TIE = 1e-8


@dataclass(frozen=True, slots=True)
class WishColumns:
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
    def blocks(self) -> tuple[Block, ...]:
        """Each appliance with the rows that tie nothing else."""
        return self.appliances.blocks

    @property
    def loads(self) -> tuple[LoadColumns, ...]:
        """Where the appliances stand that are on or off."""
        return self.appliances.loads


def add_wishes(builder: ModelBuilder, problem: Problem) -> WishColumns:
    """Add the columns and rows of every vehicle and appliance."""
    hours, dearest = problem.outlook.timeline.hours, dearest_price(problem)
    tie = _TIE * np.arange(hours.size, dtype=np.float64)
    first, prospect = builder.columns, _look_ahead(problem, dearest, tie)
    vehicles = tuple(add_vehicle(builder, wish, prospect) for wish in problem.wishes.vehicles)
    appliances = add_appliances(builder, problem, look_ahead(problem))
    return WishColumns(vehicles, appliances, slice(first, builder.columns))


def _look_ahead(problem: Problem, dearest: float, tie: FloatArray) -> Prospect:
    outlook, mean = problem.outlook, float(problem.outlook.import_price.mean())
    deficit = np.maximum(outlook.load_kwh - problem.ac_pv_kwh, 0.0)
    return Prospect(mean, dearest, TERMINAL_SHARE * max(mean, 0.0), problem.surplus_kwh, deficit, tie)


def most_placed_kwh(problem: Problem) -> FloatArray:
    """Return what vehicles and appliances draw at most, shape ``(slots,)``."""
    hours = problem.outlook.timeline.hours
    vehicles = sum((wish.vehicle.most_charge_kw * wish.plugged_hours for wish in problem.wishes.vehicles), np.zeros_like(hours))
    return vehicles + most_used_kwh(problem.wishes, hours)
