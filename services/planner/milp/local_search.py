"""Good schedules of switched devices by local search: small changes, each tried in the linear model
with all binaries fixed.

A relaxed device can be half on and follow the sun exactly. So the relaxed model says little about
whole schedules, and branch and bound takes a hundred linear solves to close that gap. A trial is
one linear solve from the last basis, less than a millisecond. The supply of each slot beside the
plan (``supply``) says which of hundreds of changes are worth a trial. The relaxed model bounds the
cost from below: the plan states by how much it may be above the optimum.

Source: the neighbourhoods are stretches of slots, moved runs and whole schedules by dynamic
programming with a price on every slot that changes (proximity search, Fischetti and Monaci, 2014).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Protocol

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.devices.kind import RangedUse
from services.planner.linear.model import CHOSEN, Indices, LinearModel
from services.planner.linear.ranges import FORBIDDEN, Ranges
from services.planner.linear.schedules import ScheduleBlock
from services.planner.milp.formulation import Formulation
from services.planner.milp.solver import LinearSolution, Solution, Solver
from services.planner.milp.supply import BalanceEntries, SupplyCurves
from services.planner.problem.problem import SearchLimits

# Most trials of a search, and of one round without a better schedule.
_MOST_TRIALS = 200
_ROUND_TRIALS = 20
# Trials without a better one after which a search ends.
_IDLE_TRIALS = 25
# A trial is better by at least this, in the site's currency.
_BETTER = 1e-6
# What is predicted to gain less is not tried.
_LEAST_GAIN = 1e-5
# The price on every slot that a whole schedule changes, in the site's currency: from changes of a
# few slots to none that is priced.
_SWITCHED_CHANGE_PRICES = (*(0.1 * 2.0**-step for step in range(9)), 0.0)
_RANGED_CHANGE_PRICES = (*(0.2 * 4.0**-step for step in range(9)), 0.0)
# Highest price on the energy that is needed, in the site's currency per kWh.
_HIGHEST_PRICE = 1.0
# What one slot away from the relaxed schedule counts when the first one is chosen, and the highest
# price on the energy that is needed then.
_AWAY = 0.05
_FIRST_PRICE = 2.0
_SAME_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Present:
    """A plan around which changes are looked for: its solution, and what each slot's balance is
    made of.
    """

    solution: LinearSolution
    entries: BalanceEntries
    bounds: tuple[FloatArray, FloatArray]
    held: BoolArray

    def curves(self, use: Indices) -> SupplyCurves:
        """Return what energy costs beside the plan and beside a device with the columns ``use``."""
        held = self.held.copy()
        held[use] = True
        return self.entries.curves(self.solution, self.bounds, held)


class DeviceChoice(Protocol):
    """A device whose binaries are chosen; a schedule is the values of its ``columns``.

    ``inner_columns`` and ``inner_rows`` are what a schedule settles: nothing else needs them then.
    """

    columns: Indices
    inner_columns: IndexArray
    inner_rows: IndexArray

    def begin(self, relaxed: Present) -> list[FloatArray]:
        """Return schedules to begin with, by a solution in which the binaries are fractional."""

    def read(self, column: FloatArray) -> FloatArray:
        """Return the schedule of a solution in which the binaries are whole."""

    def allows(self, schedule: FloatArray) -> bool:
        """Return whether a schedule can meet what is asked of the device."""

    def own_cost(self, schedule: FloatArray) -> float:
        """Return what a schedule costs beside what the rest of the model counts."""

    def use_bounds(self, schedule: FloatArray) -> tuple[Indices, FloatArray, FloatArray]:
        """Return the columns whose bounds a schedule sets, and these."""

    def list_changes(
        self, present: Present, schedule: FloatArray
    ) -> Iterator[tuple[float, FloatArray]]:
        """Yield other schedules and what they are predicted to add to the cost."""


class SwitchedChoice:
    """A load that is on or off."""

    def __init__(self, block: ScheduleBlock, kwh: FloatArray) -> None:
        self.columns = block.on
        self._block = block
        self._kwh = kwh
        self.inner_columns = np.arange(block.columns.start, block.columns.stop)
        self.inner_rows = np.arange(block.rows.start, block.rows.stop)
        self._costs: dict[bytes, float] = {}

    def begin(self, relaxed: Present) -> list[FloatArray]:
        """Return the schedule nearest to the relaxed one."""
        on = relaxed.solution.column[self.columns]
        return [self._find(1.0 - 2.0 * on)]

    def read(self, column: FloatArray) -> FloatArray:
        """Return whether it is on in each slot."""
        return self._find(1.0 - 2.0 * np.round(column[self.columns]))

    def allows(self, schedule: FloatArray) -> bool:  # every schedule found is one
        """Return True."""
        return True

    def own_cost(self, schedule: FloatArray) -> float:
        """Return the cost of being on, of starts and of what is missing, of a schedule found
        here.
        """
        return self._costs[schedule.tobytes()]

    def use_bounds(self, schedule: FloatArray) -> tuple[Indices, FloatArray, FloatArray]:
        """Return none: its use is its binaries."""
        return self.columns[:0], schedule[:0], schedule[:0]

    def list_changes(
        self, present: Present, schedule: FloatArray
    ) -> Iterator[tuple[float, FloatArray]]:
        """Yield the cheapest schedules at several prices on every slot that changes."""
        price = self._price(present, schedule)
        now = self.own_cost(schedule) + float(price @ schedule)
        for changed in self._find_at_change_prices(price, schedule):
            yield self.own_cost(changed) + float(price @ changed) - now, changed

    def _find_at_change_prices(self, price: FloatArray, schedule: FloatArray) -> list[FloatArray]:
        """Return the cheapest schedules, from the highest price on changes to the lowest.

        Where two prices have the same cheapest schedule, prices between them have it as well.
        """
        away = 1.0 - 2.0 * schedule
        last = len(_SWITCHED_CHANGE_PRICES) - 1
        found = {
            place: self._find(price + _SWITCHED_CHANGE_PRICES[place] * away) for place in (0, last)
        }
        open_stretches = [(0, last)]
        while open_stretches:
            first, end = open_stretches.pop()
            if end - first < 2 or np.array_equal(found[first], found[end]):
                continue
            middle = (first + end) // 2
            found[middle] = self._find(price + _SWITCHED_CHANGE_PRICES[middle] * away)
            open_stretches += [(first, middle), (middle, end)]
        return [found[place] for place in sorted(found)]

    def _find(self, price: FloatArray) -> FloatArray:
        found = self._block.schedules.find(price)
        self._costs[found.on.tobytes()] = found.cost
        return found.on

    def _price(self, present: Present, schedule: FloatArray) -> FloatArray:
        """Return what being on costs in each slot, beside the schedule's own cost."""
        curves = present.curves(self.columns)
        is_on = schedule > 0.5
        on = curves.cost(np.where(is_on, 0.0, self._kwh))
        off = curves.cost(np.where(is_on, -self._kwh, 0.0))
        return on - off


