"""What the duals of solved schedules say of others that are not solved."""

import numpy as np
import pytest

from services.planner.linear.model import Indices, LinearModel, ModelBuilder
from services.planner.milp.cost_bounds import CostBounds, ScheduleUse
from services.planner.milp.solver import KeptSolution, Solver

SLOTS = 3
LOAD_KWH = np.array([0.5, 1.0, 0.2])
NEEDED_KWH = 3.0
MISSING_PRICE = 1.0


def build_charger() -> tuple[LinearModel, Indices, Indices]:
    """Return a house with a charger, the balance rows, and the charger's columns.

    A slot has 1 kWh at 0.1, then 4 kWh at 0.3 per kWh; what the charger lacks costs 1 per kWh.
    """
    builder = ModelBuilder()
    cheap = builder.add_columns(SLOTS, cost=0.1, upper=1.0)
    dear = builder.add_columns(SLOTS, cost=0.3, upper=4.0)
    charge = builder.add_columns(SLOTS, cost=0.0, upper=4.0)
    missing = builder.add_columns(1, cost=MISSING_PRICE, upper=NEEDED_KWH)
    # rows cheap[t] + dear[t] - charge[t] == load[t]
    balance = builder.add_rows(LOAD_KWH, LOAD_KWH, [(cheap, 1.0), (dear, 1.0), (charge, -1.0)])
    # row sum of charge + missing >= needed
    builder.add_sum(NEEDED_KWH, np.inf, [(charge, 1.0), (missing, 1.0)])
    return builder.build(), balance, charge


class Charger:
    """The model, solved for one schedule after the other."""

    def __init__(self) -> None:
        self.model, self.balance, self.charge = build_charger()
        self.bounds = CostBounds(self.model, self.balance, self.charge)
        self._solver = Solver()

    def solve(self, use: ScheduleUse) -> tuple[float, KeptSolution]:
        columns = (self.charge, use.lowest, use.highest)
        rows = (self.balance, LOAD_KWH - use.row_use, LOAD_KWH - use.row_use)
        self._solver.bind(self.model, columns, rows)
        return self._solver.resolve(), self._solver.keep()


def schedule(lowest: list[float], highest: list[float], switched: list[float]) -> ScheduleUse:
    """Return a schedule of the charger, and of a load that is on or off."""
    # A row's use is what is taken off its bounds.
    return ScheduleUse(-np.array(switched), np.array(lowest), np.array(highest), own_cost=0.05)


def test_a_bound_is_the_cost_of_its_own_schedule_and_follows_prices_from_there() -> None:
    charger = Charger()
    charging = schedule([1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert charger.bounds.find(charging) == -np.inf
    cost, solution = charger.solve(charging)
    charger.bounds.add(charging, cost, solution.row_dual)
    # It charges 2 of 3 kWh: 0.1 + 1.5 * 0.3, and 0.1 and 0.02 for the other slots.
    assert cost == pytest.approx(0.1 + 1.5 * 0.3 + 0.1 + 0.02 + MISSING_PRICE)
    assert charger.bounds.find(charging) == pytest.approx(cost + 0.05)
    # One kWh more in the first slot costs 0.3 and is missing no longer.
    more = schedule([1.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert charger.bounds.find(more) == pytest.approx(cost + 0.05 + 0.3 - MISSING_PRICE)


def test_no_schedule_costs_less_than_its_bound() -> None:
    rng = np.random.default_rng(3)
    charger = Charger()
    apart = []
    for _ in range(60):
        lowest = rng.choice([0.0, 0.0, 0.5, 1.5], SLOTS)
        highest = lowest + rng.choice([0.0, 1.0, 2.0], SLOTS)
        switched = rng.choice([0.0, 0.6], SLOTS)
        use = schedule(lowest.tolist(), highest.tolist(), switched.tolist())
        bound = charger.bounds.find(use)
        cost, solution = charger.solve(use)
        apart.append(cost + use.own_cost - bound)
        charger.bounds.add(use, cost, solution.row_dual)
    assert min(apart) >= -1e-9
    # Most schedules are bounded by what they cost.
    assert np.median(apart[20:]) < 1e-3
