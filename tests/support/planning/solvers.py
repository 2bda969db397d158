"""Solvers that have no time for a search, whatever the machine is busy with."""

from typing import Any

from services.planner.linear.model import LinearModel
from services.planner.milp.solver import Solution, Solver, SolverError


class Searchless(Solver):
    """A solver that has no time for any search: it solves linear models alone."""

    def solve(self, model: LinearModel, **options: Any) -> Solution:
        if model.integer.any():
            raise SolverError("no solution: Time limit reached")
        return super().solve(model, **options)
