"""Choose a device's power range by slot, such as a charger's on one or three phases.

It finds the cheapest choice at given costs, and small changes of a choice.
A choice has a number per slot: 0 for off, then 1, 2, … for the ranges in ascending order. Entering
a range costs a start; a run within a range lasts its shortest time, unless the device's session
ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.loops import loop, loop_part

Ranges = NDArray[np.int64]

# Cost of a range that a slot does not allow: beyond every price.
FORBIDDEN = 1e9
# Changes that gain less than this are not worth a trial, in the site's currency.
_LEAST_GAIN = 1e-5
# The longest part of a choice that is changed at once, slots.
_LONGEST_CHANGE = 32
# Of changes of similar length the best is tried: the upper ends of these classes, slots.
_LENGTHS = (1, 2, 4, 8, 16, _LONGEST_CHANGE)
# Rounds of bisection for the price at which a choice uses the energy that is needed.
_ENERGY_ROUNDS = 16
# Extra cost of a later slot, to tell slots of equal price apart.
_IN_ORDER = 1e-5
# Stored energies this near count as equal, kWh.
_SAME_KWH = 1e-6
# A run is moved by at most this many slots, or else to the best place of all.
_NEAR = 3


@dataclass(frozen=True, slots=True)
class RangeRules:
    """Rules for changes of a device's range.

    ``begins`` marks slots that do not follow the one before, ``(slots,)``; ``goes_on`` says that
    the device runs when the first slot begins, so that it starts there at no cost.
    """

    begins: BoolArray
    shortest_run: int
    start_price: float
    goes_on: bool

    def count_starts(self, ranges: Ranges) -> int:
        """Return how often a choice enters a range at a cost."""
        return int(_count_starts(ranges, self.begins, 0, ranges.size)) - self._free_start(ranges)

    def price(self, cost: FloatArray, ranges: Ranges) -> float:
        """Return the price of a choice at ``cost``, ``(1 + ranges, slots)``."""
        used = float(_sum_costs(cost, ranges))
        return used + self.start_price * self.count_starts(ranges)

    def find(self, cost: FloatArray) -> Ranges:
        """Return the cheapest choice at ``cost``, ``(1 + ranges, slots)``."""
        rules = (self.shortest_run, self.start_price, self.goes_on)
        return np.asarray(_find_cheapest(np.ascontiguousarray(cost), self.begins, rules))

    def find_with_energy(
        self,
        cost: FloatArray,
        high_kwh: FloatArray,
        needed: tuple[IndexArray, FloatArray],
        *,
        highest_price: float,
    ) -> Ranges:
        """Return the cheapest choice in which every session can use the energy it needs.

        It is the one at the lowest price on each session's energy that suffices.

        Args:
            cost: of each range and slot, ``(1 + ranges, slots)``.
            high_kwh: the highest use of each range and slot, ``(ranges, slots)``.
            needed: the session of each slot, and what each session needs, kWh.
            highest_price: the highest such price, in the site's currency per kWh.
        """
        rules = (self.shortest_run, self.start_price, self.goes_on)
        # Slots of one price are taken in order, as many as are needed.
        ordered = np.ascontiguousarray(cost).copy()
        ordered[1:] += _IN_ORDER * np.arange(cost.shape[1])
        return np.asarray(
            _find_with_energy(ordered, self.begins, rules, (high_kwh, *needed, highest_price))
        )

    def list_changes(self, cost: FloatArray, ranges: Ranges) -> Iterator[tuple[float, Ranges]]:
        """Yield choices with another stretch of slots or a moved run, after their added cost.

        The added cost is below zero.
        """
        cost = np.ascontiguousarray(cost)
        rules = (self.shortest_run, self.start_price)
        best = _find_stretches(ranges, cost, self.begins, rules)
        shorter = 1
        for longest in _LENGTHS:
            for chosen in range(cost.shape[0]):
                group = best[chosen, shorter : longest + 1]
                added, first, end = group[int(group[:, 0].argmin())]
                if added < -_LEAST_GAIN:
                    changed = ranges.copy()
                    changed[int(first) : int(end)] = chosen
                    yield float(added), changed
            shorter = longest + 1
        for added, first, end, place in _find_moves(ranges, cost, self.begins, rules):
            if added < -_LEAST_GAIN:
                run = slice(int(first), int(end))
                moved = ranges.copy()
                moved[run] = 0
                moved[int(place) : int(place + end - first)] = ranges[run]
                yield float(added), moved

    def _free_start(self, ranges: Ranges) -> int:
        return int(self.goes_on and ranges.size > 0 and ranges[0] > 0)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Stored energy that a choice must reach, and not exceed, at the end of each session.

    Args:
        session: the session of each slot, ``(slots,)``.
        low_kwh: the lowest use of each range, ``(ranges, slots)``.
        high_kwh: the highest use (same shape).
        arrival_kwh: stored energy at the begin of each session, NaN where it goes on from the one
            before, ``(sessions,)``.
        required_kwh: stored energy at its end, at most what it can reach.
        most_kwh: the most that it can store.
        efficiency: share of the energy used that is stored.
    """

    session: IndexArray
    low_kwh: FloatArray
    high_kwh: FloatArray
    arrival_kwh: FloatArray
    required_kwh: FloatArray
    most_kwh: FloatArray
    efficiency: float

    def allows(self, ranges: Ranges) -> bool:
        """Return whether each session can get the energy it needs, and is not overfilled."""
        use = self.session, self.low_kwh, self.high_kwh, self.efficiency
        stored = self.arrival_kwh, self.required_kwh, self.most_kwh
        return bool(_keeps_limits(ranges, use, stored))