class RangedChoice:
    """A device with ranges of power, such as a charger: its use within a range is continuous."""

    def __init__(
        self, ranged: RangedUse, use: Indices, model: LinearModel, balanced: Indices
    ) -> None:
        self.columns = ranged.on.ravel()
        self._ranged = ranged
        self._use = use
        self._forbidden = np.cumsum(model.upper[ranged.on] < 0.5, axis=0) > 0
        firsts = [stay.first for stay in ranged.stays]
        self._stay = np.searchsorted(firsts, ranged.slots, side="right") - 1
        self.inner_columns = np.concatenate([self.columns, ranged.starts])
        self.inner_rows = _find_inner_rows(model, ranged, use[ranged.slots])
        self._entries = _list_entries(model, use, leave_out=np.append(self.inner_rows, balanced))
        self._use_cost = model.cost[use]
        self._most_kwh = np.where(self._forbidden[-1], 0.0, ranged.high_kwh[-1])
        self._reach = self._stored(self._most_kwh, capped=True)

    def begin(self, relaxed: Present) -> list[FloatArray]:
        """Return the choice nearest to the relaxed one, and the cheapest beside it."""
        column = relaxed.solution.column
        away = np.cumsum(1.0 - 2.0 * column[self._ranged.on], axis=0) * _AWAY
        nearest = np.vstack([np.zeros(self._stay.size), away])
        needed = self._needed(column)
        first = self._find(self._allowed(nearest), needed, highest=_FIRST_PRICE)
        cheapest = self._find(self._costs(relaxed, None), needed, highest=_HIGHEST_PRICE)
        return [self._as_ladder(first), self._as_ladder(cheapest)]

    def read(self, column: FloatArray) -> FloatArray:
        """Return the ladder of its ranges."""
        return np.round(column[self.columns])

    def allows(self, schedule: FloatArray) -> bool:
        """Return whether each stay can get what it needs, and is not overfilled."""
        ranges = self._as_ranges(schedule)
        highest = self._stored(self._within(self._ranged.high_kwh, ranges), capped=True)
        lowest = self._stored(self._within(self._ranged.low_kwh, ranges), capped=False)
        required = [stay.required_kwh for stay in self._ranged.stays]
        room = [stay.most_kwh for stay in self._ranged.stays]
        is_enough = highest >= np.minimum(required, self._reach) - _SAME_KWH
        is_room = lowest <= np.add(room, _SAME_KWH)
        return bool(is_enough.all() and is_room.all())

    def own_cost(self, schedule: FloatArray) -> float:
        """Return the cost of its starts."""
        rules = self._ranged.rules
        return rules.start_price * rules.count_starts(self._as_ranges(schedule))

    def use_bounds(self, schedule: FloatArray) -> tuple[Indices, FloatArray, FloatArray]:
        """Return the bounds of its use in the slots in which it may run."""
        ranges = self._as_ranges(schedule)
        low = self._within(self._ranged.low_kwh, ranges)
        high = self._within(self._ranged.high_kwh, ranges)
        return self._use[self._ranged.slots], low, high

    def list_changes(
        self, present: Present, schedule: FloatArray
    ) -> Iterator[tuple[float, FloatArray]]:
        """Yield choices with other stretches or moved runs, and the cheapest ones at several prices
        on every slot that changes.
        """
        rules = self._ranged.rules
        ranges = self._as_ranges(schedule)
        costs = self._costs(present, ranges)
        for added, changed in rules.list_changes(costs, ranges):
            yield added, self._as_ladder(changed)
        now = rules.price(costs, ranges)
        choices = np.arange(costs.shape[0])[:, None]
        differs = choices != ranges
        for change_price in _RANGED_CHANGE_PRICES:
            changed = rules.find(costs + change_price * differs)
            yield rules.price(costs, changed) - now, self._as_ladder(changed)

    def _costs(self, present: Present, ranges: Ranges | None) -> FloatArray:
        """Return what each range costs beside the plan with its best use, ``(1 + ranges, chosen
        slots)``.
        """
        curves = present.curves(self._use)
        slots = self._ranged.slots
        use = present.solution.column[self._use]
        row, place, factor = self._entries
        weights = factor * present.solution.dual[row]
        value = np.bincount(place, weights=weights, minlength=use.size) - self._use_cost
        if ranges is not None:
            low = np.zeros(use.size)
            high = np.zeros(use.size)
            low[slots] = self._within(self._ranged.low_kwh, ranges)
            high[slots] = self._within(self._ranged.high_kwh, ranges)
            group = np.full(use.size, -1)
            group[slots] = self._stay
            value = curves.find_values(
                value, use, (low, high), groups=(group, len(self._ranged.stays))
            )
        best = (use + curves.move_to(value))[slots]
        bounds = zip(self._ranged.low_kwh, self._ranged.high_kwh, strict=True)
        used = [np.zeros(slots.size), *(np.clip(best, low, high) for low, high in bounds)]
        costs = []
        for amount in used:
            added = np.zeros(use.size)
            added[slots] = amount - use[slots]
            costs.append((curves.cost(added) - value * added)[slots])
        return self._allowed(np.array(costs))

    def _allowed(self, costs: FloatArray) -> FloatArray:
        costs[1:][self._forbidden] = FORBIDDEN
        return costs

    def _needed(self, column: FloatArray) -> FloatArray:
        """Return what each stay uses in a solution, or can use at most."""
        used = self._per_stay(column[self._use[self._ranged.slots]])
        return np.minimum(used, self._per_stay(self._most_kwh)) - _SAME_KWH

    def _find(self, costs: FloatArray, needed: FloatArray, *, highest: float) -> Ranges:
        return self._ranged.rules.find_with_energy(
            costs, self._ranged.high_kwh, (self._stay, needed), highest_price=highest
        )

    def _stored(self, use_kwh: FloatArray, *, capped: bool) -> FloatArray:
        """Return what is stored at the end of each stay with this use; ``capped``: at most what the
        stay has room for.
        """
        stored = 0.0
        ends = []
        for stay, used in zip(self._ranged.stays, self._per_stay(use_kwh).tolist(), strict=True):
            begin = stored if stay.arrival_kwh is None else stay.arrival_kwh
            stored = begin + used * self._ranged.efficiency
            if capped:
                stored = min(stored, stay.most_kwh)
            ends.append(stored)
        return np.array(ends)

    def _per_stay(self, amount: FloatArray) -> FloatArray:
        stays = len(self._ranged.stays)
        return np.bincount(self._stay, weights=amount, minlength=stays).astype(float)

    def _within(self, bound: FloatArray, ranges: Ranges) -> FloatArray:
        """Return the bound of each slot's range, 0 where it is off."""
        place = np.maximum(ranges - 1, 0)
        return np.where(ranges > 0, bound[place, np.arange(ranges.size)], 0.0)

    def _as_ranges(self, ladder: FloatArray) -> Ranges:
        rungs = ladder.reshape(self._ranged.on.shape) > 0.5
        return np.asarray(rungs.sum(axis=0), dtype=np.int64)

    def _as_ladder(self, ranges: Ranges) -> FloatArray:
        rungs = np.arange(self._ranged.on.shape[0])[:, None]
        return (ranges > rungs).astype(float).ravel()


