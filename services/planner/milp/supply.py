"""Price energy in each slot beside a plan by the plan's own flows, cheapest first.

A slot's use may grow by what is exported or curtailed less, charged less, discharged more, imported
more. Each such flow has a price at the plan's duals (a stored kWh what it is worth later) and an
amount up to its bounds. That is the cost of a device in that slot if stored energy keeps its value;
a dual alone would hold for the first watt-hour only.
"""

from dataclasses import dataclass

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import Indices, LinearModel
from services.planner.loops import loop, loop_part
from services.planner.milp.solver import LinearSolution

# Price of a kWh that no flow supplies: more than any price.
_UNSUPPLIED = 5.0
# Amounts are bounded: kWh that no slot of a home exchanges.
_MOST_KWH = 1e3
# Rounds of bisection for the value of energy: to a ten-thousandth of its span.
_ROUNDS = 16
# Span of values of energy, in the site's currency per kWh, around the present one.
_LOWER = 0.5
_HIGHER = 1.5


@dataclass(frozen=True, slots=True)
class BalanceEntries:
    """The entries of a model's balance rows; ``factor`` is the supply of a column's unit.

    Those of a slot begin at ``starts``, ``(slots + 1,)``.
    """

    starts: IndexArray
    row: IndexArray
    column: IndexArray
    factor: FloatArray

    @classmethod
    def of(cls, model: LinearModel, balanced: Indices) -> "BalanceEntries":
        """Return the entries of the neighbouring rows ``balanced``, one per slot."""
        rows = model.entry_row
        first_row = int(balanced[0])
        slots = balanced.size
        inside = (rows >= first_row) & (rows < first_row + slots) & (model.value != 0)
        where = np.flatnonzero(inside)
        column = model.index[where].astype(np.intp)
        starts = np.searchsorted(rows[where], first_row + np.arange(slots + 1))
        return cls(starts, rows[where], column, model.value[where])

    def curves(
        self, solution: LinearSolution, bounds: tuple[FloatArray, FloatArray], fixed: BoolArray
    ) -> "SupplyCurves":
        """Return the flows of each slot in order of their prices.

        Args:
            solution: of the model.
            bounds: lowest and highest value of each column.
            fixed: columns that do not move, ``(columns,)``.
        """
        entries = self.starts, self.row, self.column, self.factor
        plan = solution.column, solution.reduced_cost, solution.dual
        return SupplyCurves(*_sort_flows(entries, plan, (*bounds, fixed)))


@dataclass(frozen=True, slots=True)
class SupplyCurves:
    """Flows of each slot by ascending price, all ``(slots, flows)``.

    Each has a price per kWh, and energy that it can supply more or less than now.
    """

    price: FloatArray
    more_kwh: FloatArray
    less_kwh: FloatArray

    def cost(self, added_kwh: FloatArray) -> FloatArray:
        """Return the cost of supplying so much more, or less where negative, ``(slots,)``."""
        return np.asarray(_find_cost(self.price, self.more_kwh, self.less_kwh, added_kwh))

    def move_to(self, value: FloatArray) -> FloatArray:
        """Return the additional supply that pays where a kWh is worth ``value``, ``(slots,)``."""
        return np.asarray(_find_move(self.price, self.more_kwh, self.less_kwh, value))

    def find_values(
        self,
        value: FloatArray,
        use_kwh: FloatArray,
        limits: tuple[FloatArray, FloatArray],
        *,
        groups: tuple[IndexArray, int],
    ) -> FloatArray:
        """Return the value of a kWh by slot at which groups just use their present energy.

        It is the lowest such value: where a group uses all that it may, more energy may be worth
        less than the duals say.

        Args:
            value: a first guess, ``(slots,)``.
            use_kwh: the present use, ``(slots,)``.
            limits: lowest and highest use, ``(slots,)`` each.
            groups: the group of each slot (-1: none), and their number.
        """
        group, count = groups
        return np.asarray(
            _find_values(
                (self.price, self.more_kwh, self.less_kwh),
                (value, use_kwh, *limits),
                (group, count),
            )
        )