@loop
def _keeps_limits(
    ranges: Ranges,
    use: tuple[IndexArray, FloatArray, FloatArray, float],
    stored: tuple[FloatArray, FloatArray, FloatArray],
) -> bool:
    session, low_kwh, high_kwh, efficiency = use
    arrival_kwh, required_kwh, most_kwh = stored
    sessions = arrival_kwh.size
    lowest_use = np.zeros(sessions)
    highest_use = np.zeros(sessions)
    for slot in range(ranges.size):
        if ranges[slot] > 0:
            lowest_use[session[slot]] += low_kwh[ranges[slot] - 1, slot]
            highest_use[session[slot]] += high_kwh[ranges[slot] - 1, slot]
    lowest = 0.0
    highest = 0.0
    for place in range(sessions):
        if not np.isnan(arrival_kwh[place]):
            lowest = arrival_kwh[place]
            highest = arrival_kwh[place]
        lowest += lowest_use[place] * efficiency
        highest = min(highest + highest_use[place] * efficiency, most_kwh[place])
        if highest < required_kwh[place] - _SAME_KWH or lowest > most_kwh[place] + _SAME_KWH:
            return False
    return True


@loop
def _sum_costs(cost: FloatArray, ranges: Ranges) -> float:
    used = 0.0
    for slot in range(ranges.size):
        used += cost[ranges[slot], slot]
    return used


@loop
def _count_starts(ranges: Ranges, begins: BoolArray, first: int, end: int) -> int:
    """Return how many runs begin in slots ``first`` to ``end`` (exclusive)."""
    count = 0
    for slot in range(first, min(end, ranges.size)):
        if ranges[slot] > 0 and (begins[slot] or ranges[slot - 1] != ranges[slot]):
            count += 1
    return count


@loop_part
def _keeps_runs(
    ranges: Ranges, begins: BoolArray, shortest_run: int, touched: tuple[int, int]
) -> bool:
    """Return whether all runs in or beside the slots ``touched`` (first, last) are long enough."""
    first, last = touched
    slot = max(first - 1, 0)
    while slot > 0 and not begins[slot] and ranges[slot] == ranges[slot - 1]:
        slot -= 1
    while slot < ranges.size and slot <= last + 1:
        end = slot + 1
        while end < ranges.size and not begins[end] and ranges[end] == ranges[slot]:
            end += 1
        is_cut = end == ranges.size or begins[end]
        if ranges[slot] > 0 and end - slot < shortest_run and not is_cut:
            return False
        slot = end
    return True


