"""The schedule of flexible loads, and the problem that it leaves for the batteries."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from luna.energy.economics.costs import Costs
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import Demand, DemandSchedule
from services.planner.problem.problem import Problem


@dataclass(frozen=True)
class LoadSchedule:
    """Schedules of flexible loads.

    Args:
        demands: the scheduled demands.
        loads: their schedules, in the same order.
        import_limit_kwh: limits that keep the month's peaks and surplus-only charging,
            ``(slots,)``.
        give_limit_kwh: limits that keep batteries from supplying loads they must not, ``(slots,)``.
        beside_cost: the demands' cost besides energy: wear, starts and missing energy, less the
            value of energy beyond a target.
        device_cost: what they cost beside the house's price, ``(slots,)``.
    """

    demands: tuple[Demand, ...]
    loads: tuple[DemandSchedule, ...]
    import_limit_kwh: FloatArray
    give_limit_kwh: FloatArray | None
    beside_cost: float
    device_cost: FloatArray
    objective: float
    gap: float | None
    proven: bool

    @cached_property
    def give_kwh(self) -> FloatArray:
        """Energy discharged by the loads that store it, shape ``(slots,)``."""
        given = np.zeros(self.import_limit_kwh.size)
        for load in self.loads:
            if load.storage:
                given = given + load.storage.give_kwh
        return given

    @cached_property
    def scheduled_kwh(self) -> FloatArray:
        """Energy that the loads use, less their discharge, shape ``(slots,)``."""
        scheduled = -self.give_kwh
        for load in self.loads:
            scheduled = scheduled + load.use_kwh
        return np.asarray(scheduled)

    @property
    def wear_cost(self) -> FloatArray:
        """Cost of wear by their discharge, shape ``(slots,)``."""
        cost = np.zeros(self.import_limit_kwh.size)
        for load in self.loads:
            if load.storage:
                cost = cost + load.storage.wear_cost
        return cost

    def add_costs(self, costs: Costs) -> Costs:
        """Return a plan's costs with the loads' wear and their own prices."""
        return replace(
            costs,
            wear_cost=costs.wear_cost + self.wear_cost,
            device_cost=costs.device_cost + self.device_cost,
        )

    def remaining(self, problem: Problem) -> Problem:
        """Return the batteries' problem.

        The schedule is part of the load, and its limits replace the peaks.
        """
        scheduled = self.scheduled_kwh
        uncertainty = problem.uncertainty
        if uncertainty.scenarios:
            uncertainty = replace(uncertainty, scenarios=uncertainty.scenarios.add_load(scheduled))
        if uncertainty.errors:
            uncertainty = replace(uncertainty, errors=uncertainty.errors.add_load(scheduled))
        import_limit_kw = self.import_limit_kwh / problem.outlook.timeline.hours
        return replace(
            problem,
            outlook=replace(problem.outlook, load_kwh=problem.outlook.load_kwh + scheduled),
            limits=replace(problem.limits, import_limit_kw=import_limit_kw),
            search=replace(problem.search, mip_gap=0.0, gap_cost=0.0),
            demands=(),
            tariff=replace(problem.tariff, peaks=(), device_charges=()),
            uncertainty=uncertainty,
            storage=replace(problem.storage, give_limit_kwh=self.give_limit_kwh),
        )
