"""Schedules of single devices: the ones to begin with, and changes worth a trial.

A choice is a device whose binaries the local search sets. The supply of each slot beside the plan
(``supply``) predicts what a change adds to the cost.

Source: changes are stretches of slots, moved runs and whole schedules by dynamic programming with a
price on every slot that changes (proximity search, Fischetti and Monaci, 2014).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.devices.kind import RangedUse
from services.planner.linear.model import CHOSEN, Indices, LinearModel
from services.planner.linear.ranges import FORBIDDEN, Ranges, SessionLimits
from services.planner.linear.schedules import OnOffSchedule, ScheduleBlock
from services.planner.milp.formulation import Formulation
from services.planner.milp.solver import LinearSolution
from services.planner.milp.supply import BalanceEntries, SupplyCurves

# The price on every slot that a whole schedule changes, in the site's currency: from changes of a
# few slots to none that is priced.
_SWITCHED_CHANGE_PRICES = (*(0.1 * 2.0**-step for step in range(9)), 0.0)
_RANGED_CHANGE_PRICES = (*(0.2 * 4.0**-step for step in range(9)), 0.0)
# Highest price on the energy that is needed, in the site's currency per kWh.
_HIGHEST_PRICE = 1.0
# For the first schedule: the cost of one slot away from the relaxed schedule, and the highest price
# on the energy that is needed.
_AWAY = 0.05
_FIRST_PRICE = 2.0
_SAME_KWH = 1e-6
# Whether a load is on, or the range of a device, in each slot in which it may run.
Schedule = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Present:
    """A plan around which changes are looked for.

    ``entries`` are those of its balance rows, ``bounds`` the columns' lower and upper bounds,
    ``fixed`` the columns of all schedules, which do not move.
    """

    solution: LinearSolution
    entries: BalanceEntries
    bounds: tuple[FloatArray, FloatArray]
    fixed: BoolArray

    def curves(self, use: Indices) -> SupplyCurves:
        """Return the cost of energy beside the plan and beside a device's columns ``use``."""
        fixed = self.fixed.copy()
        fixed[use] = True
        return self.entries.curves(self.solution, self.bounds, fixed)


class DeviceChoice(Protocol):
    """A device whose binaries, its ``columns``, are chosen by a schedule.

    A schedule settles ``inner_columns`` and ``inner_rows``, so the rest of the model does without,
    and bounds ``use_columns``.
    """

    columns: Indices
    use_columns: Indices
    inner_columns: IndexArray
    inner_rows: IndexArray

    def begin(self, relaxed: Present) -> list[Schedule]:
        """Return schedules to begin with, near a solution with fractional binaries."""

    def read(self, column: FloatArray) -> Schedule:
        """Return the schedule of a solution with whole binaries."""

    def as_binaries(self, schedule: Schedule) -> FloatArray:
        """Return the values of its columns."""

    def allows(self, schedule: Schedule) -> bool:
        """Return whether a schedule can meet the device's needs."""

    def own_cost(self, schedule: Schedule) -> float:
        """Return the cost of a schedule that the rest of the model does not count."""

    def use_bounds(self, schedule: Schedule) -> tuple[FloatArray, FloatArray]:
        """Return the lower and the upper bounds of its use columns."""

    def list_changes(
        self, present: Present, schedule: Schedule
    ) -> Iterator[tuple[float, Schedule]]:
        """Yield other schedules, each after its predicted addition to the cost."""


