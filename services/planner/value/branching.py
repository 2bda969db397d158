"""Slots whose cost is not convex, for one battery: branch and bound over the way each of them goes, bounded by the dynamic programme.

A slot in which selling pays more than buying costs, or burning energy is paid for, is convex once its way is fixed: importing or exporting,
charging or discharging. While it is open, the upper hull of its ways bounds it; the dynamic programme over hulls takes microseconds. Where the
best path lands between two ways, the slot is split. Best bound first; the path that takes each slot's best way beside a relaxed one bounds it from above, and
where both bounds are as close as was asked for, that path is the answer.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray
from services.planner.posing.problem import Problem
from services.planner.value import kernels
from services.planner.value.energy_value import run_backward
from services.planner.value.segments import SERVE_FORCED, STORE_HELD_BACK, Direction, Segments, slot_segments

# Whether a slot may import, export, charge, discharge.
Allowed = tuple[bool, bool, bool, bool]
_HALVES: tuple[Allowed, ...] = ((True, True, True, False), (True, True, False, True))
_QUARTERS: tuple[Allowed, ...] = ((True, False, True, False), (True, False, False, True), (False, True, True, False), (False, True, False, True))
# Wide enough for the hull of four ways.
_WIDTH = 24
# The mixed-integer model takes over sooner where it is fast: over short horizons.
_LEAST_NODES, _NODES_PER_SLOT = 100, 0.5
_GAP = 1e-9


@dataclass(frozen=True, slots=True)
class Way:
    """One way of one slot, or the hull of several: a concave gain over the stored energy taken out, from ``-charge_kwh`` on.

    ``most_cost`` is what the slot costs when it charges at most; taking energy out gains ``value`` per stored kWh, segment by segment.
    """

    allowed: Allowed
    length_kwh: FloatArray
    value: FloatArray
    charge_kwh: float
    most_cost: float

    @property
    def corners(self) -> FloatArray:
        """Corners as rows of energy taken out and gain."""
        energy = np.concatenate([[0.0], np.cumsum(self.length_kwh)]) - self.charge_kwh
        gain = np.concatenate([[0.0], np.cumsum(self.length_kwh * self.value)]) - self.most_cost
        # Before energy that has to be served is served, the way does not exist.
        forced = float(self.length_kwh[SERVE_FORCED])
        return np.stack([energy, gain], axis=1)[energy >= forced - 1e-12 if forced > 0 else slice(None)]


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The best path while open slots count as their hulls: its cost, the energy each slot takes out, and by how much open slots are too cheap."""

    cost: float
    taken_kwh: FloatArray
    gap: Mapping[int, float]
    chosen: Mapping[int, int]


class Search:
    """The ways of one problem's slots, and the relaxation of any choice among them."""

    def __init__(self, problem: Problem, free: Segments, terminal: tuple[FloatArray, FloatArray], *, ways: dict[int, list[Way]]) -> None:
        self.ways = ways
        self._start = float(problem.inside.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0])
        self._terminal, self._capacity, self._reserve = terminal, float(terminal[0].sum()), problem.reserve_above_kwh
        self._length, self._value = (np.pad(part, ((0, 0), (0, _WIDTH - part.shape[1]))) for part in (free.length_kwh, free.value))
        self._charge, self._most_cost = free.charge_kwh.copy(), most_cost(free)
        self._corners = {slot: [way.corners for way in ways] for slot, ways in self.ways.items()}
        self._hulls = {slot: _hull(corners) for slot, corners in self._corners.items()}

    def relax(self, chosen: Mapping[int, int]) -> Relaxed:
        """Return the best path with some slots' ways chosen."""
        for slot, ways in self.ways.items():
            part = ways[chosen[slot]] if slot in chosen else self._hulls[slot]
            self._length[slot], self._value[slot] = 0.0, 0.0
            self._length[slot, : part.length_kwh.size], self._value[slot, : part.value.size] = part.length_kwh, part.value
            self._charge[slot], self._most_cost[slot] = part.charge_kwh, part.most_cost
        slots = (self._length, self._value, self._charge)
        taken, gain = kernels.walk(slots, run_backward(slots, self._terminal, self._capacity, self._reserve), self._start, self._capacity)
        cost = float((self._most_cost - gain).sum()) - worth(self._terminal, self._start - float(taken.sum()))
        gap = {slot: float(gain[slot] - self._most_cost[slot]) - self.best(slot, taken[slot])[0] for slot in self.ways if slot not in chosen}
        return Relaxed(cost, taken, gap, chosen)

    def best(self, slot: int, taken_kwh: float) -> tuple[float, int]:
        """Return the most an open slot can gain when it takes out ``taken_kwh``, and by which way."""
        gains = [
            float(np.interp(taken_kwh, corners[:, 0], corners[:, 1])) if corners[0, 0] - 1e-9 <= taken_kwh <= corners[-1, 0] + 1e-9 else -np.inf
            for corners in self._corners[slot]
        ]
        way = int(np.argmax(gains))
        return gains[way], way

    def round(self, relaxed: Relaxed) -> Relaxed:
        """Return the best path when every open slot goes the way that suits the relaxed one best."""
        open_slots = {slot: self.best(slot, relaxed.taken_kwh[slot])[1] for slot in self.ways if slot not in relaxed.chosen}
        return self.relax({**relaxed.chosen, **open_slots}) if sum(relaxed.gap.values()) > _GAP else relaxed

    def direction(self, relaxed: Relaxed) -> Direction:
        """Return the way every slot goes on a path without gaps."""
        allowed = np.ones((4, relaxed.taken_kwh.size), dtype=bool)
        for slot, ways in self.ways.items():
            way = relaxed.chosen.get(slot)
            allowed[:, slot] = ways[self.best(slot, relaxed.taken_kwh[slot])[1] if way is None else way].allowed
        return Direction(*allowed)


