"""Choose one battery's flow directions in slots of non-convex cost, by dynamic programming.

A slot with a feed-in price above the import price, or where burning energy is paid for, is convex
once its directions are fixed: import or export, charge or discharge; one with a least charging
power once it is fixed whether it charges. The value function over all directions is not concave but
piecewise linear, with a few dozen pieces at most. Source: docs/decisions/0031.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.dp import envelopes
from services.planner.dp.segments import SERVE_FORCED, STORE_CURTAILED, Segments, problem_segments
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Problem

# Whether a slot may import, export, charge, discharge.
Allowed = tuple[bool, bool, bool, bool]
_FREE: Allowed = (True, True, True, True)
_HALVES: tuple[Allowed, ...] = ((True, True, True, False), (True, True, False, True))
_QUARTERS: tuple[Allowed, ...] = (
    (True, False, True, False),
    (True, False, False, True),
    (False, True, True, False),
    (False, True, False, True),
)
# Penalty on forbidden flows, in multiples of the highest price; larger sums would lose fractions of
# a cent to rounding.
_PRICELESS = 1_000.0
# Initial room for the pieces of one slot's function, and per slot for all; number of tries, each
# with twice the room.
_ROOM = 256
_ROOM_PER_SLOT = 32
DOUBLINGS = 6
_SAME_KWH = 1e-9


@dataclass(frozen=True, slots=True)
class SlotOptions:
    """One choice of directions: a concave gain over the stored energy taken out.

    It is open to the slots ``where`` (``(slots,)``). The gain starts at ``begin`` (energy and gain,
    ``(slots, 2)``); each further length gains ``value`` per stored kWh (``(slots, 7)``).
    ``charges``: the choice charges with the least power or more.
    """

    allowed: Allowed
    where: BoolArray
    begin: FloatArray
    length_kwh: FloatArray
    value: FloatArray
    charges: bool = False

    @classmethod
    def of(cls, allowed: Allowed, segments: Segments, *, price: float) -> "SlotOptions":
        """Return the choice described by segments; where discharge is forced, it starts there."""
        value = np.clip(segments.value, -price, price)
        length = segments.length_kwh.copy()
        forced = length[:, SERVE_FORCED]
        charged_worth = (length * value)[:, :SERVE_FORCED].sum(axis=1)
        served = forced > 0
        gain = -segments.rest_cost - np.where(served, 0.0, charged_worth)
        begin = np.stack([np.where(served, forced, -segments.charge_kwh), gain], axis=1)
        length[served, : SERVE_FORCED + 1] = 0.0
        return cls(allowed, segments.covered, begin, length, value)

    def rest(self) -> "SlotOptions":
        """Return the choice without charging."""
        length = self.length_kwh.copy()
        begin = self.begin.copy()
        begin[:, 1] += (length * self.value)[:, :SERVE_FORCED].sum(axis=1)
        begin[:, 0] = np.maximum(begin[:, 0], 0.0)
        length[:, :SERVE_FORCED] = 0.0
        allowed = (*self.allowed[:2], False, self.allowed[3])
        return replace(self, allowed=allowed, begin=begin, length_kwh=length)

    def charge(self, least_kwh: FloatArray) -> "SlotOptions":
        """Return the choice with at least ``least_kwh`` (stored) charged, where slots allow it."""
        room = -self.begin[:, 0] - least_kwh
        length = np.zeros_like(self.length_kwh)
        parts = self.length_kwh[:, :SERVE_FORCED]
        parts_before = np.cumsum(parts, axis=1) - parts
        length[:, :SERVE_FORCED] = np.clip(room[:, None] - parts_before, 0.0, parts)
        return replace(
            self,
            allowed=(*self.allowed[:3], False),
            where=self.where & (room >= -_SAME_KWH),
            length_kwh=length,
            charges=True,
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The optimal directions of every slot, and their cost.

    ``charges`` marks slots that charge with the least power or more.
    """

    direction: Direction
    charges: BoolArray
    objective: float


def choose_directions(
    problem: Problem,
    free: Segments,
    terminal: tuple[FloatArray, FloatArray],
    *,
    least_charge_kw: float = 0.0,
    doublings: int = DOUBLINGS,
) -> Chosen | None:
    """Return the directions of every slot in an optimal plan of one battery.

    Args:
        problem: of a site with one battery.
        free: the slots' segments without fixed directions.
        terminal: V′ at the horizon, over the usable capacity.
        least_charge_kw: least charging power.
        doublings: number of tries, each with twice the room for pieces.

    Returns:
        None where a slot forces energy in or out in all directions, no path is feasible, or the
        room never suffices: the mixed-integer model takes over.
    """
    outlook = problem.outlook
    highest_import = float(np.abs(outlook.import_price).max())
    highest_export = float(np.abs(outlook.export_price).max())
    price = _PRICELESS * max(highest_import, highest_export, 0.1)
    ways = _list_ways(problem, free, price)
    # Every non-convex slot needs a choice with an idle battery, and none that forces it to store.
    rests = np.zeros(outlook.timeline.count, dtype=bool)
    must_store = rests.copy()
    for way in ways:
        rests |= way.where & (way.begin[:, 0] <= 0.0)
        has_curtailed = way.length_kwh[:, STORE_CURTAILED] > 0
        must_store |= way.where & has_curtailed & (way.value[:, STORE_CURTAILED] < 0)
    if not bool((rests & ~must_store)[~free.convex].all()):
        return None
    if least_charge_kw > 0:
        charge_efficiency = problem.site.batteries[0].charge_efficiency
        least_kwh = least_charge_kw * outlook.timeline.hours * charge_efficiency
        ways = _split_charging(ways, least_kwh)
    bounded = (terminal[0], np.clip(terminal[1], -price, price))
    best_path = _walk(problem, ways, bounded, price=price, doublings=doublings)
    if best_path is None:
        return None
    chosen, objective = best_path
    allowed = np.array([way.allowed for way in ways])[chosen]
    charges = np.array([way.charges for way in ways])[chosen]
    return Chosen(Direction(*allowed.T).within(problem.direction), charges, objective)


