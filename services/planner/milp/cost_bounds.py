"""Lower bounds on the cost of schedules, by the duals of other schedules.

Schedules change bounds of columns and rows of one linear model alone. So the duals of one stay
feasible for all, and bound the cost of each from below: a trial that they rule out needs no solve.

Source: Benders, Partitioning procedures for solving mixed-variables programming problems,
Numerische Mathematik 4 (1962), 238–252.
"""

from dataclasses import dataclass

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, LinearModel

# Bounds that there is room for at first; the room doubles.
_FIRST_ROOM = 32


@dataclass(frozen=True, slots=True)
class ScheduleUse:
    """The part of schedules in a model without their binaries.

    ``row_use`` is their use of the rows that they touch, ``lowest`` and ``highest`` bound their
    columns. ``own_cost`` is what the model does not count.
    """

    row_use: FloatArray
    lowest: FloatArray
    highest: FloatArray
    own_cost: float

    @property
    def amounts(self) -> FloatArray:
        """The amounts that duals have a price for."""
        return np.concatenate([self.row_use, self.lowest, self.highest])


class CostBounds:
    """Bounds of a model's cost, one by each of its solutions.

    Invariants: no bound is above the cost that the model has with these schedules.
    """

    def __init__(self, model: LinearModel, rows: Indices, columns: Indices) -> None:
        self._rows = rows
        self._columns = columns
        self._cost = model.cost[columns]
        everywhere = np.ones(model.row_lower.size, dtype=bool)
        self._entries = model.column_entries(columns, everywhere)
        self._prices = np.empty((_FIRST_ROOM, rows.size + 2 * columns.size))
        self._base = np.empty(_FIRST_ROOM)
        self._count = 0

    def add(self, use: ScheduleUse, cost: float, row_dual: FloatArray) -> None:
        """Add the bound by a solution: its cost in the model, and its rows' duals."""
        row, place, factor = self._entries
        spared = np.bincount(place, weights=factor * row_dual[row], minlength=self._cost.size)
        reduced_cost = self._cost - spared
        # A column is at its lower bound where more of it costs, else at its upper one.
        rising = np.maximum(reduced_cost, 0.0)
        falling = np.minimum(reduced_cost, 0.0)
        prices = np.concatenate([-row_dual[self._rows], rising, falling])
        if self._count == self._base.size:
            self._prices = np.vstack([self._prices, self._prices])
            self._base = np.append(self._base, self._base)
        self._prices[self._count] = prices
        self._base[self._count] = cost - prices @ use.amounts
        self._count += 1

    def find(self, use: ScheduleUse) -> float:
        """Return the highest bound on the cost with these schedules, own cost included."""
        bounds = self._base[: self._count] + self._prices[: self._count] @ use.amounts
        return float(bounds.max(initial=-np.inf)) + use.own_cost
