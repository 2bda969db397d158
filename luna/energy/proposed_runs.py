"""Runs of a plan's modes for display.

A run that moves next to no energy is merged with its neighbour.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf
from operator import attrgetter

# Less energy is not visible on a bill.
LITTLE_KWH = 0.1


@dataclass(frozen=True, slots=True)
class ProposedSlot:
    """The batteries' mode in a slot, and the energy it is chosen for.

    A mode of None is no decision.
    """

    mode: str | None
    moved_kwh: float = inf
    by_owner: bool = False


@dataclass(frozen=True, slots=True)
class ProposedRun:
    """Consecutive slots of one mode, ``[first, end)``, decided by the owner or not."""

    mode: str
    first: int
    end: int
    by_owner: bool


def moved_kwh(
    mode: str | None, *, charge_kwh: float, discharge_kwh: float, export_kwh: float
) -> float:
    """Return the energy that a slot's mode is chosen for.

    Infinite for modes that need none, such as self-consumption.
    """
    return {
        "charge": charge_kwh,
        "supply": discharge_kwh,
        "export": min(discharge_kwh, export_kwh),
    }.get(mode or "", inf)


def find_proposed_runs(slots: Sequence[ProposedSlot]) -> list[ProposedRun]:
    """Group slots into runs.

    A run that moves less than ``LITTLE_KWH`` joins the one before it, the first one the one after
    it.

    Runs that the owner decided are not merged.
    """
    runs_so_far: list[ProposedRun] = []
    last_is_little = False
    end = 0
    for (mode, by_owner), group in groupby(slots, key=attrgetter("mode", "by_owner")):
        inside = list(group)
        first = end
        end = first + len(inside)
        if mode is None:
            continue
        run = ProposedRun(mode, first, end, by_owner)
        little = not by_owner and sum(slot.moved_kwh for slot in inside) < LITTLE_KWH
        last = None
        if runs_so_far and runs_so_far[-1].end == run.first:
            last = runs_so_far[-1]
        same = last is not None and (last.mode, last.by_owner) == (mode, by_owner)
        if last is not None and (same or (little and not last.by_owner)):
            runs_so_far[-1] = replace(last, end=end)
            last_is_little = last_is_little and little
        elif last is not None and last_is_little and not by_owner:
            runs_so_far[-1] = replace(run, first=last.first)
            last_is_little = False
        else:
            runs_so_far.append(run)
            last_is_little = little
    return runs_so_far
