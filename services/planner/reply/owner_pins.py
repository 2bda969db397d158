"""The slots in which an owner's block decides what a battery does."""

from collections.abc import Iterator, Sequence
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
    decided = _list_decided(evidence)
    for place, block in enumerate(evidence.blocks):
        if place in problem.manual.refused or block.device not in (*names, GRID):
            continue
        own = np.array([[block.device in (name, GRID)] for name in names], dtype=bool)
        inside = block_hours(block, evidence.timeline) > 0
        pinned = own & inside & decided[block.action]
        if pinned.any():
            yield pinned, _find_end(block, evidence.blocks)


def _find_end(block: ManualBlock, blocks: Sequence[ManualBlock]) -> datetime:
    """Return the end of an owner's block; an override may be several blocks of one device."""
    if block.block_id != OVERRIDE_BLOCK:
        return block.to
    of_override = (OVERRIDE_BLOCK, block.device)
    return max(other.to for other in blocks if (other.block_id, other.device) == of_override)


def _list_decided(evidence: Evidence) -> dict[Action, BoolArray]:
    """Return where each action decides, were its block in force, ``(batteries, slots)``."""
    rests = evidence.rests
    takes_or_leaves_surplus = evidence.charges | (rests & evidence.has_surplus)
    return {
        "charge": evidence.charges | (evidence.full & rests),
        "discharge": evidence.gives | (evidence.empty & rests),
        "hold": rests,
        "no_charge": rests & (evidence.leaves_surplus | evidence.may_buy_more),
        "no_discharge": rests & evidence.spares,
        "no_import": evidence.gives & (evidence.imports <= NOTHING_KWH),
        "no_export": takes_or_leaves_surplus & (evidence.exports <= NOTHING_KWH),
    }
