"""What is on or off, in the mixed-integer model: runs that are long enough, rests that are long enough, and no rest that is too long.

Source: Rajan and Takriti (2005): with a column per start, the shortest run and the shortest rest need one row a slot, and no linear relaxation is
closer. The longest rest is said by starts as well: on now, or started before it is over. Said by slots that are on, its relaxation is 5 to 10 % off.
"""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.model.solver import Indices, ModelBuilder


@dataclass(frozen=True, slots=True)
class RunRules:
    """How something may be on and off, in slots; ``longest_rest`` 0: as long as it likes. ``was_on`` is None where nothing is known of before.

    ``stays`` is for how many slots at the start it has to remain as it is, ``rested`` for how long it has been off.
    """

    shortest_run: int = 1
    shortest_rest: int = 1
    longest_rest: int = 0
    was_on: bool | None = None
    stays: int = 0
    rested: int = 0

    def bounds(self, allowed: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the least and the most that ``on`` may be per slot: what runs on runs on where it would not be allowed to start."""
        least, most = np.zeros(allowed.size), allowed.copy()
        if self.was_on is not None:
            least[: self.stays] = most[: self.stays] = float(self.was_on)
        return least, most


def read_rules(rules: tuple[float, float, float], state: tuple[float, float], hours: FloatArray) -> RunRules:
    """Return rules in slots from hours: shortest run, shortest rest and longest rest; and for how long it has been on, or off."""
    (run, rest, gap), (on, off), slot = rules, state, float(hours.max())
    due = run - on if on > 0 else rest - off if off > 0 else 0.0
    stays = int(np.searchsorted(np.cumsum(hours) - hours, due - 1e-9))  # slots that begin before it is due: the first one may be short
    longest = max(int(gap / slot + 1e-9), 1) if np.isfinite(gap) else 0
    was_on = on > 0 if on > 0 or off > 0 else None
    return RunRules(max(_slots_up(run, slot), 1), max(_slots_up(rest, slot), 1), longest, was_on, stays, _slots_up(off, slot))


def _slots_up(hours: float, slot: float) -> int:
    return max(int(np.ceil(hours / slot - 1e-9)), 0)


def add_starts(builder: ModelBuilder, on: Indices, rules: RunRules, *, price: float = 0.0) -> Indices:
    """Add a column per start, with the rows that runs and rests need; what nothing is known of was off for long enough."""
    count, rest, was_on = on.size, rules.shortest_rest, float(bool(rules.was_on))
    # What is on at the start and stops rests for long enough too; for how long it has to stay off is in the bounds of ``on``.
    start = builder.add_columns(count, cost=price, upper=np.where(np.arange(count) < rest, 1.0 - was_on, 1.0))
    before = np.zeros(count)
    before[0] = was_on
    builder.add_rows(np.full(count, -np.inf), before, [(on, 1.0), (on[:-1], -1.0), (start, -1.0)])
    slots = np.arange(count)
    started = builder.add_windows(-np.inf, 0.0, start, (np.maximum(slots + 1 - rules.shortest_run, 0), slots + 1))
    builder.add_entries(started, on, -1.0)
    if 1 < rest < count:
        rested = builder.add_windows(-np.inf, 1.0, start, (slots[1 : count - rest + 1], slots[rest:] + 1))
        builder.add_entries(rested, on[:-rest], 1.0)
    return start


def add_longest_rest(builder: ModelBuilder, columns: tuple[Indices, Indices], rules: RunRules, *, price: float) -> Indices:
    """Let no rest be longer than it may; each slot in which it is has its price. Returns the columns of these slots."""
    on, start = columns
    gap, first = rules.longest_rest, max(rules.longest_rest - rules.rested, 0)
    begins = np.arange(max(on.size - gap, 1))
    ends = np.where(begins == 0, first, begins + gap) + 1  # the stretch at the horizon's begin goes on from before
    begins, ends = begins[ends <= on.size], ends[ends <= on.size]
    late = builder.add_columns(begins.size, cost=price, upper=1.0)
    rows = builder.add_windows(1.0, np.inf, start, (begins + 1, ends))
    builder.add_entries(rows, on[begins], 1.0)
    builder.add_entries(rows, late, 1.0)
    return late
