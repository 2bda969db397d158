"""The schedule of flexible loads, and the problem that it leaves for the batteries."""

from dataclasses import dataclass, replace

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.devices.kind import Demand, PlacedDemand
from services.planner.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class LoadSchedule:
    """Scheduled ``loads`` for the ``demands``, in the same order.

    ``import_limit_kwh`` (``(slots,)``) keeps the month's peaks and surplus-only charging,
    ``give_limit_kwh`` (same shape) keeps batteries from supplying loads they must not.
    ``beside_cost`` is the demands' cost besides energy: wear, starts and missing energy, less the
    value of energy beyond a target.
    """

    demands: tuple[Demand, ...]
    loads: tuple[PlacedDemand, ...]
    import_limit_kwh: FloatArray
    give_limit_kwh: FloatArray | None
    beside_cost: float
    objective: float
    gap: float | None
    proven: bool

    @property
    def give_kwh(self) -> FloatArray:
        """Energy discharged by the loads that store it, shape ``(slots,)``."""
        return sum(
            (each.storage.give_kwh for each in self.loads if each.storage),
            np.zeros(self.import_limit_kwh.size),
        )

    @property
    def placed_kwh(self) -> FloatArray:
        """Energy that the loads use, less their discharge, shape ``(slots,)``."""
        return np.asarray(sum((each.use_kwh for each in self.loads), -self.give_kwh))

    @property
    def wear_cost(self) -> FloatArray:
        """Cost of wear by their discharge, shape ``(slots,)``."""
        return sum(
            (each.storage.wear_cost for each in self.loads if each.storage),
            np.zeros(self.import_limit_kwh.size),
        )

    def remaining(self, problem: Problem) -> Problem:
        """Return the batteries' problem: the schedule is part of the load, its limits replace the
        peaks.
        """
        placed = self.placed_kwh
        hours = problem.outlook.timeline.hours
        limits = replace(problem.limits, import_limit_kw=self.import_limit_kwh / hours)
        outlook = replace(problem.outlook, load_kwh=problem.outlook.load_kwh + placed)
        uncertainty = problem.uncertainty
        courses, errors = (
            each.add_load(placed) if each else None
            for each in (uncertainty.courses, uncertainty.errors)
        )
        return replace(
            problem,
            outlook=outlook,
            limits=limits,
            search=replace(problem.search, mip_gap=0.0, gap_cost=0.0),
            demands=(),
            tariff=replace(problem.tariff, peaks=()),
            uncertainty=replace(uncertainty, courses=courses, errors=errors),
            storage=replace(problem.storage, give_limit_kwh=self.give_limit_kwh),
        )
