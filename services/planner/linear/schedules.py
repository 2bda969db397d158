"""Find the cheapest schedule of an on/off load at given prices, by dynamic programming.

A state is how long the load has been on or off, and how much each open need has got. The rows that
such a load adds to a linear model are weaker: they allow mixtures of schedules, and fractions of
needs that no schedule meets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import Indices, InfeasibleError
from services.planner.loops import loop, loop_part

# Tolerance of shares of slots.
_SAME_SHARE = 1e-9
# Most joint states of needs; needs beyond it are ignored, and a schedule may then cost more than
# stated.
_MOST_LEVELS = 10_000


@dataclass(frozen=True, slots=True)
class RunRules:
    """Run and rest times in slots.

    ``longest_rest`` 0: unlimited. ``was_on`` is None without a history.

    ``sessions`` is the number of slots at the start in which the state may not change, ``rested``
    the slots that it has been off.
    """

    shortest_run: int = 1
    shortest_rest: int = 1
    longest_rest: int = 0
    was_on: bool | None = None
    sessions: int = 0
    rested: int = 0

    def bounds(self, allowed: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper bound of ``on`` per slot.

        A run in progress may continue where none may start.
        """
        least = np.zeros(allowed.size)
        most = allowed.copy()
        if self.was_on is not None:
            least[: self.sessions] = most[: self.sessions] = float(self.was_on)
        return least, most


def read_rules(
    rules: tuple[float, float, float], state: tuple[float, float], hours: FloatArray
) -> RunRules:
    """Return rules in slots from hours.

    ``rules`` are shortest run, shortest rest and longest rest, ``state`` the time on and the time
    off so far.
    """
    run, rest, gap = rules
    on, off = state
    slot = float(hours.max())
    due = 0.0
    was_on = None
    if on > 0:
        due = run - on
        was_on = True
    elif off > 0:
        due = rest - off
        was_on = False
    # Slots that begin before it is due; the first one may be short.
    sessions = int(np.searchsorted(np.cumsum(hours) - hours, due - 1e-9))
    longest = max(int(gap / slot + 1e-9), 1) if np.isfinite(gap) else 0
    return RunRules(
        max(_slots_up(run, slot), 1),
        max(_slots_up(rest, slot), 1),
        longest,
        was_on,
        sessions,
        _slots_up(off, slot),
    )


def _slots_up(hours: float, slot: float) -> int:
    return max(int(np.ceil(hours / slot - 1e-9)), 0)


@dataclass(frozen=True, slots=True, eq=False)
class SlotNeed:
    """A need of on-time in slots from ``first`` on.

    It is at most ``most``, and each slot missing from ``required`` costs ``price``.

    ``share`` is each slot's length relative to a whole one, ``(slots of the need,)``: 1, except for
    a short first slot of the horizon.
    """

    first: int
    share: FloatArray
    required: float
    most: float
    price: float

    @property
    def end(self) -> int:
        """The slot after the last."""
        return self.first + self.share.size

    def levels(self) -> FloatArray:
        """Return the amounts that it may have got so far, ascending.

        Amounts beyond the last are equivalent to it.
        """
        reached = np.arange(self.share.size + 1.0)
        if self.share[0] < 1.0:
            reached = np.unique(np.concatenate([reached, reached + self.share[0]]))
        if self.most < self.share.size:
            enough = reached > self.most + _SAME_SHARE
        else:
            enough = reached >= self.required - _SAME_SHARE
        if not enough.any():
            return reached
        return reached[: int(enough.argmax()) + 1]

    def cost(self, level: FloatArray) -> FloatArray:
        """Return the cost of ending with ``level``."""
        return np.where(
            level > self.most + _SAME_SHARE,
            np.inf,
            self.price * np.maximum(self.required - level, 0.0),
        )