def _list_entries(
    model: LinearModel, columns: Indices, *, leave_out: IndexArray
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Return the entries of columns in all rows but some: row, position in ``columns``,
    coefficient.
    """
    position = np.full(model.cost.size, -1)
    position[columns] = np.arange(columns.size)
    counted = np.ones(model.row_lower.size, dtype=bool)
    counted[leave_out] = False
    rows = model.entry_rows()
    where = np.flatnonzero((position[model.index] >= 0) & counted[rows])
    return rows[where], position[model.index[where]], model.value[where]


def _find_inner_rows(model: LinearModel, ranged: RangedUse, use: Indices) -> IndexArray:
    """Return the rows that a choice of ranges settles: those of its starts, and those that tie its
    use to its binaries alone.
    """
    rows = model.entry_rows()
    count = model.row_lower.size
    is_start, is_own, is_use = (np.zeros(model.cost.size, dtype=bool) for _ in range(3))
    is_start[ranged.starts] = True
    is_own[ranged.on.ravel()] = is_own[ranged.starts] = True
    is_use[use] = True
    has_start, has_own, has_other = (np.zeros(count, dtype=bool) for _ in range(3))
    has_start[rows[is_start[model.index]]] = True
    has_own[rows[is_own[model.index]]] = True
    has_other[rows[~is_own[model.index] & ~is_use[model.index]]] = True
    return np.flatnonzero(has_start | (has_own & ~has_other))


class _FixedModel:
    """The model without what schedules settle, solved again for each of them from the last basis:
    it has a fifth of the rows.
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
        self._place = np.cumsum(keeps_column) - 1
        self._shape = model.cost.size, model.row_lower.size
        chosen = np.concatenate([choice.columns for choice in choices])
        leave_out = np.flatnonzero(~keeps_row)
        row, self._position, self._factor = _list_entries(model, chosen, leave_out=leave_out)
        row_place = np.cumsum(keeps_row) - 1
        touched, self._row = np.unique(row_place[row], return_inverse=True)
        self._touched = touched.astype(np.int32)
        self._bounds = model.row_lower[self._rows[touched]], model.row_upper[self._rows[touched]]
        self._model = model.part(keeps_column, keeps_row)

    def solve(self, schedules: Sequence[FloatArray]) -> float:
        """Return the cost with these schedules, infinite where they are not feasible."""
        values = np.concatenate(schedules)
        used = np.bincount(
            self._row, weights=self._factor * values[self._position], minlength=self._touched.size
        )
        lower, upper = (bound - used for bound in self._bounds)
        bounds = [
            choice.use_bounds(schedule)
            for choice, schedule in zip(self._choices, schedules, strict=True)
        ]
        columns, lowest, highest = (np.concatenate(parts) for parts in zip(*bounds, strict=True))
        own_cost = sum(
            choice.own_cost(schedule)
            for choice, schedule in zip(self._choices, schedules, strict=True)
        )
        places = self._place[columns].astype(np.int32)
        self._solver.bind(self._model, (places, lowest, highest), (self._touched, lower, upper))
        return self._solver.resolve() + own_cost

    def read(self) -> LinearSolution:
        """Return the last solution in the columns and rows of the whole model, 0 in those left
        out.
        """
        found = self._solver.read_linear()
        column = np.zeros(self._shape[0])
        reduced_cost = np.zeros(self._shape[0])
        dual = np.zeros(self._shape[1])
        column[self._columns] = found.column
        reduced_cost[self._columns] = found.reduced_cost
        dual[self._rows] = found.dual
        return LinearSolution(column, reduced_cost, dual, found.objective)


def list_choices(built: Formulation) -> list[DeviceChoice]:
    """Return the devices whose binaries are all binaries of the model, none where it has others, or
    where no device has ranges of power.
    """
    model = built.model
    choices: list[DeviceChoice] = []
    for columns in built.placed.loads:
        if columns.block is not None:
            kwh = np.broadcast_to(np.asarray(columns.kwh, dtype=float), columns.block.on.shape)
            choices.append(SwitchedChoice(columns.block, kwh))
        elif columns.ranged is not None:
            choices.append(RangedChoice(columns.ranged, columns.use, model, built.balanced))
    chosen = sum(choice.columns.size for choice in choices)
    has_ranges = any(columns.ranged for columns in built.placed.loads)
    return choices if has_ranges and chosen == np.count_nonzero(model.integer == CHOSEN) else []


def search_schedules(
    built: Formulation,
    choices: Sequence[DeviceChoice],
    solver: Solver,
    search: SearchLimits,
    *,
    relaxed: LinearSolution,
    rounded: Solution | None = None,
) -> Solution | None:
    """Return the best schedules found, or None if none of the first ones is feasible.

    Args:
        built: the model.
        choices: all of its devices with binaries.
        solver: that solved the relaxed model before.
        search: which solution is good enough.
        relaxed: the relaxed model's solution, whose cost is the lower bound.
        rounded: a solution to begin with, beside the relaxed one.
    """
    found = _Search(built, choices, solver, relaxed).run(search, rounded)
    if found is None:
        return None
    unbound = Solution(found.column, found.dual, found.objective, gap=np.inf, proven=False)
    return unbound.bounded(relaxed.objective, search)


@dataclass(frozen=True, slots=True, order=True)
class _Tried:
    """Schedules of all devices that were tried, ordered by what they cost."""

    cost: float
    turn: int
    schedules: tuple[FloatArray, ...] = field(compare=False)


class _Search:
    """Best first: of all schedules that were tried, changes of the cheapest one are tried next."""

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
        self._columns = np.concatenate([choice.columns for choice in choices]).astype(np.int32)
        self._solver = solver
        self._fixed = _FixedModel(built, choices, solver.renew())
        held = np.zeros(model.cost.size, dtype=bool)
        held[self._columns] = True
        entries = BalanceEntries.of(model, built.balanced)
        self._relaxed = Present(relaxed, entries, (model.lower, model.upper), held)
        self._open: list[_Tried] = []
        self._keys: set[bytes] = set()
        self._best: _Tried | None = None
        self._turn = 0
        self._last = -1

    def run(self, search: SearchLimits, rounded: Solution | None) -> LinearSolution | None:
        """Return the best solution found, None where no schedule is feasible."""
        if rounded is not None:
            self._try(tuple(choice.read(rounded.column) for choice in self._choices))
        firsts = [choice.begin(self._relaxed) for choice in self._choices]
        for place in range(max(map(len, firsts))):
            self._try(tuple(each[min(place, len(each) - 1)] for each in firsts))
        while self._open and not self._is_over(search):
            self._explore(heappop(self._open), search)
        if self._best is None:
            return None
        # The whole model has columns that follow from the schedules.
        if self._solver.fix(self._columns, np.concatenate(self._best.schedules)) == np.inf:
            return None
        return self._solver.read_linear()

    def _is_over(self, search: SearchLimits) -> bool:
        if self._best is None:
            return self._turn >= _MOST_TRIALS
        left_s = np.inf if search.deadline is None else search.deadline.left_s
        return (
            self._turn >= _MOST_TRIALS
            or self._turn - self._best.turn > _IDLE_TRIALS
            or self._best.cost - self._bound <= search.allow(self._best.cost)
            or left_s <= 0
        )

    def _explore(self, base: _Tried, search: SearchLimits) -> None:
        """Try changes of schedules, the most promising first, until one is better."""
        if self._last != base.turn:
            self._fixed.solve(base.schedules)
        present = replace(self._relaxed, solution=self._fixed.read())
        candidates = []
        for place, choice in enumerate(self._choices):
            now = base.schedules[place]
            for added, changed in choice.list_changes(present, now):
                if added < -_LEAST_GAIN:
                    # Predictions of small changes are the most reliable ones.
                    per_change = added / np.count_nonzero(changed != now)
                    candidates.append((per_change, place, changed))
        candidates.sort(key=lambda candidate: candidate[:2])
        left = _ROUND_TRIALS
        for _, place, changed in candidates:
            if left == 0 or self._is_over(search):
                return
            schedules = (*base.schedules[:place], changed, *base.schedules[place + 1 :])
            cost = self._try(schedules)
            if cost is not None:
                left -= 1
                if cost < base.cost - _BETTER:
                    return

    def _try(self, schedules: tuple[FloatArray, ...]) -> float | None:
        """Return what schedules cost; None where they were tried before, or cannot meet what is
        asked.
        """
        key = np.concatenate(schedules).astype(np.int8).tobytes()
        if key in self._keys:
            return None
        self._keys.add(key)
        pairs = zip(self._choices, schedules, strict=True)
        if not all(choice.allows(schedule) for choice, schedule in pairs):
            return None
        self._turn += 1
        cost = self._fixed.solve(schedules)
        tried = _Tried(cost, self._turn, schedules)
        self._last = self._turn
        if cost < np.inf:
            heappush(self._open, tried)
            if self._best is None or cost < self._best.cost - _BETTER:
                self._best = tried
        return cost