def choose_ways(problem: Problem, free: Segments, terminal: tuple[FloatArray, FloatArray]) -> tuple[Direction, float] | None:
    """Return the way of every slot in a plan of one battery that is optimal within the problem's gap, and how far it may be from the optimum, relative.

    Args:
        problem: of a site with one battery.
        free: the slots' segments without any way fixed.
        terminal: V′ at the horizon, over the usable capacity.

    Returns:
        None where a slot forces energy in or out whatever its way, or the search grows too large: the mixed-integer model takes over.
    """
    ways = find_ways(problem, np.flatnonzero(~free.convex))
    if not all(_exists_at_rest(each) for each in ways.values()):
        return None
    search, order, until = Search(problem, free, terminal, ways=ways), count(), perf_counter() + problem.time_limit_s
    root = search.relax({})
    best = search.round(root)
    heap = [(root.cost, next(order), root)]
    most = max(_LEAST_NODES, int(_NODES_PER_SLOT * free.charge_kwh.size))
    while heap and len(heap) < most and perf_counter() < until:
        bound, _, relaxed = heapq.heappop(heap)
        if best.cost - bound <= max(_GAP, problem.mip_gap * abs(best.cost)):
            return search.direction(best).within(problem.direction), max(best.cost - bound, 0.0) / max(abs(best.cost), _GAP)
        widest = max(relaxed.gap, key=relaxed.gap.__getitem__)
        for way in range(len(search.ways[widest])):
            child = search.relax({**relaxed.chosen, widest: way})
            if child.cost < best.cost - _GAP:
                best = min(best, search.round(child), key=lambda each: each.cost)
                heapq.heappush(heap, (child.cost, next(order), child))
    return None


def find_ways(problem: Problem, slots: NDArray[np.int64]) -> dict[int, list[Way]]:
    """Return the ways of each slot: charging or discharging; where that is not enough, with importing or exporting besides."""
    outlook = problem.outlook

    def segments(allowed: Allowed) -> Segments:
        direction = Direction(*(np.full(outlook.timeline.count, each) for each in allowed)).within(problem.direction)
        prices = (outlook.import_price, outlook.export_price)
        return slot_segments(
            problem.site,
            load_kwh=outlook.load_kwh,
            pv_kwh=outlook.pv_kwh,
            prices=prices,
            hours=outlook.timeline.hours,
            direction=direction,
            import_limit_kwh=problem.import_limit_kwh,
            export_limit_kwh=problem.export_limit_kwh,
            battery_limit_kwh=problem.battery_limit_kwh,
            inverters=problem.limits.inverters,
        )

    halves = {allowed: segments(allowed) for allowed in _HALVES}
    quarters = {allowed: segments(allowed) for allowed in _QUARTERS} if slots.size else {}
    ways = {}
    for slot in slots.tolist():
        enough = all(half.convex[slot] for half in halves.values())
        ways[slot] = [_way(allowed, part, slot) for allowed, part in (halves if enough else quarters).items() if part.covered[slot]]
    return ways


def _way(allowed: Allowed, segments: Segments, slot: int) -> Way:
    return Way(allowed, segments.length_kwh[slot], segments.value[slot], float(segments.charge_kwh[slot]), float(most_cost(segments)[slot]))


def most_cost(segments: Segments) -> FloatArray:
    """Return what each slot costs when it charges at most and serves nothing, shape ``(…, slots)``."""
    worth = segments.length_kwh * segments.value
    return np.asarray(segments.rest_cost + worth[..., :SERVE_FORCED].sum(axis=-1) + worth[..., SERVE_FORCED])


def _exists_at_rest(ways: list[Way]) -> bool:
    """Return whether some way needs the battery to do nothing, and none has to store: what the search can handle."""
    stores = any(way.length_kwh[STORE_HELD_BACK] > 0 and way.value[STORE_HELD_BACK] < 0 for way in ways)
    return not stores and any(way.corners[0, 0] <= 0.0 for way in ways)


def _hull(corners: list[FloatArray]) -> Way:
    """Return the upper concave hull of ways given by their corners."""
    points = np.concatenate(corners)
    # Ways end at the same energy up to rounding: of these only the best counts.
    points = points[np.lexsort((-points[:, 1], np.round(points[:, 0], 9)))]
    upper: list[FloatArray] = []
    for point in points:
        if upper and point[0] - upper[-1][0] <= 1e-9:
            continue
        while len(upper) > 1 and _slope(upper[-1], point) >= _slope(upper[-2], upper[-1]):
            upper.pop()
        upper.append(point)
    energy, gain = np.array(upper).T
    length = np.diff(energy)
    return Way((True, True, True, True), length, np.diff(gain) / length, charge_kwh=-float(energy[0]), most_cost=-float(gain[0]))


def _slope(one: FloatArray, other: FloatArray) -> float:
    return float((other[1] - one[1]) / (other[0] - one[0]))


def worth(terminal: tuple[FloatArray, FloatArray], stored_kwh: float) -> float:
    """Return what stored energy is worth at the horizon."""
    ends = np.cumsum(terminal[0])
    return float((np.clip(stored_kwh - (ends - terminal[0]), 0.0, terminal[0]) * terminal[1]).sum())