def _split_charging(ways: Sequence[SlotOptions], least_kwh: FloatArray) -> list[SlotOptions]:
    """Return choices that either do not charge, or with ``least_kwh`` (stored) or more."""
    split = []
    for way in ways:
        if way.allowed[2]:
            split += [way.rest(), way.charge(least_kwh)]
        else:
            split.append(way)
    return split


def _list_ways(problem: Problem, free: Segments, price: float) -> list[SlotOptions]:
    """Return the choices of slots: a single one where convex, else charge or discharge.

    Where that is not convex either, import or export as well.
    """
    whole = SlotOptions.of(_FREE, free, price=price)
    if free.convex.all():
        return [whole]
    halves = _restrict(problem, _HALVES)
    enough = np.logical_and.reduce([part.convex for _, part in halves])
    ways = [replace(whole, where=whole.where & free.convex)]
    for allowed, segments in halves:
        way = SlotOptions.of(allowed, segments, price=price)
        ways.append(replace(way, where=way.where & ~free.convex & enough))
    if (enough | free.convex).all():
        return ways
    for allowed, segments in _restrict(problem, _QUARTERS):
        way = SlotOptions.of(allowed, segments, price=price)
        ways.append(replace(way, where=way.where & ~free.convex & ~enough))
    return ways


def _restrict(problem: Problem, ways: Sequence[Allowed]) -> list[tuple[Allowed, Segments]]:
    """Return each choice of directions with the segments of all slots under it."""
    slots = problem.outlook.timeline.count
    every = Direction(*(np.tile(allowed[:, None], slots) for allowed in np.array(ways).T))
    offered = problem_segments(problem, every.within(problem.direction))
    return [(allowed, offered.pick(place)) for place, allowed in enumerate(ways)]


def _walk(
    problem: Problem,
    ways: Sequence[SlotOptions],
    terminal: tuple[FloatArray, FloatArray],
    *,
    price: float,
    doublings: int,
) -> tuple[IndexArray, float] | None:
    """Return each slot's index into ``ways`` on the optimal path, and the path's cost.

    None where there is none or the room never suffices.
    """
    slot, index = np.nonzero(np.array([way.where for way in ways]).T)
    slots = problem.outlook.timeline.count
    first = np.searchsorted(slot, np.arange(slots + 1))
    begin = np.stack([way.begin for way in ways])[index, slot]
    begin[:, 0] = _round(begin[:, 0])
    length = _round(np.stack([way.length_kwh for way in ways])[index, slot])
    value = np.stack([way.value for way in ways])[index, slot]
    offers = (first, begin, length, value)
    terminal = (_round(terminal[0]), terminal[1])
    offsets = np.empty(slots + 2, dtype=np.int64)
    chosen = np.empty(slots, dtype=np.int64)
    path = np.empty(slots)
    lowest = float(problem.limits.batteries.min_kwh[0, 0])
    start_kwh = float(problem.inside.stored_kwh[0]) - lowest
    reserve = (problem.reserve_above_kwh, price)
    for doubling in range(doublings):
        room = np.empty((5, _ROOM << doubling, 4))
        store = (np.empty(((_ROOM_PER_SLOT << doubling) * (slots + 1), 4)), offsets)
        if envelopes.backward(offers, terminal, reserve, (store, room)):
            gain = envelopes.forward(offers, store, start_kwh, (chosen, path))
            if np.isnan(gain):
                return None
            terminal_worth = float(problem.terminal.value[0]) * (float(path[-1]) + lowest)
            return index[chosen], -gain - terminal_worth
    return None


def _round(energy_kwh: FloatArray) -> FloatArray:
    return np.asarray(np.round(energy_kwh / envelopes.LATTICE) * envelopes.LATTICE)


def most_cost(segments: Segments) -> FloatArray:
    """Return each slot's cost at the largest charge, without serving the load, ``(…, slots)``."""
    worth = segments.length_kwh * segments.value
    charged_worth = worth[..., :SERVE_FORCED].sum(axis=-1)
    return np.asarray(segments.rest_cost + charged_worth + worth[..., SERVE_FORCED])


def worth(terminal: tuple[FloatArray, FloatArray], stored_kwh: float) -> float:
    """Return the terminal value of stored energy."""
    length, value = terminal
    begins = np.cumsum(length) - length
    filled = np.clip(stored_kwh - begins, 0.0, length)
    return float((filled * value).sum())
