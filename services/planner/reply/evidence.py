"""The evidence for the reasons of a plan: flows, prices, later slots and constraints.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``.
Figures that are not to be shown are NaN, slots that there are none of are -1.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, split_days
from services.planner.dp.plan import Plan
from services.planner.milp.battery_constraints import find_at_work
from services.planner.reply.later_slots import LaterSlots

# Decimals to which the planner's results are exact.
DECIMALS = 6


class Evidence(LaterSlots):
    """A plan, slot by slot, as its reasons see it; ``blocks`` are the owner's."""

    def __init__(self, plan: Plan, blocks: Sequence[ManualBlock] = ()) -> None:
        super().__init__(plan)
        self.blocks = blocks
        self.edges = [*self.timeline, self.timeline.end]
        # The slots at which local days begin and end.
        self.days = split_days(self.timeline, ZoneInfo(plan.problem.site.timezone))
        # Where constraints leave batteries no choice, by code.
        self.at_work = find_at_work(plan.problem, plan.flows)

    @cached_property
    def may_buy_more(self) -> BoolArray:
        """Whether the battery may buy, has room, and gains by the value of stored energy."""
        gains = self.below(self.counted, self.keep)
        return self.battery.charge_from_grid & ~self.full & gains


def read_numbers(values: FloatArray) -> list[float | None]:
    """Return numbers rounded, without negative zeros, None for NaN."""
    numbers: list[float] = (values.round(DECIMALS) + 0.0).tolist()
    if not np.isnan(values).any():
        return list(numbers)
    return [None if math.isnan(number) else number for number in numbers]