@loop
def _sort_flows(
    entries: tuple[IndexArray, IndexArray, IndexArray, FloatArray],
    plan: tuple[FloatArray, FloatArray, FloatArray],
    bounds: tuple[FloatArray, FloatArray, BoolArray],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return price, possible growth and possible fall of each slot's flows by ascending price."""
    starts, row, column, factor = entries
    value, reduced_cost, dual = plan
    lower, upper, fixed = bounds
    slots = starts.size - 1
    most = 1
    for slot in range(slots):
        most = max(most, starts[slot + 1] - starts[slot])
    prices = np.full((slots, most), _UNSUPPLIED)
    mores = np.zeros((slots, most))
    lesses = np.zeros((slots, most))
    for slot in range(slots):
        count = 0
        for entry in range(starts[slot], starts[slot + 1]):
            moved = column[entry]
            if fixed[moved]:
                continue
            price = reduced_cost[moved] / factor[entry] + dual[row[entry]]
            size = abs(factor[entry])
            more = min(max((upper[moved] - value[moved]) * size, 0.0), _MOST_KWH)
            less = min(max((value[moved] - lower[moved]) * size, 0.0), _MOST_KWH)
            if factor[entry] < 0:
                more, less = less, more
            place = count
            while place > 0 and prices[slot, place - 1] > price:
                prices[slot, place] = prices[slot, place - 1]
                mores[slot, place] = mores[slot, place - 1]
                lesses[slot, place] = lesses[slot, place - 1]
                place -= 1
            prices[slot, place] = price
            mores[slot, place] = more
            lesses[slot, place] = less
            count += 1
    return prices, mores, lesses


@loop
def _find_cost(
    price: FloatArray, more: FloatArray, less: FloatArray, added: FloatArray
) -> FloatArray:
    slots, flows = price.shape
    cost = np.zeros(slots)
    for slot in range(slots):
        left = added[slot]
        if left > 0:
            for flow in range(flows):
                part = min(left, more[slot, flow])
                cost[slot] += part * price[slot, flow]
                left -= part
            cost[slot] += left * _UNSUPPLIED
        elif left < 0:
            for flow in range(flows - 1, -1, -1):
                part = min(-left, less[slot, flow])
                cost[slot] -= part * price[slot, flow]
                left += part
            cost[slot] -= left * _UNSUPPLIED
    return cost


@loop_part
def _move_slot(curves: tuple[FloatArray, FloatArray, FloatArray], slot: int, value: float) -> float:
    """Return how much more a slot uses where a kWh is worth ``value``."""
    price, more, less = curves
    move = 0.0
    for flow in range(price.shape[1]):
        if price[slot, flow] < value:
            move += more[slot, flow]
        elif price[slot, flow] > value:
            move -= less[slot, flow]
    return move


@loop
def _find_move(
    price: FloatArray, more: FloatArray, less: FloatArray, value: FloatArray
) -> FloatArray:
    move = np.zeros(value.size)
    for slot in range(value.size):
        move[slot] = _move_slot((price, more, less), slot, value[slot])
    return move


@loop
def _find_values(
    curves: tuple[FloatArray, FloatArray, FloatArray],
    uses: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    groups: tuple[IndexArray, int],
) -> FloatArray:
    value, use, lowest, highest = uses
    group, count = groups
    slots = value.size
    needed = np.zeros(count)
    base = np.zeros(count)
    members = np.zeros(count)
    for slot in range(slots):
        if group[slot] >= 0:
            needed[group[slot]] += use[slot]
            base[group[slot]] += value[slot]
            members[group[slot]] += 1.0
    low = np.zeros(count)
    high = np.zeros(count)
    for place in range(count):
        if needed[place] > 1e-6:
            mean = base[place] / members[place]
            low[place] = -mean - _LOWER
            high[place] = -mean + _HIGHER
    for _ in range(_ROUNDS):
        used = np.zeros(count)
        for slot in range(slots):
            place = group[slot]
            if place < 0:
                continue
            worth = value[slot] + (low[place] + high[place]) / 2
            wanted = use[slot] + _move_slot(curves, slot, worth)
            used[place] += min(max(wanted, lowest[slot]), highest[slot])
        for place in range(count):
            middle = (low[place] + high[place]) / 2
            if used[place] >= needed[place] - 1e-6:
                high[place] = middle
            else:
                low[place] = middle
    found = value.copy()
    for slot in range(slots):
        if group[slot] >= 0 and needed[group[slot]] > 1e-6:
            found[slot] += high[group[slot]]
    return found


LOOPS = (_sort_flows, _find_cost, _find_move, _find_values)


def load_kernels() -> None:
    """Load the compiled loops, or compile them the first time."""
    one = np.ones(1)
    zero = np.zeros(1, dtype=np.intp)
    entries = BalanceEntries(np.arange(2), zero, zero, one)
    solution = LinearSolution(one, one, one, 0.0)
    curves = entries.curves(solution, (one, one), np.zeros(1, dtype=bool))
    curves.cost(one)
    curves.move_to(one)
    curves.find_values(one, one, (one, one), groups=(zero, 1))
