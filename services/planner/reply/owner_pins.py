"""The slots in which an owner's block decides what a battery does."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import numpy as np

from luna.contracts.owner import GRID, OVERRIDE_BLOCK, Action, ManualBlock
from luna.energy.physics.mode import BoolArray
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH


def find_pins(evidence: Evidence) -> Iterator[tuple[BoolArray, datetime]]:
    """Yield the slots that a block decides, ``(batteries, slots)``, and when it ends.

    What is pinned decides wherever it is had; what is forbidden only where there was something to
    do.
    """
    problem = evidence.plan.problem
    if problem.manual is None:
        return
    names = [battery.name for battery in problem.site.batteries]
    for place, block in enumerate(evidence.blocks):
        if place in problem.manual.refused or block.device not in (*names, GRID):
            continue
        own = np.array([[block.device in (name, GRID)] for name in names], dtype=bool)
        inside = block_hours(block, evidence.timeline) > 0
        pinned = own & inside & _DECIDES[block.action](evidence)
        if pinned.any():
            yield pinned, _find_end(block, evidence.blocks)


def _find_end(block: ManualBlock, blocks: Sequence[ManualBlock]) -> datetime:
    """Return the end of an owner's block; an override may be several blocks of one device."""
    if block.block_id != OVERRIDE_BLOCK:
        return block.to
    of_override = (OVERRIDE_BLOCK, block.device)
    return max(other.to for other in blocks if (other.block_id, other.device) == of_override)


# --- what an action decides -----------------------------------------------------------------------


def _is_made_to_charge(evidence: Evidence) -> BoolArray:
    return evidence.charges | (evidence.full & evidence.rests)


def _is_made_to_give(evidence: Evidence) -> BoolArray:
    return evidence.gives | (evidence.empty & evidence.rests)


def _is_made_to_hold(evidence: Evidence) -> BoolArray:
    return evidence.rests


def _is_kept_from_charging(evidence: Evidence) -> BoolArray:
    return evidence.rests & (evidence.leaves_surplus | evidence.may_buy_more)


def _is_kept_from_giving(evidence: Evidence) -> BoolArray:
    return evidence.rests & evidence.spares


def _replaces_import(evidence: Evidence) -> BoolArray:
    return evidence.gives & (evidence.imports <= NOTHING_KWH)


def _replaces_export(evidence: Evidence) -> BoolArray:
    takes_or_leaves_surplus = evidence.charges | (evidence.rests & evidence.has_surplus)
    return takes_or_leaves_surplus & (evidence.exports <= NOTHING_KWH)


_DECIDES: dict[Action, Callable[[Evidence], BoolArray]] = {
    "charge": _is_made_to_charge,
    "discharge": _is_made_to_give,
    "hold": _is_made_to_hold,
    "no_charge": _is_kept_from_charging,
    "no_discharge": _is_kept_from_giving,
    "no_import": _replaces_import,
    "no_export": _replaces_export,
}
