"""Find good schedules of switched devices by local search.

Small changes are tried one by one in the linear model with all binaries fixed.
A relaxed device can be half on and follow the sun exactly. So the relaxed model says little about
whole schedules, and branch and bound takes a hundred linear solves to close that gap. A trial is
one linear solve from the last basis, less than a millisecond. The supply of each slot beside the
plan (``supply``) says which of hundreds of changes are worth a trial, and the duals of earlier
trials rule out two thirds of them without a solve (``cost_bounds``). The relaxed model bounds the
cost from below: the plan states by how much it may be above the optimum.

Devices and the changes of their schedules are in ``device_choices``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

import numpy as np

from services.planner.milp.cost_bounds import CostBounds, ScheduleUse
from services.planner.milp.device_choices import DeviceChoice, Present, Schedule
from services.planner.milp.formulation import Formulation
from services.planner.milp.rounding import RoundedSolution
from services.planner.milp.solver import KeptSolution, LinearSolution, Solution, Solver
from services.planner.milp.supply import BalanceEntries
from services.planner.problem.problem import SearchLimits

# Most trials of a search, and of one round without a better schedule.
_MOST_TRIALS = 200
_ROUND_TRIALS = 20
# Trials without a better one after which a search ends: more where much money may be left.
_IDLE_TRIALS = 25
_MORE_IDLE_TRIALS = 60
# That much, in the site's currency.
_WIDE_GAP = 0.075
# A trial is better by at least this, in the site's currency.
_BETTER = 1e-6
# Moves with a smaller predicted gain are not tried.
_LEAST_GAIN = 1e-5


class _FixedModel:
    """The model without the columns and rows that schedules settle, a fifth of all rows.

    It is solved for each trial from the last basis.
    """

    def __init__(self, built: Formulation, choices: Sequence[DeviceChoice], solver: Solver) -> None:
        model = built.model
        self._choices = choices
        self._solver = solver
        keeps_column = np.ones(model.cost.size, dtype=bool)
        keeps_row = np.ones(model.row_lower.size, dtype=bool)
        for choice in choices:
            keeps_column[choice.inner_columns] = False
            keeps_row[choice.inner_rows] = False
        keeps_row[built.cuts] = False
        self._columns = np.flatnonzero(keeps_column)
        self._rows = np.flatnonzero(keeps_row)
        bounded = np.concatenate([choice.use_columns for choice in choices])
        self._use = (np.cumsum(keeps_column) - 1)[bounded].astype(np.int32)
        self._shape = model.cost.size, model.row_lower.size
        chosen = np.concatenate([choice.columns for choice in choices])
        row, self._position, self._factor = model.column_entries(chosen, keeps_row)
        row_place = np.cumsum(keeps_row) - 1
        touched, self._row = np.unique(row_place[row], return_inverse=True)
        self._touched = touched.astype(np.int32)
        self._bounds = model.row_lower[self._rows[touched]], model.row_upper[self._rows[touched]]
        self._model = model.part(keeps_column, keeps_row)
        self._cost_bounds = CostBounds(self._model, self._touched, self._use)

    def place(self, schedules: Sequence[Schedule]) -> ScheduleUse:
        """Return the part of these schedules in the model."""
        binaries = []
        lowest = []
        highest = []
        own_cost = 0.0
        for choice, schedule in zip(self._choices, schedules, strict=True):
            low, high = choice.use_bounds(schedule)
            binaries.append(choice.as_binaries(schedule))
            lowest.append(low)
            highest.append(high)
            own_cost += choice.own_cost(schedule)
        weights = self._factor * np.concatenate(binaries)[self._position]
        row_use = np.bincount(self._row, weights=weights, minlength=self._touched.size)
        return ScheduleUse(
            row_use=row_use.astype(float),
            lowest=np.concatenate(lowest),
            highest=np.concatenate(highest),
            own_cost=own_cost,
        )

    def bound(self, use: ScheduleUse) -> float:
        """Return a lower bound on the cost of schedules, by those solved before."""
        return self._cost_bounds.find(use)

    def solve(self, use: ScheduleUse) -> tuple[float, KeptSolution | None]:
        """Return the cost of schedules and their solution; infinite and None if infeasible."""
        lower, upper = self._bounds
        columns = (self._use, use.lowest, use.highest)
        rows = (self._touched, lower - use.row_use, upper - use.row_use)
        self._solver.bind(self._model, columns, rows)
        cost = self._solver.resolve()
        if cost == np.inf:
            return cost, None
        solution = self._solver.keep()
        self._cost_bounds.add(use, cost, solution.row_dual)
        return cost + use.own_cost, solution

    def read(self, solution: KeptSolution) -> LinearSolution:
        """Return a solution in terms of the whole model, 0 in what is left out."""
        found = solution.read()
        column = np.zeros(self._shape[0])
        reduced_cost = np.zeros(self._shape[0])
        dual = np.zeros(self._shape[1])
        column[self._columns] = found.column
        reduced_cost[self._columns] = found.reduced_cost
        dual[self._rows] = found.dual
        return LinearSolution(column, reduced_cost, dual, found.objective)


def search_schedules(
    built: Formulation,
    choices: Sequence[DeviceChoice],
    solver: Solver,
    search: SearchLimits,
    *,
    relaxed: LinearSolution,
    rounded: RoundedSolution | None = None,
) -> Solution | None:
    """Return the best schedules found, or None if none of the first ones is feasible.

    Args:
        built: the model.
        choices: all of its devices with binaries.
        solver: that solved the relaxed model before.
        search: which solution is good enough.
        relaxed: the relaxed model's solution, whose cost is the lower bound.
        rounded: whole binaries to begin with, beside the relaxed solution.
    """
    bound = relaxed.objective
    first: tuple[Schedule, ...] | None = None
    if rounded is not None:
        # The rounded schedules are near the solver's last basis: most often they are good enough.
        if rounded.solution is not None:
            solution = rounded.solution.bounded(bound, search)
            if solution.proven:
                return solution
        first = tuple(choice.read(rounded.column) for choice in choices)
        if rounded.solution is None:
            found = _solve_whole(choices, first, solver, bound=bound, search=search)
            if found is not None and found.proven:
                return found
    best = _Search(built, choices, solver, relaxed).run(search, first)
    if best is None:
        return None
    return _solve_whole(choices, best, solver, bound=bound, search=search)


def _solve_whole(
    choices: Sequence[DeviceChoice],
    schedules: Sequence[Schedule],
    solver: Solver,
    *,
    bound: float,
    search: SearchLimits,
) -> Solution | None:
    """Return the solution of the whole model with these schedules, None if infeasible.

    It has columns that follow from the schedules.
    """
    columns = np.concatenate([choice.columns for choice in choices]).astype(np.int32)
    pairs = zip(choices, schedules, strict=True)
    binaries = np.concatenate([choice.as_binaries(schedule) for choice, schedule in pairs])
    if solver.fix(columns, binaries) == np.inf:
        return None
    found = solver.read_linear()
    unbound = Solution(found.column, found.dual, found.objective, gap=np.inf, proven=False)
    return unbound.bounded(bound, search)


@dataclass(frozen=True, slots=True, order=True)
class _Tried:
    """Schedules of all devices that were tried, in order of their cost.

    Without a solution the cost is a lower bound.
    """

    cost: float
    turn: int
    schedules: tuple[Schedule, ...] = field(compare=False)
    solution: KeptSolution | None = field(compare=False, default=None)


class _Search:
    """Best-first search: changes of the cheapest schedules so far are tried next."""

    def __init__(
        self,
        built: Formulation,
        choices: Sequence[DeviceChoice],
        solver: Solver,
        relaxed: LinearSolution,
    ) -> None:
        model = built.model
        self._choices = choices
        self._bound = relaxed.objective
        self._fixed = _FixedModel(built, choices, solver.renew())
        fixed = np.zeros(model.cost.size, dtype=bool)
        for choice in choices:
            fixed[choice.columns] = True
        entries = BalanceEntries.of(model, built.balanced)
        self._relaxed = Present(relaxed, entries, (model.lower, model.upper), fixed)
        self._open: list[_Tried] = []
        self._keys: set[bytes] = set()
        self._best: _Tried | None = None
        self._turn = 0

    def run(
        self, search: SearchLimits, first: tuple[Schedule, ...] | None
    ) -> tuple[Schedule, ...] | None:
        """Return the best schedules found, None where none is feasible.

        ``first`` are schedules to begin with, beside the relaxed solution.
        """
        if first is not None:
            self._try(first)
        if not self._is_over(search):
            self._begin()
        while cheapest := self._take_cheapest(search):
            self._explore(*cheapest, search)
        return None if self._best is None else self._best.schedules

    def _begin(self) -> None:
        """Try each device's first schedules."""
        firsts = [choice.begin(self._relaxed) for choice in self._choices]
        for place in range(max(map(len, firsts))):
            self._try(tuple(found[min(place, len(found) - 1)] for found in firsts))

    def _is_over(self, search: SearchLimits) -> bool:
        if self._best is None:
            return self._turn >= _MOST_TRIALS
        gap_cost = self._best.cost - self._bound
        idle_trials = _MORE_IDLE_TRIALS if gap_cost > _WIDE_GAP else _IDLE_TRIALS
        if self._turn >= _MOST_TRIALS or self._turn - self._best.turn > idle_trials:
            return True
        if gap_cost <= search.allow(self._best.cost):
            return True
        return search.deadline is not None and search.deadline.left_s <= 0

    def _take_cheapest(self, search: SearchLimits) -> tuple[_Tried, KeptSolution] | None:
        """Return the cheapest of the schedules whose changes were not tried so far."""
        while self._open and not self._is_over(search):
            tried = heappop(self._open)
            if tried.solution is not None:
                return tried, tried.solution
            use = self._fixed.place(tried.schedules)
            bound = self._fixed.bound(use)
            if bound > tried.cost + _BETTER:
                heappush(self._open, replace(tried, cost=bound))
                continue
            cost, solution = self._fixed.solve(use)
            if solution is not None:
                heappush(self._open, replace(tried, cost=cost, solution=solution))
        return None

    def _explore(self, base: _Tried, solution: KeptSolution, search: SearchLimits) -> None:
        """Try changes of schedules, the most promising first, until one is better."""
        present = replace(self._relaxed, solution=self._fixed.read(solution))
        candidates = []
        for place, choice in enumerate(self._choices):
            now = base.schedules[place]
            for added, changed in choice.list_changes(present, now):
                if added < -_LEAST_GAIN:
                    # Predictions of small changes are the most reliable ones.
                    per_change = added / np.abs(changed - now).sum()
                    candidates.append((per_change, place, changed))
        candidates.sort(key=lambda candidate: candidate[:2])
        left = _ROUND_TRIALS
        for _, place, changed in candidates:
            if left == 0 or self._is_over(search):
                return
            schedules = (*base.schedules[:place], changed, *base.schedules[place + 1 :])
            cost = self._try(schedules, below=base.cost - _BETTER)
            if cost is not None:
                left -= 1
                if cost < base.cost - _BETTER:
                    return

    def _try(self, schedules: tuple[Schedule, ...], *, below: float = np.inf) -> float | None:
        """Return the cost of schedules, or a lower bound that is not ``below``.

        None where they were tried before, or cannot meet their devices' needs.
        """
        key = b"".join(schedule.tobytes() for schedule in schedules)
        if key in self._keys:
            return None
        self._keys.add(key)
        pairs = zip(self._choices, schedules, strict=True)
        if not all(choice.allows(schedule) for choice, schedule in pairs):
            return None
        self._turn += 1
        use = self._fixed.place(schedules)
        cost = self._fixed.bound(use)
        solution = None
        if cost < below:
            cost, solution = self._fixed.solve(use)
        tried = _Tried(cost, self._turn, schedules, solution)
        if cost < np.inf:
            heappush(self._open, tried)
            if self._best is None or cost < self._best.cost - _BETTER:
                self._best = tried
        return cost
