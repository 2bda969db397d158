"""What the scheduled flexible loads use, slot by slot."""

from dataclasses import dataclass, replace

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.devices.kind import Demand, PlacedDemand
from services.planner.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class LoadSchedule:
    """What is placed of the ``demands``, in their order, as ``loads``.

    ``import_limit_kwh`` (``(slots,)``) keeps the peaks and what may be taken from surplus alone, ``give_limit_kwh`` (same shape) batteries out of what
    they may not feed. ``beside_cost`` is what the demands count beside energy: wear, starts, what is missing, less what is stored beyond a target.
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
        """What all of it gives back, shape ``(slots,)``."""
        return sum((each.storage.give_kwh for each in self.loads if each.storage), np.zeros(self.import_limit_kwh.size))

    @property
    def placed_kwh(self) -> FloatArray:
        """What all of it uses, less what it gives back, shape ``(slots,)``."""
        return np.asarray(sum((each.use_kwh for each in self.loads), -self.give_kwh))

    @property
    def wear_cost(self) -> FloatArray:
        """What giving back wears, shape ``(slots,)``."""
        return sum((each.storage.wear_cost for each in self.loads if each.storage), np.zeros(self.import_limit_kwh.size))

    def remaining(self, problem: Problem) -> Problem:
        """Return what is left for the batteries."""
        placed = self.placed_kwh
        hours = problem.outlook.timeline.hours
        limits = replace(problem.limits, import_limit_kw=self.import_limit_kwh / hours)
        outlook = replace(problem.outlook, load_kwh=problem.outlook.load_kwh + placed)
        uncertainty = problem.uncertainty
        courses, errors = (each.add_load(placed) if each else None for each in (uncertainty.courses, uncertainty.errors))
        return replace(
            problem,
            outlook=outlook,
            limits=limits,
            search=replace(problem.search, mip_gap=0.0),
            demands=(),
            tariff=replace(problem.tariff, peaks=()),
            uncertainty=replace(uncertainty, courses=courses, errors=errors),
            storage=replace(problem.storage, give_limit_kwh=self.give_limit_kwh),
        )
