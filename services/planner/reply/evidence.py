"""What plans say of each battery in each slot: flows, prices, what comes later, and what owners,
constraints and learning decide.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``;
slots of several plans stand end to end, and are counted so. Figures that are not to be shown are
NaN, slots that there are none of are -1.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, split_days
from services.planner.dp.plan import Plan, join
from services.planner.milp.battery_constraints import find_at_work
from services.planner.reply.later_slots import LaterSlots
from services.planner.reply.planners_choice import PlannersChoice, read_planners_choice

# What leaves the planner is exact to this many decimals.
DECIMALS = 6


class Evidence(LaterSlots):
    """Plans, slot by slot, as their reasons see them; ``blocks`` are the owners' of each."""

    def __init__(self, plans: Sequence[Plan], blocks: Sequence[Sequence[ManualBlock]] = ()) -> None:
        super().__init__(plans)
        self.blocks: Sequence[Sequence[ManualBlock]] = blocks or [()] * len(plans)
        self.edges = [*self.timeline, self.timeline.end]
        self._instant_names: dict[int, str] = {}
        self.days = self._list_day_edges()
        self.at_work = self._find_constraints()

    def _list_day_edges(self) -> list[int]:
        """Return the slots at which local days begin and end."""
        days = [0]
        days_of_zone: dict[str, list[int]] = {}
        for number, plan in enumerate(self.plans):
            zone = plan.problem.site.timezone
            if zone not in days_of_zone:
                days_of_zone[zone] = split_days(self.timeline, ZoneInfo(zone))[1:]
            days += [number * self.slots + edge for edge in days_of_zone[zone]]
        return days

    def _find_constraints(self) -> dict[str, BoolArray]:
        """Return by code where constraints leave batteries no choice, of those that some battery
        has.
        """
        masks = [find_at_work(plan.problem, plan.flows) for plan in self.plans]
        codes = dict.fromkeys(code for mask in masks for code in mask)
        nowhere = np.zeros((len(self.charge), 1), dtype=bool)
        return {
            code: join([mask.get(code, nowhere) for mask in masks], self.slots) for code in codes
        }

    def is_at_work(self, code: str) -> BoolArray:
        """Return where a constraint of batteries leaves them no choice."""
        if code in self.at_work:
            return self.at_work[code]
        return np.zeros(self.charge.shape, dtype=bool)

    @cached_property
    def may_buy_more(self) -> BoolArray:
        """Where a stored kWh is worth more than buying it costs, and the battery has room and
        may.
        """
        gains = self.below(self.counted, self.keep)
        return self.battery.charge_from_grid & ~self.full & gains

    @cached_property
    def follows_learned(self) -> bool:
        """Whether any of the plans follows what was learned."""
        return any(plan.followed == "learned" for plan in self.plans)

    @cached_property
    def planners_choice(self) -> PlannersChoice:
        """What the planner would do where a plan follows what was learned."""
        return self.join_parts(read_planners_choice)

    def name_instant(self, slot: int) -> str:
        """Return when a slot begins, counted from a plan's first, as ISO 8601."""
        name = self._instant_names.get(slot)
        if name is None:
            name = self.edges[slot].isoformat()
            self._instant_names[slot] = name
        return name


def read_numbers(values: FloatArray) -> list[float | None]:
    """Return numbers as they leave the planner: rounded, no zero with a minus, None for what is
    unknown.
    """
    numbers: list[float] = (values.round(DECIMALS) + 0.0).tolist()
    if not np.isnan(values).any():
        return list(numbers)
    return [None if math.isnan(number) else number for number in numbers]