@dataclass(frozen=True, slots=True)
class _Span:
    """Neighbouring slots with the same open needs.

    ``step`` maps their states by one slot of on-time, ``following`` into those of the next span.
    ``ended`` is the cost of each state by the needs that end with the span.
    """

    first: int
    end: int
    step: IndexArray
    following: IndexArray
    ended: FloatArray


@dataclass(frozen=True, slots=True)
class OnOffSchedule:
    """Slots in which a load is on (1, else 0), and costs missing from the model."""

    on: FloatArray
    cost: float


class ScheduleFinder(Protocol):
    """Finds the cheapest schedule that a load's rules allow."""

    def find(self, price: FloatArray) -> OnOffSchedule:
        """Return the cheapest schedule where being on also costs a ``price``, (slots,).

        That price is not part of the schedule's cost.

        Raises:
            InfeasibleError: there is none.
        """


@dataclass(frozen=True)
class Schedules:
    """The allowed schedules of an on/off load.

    ``cost`` is the cost of being on besides energy, ``least`` and ``most`` whether it must and may
    be on, all ``(slots,)``; a start costs ``start_price``, a slot beyond the longest rest
    ``late_price``.
    """

    cost: FloatArray
    least: FloatArray
    most: FloatArray
    rules: RunRules
    needs: Sequence[SlotNeed]
    start_price: float
    late_price: float

    def find(self, price: FloatArray) -> OnOffSchedule:
        """Return the cheapest schedule where being on also costs a ``price``, (slots,).

        That price is not part of the schedule's cost.

        Raises:
            InfeasibleError: there is none.
        """
        cost = self.cost + price
        slots = cost, self.least, self.most
        priced = self._rules, self.start_price, self.late_price
        schedule, value = _find_cheapest(slots, self._steps, priced)
        if not np.isfinite(value):
            raise InfeasibleError("a load has no schedule that keeps its rules")
        return OnOffSchedule(schedule, value - float(price @ schedule))

    @cached_property
    def _rules(self) -> tuple[int, int, int, int, int, bool]:
        """The rules as the compiled loops take them.

        They are the states of runs and of rests, the shortest rest, the longest one, the slot by
        which the first has to end, and whether it is on at the start.
        """
        rules = self.rules
        rests = max(rules.longest_rest + 1 if rules.longest_rest else 1, rules.shortest_rest)
        deadline = max(rules.longest_rest - rules.rested, 0) if rules.longest_rest else -1
        return (
            rules.shortest_run,
            rests,
            rules.shortest_rest,
            rules.longest_rest,
            deadline,
            bool(rules.was_on),
        )

    @cached_property
    def _steps(self) -> "_Steps":
        """The steps of all spans as the compiled loop takes them.

        They are the slot after each span, its number of states, and its ``step``, ``following`` and
        ``ended``, each ``(spans, most states)``.
        """
        spans = self._list_spans()
        states = np.array([span.step.size for span in spans], dtype=np.intp)
        shape = (len(spans), int(states.max(initial=1)))
        step = np.zeros(shape, dtype=np.intp)
        following = np.zeros(shape, dtype=np.intp)
        ended = np.zeros(shape)
        for place, span in enumerate(spans):
            step[place, : span.step.size] = span.step
            following[place, : span.step.size] = span.following
            ended[place, : span.step.size] = span.ended
        ends = np.array([span.end for span in spans], dtype=np.intp)
        return ends, states, step, following, ended

    def _list_spans(self) -> list[_Span]:
        counted: list[SlotNeed] = []
        for need in self.needs:
            beside = [
                other for other in counted if other.first < need.end and need.first < other.end
            ]
            levels = [open_need.levels().size for open_need in (need, *beside)]
            if np.prod(levels) <= _MOST_LEVELS:
                counted.append(need)
        return list(_list_spans(counted, self.cost.size))