@loop
def _find_cheapest(cost: FloatArray, begins: BoolArray, rules: tuple[int, float, bool]) -> Ranges:
    """Return the cheapest choice.

    States: off, then for each range how many slots its run has lasted, up to the shortest run.
    """
    shortest_run, start_price, goes_on = rules
    choices, slots = cost.shape
    states = 1 + (choices - 1) * shortest_run
    before = np.full(states, np.inf)
    before[0] = 0.0
    came_from = np.zeros((slots, states), dtype=np.int64)
    for slot in range(slots):
        after = np.full(states, np.inf)
        for state in range(states):
            if before[state] == np.inf:
                continue
            present = 0
            length = shortest_run
            if state > 0 and not begins[slot]:
                present = 1 + (state - 1) // shortest_run
                length = (state - 1) % shortest_run + 1
            if length >= shortest_run:
                for choice in range(choices):
                    if choice > 0 and choice == present:
                        continue
                    entered = 0
                    added = cost[choice, slot]
                    if choice > 0:
                        entered = 1 + (choice - 1) * shortest_run
                        if goes_on and slot == 0:
                            entered += shortest_run - 1
                        else:
                            added += start_price
                    if before[state] + added < after[entered]:
                        after[entered] = before[state] + added
                        came_from[slot, entered] = state
            if present > 0:
                kept = (present - 1) * shortest_run + min(length + 1, shortest_run)
                if before[state] + cost[present, slot] < after[kept]:
                    after[kept] = before[state] + cost[present, slot]
                    came_from[slot, kept] = state
        before = after
    state = 0
    for ended in range(states):
        if before[ended] < before[state]:
            state = ended
    chosen = np.zeros(slots, dtype=np.int64)
    for slot in range(slots - 1, -1, -1):
        if state > 0:
            chosen[slot] = 1 + (state - 1) // shortest_run
        state = came_from[slot, state]
    return chosen


@loop
def _find_with_energy(
    cost: FloatArray,
    begins: BoolArray,
    rules: tuple[int, float, bool],
    energy: tuple[FloatArray, IndexArray, FloatArray, float],
) -> Ranges:
    """Return the cheapest choice that gives each session its energy, by bisection of its price."""
    high_kwh, session, needed, highest_price = energy
    choices, slots = cost.shape
    sessions = needed.size
    low = np.zeros(sessions)
    high = np.zeros(sessions)
    price = np.zeros(sessions)
    ranges = np.zeros(slots, dtype=np.int64)
    priced = np.zeros((choices, slots))
    # Expressions over whole arrays take seconds to compile; loops do not.
    for turn in range(_ENERGY_ROUNDS + 2):
        for slot in range(slots):
            priced[0, slot] = cost[0, slot]
            for choice in range(1, choices):
                bonus = price[session[slot]] * high_kwh[choice - 1, slot]
                priced[choice, slot] = cost[choice, slot] - bonus
        ranges = _find_cheapest(priced, begins, rules)
        used = np.zeros(sessions)
        for slot in range(slots):
            if ranges[slot] > 0:
                used[session[slot]] += high_kwh[ranges[slot] - 1, slot]
        lacking = 0
        for place in range(sessions):
            is_enough = used[place] >= needed[place]
            if not is_enough:
                lacking += 1
            if turn == 0:
                high[place] = 0.0 if is_enough else highest_price
            elif is_enough:
                high[place] = price[place]
            else:
                low[place] = price[place]
            price[place] = (low[place] + high[place]) / 2 if turn < _ENERGY_ROUNDS else high[place]
        if turn == 0 and lacking == 0:
            break
    return ranges


