"""Choose the flow directions of slots of non-convex cost for one battery, by an exact dynamic
programme.

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
    """One choice of directions for the slots ``where`` (``(slots,)``): a concave gain over the
    stored energy taken out.

    It starts at ``begin`` (energy and gain, ``(slots, 2)``); each further length gains ``value``
    per stored kWh (``(slots, 7)``). ``charges``: the choice charges with the least power or more.
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
        return replace(
            self,
            allowed=(*self.allowed[:2], False, self.allowed[3]),
            begin=begin,
            length_kwh=length,
        )

    def charge(self, least_kwh: FloatArray) -> "SlotOptions":
        """Return the choice with a charge of at least ``least_kwh`` (stored), in slots that allow
        it.
        """
        room = -self.begin[:, 0] - least_kwh
        length = np.zeros_like(self.length_kwh)
        parts = self.length_kwh[:, :SERVE_FORCED]
        length[:, :SERVE_FORCED] = np.clip(
            room[:, None] - (np.cumsum(parts, axis=1) - parts), 0.0, parts
        )
        return replace(
            self,
            allowed=(*self.allowed[:3], False),
            where=self.where & (room >= -_SAME_KWH),
            length_kwh=length,
            charges=True,
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The optimal path: directions of every slot, slots that charge with the least power or more,
    and the cost.
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
    price = _PRICELESS * max(
        float(np.abs(problem.outlook.import_price).max()),
        float(np.abs(problem.outlook.export_price).max()),
        0.1,
    )
    ways = _list_ways(problem, free, price)
    # Every non-convex slot needs a choice with an idle battery, and none that forces it to store.
    open_slots = ~free.convex
    stores = [
        each.where
        & (each.length_kwh[:, STORE_CURTAILED] > 0)
        & (each.value[:, STORE_CURTAILED] < 0)
        for each in ways
    ]
    rests = np.logical_or.reduce([each.where & (each.begin[:, 0] <= 0.0) for each in ways])
    if not bool((rests & ~np.logical_or.reduce(stores))[open_slots].all()):
        return None
    if least_charge_kw > 0:
        least_kwh = (
            least_charge_kw
            * problem.outlook.timeline.hours
            * problem.site.batteries[0].charge_efficiency
        )
        ways = [
            part
            for each in ways
            for part in ((each.rest(), each.charge(least_kwh)) if each.allowed[2] else (each,))
        ]
    best_path = _walk(
        problem,
        ways,
        (terminal[0], np.clip(terminal[1], -price, price)),
        price=price,
        doublings=doublings,
    )
    if best_path is None:
        return None
    chosen, objective = best_path
    allowed = np.array([each.allowed for each in ways])[chosen]
    charges = np.array([each.charges for each in ways])[chosen]
    return Chosen(Direction(*allowed.T).within(problem.direction), charges, objective)


def _list_ways(problem: Problem, free: Segments, price: float) -> list[SlotOptions]:
    """Return the choices of slots: one where they are convex, else charge or discharge, and if
    still not convex import or export as well.
    """
    whole = SlotOptions.of(_FREE, free, price=price)
    if free.convex.all():
        return [whole]
    halves = _restrict(problem, _HALVES)
    enough = np.logical_and.reduce([part.convex for _, part in halves])
    ways = [replace(whole, where=whole.where & free.convex)]
    ways += [
        replace(each, where=each.where & ~free.convex & enough)
        for each in (SlotOptions.of(*half, price=price) for half in halves)
    ]
    if (enough | free.convex).all():
        return ways
    quarters = [SlotOptions.of(*quarter, price=price) for quarter in _restrict(problem, _QUARTERS)]
    return ways + [replace(each, where=each.where & ~free.convex & ~enough) for each in quarters]


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
    slot, way = np.nonzero(np.array([each.where for each in ways]).T)
    slots = problem.outlook.timeline.count
    first = np.searchsorted(slot, np.arange(slots + 1))
    begin, length, value = (
        np.stack([getattr(each, name) for each in ways])[way, slot]
        for name in ("begin", "length_kwh", "value")
    )
    begin[:, 0], length, terminal = (
        _round(begin[:, 0]),
        _round(length),
        (_round(terminal[0]), terminal[1]),
    )
    offers = (first, begin, length, value)
    offsets = np.empty(slots + 2, dtype=np.int64)
    chosen = np.empty(slots, dtype=np.int64)
    path = np.empty(slots)
    lowest = float(problem.limits.batteries.min_kwh[0, 0])
    for doubling in range(doublings):
        room = np.empty((5, _ROOM << doubling, 4))
        store = (np.empty(((_ROOM_PER_SLOT << doubling) * (slots + 1), 4)), offsets)
        if envelopes.backward(offers, terminal, (problem.reserve_above_kwh, price), (store, room)):
            gain = envelopes.forward(
                offers, store, float(problem.inside.stored_kwh[0]) - lowest, (chosen, path)
            )
            return (
                None
                if np.isnan(gain)
                else (
                    way[chosen],
                    -gain - float(problem.terminal.value[0]) * (float(path[-1]) + lowest),
                )
            )
    return None


def _round(energy_kwh: FloatArray) -> FloatArray:
    return np.asarray(np.round(energy_kwh / envelopes.LATTICE) * envelopes.LATTICE)


def most_cost(segments: Segments) -> FloatArray:
    """Return each slot's cost at the largest charge and without serving the load, shape
    ``(…, slots)``.
    """
    worth = segments.length_kwh * segments.value
    return np.asarray(
        segments.rest_cost + worth[..., :SERVE_FORCED].sum(axis=-1) + worth[..., SERVE_FORCED]
    )


def worth(terminal: tuple[FloatArray, FloatArray], stored_kwh: float) -> float:
    """Return the terminal value of stored energy."""
    ends = np.cumsum(terminal[0])
    return float((np.clip(stored_kwh - (ends - terminal[0]), 0.0, terminal[0]) * terminal[1]).sum())
