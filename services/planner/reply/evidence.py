"""The evidence for the reasons of a plan: its slots beside later ones, blocks and constraints.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``.
Figures that are not to be shown are NaN, slots that there are none of are -1.
"""

from collections.abc import Sequence
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray, split_days
from services.planner.dp.plan import Plan
from services.planner.milp.battery_constraints import find_at_work
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.slot_flows import SAME_KWH
from services.planner.reply.slot_worth import SlotWorth

# Decimals to which the planner's results are exact.
DECIMALS = 6


class Evidence(SlotWorth):
    """A plan, slot by slot, as its reasons see it; ``blocks`` are the owner's."""

    def __init__(self, plan: Plan, blocks: Sequence[ManualBlock] = ()) -> None:
        super().__init__(plan)
        self.blocks = blocks
        self.edges = [*self.timeline, self.timeline.end]
        # The slots at which local days begin and end.
        self.days = split_days(self.timeline, ZoneInfo(plan.problem.site.timezone))
        # Where constraints leave batteries no choice, by code.
        self.at_work = find_at_work(plan.problem, plan.flows)
        # The place of each battery, beside an array of slots.
        self._rows = np.arange(len(self.charge))[:, None]

    @cached_property
    def may_buy_more(self) -> BoolArray:
        """Whether the battery may buy, has room, and gains by the value of stored energy."""
        gains = self.below(self.counted, self.keep)
        return self.battery.charge_from_grid & ~self.full & gains

    # --- the next spell of giving -----------------------------------------------------------------

    @cached_property
    def first_use(self) -> IndexArray:
        """The slot from this one on in which the battery first gives."""
        here = np.arange(self.slots)
        return np.where(self.gives, here, self.next_where(self.gives))

    @cached_property
    def main_use(self) -> IndexArray:
        """The slot of the next spell of giving with the most valuable energy in total."""
        return self._best_use(self.brings * self.discharge)

    @cached_property
    def main_price(self) -> FloatArray:
        """The price of a kWh given in the main use."""
        return self.read_at(self.brings, self.main_use)

    @cached_property
    def main_counted(self) -> FloatArray:
        """The plan's own price of a kWh given in the main use."""
        return self.read_at(self.counted_use, self.main_use)

    @cached_property
    def next_limit(self) -> IndexArray:
        """The slot of the next spell of giving without room in the grid; -1: none.

        The connection is filled there, or a peak would rise.
        """
        filled = self.fills_connection | self.fills_peak
        if not filled.any():
            return np.full(self.charge.shape, -1)
        slot = self._best_use(np.broadcast_to(filled, self.charge.shape).astype(np.float64))
        return np.where(self.holds_at(filled, slot), slot, -1)

    @cached_property
    def next_limit_kw(self) -> FloatArray:
        """The most power from the grid in ``next_limit``."""
        limit_kw = np.minimum(self.connection_kwh, self.peak_kwh) / self.hours
        return self.read_at(limit_kw, self.next_limit)

    def _best_use(self, brings: FloatArray) -> IndexArray:
        """Return each slot's best slot of the next spell of giving; -1 where there is none.

        A spell lasts from the next slot that gives to the charging after it.
        """
        best_of_slots = np.full(self.charge.shape, -1)
        for battery in range(len(best_of_slots)):
            charges = self.charges[battery].tolist()
            gives = self.gives[battery].tolist()
            gains = brings[battery].tolist()
            best = -1
            spell_is_over = True
            for slot in range(self.slots - 1, -1, -1):
                best_of_slots[battery, slot] = best
                if charges[slot]:
                    spell_is_over = True
                elif gives[slot]:
                    if spell_is_over or gains[slot] >= gains[best]:
                        best = slot
                    spell_is_over = False
        return best_of_slots

    # --- the next move ----------------------------------------------------------------------------

    @cached_property
    def next_charge(self) -> IndexArray:
        """The slot in which the battery is next charged."""
        return self.next_where(self.charges)

    @cached_property
    def refill_price(self) -> FloatArray:
        """The price of a kWh charged next, bought or not sold."""
        # Surplus could be sold where it alone is charged.
        other_kwh = self.shares.bought_kwh + self.shares.taken_over_kwh
        is_sun_alone = (self.shares.sun_kwh > NOTHING_KWH) & (other_kwh <= NOTHING_KWH)
        could_be_sold = self.may_feed_in & ~self.fills_feed_in
        sale = np.where(is_sun_alone & could_be_sold, self.sell, np.nan)
        return self.read_at(np.where(self.buys, self.buy, sale), self.next_charge)

    @property
    def refill_cost(self) -> FloatArray:
        """The price of a kWh charged next, with losses and wear."""
        loaded = self.loaded_price(np.maximum(self.refill_price, 0.0))
        return np.maximum(self.refill_price, loaded)

    @cached_property
    def next_move(self) -> IndexArray:
        """The slot in which the battery next moves, if until then there is nothing to do."""
        other = self.next_where(~(self.rests & self.balanced))
        return np.where(self.holds_at(~self.rests, other), other, -1)

    @cached_property
    def unused_after(self) -> BoolArray:
        """The slots after which the battery gives nothing any more."""
        slots = np.arange(self.slots)
        given = np.where(self.gives, slots, -1)
        last = given.max(axis=1, keepdims=True, initial=-1)
        return np.asarray(slots >= last)

    # --- terminal bounds and reserves -------------------------------------------------------------

    @cached_property
    def at_terminal_bound(self) -> BoolArray:
        """Whether batteries end at the lower terminal bound."""
        least_kwh = self.plan.problem.terminal.least_kwh[:, None]
        last_kwh = self.end_kwh[:, -1:]
        is_bound = least_kwh > self.battery.min_kwh + SAME_KWH
        ends_at_bound = is_bound & (last_kwh <= least_kwh + SAME_KWH)
        return np.broadcast_to(ends_at_bound, self.charge.shape)

    @cached_property
    def for_reserve(self) -> IndexArray:
        """The slot at whose end a reserve is just met, if nothing is given until then."""
        reserve_kwh = self.reserve_kwh
        if reserve_kwh is None:
            return np.full(self.charge.shape, -1)
        is_reserve = reserve_kwh > self.battery.min_kwh + SAME_KWH
        bare = is_reserve & (self.end_kwh <= reserve_kwh + SAME_KWH)
        slot = self.next_where(bare | self.gives)
        return np.where(self.holds_at(bare & ~self.gives, slot), slot, -1)

    @cached_property
    def later_reserve_soc(self) -> FloatArray:
        """The reserve at the end of ``for_reserve``, as a state of charge."""
        return self.read_at(self.reserve_soc, self.for_reserve)

    @cached_property
    def reserve_due(self) -> IndexArray:
        """The slot before which the reserve of ``for_reserve`` is due; -1: now."""
        due = np.full(self.charge.shape, -1)
        reserve_kwh = self.reserve_kwh
        if reserve_kwh is None:
            return due
        level = self.read_at(reserve_kwh, self.for_reserve)
        for index, slot in np.argwhere(self.for_reserve >= 0).tolist():
            wants = reserve_kwh[index, slot:] >= level[index, slot] - SAME_KWH
            if not wants[0]:
                due[index, slot] = slot + int(wants.argmax()) + 1
        return due

    @cached_property
    def reserve_ends(self) -> IndexArray:
        """The slot in which the battery moves again, or its reserve is lower."""
        lower = np.zeros(self.charge.shape, dtype=bool)
        before_kwh = self.floor_kwh[:, :-1]
        lower[:, 1:] = self.floor_kwh[:, 1:] < before_kwh - SAME_KWH
        return self.next_where(~self.rests | lower)

    # --- other slots ------------------------------------------------------------------------------

    def next_where(self, holds: BoolArray) -> IndexArray:
        """Return the next slot in which something holds, ``(batteries, slots)``; -1: none."""
        none = self.slots
        places = np.where(holds, np.arange(none), none)
        last_first = np.minimum.accumulate(places[:, ::-1], axis=1)
        from_here_on = last_first[:, ::-1]
        following = np.full(places.shape, none)
        following[:, :-1] = from_here_on[:, 1:]
        return np.where(following < none, following, -1)

    def read_at(self, values: FloatArray, slots: IndexArray) -> FloatArray:
        """Return the values of other slots, battery by battery; NaN where there is none."""
        # Where there is none, the last slot stands in.
        chosen = np.broadcast_to(values, slots.shape)[self._rows, slots]
        return np.where(slots >= 0, chosen, np.nan)

    def holds_at(self, holds: BoolArray, slots: IndexArray) -> BoolArray:
        """Return whether something holds in other slots, battery by battery."""
        chosen = np.broadcast_to(holds, slots.shape)[self._rows, slots]
        return np.asarray((slots >= 0) & chosen)
