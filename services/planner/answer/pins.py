"""What an owner's blocks decide in a plan: where a battery does or leaves what was set, and what it would do otherwise says nothing."""

from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np

from luna.contracts.manual import GRID, Action
from luna.physics import BoolArray
from services.planner.answer.evidence import Evidence
from services.planner.answer.slot_flows import NOTHING_KWH
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
        pinned = own & inside & _DECIDES[block.action](seen)
        if pinned.any():
            yield pinned, block.to


_DECIDES: dict[Action, Callable[[Evidence], BoolArray]] = {
    "charge": lambda seen: seen.charges | seen.full & seen.rests,
    "discharge": lambda seen: seen.gives | seen.empty & seen.rests,
    "hold": lambda seen: seen.rests,
    "no_charge": lambda seen: seen.rests & (seen.left & ~seen.full | seen.may_buy_more),
    "no_discharge": lambda seen: seen.rests & seen.short & ~seen.empty,
    "no_import": lambda seen: seen.gives & (seen.imports <= NOTHING_KWH),
    "no_export": lambda seen: (seen.charges | seen.rests & seen.left) & (seen.exports <= NOTHING_KWH),
}
