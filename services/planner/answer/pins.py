"""What an owner's blocks decide in a plan: where a battery does or leaves what was set, and what it would do otherwise says nothing."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from luna.contracts.manual import GRID, ManualBlock
from luna.physics import BoolArray
from services.planner.answer.evidence import NOTHING_KWH, Evidence
from services.planner.posing.manual import block_hours


def find_pins(seen: Evidence) -> Iterator[tuple[BoolArray, datetime]]:
    """Yield where a block decides what a battery does (``(batteries, slots)``), and when it ends.

    What is pinned decides wherever it is had; what is forbidden only where there was something to do.
    """
    manual, names = seen.problem.manual, [battery.name for battery in seen.problem.site.batteries]
    for place, block in enumerate(seen.blocks):
        if manual is None or place in manual.refused or block.device not in (*names, GRID):
            continue
        own = np.array([[block.device in (name, GRID)] for name in names], dtype=bool)
        inside = block_hours(block, seen.outlook.timeline) > 0
        pinned = own & inside & _decides(seen, block)
        if pinned.any():
            yield pinned, block.to


def _decides(seen: Evidence, block: ManualBlock) -> BoolArray:
    idle_sun = seen.rests & seen.left
    match block.action:
        case "charge":
            return seen.charges | seen.full & seen.rests
        case "discharge":
            return seen.gives | seen.empty & seen.rests
        case "hold":
            return seen.rests
        case "no_charge":
            return idle_sun & ~seen.full | seen.rests & seen.may_buy_more
        case "no_discharge":
            return seen.rests & seen.short & ~seen.empty
        case "no_import":
            return seen.gives & (seen.imports <= NOTHING_KWH)
        case _:
            return (seen.charges | idle_sun) & (seen.exports <= NOTHING_KWH)