class SwitchedChoice:
    """A load that is on or off."""

    def __init__(self, block: ScheduleBlock, kwh: FloatArray) -> None:
        self.columns = block.on
        self.use_columns = block.on[:0]
        self._block = block
        self._kwh = kwh
        self.inner_columns = np.arange(block.columns.start, block.columns.stop)
        self.inner_rows = np.arange(block.rows.start, block.rows.stop)
        self._costs: dict[bytes, float] = {}

    def begin(self, relaxed: Present) -> list[FloatArray]:
        """Return the schedule nearest to the relaxed one."""
        on = relaxed.solution.column[self.columns]
        return [self._keep(self._block.find_nearest(on))]

    def read(self, column: FloatArray) -> FloatArray:
        """Return whether it is on in each slot."""
        return self._keep(self._block.find_nearest(np.round(column[self.columns])))

    def allows(self, schedule: FloatArray) -> bool:  # every schedule found is one
        """Return True."""
        return True

    def own_cost(self, schedule: FloatArray) -> float:
        """Return the cost of being on, of starts and of missing energy.

        The schedule is one that was found here.
        """
        return self._costs[schedule.tobytes()]

    def as_binaries(self, schedule: FloatArray) -> FloatArray:
        """Return the schedule."""
        return schedule

    def use_bounds(self, schedule: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return none: its use is its binaries."""
        return schedule[:0], schedule[:0]

    def list_changes(
        self, present: Present, schedule: FloatArray
    ) -> Iterator[tuple[float, FloatArray]]:
        """Yield the cheapest schedules at several prices on every slot that changes."""
        price = self._price(present, schedule)
        away = 1.0 - 2.0 * schedule
        now = self.own_cost(schedule) + float(price @ schedule)

        def find_at(change_price: float) -> FloatArray:
            return self._find(price + change_price * away)

        for changed in _find_at_prices(find_at, _SWITCHED_CHANGE_PRICES):
            yield self.own_cost(changed) + float(price @ changed) - now, changed

    def _find(self, price: FloatArray) -> FloatArray:
        return self._keep(self._block.schedules.find(price))

    def _keep(self, found: OnOffSchedule) -> FloatArray:
        self._costs[found.on.tobytes()] = found.cost
        return found.on

    def _price(self, present: Present, schedule: FloatArray) -> FloatArray:
        """Return the cost of being on in each slot, beside the schedule's own cost."""
        curves = present.curves(self.columns)
        is_on = schedule > 0.5
        on = curves.cost(np.where(is_on, 0.0, self._kwh))
        off = curves.cost(np.where(is_on, -self._kwh, 0.0))
        return on - off


class RangedChoice:
    """A device with ranges of power, such as a charger, continuous within a range."""

    def __init__(
        self, ranged: RangedUse, use: Indices, model: LinearModel, balanced: Indices
    ) -> None:
        self.columns = ranged.on.ravel()
        self._ranged = ranged
        self._use = use
        self._forbidden = np.cumsum(model.upper[ranged.on] < 0.5, axis=0) > 0
        firsts = [session.first for session in ranged.sessions]
        self._session = np.searchsorted(firsts, ranged.slots, side="right") - 1
        self.inner_columns = np.concatenate([self.columns, ranged.starts])
        self.inner_rows = _find_inner_rows(model, ranged, use[ranged.slots])
        counted = np.ones(model.row_lower.size, dtype=bool)
        counted[self.inner_rows] = False
        counted[balanced] = False
        self._entries = model.column_entries(use, counted)
        self._use_cost = model.cost[use]
        self._most_kwh = np.where(self._forbidden[-1], 0.0, ranged.high_kwh[-1])
        self._limits = self._limit_sessions()
        self.use_columns = use[ranged.slots]
        off = np.zeros(ranged.slots.size)
        self._low_kwh = np.vstack([off, ranged.low_kwh])
        self._high_kwh = np.vstack([off, ranged.high_kwh])
        self._places = np.arange(ranged.slots.size)

    def begin(self, relaxed: Present) -> list[Ranges]:
        """Return the choice nearest to the relaxed one, and the cheapest beside it."""
        column = relaxed.solution.column
        away = np.cumsum(1.0 - 2.0 * column[self._ranged.on], axis=0) * _AWAY
        nearest = np.vstack([np.zeros(self._session.size), away])
        needed = self._needed(column)
        first = self._find(self._allowed(nearest), needed, highest=_FIRST_PRICE)
        cheapest = self._find(self._costs(relaxed, None), needed, highest=_HIGHEST_PRICE)
        return [first, cheapest]

    def read(self, column: FloatArray) -> Ranges:
        """Return its range in each slot."""
        rungs = column[self._ranged.on] > 0.5
        return np.asarray(rungs.sum(axis=0), dtype=np.int64)

    def as_binaries(self, schedule: Ranges) -> FloatArray:
        """Return the ladder of its ranges."""
        rungs = np.arange(self._ranged.on.shape[0])[:, None]
        return (schedule > rungs).astype(float).ravel()

    def allows(self, schedule: Ranges) -> bool:
        """Return whether each session can get the energy it needs, and is not overfilled."""
        return self._limits.allows(schedule)

    def own_cost(self, schedule: Ranges) -> float:
        """Return the cost of its starts."""
        rules = self._ranged.rules
        return rules.start_price * rules.count_starts(schedule)

    def use_bounds(self, schedule: Ranges) -> tuple[FloatArray, FloatArray]:
        """Return the bounds of its use in the slots in which it may run."""
        return self._low_kwh[schedule, self._places], self._high_kwh[schedule, self._places]

    def list_changes(self, present: Present, schedule: Ranges) -> Iterator[tuple[float, Ranges]]:
        """Yield choices with other stretches or moved runs, and the cheapest whole ones.

        Those are the cheapest at several prices on every slot that changes.
        """
        rules = self._ranged.rules
        costs = self._costs(present, schedule)
        yield from rules.list_changes(costs, schedule)
        now = rules.price(costs, schedule)
        choices = np.arange(costs.shape[0])[:, None]
        differs = choices != schedule

        def find_at(change_price: float) -> Ranges:
            return rules.find(costs + change_price * differs)

        for changed in _find_at_prices(find_at, _RANGED_CHANGE_PRICES):
            yield rules.price(costs, changed) - now, changed

    def _costs(self, present: Present, ranges: Ranges | None) -> FloatArray:
        """Return the cost of each range per chosen slot, at its best use beside the plan.

        Its shape is ``(1 + ranges, chosen slots)``. ``ranges`` is the plan's choice, None for a
        relaxed plan.
        """
        curves = present.curves(self._use)
        slots = self._ranged.slots
        use = present.solution.column[self._use]
        value = self._find_value(present, curves, ranges)
        best = (use + curves.move_to(value))[slots]
        used = [np.zeros(slots.size)]
        for low, high in zip(self._ranged.low_kwh, self._ranged.high_kwh, strict=True):
            used.append(np.clip(best, low, high))
        costs = []
        for amount in used:
            added = np.zeros(use.size)
            added[slots] = amount - use[slots]
            costs.append((curves.cost(added) - value * added)[slots])
        return self._allowed(np.array(costs))

    def _find_value(
        self, present: Present, curves: SupplyCurves, ranges: Ranges | None
    ) -> FloatArray:
        """Return the value of a used kWh in each slot."""
        use = present.solution.column[self._use]
        row, place, factor = self._entries
        weights = factor * present.solution.dual[row]
        value = np.bincount(place, weights=weights, minlength=use.size) - self._use_cost
        if ranges is None:
            return value
        slots = self._ranged.slots
        low = np.zeros(use.size)
        high = np.zeros(use.size)
        low[slots], high[slots] = self.use_bounds(ranges)
        group = np.full(use.size, -1)
        group[slots] = self._session
        groups = (group, len(self._ranged.sessions))
        return curves.find_values(value, use, (low, high), groups=groups)

    def _allowed(self, costs: FloatArray) -> FloatArray:
        costs[1:][self._forbidden] = FORBIDDEN
        return costs

    def _needed(self, column: FloatArray) -> FloatArray:
        """Return the energy that each session uses in a solution, at most what it can use."""
        used = self._per_session(column[self._use[self._ranged.slots]])
        return np.minimum(used, self._per_session(self._most_kwh)) - _SAME_KWH

    def _find(self, costs: FloatArray, needed: FloatArray, *, highest: float) -> Ranges:
        return self._ranged.rules.find_with_energy(
            costs, self._ranged.high_kwh, (self._session, needed), highest_price=highest
        )

    def _limit_sessions(self) -> SessionLimits:
        """Return what its sessions require, at most what they can reach."""
        ranged = self._ranged
        arrivals_kwh = []
        required_kwh = []
        reachable_kwh = 0.0
        used_kwh = self._per_session(self._most_kwh).tolist()
        for session, most_use_kwh in zip(ranged.sessions, used_kwh, strict=True):
            if session.arrival_kwh is not None:
                reachable_kwh = session.arrival_kwh
            reachable_kwh += most_use_kwh * ranged.efficiency
            reachable_kwh = min(reachable_kwh, session.most_kwh)
            arrivals_kwh.append(np.nan if session.arrival_kwh is None else session.arrival_kwh)
            required_kwh.append(min(session.required_kwh, reachable_kwh))
        return SessionLimits(
            session=self._session,
            low_kwh=ranged.low_kwh,
            high_kwh=ranged.high_kwh,
            arrival_kwh=np.array(arrivals_kwh),
            required_kwh=np.array(required_kwh),
            most_kwh=np.array([session.most_kwh for session in ranged.sessions], dtype=float),
            efficiency=ranged.efficiency,
        )

    def _per_session(self, amount: FloatArray) -> FloatArray:
        sessions = len(self._ranged.sessions)
        return np.bincount(self._session, weights=amount, minlength=sessions).astype(float)


def _find_at_prices(
    find_at: Callable[[float], Schedule], prices: Sequence[float]
) -> list[Schedule]:
    """Return the cheapest schedules at several prices on changes, in their order.

    Where two prices have the same cheapest schedule, prices between them have it as well.
    """
    last = len(prices) - 1
    found = {place: find_at(prices[place]) for place in (0, last)}
    open_stretches = [(0, last)]
    while open_stretches:
        first, end = open_stretches.pop()
        if end - first < 2 or np.array_equal(found[first], found[end]):
            continue
        middle = (first + end) // 2
        found[middle] = find_at(prices[middle])
        open_stretches += [(first, middle), (middle, end)]
    return [found[place] for place in sorted(found)]


def _find_inner_rows(model: LinearModel, ranged: RangedUse, use: Indices) -> IndexArray:
    """Return the rows that a choice of ranges settles.

    They are those of its starts, and those that tie its use to its binaries alone.
    """
    is_start = np.zeros(model.cost.size, dtype=bool)
    is_start[ranged.starts] = True
    is_binary = is_start.copy()
    is_binary[ranged.on.ravel()] = True
    is_use = np.zeros(model.cost.size, dtype=bool)
    is_use[use] = True
    has_start = model.rows_with(is_start)
    has_binary = model.rows_with(is_binary)
    has_other = model.rows_with(~is_binary & ~is_use)
    return np.flatnonzero(has_start | (has_binary & ~has_other))


def list_choices(built: Formulation) -> list[DeviceChoice]:
    """Return the devices with binaries, where these are all binaries of the model.

    None where it has others, or where no device has ranges of power.
    """
    model = built.model
    choices: list[DeviceChoice] = []
    for columns in built.load_columns.loads:
        if columns.block is not None:
            kwh = np.broadcast_to(np.asarray(columns.kwh, dtype=float), columns.block.on.shape)
            choices.append(SwitchedChoice(columns.block, kwh))
        elif columns.ranged is not None:
            choices.append(RangedChoice(columns.ranged, columns.use, model, built.balanced))
    chosen = sum(choice.columns.size for choice in choices)
    has_ranges = any(columns.ranged for columns in built.load_columns.loads)
    if not has_ranges or chosen != np.count_nonzero(model.integer == CHOSEN):
        return []
    return choices