@dataclass(frozen=True, slots=True)
class ScheduleBlock:
    """An on/off load in a model, and its allowed schedules.

    ``columns`` and ``rows`` are contiguous, and the rows are over these columns alone. Rows outside
    the block have entries in the ``on`` columns alone.
    """

    columns: slice
    rows: slice
    on: Indices
    schedules: ScheduleFinder

    def find_nearest(self, on: FloatArray) -> OnOffSchedule:
        """Return the schedule nearest to ``on`` (0–1 per slot).

        Raises:
            InfeasibleError: there is none.
        """
        return self.schedules.find(1.0 - 2.0 * on)


@dataclass(frozen=True, slots=True)
class _OpenNeeds:
    """Needs that are open at once.

    ``levels`` are those of each; ``places`` is each joint state's index into them,
    ``(needs, states)``.
    """

    needs: tuple[SlotNeed, ...]
    levels: tuple[FloatArray, ...]
    places: IndexArray

    @classmethod
    def at(cls, needs: Sequence[SlotNeed], slot: int) -> "_OpenNeeds":
        """Return the needs that are open in a slot."""
        opened = tuple(need for need in needs if need.first <= slot < need.end)
        levels = tuple(need.levels() for need in opened)
        shape = tuple(reached.size for reached in levels)
        places = np.indices(shape).reshape(len(opened), int(np.prod(shape)))
        return cls(opened, levels, places)

    def find(self, places: Sequence[IndexArray], states: int) -> IndexArray:
        """Return the joint state of each need's level index, for ``states`` states."""
        if not places:
            return np.zeros(states, dtype=np.intp)
        shape = tuple(reached.size for reached in self.levels)
        return np.ravel_multi_index(tuple(places), shape)

    def step(self, slot: int) -> IndexArray:
        """Return the state after each one by being on in a slot."""
        places = []
        for need, reached, place in zip(self.needs, self.levels, self.places, strict=True):
            more = reached + need.share[slot - need.first] - _SAME_SHARE
            following = np.minimum(np.searchsorted(reached, more), reached.size - 1)
            places.append(following[place])
        return self.find(places, self.places.shape[1])

    def go_on(self, after: "_OpenNeeds") -> IndexArray:
        """Return each state's successor among the needs open ``after`` these.

        New ones start at 0.
        """
        places = dict(zip(self.needs, self.places, strict=True))
        states = self.places.shape[1]
        begins = np.zeros(states, dtype=np.intp)
        return after.find([places.get(need, begins) for need in after.needs], states)

    def end(self, slot: int) -> FloatArray:
        """Return the cost of each state by the needs that end at a slot."""
        cost = np.zeros(self.places.shape[1])
        for need, reached, place in zip(self.needs, self.levels, self.places, strict=True):
            if need.end == slot:
                cost = cost + need.cost(reached)[place]
        return cost


def _list_spans(needs: Sequence[SlotNeed], slots: int) -> Iterator[_Span]:
    edges = {0, slots}
    for need in needs:
        edges |= {need.first, need.end}
        if need.share[0] < 1.0:
            edges.add(need.first + 1)
    opened = [(edge, _OpenNeeds.at(needs, edge)) for edge in sorted(edges)]
    for (first, now), (end, after) in pairwise(opened):
        yield _Span(first, end, now.step(first), now.go_on(after), now.end(end))


# States: on for 1, 2, … slots, the last one for longer too; then off for 0, 1, … slots, 0 only
# before the first slot.
_Rules = tuple[int, int, int, int, int, bool]
_Steps = tuple[IndexArray, IndexArray, IndexArray, IndexArray, FloatArray]


@loop_part
def _turn_on(state: int, slot: int, rules: _Rules) -> int:
    """Return the state after a slot spent on, -1 where it may not start."""
    runs, _, shortest_rest, _, _, was_on = rules
    if state < runs:
        return min(state + 1, runs - 1)
    rested = state - runs
    return 0 if rested >= shortest_rest or (rested == slot and not was_on) else -1


@loop_part
def _turn_off(state: int, rules: _Rules) -> int:
    """Return the state after a slot spent off, -1 where it may not stop."""
    runs = rules[0]
    rests = rules[1]
    if state < runs:
        return runs + 1 if state == runs - 1 else -1
    return min(state + 1, runs + rests)