@loop
def _find_stretches(
    ranges: Ranges, cost: FloatArray, begins: BoolArray, rules: tuple[int, float]
) -> FloatArray:
    """Return the best stretch of slots to change to each range, by its length.

    Each has its added cost, its first slot and the slot after its last:
    ``(1 + ranges, lengths, 3)``.
    """
    shortest_run, start_price = rules
    choices, slots = cost.shape
    best = np.full((choices, _LONGEST_CHANGE + 1, 3), -_LEAST_GAIN)
    trial = ranges.copy()
    # Starts before each slot, so that those of a stretch are a difference.
    starts_before = np.zeros(slots + 1, dtype=np.int64)
    for slot in range(slots):
        starts_before[slot + 1] = starts_before[slot] + _count_starts(
            ranges, begins, slot, slot + 1
        )
    for choice in range(choices):
        for first in range(slots):
            if ranges[first] == choice:
                continue
            energy_cost = 0.0
            for end in range(first + 1, min(first + _LONGEST_CHANGE, slots) + 1):
                last = end - 1
                if cost[choice, last] >= FORBIDDEN or (last > first and begins[last]):
                    break
                if ranges[last] == choice:
                    continue
                energy_cost += cost[choice, last] - cost[ranges[last], last]
                length = end - first
                # Joining two runs saves one start, replacing runs the starts of each.
                starts = starts_before[min(end + 1, slots)] - starts_before[first]
                if energy_cost - start_price * starts >= best[choice, length, 0]:
                    continue
                for slot in range(first, end):
                    trial[slot] = choice
                if _keeps_runs(trial, begins, shortest_run, (first, last)):
                    begun = _count_starts(trial, begins, first, end + 1)
                    added = energy_cost + start_price * (begun - starts)
                    if added < best[choice, length, 0]:
                        best[choice, length, 0] = added
                        best[choice, length, 1] = first
                        best[choice, length, 2] = end
                for slot in range(first, end):
                    trial[slot] = ranges[slot]
    return best


@loop
def _find_moves(
    ranges: Ranges, cost: FloatArray, begins: BoolArray, rules: tuple[int, float]
) -> FloatArray:
    """Return for each run the best place near its own, and the best of all.

    Each has its added cost, the run's first slot, the slot after its last, and the first slot of
    the place.
    """
    shortest_run, start_price = rules
    slots = ranges.size
    found = np.full((2 * slots, 4), np.inf)
    count = 0
    first = 0
    present = _count_starts(ranges, begins, 0, slots)
    while first < slots:
        end = first + 1
        while end < slots and not begins[end] and ranges[end] == ranges[first]:
            end += 1
        chosen = ranges[first]
        if chosen > 0:
            length = end - first
            without = ranges.copy()
            without[first:end] = 0
            released = 0.0
            for slot in range(first, end):
                released += cost[0, slot] - cost[chosen, slot]
            for reach in (_NEAR, slots):
                lowest = np.inf
                target = -1
                for place in range(max(first - reach, 0), min(first + reach, slots - length) + 1):
                    if place == first:
                        continue
                    added = released
                    for slot in range(place, place + length):
                        if without[slot] > 0 or (slot > place and begins[slot]):
                            added = np.inf
                            break
                        added += cost[chosen, slot] - cost[0, slot]
                    if added - start_price >= lowest:
                        continue
                    moved = without.copy()
                    moved[place : place + length] = chosen
                    if _keeps_runs(moved, begins, shortest_run, (place, place + length - 1)):
                        begun = _count_starts(moved, begins, 0, slots)
                        added += start_price * (begun - present)
                        if added < lowest:
                            lowest = added
                            target = place
                if target >= 0:
                    found[count, 0] = lowest
                    found[count, 1] = first
                    found[count, 2] = end
                    found[count, 3] = target
                    count += 1
        first = end
    return found[:count]


LOOPS = (
    _keeps_limits,
    _sum_costs,
    _count_starts,
    _find_cheapest,
    _find_with_energy,
    _find_stretches,
    _find_moves,
)


def load_kernels() -> None:
    """Load the compiled loops, or compile them the first time."""
    rules = RangeRules(np.zeros(2, dtype=bool), 1, 0.0, goes_on=False)
    cost = np.array([[0.0, 0.0], [1.0, -1.0]])
    rules.price(cost, rules.find(cost))
    needed = np.zeros(2, dtype=np.intp), np.ones(1)
    rules.find_with_energy(cost, np.ones((1, 2)), needed, highest_price=2.0)
    list(rules.list_changes(cost, rules.find(cost)))
    one = np.ones(1)
    limits = SessionLimits(needed[0], np.ones((1, 2)), np.ones((1, 2)), one, one, one, 1.0)
    limits.allows(rules.find(cost))
