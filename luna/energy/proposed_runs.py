"""The runs of a plan as they are proposed to people: what moves next to nothing is no deed, but part of what goes on beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf

# Less moves no bill that anybody looks at.
LITTLE_KWH = 0.1


@dataclass(frozen=True, slots=True)
class ProposedSlot:
    """What is decided of a slot: the batteries' mode, None where nothing is, and the energy for whose sake it is chosen."""

    mode: str | None
    moved_kwh: float = inf
    by_owner: bool = False


@dataclass(frozen=True, slots=True)
class ProposedRun:
    """Neighbouring slots of one mode, ``[first, end)``, decided by the owner or not."""

    mode: str
    first: int
    end: int
    by_owner: bool


def moved_kwh(mode: str | None, *, charge_kwh: float, discharge_kwh: float, export_kwh: float) -> float:
    """Return the energy for whose sake a slot has its mode; infinite where it goes by itself and is as true with none."""
    return {"charge": charge_kwh, "supply": discharge_kwh, "export": min(discharge_kwh, export_kwh)}.get(mode or "", inf)


def find_proposed_runs(slots: Sequence[ProposedSlot]) -> list[ProposedRun]:
    """Return the runs that slots make; one that moves less than ``LITTLE_KWH`` is part of the one before it, the first one of the one after it.

    What the owner decided stands for itself.
    """
    runs_so_far: list[ProposedRun] = []
    last_is_little, first = False, 0
    for (mode, by_owner), group in groupby(slots, key=lambda slot: (slot.mode, slot.by_owner)):
        inside = list(group)
        first, end = first + len(inside), first + len(inside)
        if mode is None:
            continue
        run, little = ProposedRun(mode, end - len(inside), end, by_owner), not by_owner and sum(slot.moved_kwh for slot in inside) < LITTLE_KWH
        last = runs_so_far[-1] if runs_so_far and runs_so_far[-1].end == run.first else None
        same = last is not None and (last.mode, last.by_owner) == (mode, by_owner)
        if last is not None and (same or (little and not last.by_owner)):
            runs_so_far[-1] = replace(last, end=end)
            last_is_little = last_is_little and little
        elif last is not None and last_is_little and not by_owner:
            runs_so_far[-1], last_is_little = replace(run, first=last.first), False
        else:
            runs_so_far.append(run)
            last_is_little = little
    return runs_so_far
