"""Inverters in the model written for readers: PV in equal parts, what passes an inverter, and what
stays on its DC side.
"""

from collections.abc import Sequence

import pulp

from luna.energy.devices.inverter import Inverter
from services.planner.problem.problem import Problem

Quantity = Sequence[pulp.LpVariable]


class Sun:
    """What PV gives slot by slot, once ``held`` (a share between nothing and all) is held back
    everywhere alike.
    """

    def __init__(self, model: pulp.LpProblem, problem: Problem) -> None:
        self.model, self.problem, self.slots = model, problem, range(problem.outlook.timeline.count)
        self.held = [
            model.add_variable(f"held_{slot}", lowBound=0, upBound=float(problem.site.curtailable))
            for slot in self.slots
        ]
        self.peak = sum(array.peak_kw for array in problem.site.pv)
        self.most_on_ac = [0.0 for _ in self.slots]
        left = {array.name for array in problem.site.pv}
        for inverter in problem.site.inverters:
            left -= set(inverter.pv)
            for slot in self.slots:
                self.most_on_ac[slot] += min(
                    self.energy(inverter.pv, slot), self.carries(inverter, slot)
                )
        for slot in self.slots:
            self.most_on_ac[slot] += self.energy(left, slot)

    def energy(self, arrays: Sequence[str] | set[str], slot: int) -> float:
        """Forecasts know one PV: every array has its share by its peak power."""
        named = sum(array.peak_kw for array in self.problem.site.pv if array.name in arrays)
        return float(self.problem.outlook.pv_kwh[slot]) * named / self.peak if self.peak else 0.0

    def carries(self, inverter: Inverter, slot: int) -> float:
        return inverter.ac_limit_kw * float(self.problem.outlook.timeline.hours[slot])

    @property
    def held_back(self) -> list[pulp.LpAffineExpression]:
        """What of PV is held back on the AC side."""
        return [most * held for most, held in zip(self.most_on_ac, self.held, strict=True)]

    def share(
        self, inverter: Inverter, charge: Quantity, discharge: Quantity, *, most_kwh: float
    ) -> Quantity:
        """A battery takes PV beyond its inverter first.

        What else it takes, and what it gives beside PV, passes the inverter.

        Returns what it takes on the DC side.
        """
        direct = [
            self.model.add_variable(f"direct_{inverter.name}_{slot}", lowBound=0)
            for slot in self.slots
        ]
        for slot in self.slots:
            pv = self.energy(inverter.pv, slot)
            carries = self.carries(inverter, slot)
            own = min(pv, carries) * (1 - self.held[slot])
            beyond = max(pv - carries, 0.0) * (1 - self.held[slot])
            more = self.model.add_variable(f"more_{inverter.name}_{slot}", cat=pulp.LpBinary)
            self.model += direct[slot] <= charge[slot]
            self.model += direct[slot] <= beyond
            self.model += direct[slot] >= charge[slot] - most_kwh * more
            self.model += direct[slot] >= beyond - max(pv - carries, 0.0) * (1 - more)
            self.model += own + discharge[slot] <= carries
            self.model += charge[slot] - direct[slot] - own <= carries
        return direct