@loop_part
def _is_late(state: int, slot: int, rules: _Rules) -> bool:
    """Return whether a slot is beyond the longest rest, by the state after it."""
    runs, _, _, longest, deadline, _ = rules
    rested = state - runs
    if longest <= 0:
        return False
    rested_too_long = rested > longest and slot > longest
    never_ran = slot == deadline and rested == slot + 1
    return rested_too_long or never_ran


@loop_part
def _step_back(
    costs: tuple[FloatArray, FloatArray],
    chosen: NDArray[np.bool_],
    bounds: tuple[int, float, float, float],
    steps: tuple[IndexArray, _Rules, float, float],
) -> None:
    """Write the costs-to-go before a slot from those after it, ``(states, levels)``."""
    after, before = costs
    slot, cost, least, most = bounds
    step, rules, start_price, late_price = steps
    for state in range(after.shape[0]):
        on = _turn_on(state, slot, rules) if most > 0 else -1
        off = _turn_off(state, rules) if least <= 0 else -1
        on_cost = cost + (start_price if state >= rules[0] else 0.0)
        off_cost = late_price if off >= 0 and _is_late(off, slot, rules) else 0.0
        for level in range(step.size):
            before[state, level] = off_cost + after[off, level] if off >= 0 else np.inf
            if on >= 0:
                value = on_cost + after[on, step[level]]
                if value < before[state, level]:
                    before[state, level] = value
                    chosen[state, level] = True


@loop_part
def _follow(
    schedule: FloatArray, chosen: NDArray[np.bool_], begin: tuple[int, _Rules], steps: _Steps
) -> None:
    """Write the schedule of the decisions from a state on."""
    state, rules = begin
    ends, _, steps_on, following, _ = steps
    level = 0
    slot = 0
    for span in range(ends.size):
        while slot < ends[span]:
            if chosen[slot, state, level]:
                schedule[slot] = 1.0
                # A chosen start is an allowed one.
                state = min(state + 1, rules[0] - 1) if state < rules[0] else 0
                level = steps_on[span, level]
            else:
                state = _turn_off(state, rules)
            slot += 1
        level = following[span, level]


@loop
def _find_cheapest(
    slots: tuple[FloatArray, FloatArray, FloatArray],
    steps: _Steps,
    priced: tuple[_Rules, float, float],
) -> tuple[FloatArray, float]:
    """Return the cheapest schedule and its cost, infinite where there is none."""
    cost, least, most = slots
    ends, counts, steps_on, following, ended = steps
    rules, start_price, late_price = priced
    states = rules[0] + rules[1] + 1
    width = steps_on.shape[1]
    chosen = np.zeros((cost.size, states, width), dtype=np.bool_)
    after = np.zeros((states, width))
    before = np.zeros((states, width))
    slot = cost.size - 1
    for span in range(ends.size - 1, -1, -1):
        levels = counts[span]
        for state in range(states):
            for level in range(levels):
                before[state, level] = after[state, following[span, level]] + ended[span, level]
        after, before = before, after
        first = ends[span - 1] if span > 0 else 0
        step = (steps_on[span, :levels], rules, start_price, late_price)
        while slot >= first:
            bounds = (slot, cost[slot], least[slot], most[slot])
            _step_back((after, before), chosen[slot], bounds, step)
            after, before = before, after
            slot -= 1
    state = rules[0] - 1 if rules[5] else rules[0]
    schedule = np.zeros(cost.size)
    value = after[state, 0]
    if value < np.inf:
        _follow(schedule, chosen, (state, rules), steps)
    return schedule, value


LOOPS = (_find_cheapest,)


def load_kernels() -> None:
    """Load the compiled loops, or compile them the first time."""
    one = np.ones(1)
    Schedules(one, 0.0 * one, one, RunRules(), [], 0.0, 0.0).find(one)
