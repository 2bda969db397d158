"""What the scheduled flexible loads use, slot by slot."""

from dataclasses import dataclass, replace

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.devices.kind import PlacedDemand
from services.planner.problem.demands import NO_DEMANDS, Demands
from services.planner.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class LoadSchedule:
    """What is placed of the ``demands``, in their order: vehicles ``(vehicles, slots)``, kWh, and ``loads``.

    ``vehicle_kwh`` is what vehicles charge, ``vehicle_give_kwh`` what they give to the house. ``import_limit_kwh`` (``(slots,)``) keeps the peaks
    and what may be charged from surplus alone, ``give_limit_kwh`` (same shape) batteries out of vehicles they may not feed.
    ``vehicle_missing_kwh`` is what each stay lacks. ``beside_cost`` is what the wishes count beside energy: wear, starts, what is missing, less what is
    stored beyond a target.
    """

    demands: Demands
    vehicle_kwh: FloatArray
    vehicle_give_kwh: FloatArray
    loads: tuple[PlacedDemand, ...]
    import_limit_kwh: FloatArray
    give_limit_kwh: FloatArray | None
    vehicle_missing_kwh: tuple[FloatArray, ...]
    beside_cost: float
    objective: float
    gap: float | None
    proven: bool

    def use_of(self, section: str) -> FloatArray:
        """Return what the loads of a section use, shape ``(slots,)``."""
        return sum((each.use_kwh for each in self.loads if each.demand.section == section), np.zeros(self.import_limit_kwh.size))

    @property
    def placed_kwh(self) -> FloatArray:
        """What all of it uses, less what vehicles give, shape ``(slots,)``."""
        return np.asarray(sum((each.use_kwh for each in self.loads), (self.vehicle_kwh - self.vehicle_give_kwh).sum(axis=0)))

    @property
    def wear_cost(self) -> FloatArray:
        """What vehicles wear by giving, shape ``(slots,)``."""
        return np.asarray(np.array([demand.vehicle.wear_price for demand in self.demands.vehicles]) @ self.vehicle_give_kwh)

    def remaining(self, problem: Problem) -> Problem:
        """Return what is left for the batteries."""
        placed = self.placed_kwh
        hours = problem.outlook.timeline.hours
        limits = replace(problem.limits, import_limit_kw=self.import_limit_kwh / hours)
        outlook = replace(problem.outlook, load_kwh=problem.outlook.load_kwh + placed)
        known = problem.uncertainty
        courses, errors = (each.add_load(placed) if each else None for each in (known.courses, known.errors))
        return replace(
            problem,
            outlook=outlook,
            limits=limits,
            search=replace(problem.search, mip_gap=0.0),
            demands=NO_DEMANDS,
            tariff=replace(problem.tariff, peaks=()),
            uncertainty=replace(known, courses=courses, errors=errors),
            storage=replace(problem.storage, give_limit_kwh=self.give_limit_kwh),
        )
