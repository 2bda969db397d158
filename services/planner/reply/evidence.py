"""What plans say of each battery in each slot beside its flows: what energy is worth, what comes
later, and the figures of sentences.

Arrays over batteries and slots have shape ``(batteries, slots)``, those of a site ``(slots,)``;
slots of several plans stand end to end, and are counted so. Figures that are not to be said are
NaN, slots that there are none of are -1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.contracts.owner import ManualBlock
from luna.energy.physics.mode import BoolArray, Mode
from luna.energy.physics.simulation import SlotActuals
from luna.energy.schedule import Figure
from luna.energy.timeline import FloatArray, IndexArray, bound, split_days
from luna.words.numbers import price_scale
from services.planner.dp.plan import Plan, join, join_parts, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.following import value_policy
from services.planner.milp.battery_constraints import find_at_work
from services.planner.planner import show_import_price
from services.planner.reply.slot_flows import NOTHING_KWH, SAME_KWH, SlotFlows, find_peak_price
from services.planner.settlement import settle

# Less is not told: it would read as nothing.
_LEAST_MONEY = 0.005
# Prices count in hundredths of what is shown: closer ones read the same.
_SAME_PRICE = 0.01
_TINY_PRICE = 1e-6
# What leaves the planner is exact to this many decimals.
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class PlannersChoice:
    """What the planner's own value of stored energy would do in each slot from where the battery
    is, ``(batteries, slots)``; NaN: to be left out.

    ``cost`` is what following what was learned costs more by the planner's value, ``gain`` what it
    costs less.
    """

    differs: BoolArray
    takes: FloatArray
    gives: FloatArray
    cost: FloatArray
    gain: FloatArray


def read_planners_choice(plan: Plan) -> PlannersChoice:
    """Return what the planner would do.

    Nothing differs where a plan is its own, or where the value of stored energy is incomplete.
    """
    shape = plan.flows.charge_kwh.shape
    if plan.followed != "learned" or plan.value is None:
        unknown = np.full(shape, np.nan)
        return PlannersChoice(np.zeros(shape, dtype=bool), unknown, unknown, unknown, unknown)
    problem, outlook = plan.problem, plan.problem.outlook
    mode_before = (problem.following.modes or (None,))[0]
    first = np.array(
        [[Mode.SELF_CONSUMPTION if mode_before is None else mode_before]], dtype=np.int8
    )
    before = np.concatenate([first, plan.setpoints.mode[:, :-1]], axis=1)
    policy = value_policy(plan)
    setpoints = policy.read(
        slice(None), plan.start_kwh / problem.limits.batteries.capacity_kwh, before
    )
    _, flows = settle(
        setpoints,
        plan.start_kwh,
        SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours),
        limits=plan.limits,
    )
    differs = np.abs(flows.stored_kwh - plan.flows.stored_kwh) > NOTHING_KWH
    lowest, function = problem.limits.batteries.min_kwh[0, 0], plan.value.function
    levels = flows.stored_kwh[0] - lowest, plan.flows.stored_kwh[0] - lowest
    more = (
        weigh_flows(problem, plan.flows).total
        - weigh_flows(problem, flows).total
        - function.integral(*levels)
    )
    # What only a limit makes priceless is no money.
    is_money = np.abs(more) < FORBIDDEN_VALUE / 2
    return PlannersChoice(
        differs,
        takes=np.where(flows.charge_kwh > NOTHING_KWH, flows.charge_kwh, np.nan),
        gives=np.where(flows.discharge_kwh > NOTHING_KWH, flows.discharge_kwh, np.nan),
        cost=np.where(is_money & (more >= _LEAST_MONEY), more, np.nan)[None, :],
        gain=np.where(is_money & (-more >= _LEAST_MONEY), -more, np.nan)[None, :],
    )


class Evidence(SlotFlows):
    """Plans, slot by slot, as their reasons see them; ``blocks`` are the owners' of each."""

    def __init__(self, plans: Sequence[Plan], blocks: Sequence[Sequence[ManualBlock]] = ()) -> None:
        super().__init__(plans)
        self.blocks, self.edges = blocks or [()] * len(plans), [*self.timeline, self.timeline.end]
        # The first slot of the plan that each slot is one of.
        self.first = np.repeat(np.arange(len(plans)) * self.slots, self.slots)
        self._rows = np.arange(len(self.charge))[:, None]
        self._instant_names: dict[int, str] = {}
        # The edges of local days.
        self.days, days_of = [0], dict[str, list[int]]()
        same_price, dearest, weighed, more_values, masks = [], [], [], [], []
        for number, plan in enumerate(plans):
            zone = plan.problem.site.timezone
            days_of[zone] = days_of.get(zone) or split_days(self.timeline, ZoneInfo(zone))[1:]
            self.days += map((number * self.slots).__add__, days_of[zone])
            site, outlook, terminal = plan.problem.site, plan.problem.outlook, plan.problem.terminal
            same_price.append(np.array([_SAME_PRICE / price_scale(site.currency)]))
            dearest.append(
                np.array(
                    [
                        np.abs(
                            np.concatenate(
                                [outlook.import_price, outlook.export_price, terminal.value]
                            )
                        ).max(initial=0.0)
                    ]
                )
            )
            weighed.append(np.array([plan.problem.billed is not None]))
            # What one more stored kWh is worth at the end of each slot; the plan's own value where
            # no function is known.
            if plan.value is None:
                more_values.append(plan.energy_value)
            else:
                _, more = plan.value.function.marginal(
                    plan.flows.stored_kwh[0] - plan.problem.limits.batteries.min_kwh[0, 0]
                )
                more_values.append(more[None, :])
            masks.append(find_at_work(plan.problem, plan.flows))
        # Where constraints leave batteries no choice, by code, of those that some battery has.
        self.at_work: dict[str, BoolArray] = {}
        nowhere = np.zeros((len(self.charge), 1), dtype=bool)
        for code in dict.fromkeys(chain.from_iterable(masks)):
            self.at_work[code] = join([each.get(code, nowhere) for each in masks], self.slots)
        # --- prices: how close they may be and still read the same, and the dearest of all
        self.same_price, self.dearest = join(same_price, self.slots), join(dearest, self.slots)
        self.buy, self.sell = (
            self.join_each(show_import_price),
            self.join("problem.at_tariff_prices.outlook.export_price"),
        )
        # What a plan counts for a bought kWh: other than what is paid where more than money counts,
        # or prices come in blocks.
        self.counted = self.join("problem.outlook.import_price")
        self.counts_at_tariff: BoolArray = np.abs(self.counted - self.buy) <= _TINY_PRICE
        # What the grid pays for drawing, and what feeding in costs, where it does.
        self.grid_is_paying, self.feeding_in_costs = (
            self.buy <= -self.same_price,
            self.sell <= -self.same_price,
        )
        self.grid_pays, self.fee = (
            np.where(self.grid_is_paying, -self.buy, np.nan),
            np.where(self.feeding_in_costs, -self.sell, np.nan),
        )
        # What surplus sells for, where some is sold for more than nothing; what selling pays, where
        # something may be fed in.
        self.sale, self.allowed_sale = (
            np.where(self.sells_sun & ~self.feeding_in_costs, self.sell, np.nan),
            np.where(self.may_feed_in, self.sell, np.nan),
        )
        # --- what energy is worth beside what it costs
        charging, giving = self.battery.charge_efficiency, self.battery.discharge_efficiency
        self.weighed: BoolArray = join(weighed, self.slots)
        self.wear_price = self.join("problem.wear_price")
        most = (self.dearest + self.wear_price) / np.minimum(charging, giving)
        # What the plan says a stored kWh is worth; where surplus is left, that of one more,
        # elsewhere that of the last one.
        value, right = self.join("energy_value"), join(more_values, self.slots)
        own = np.where(
            self.rests & self.has_surplus & (np.abs(right) < FORBIDDEN_VALUE / 2), right, value
        )
        # What a stored kWh is worth at the end of the slot; at most what the dearest kWh could
        # stand for.
        self.energy_value = bound(own, -most, most)
        # The same in money: unknown where a limit or a wish makes energy priceless, or more than
        # money counts; and where more counts, unknown elsewhere.
        self.value = np.where((np.abs(own) > most) | self.weighed, np.nan, own)
        self.counted_value = np.where(self.weighed, self.energy_value, np.nan)
        # After losses and wear: what storing a kWh that is charged now is worth, what using or
        # selling a stored one now brings.
        self.keep: FloatArray = self.value * charging - self.wear_price
        self.save, self.sold = (
            (self.counted - self.wear_price) * giving,
            (self.sell - self.wear_price) * giving,
        )
        # What is left of a kWh that is charged and given again.
        self.return_share: FloatArray = charging * giving
        self.least_kw = self.battery.min_charge_kw
        self._loading_wear: FloatArray = self.wear_price * (1.0 / self.return_share + 1.0)
        # What a kWh given later costs at least that is bought, or not sold: no less than it costs
        # now; the plan may count it otherwise.
        self.loaded_counted, self.loaded_sell = (
            self.loaded_price(self.counted),
            self.loaded_price(self.sell),
        )
        self.bought_cost, self.unsold_cost = (
            np.maximum(self.buy, self.loaded_price(self.buy)),
            np.maximum(self.sell, self.loaded_sell),
        )
        serves_most = self.serves & (self.served_kwh >= self.sold_kwh)
        # What a kWh given in the slot brings: what buying it costs where most of it is for the
        # house, else what selling it pays; and what the plan counts.
        self.brings, self.counted_use = (
            np.where(serves_most, self.buy, self.sell),
            np.where(serves_most, self.counted, self.sell),
        )
        # The slot from this one on in which the battery first gives.
        self.first_use: IndexArray = np.where(
            self.gives, np.arange(self.first.size), self.next_where(self.gives)
        )
        self.planner_differs: BoolArray = (
            self.planners_choice.differs
            if "learned" in map(attrgetter("followed"), plans)
            else ~self.exists
        )

    def name_instant(self, slot: int) -> str:
        """Return when a slot begins, counted from a plan's first, as ISO 8601."""
        name = self._instant_names.get(slot)
        if name is None:
            name = self._instant_names[slot] = self.edges[slot].isoformat()
        return name

    def find_at_work(self, code: str) -> BoolArray:
        """Return where a constraint of batteries leaves them no choice."""
        return self.at_work.get(code, ~self.exists)

    def below(self, low: FloatArray, high: FloatArray) -> BoolArray:
        """Return where one price is lower than the other, and is seen to be so."""
        return np.asarray(high - low >= self.same_price)

    # --- what energy is worth ---------------------------------------------------------------------

    def loaded_price(self, price: FloatArray) -> FloatArray:
        """Return what a kWh given later costs when it is charged at a price: with losses and
        wear.
        """
        return price / self.return_share + self._loading_wear

    @cached_property
    def may_buy_more(self) -> BoolArray:
        """Where a stored kWh is worth more than buying it costs, and the battery has room and
        may.
        """
        return self.battery.charge_from_grid & ~self.full & self.below(self.counted, self.keep)

    # --- later ------------------------------------------------------------------------------------

    @cached_property
    def next_use(self) -> IndexArray:
        """The slot of the next spell of giving, up to the charging after it, in which a kWh brings
        most.
        """
        return self._best_use(self.brings)

    @cached_property
    def main_use(self) -> IndexArray:
        """The slot of that spell in which all that is given brings most."""
        return self._best_use(self.brings * self.discharge)

    @cached_property
    def next_price(self) -> FloatArray:
        return self._at(self.brings, self.next_use)

    @cached_property
    def main_price(self) -> FloatArray:
        return self._at(self.brings, self.main_use)

    @cached_property
    def next_counted(self) -> FloatArray:
        return self._at(self.counted_use, self.next_use)

    @cached_property
    def main_counted(self) -> FloatArray:
        return self._at(self.counted_use, self.main_use)

    @cached_property
    def next_limit(self) -> IndexArray:
        """The slot of the next spell of giving in which the grid brings no more: the connection is
        filled, or a peak would rise; -1: in none.
        """
        filled = self.fills_connection | self.fills_peak
        if not filled.any():
            return np.full(self.charge.shape, -1)
        slot = self._best_use(np.broadcast_to(filled, self.charge.shape))
        return np.where(self._at(filled, slot, unknown=False), slot, -1)

    @cached_property
    def next_limit_kw(self) -> FloatArray:
        return self._at(np.minimum(self.connection_kw, self.peak_kw), self.next_limit)

    def _best_use(self, brings: FloatArray) -> IndexArray:
        """Return of each slot the best of the next spell of giving: from the next slot that gives
        to the charging after it; -1 where there is none.
        """
        rows, shape = [], (-1, self.slots)
        charged, given, gained = (
            self.charges.reshape(shape).tolist(),
            self.gives.reshape(shape).tolist(),
            brings.reshape(shape).tolist(),
        )
        # A row for each plan of each battery.
        for charges, gives, gain in zip(charged, given, gained, strict=True):
            best, over, best_each = -1, True, [-1] * self.slots
            for slot in range(self.slots - 1, -1, -1):
                best_each[slot] = best
                if charges[slot]:
                    over = True
                elif gives[slot]:
                    best, over = (slot if over or gain[slot] >= gain[best] else best), False
            rows.append(best_each)
        own = np.array(rows, dtype=np.int64).reshape(self.charge.shape)
        return np.where(own >= 0, own + self.first, -1)

    def next_where(self, holds: BoolArray) -> IndexArray:
        """Return of each slot the next one after it in which something holds,
        ``(batteries, slots)``; -1 where the plan has none.
        """
        none = self.first.size
        places = np.where(holds, np.arange(none), none).reshape(-1, self.slots)
        following = np.full(places.shape, none)
        following[:, :-1] = np.minimum.accumulate(places[:, :0:-1], axis=1)[:, ::-1]
        return np.where(following < none, following, -1).reshape(holds.shape)

    @cached_property
    def next_charge(self) -> IndexArray:
        return self.next_where(self.charges)

    @cached_property
    def refill(self) -> FloatArray:
        """What a kWh costs when the battery is next charged, where that is bought."""
        return self._at(
            np.where(self.shares.bought_kwh > NOTHING_KWH, self.buy, np.nan), self.next_charge
        )

    @cached_property
    def sun(self) -> FloatArray:
        """What surplus that next charges the battery would sell for, where it is surplus alone and
        could be sold.
        """
        alone = (self.shares.sun_kwh > NOTHING_KWH) & (
            self.shares.bought_kwh + self.shares.taken_over_kwh <= NOTHING_KWH
        )
        return self._at(
            np.where(alone & self.may_feed_in & ~self.fills_feed_in, self.sell, np.nan),
            self.next_charge,
        )

    @cached_property
    def refill_cost(self) -> FloatArray:
        """What a kWh costs when the battery is next charged, with losses and wear, where that is
        bought.
        """
        return np.maximum(self.refill, self.loaded_price(np.maximum(self.refill, 0.0)))

    @cached_property
    def sun_cost(self) -> FloatArray:
        """The same of surplus alone that could be sold."""
        return np.maximum(self.sun, self.loaded_price(np.maximum(self.sun, 0.0)))

    @cached_property
    def next_move(self) -> IndexArray:
        """The slot in which the battery next does something, where until then there is nothing to
        do.
        """
        moves, idle = ~self.rests, self.rests & ~self.short & ~self.has_surplus
        other = self.next_where(~idle)
        return np.where(self._at(moves, other, unknown=False), other, -1)

    @cached_property
    def unused_after(self) -> BoolArray:
        """Where the battery gives nothing any more."""
        slots = np.arange(self.slots)
        last = np.where(self.gives.reshape(-1, self.slots), slots, -1).max(
            axis=1, keepdims=True, initial=-1
        )
        return np.asarray(slots >= last).reshape(self.gives.shape)

    @cached_property
    def at_terminal_bound(self) -> BoolArray:
        """Where batteries end at the lower terminal bound."""
        least = self.join_each(lambda plan: plan.problem.terminal.least_kwh[:, None])
        last = np.repeat(self.end_kwh.reshape(-1, self.slots)[:, -1], self.slots).reshape(
            self.charge.shape
        )
        return np.asarray((least > self.battery.min_kwh + SAME_KWH) & (last <= least + SAME_KWH))

    @cached_property
    def for_reserve(self) -> IndexArray:
        """The slot at whose end a reserve is kept with nothing to spare, where nothing is given
        until then; only while it is not reached before.
        """
        reserve_kwh = self.reserve_kwh
        if reserve_kwh is None:
            return np.full(self.charge.shape, -1)
        bare = (reserve_kwh > self.battery.min_kwh + SAME_KWH) & (
            self.end_kwh <= reserve_kwh + SAME_KWH
        )
        slot = self.next_where(bare | self.gives)
        return np.where(self._at(bare & ~self.gives, slot, unknown=False), slot, -1)

    @cached_property
    def later_reserve_soc(self) -> FloatArray:
        return self._at(self.reserve_soc, self.for_reserve)

    @cached_property
    def reserve_due(self) -> IndexArray:
        """The slot before which the reserve that is saved for has to be held, -1 where that is
        now.
        """
        due, reserve_kwh = np.full(self.charge.shape, -1), self.reserve_kwh
        if reserve_kwh is None:
            return due
        level = self._at(reserve_kwh, self.for_reserve)
        for index, slot in np.argwhere(self.for_reserve >= 0).tolist():
            wants = (
                reserve_kwh[index, slot : self.first[slot] + self.slots]
                >= level[index, slot] - SAME_KWH
            )
            due[index, slot] = -1 if wants[0] else slot + int(wants.argmax()) + 1
        return due

    @cached_property
    def reserve_ends(self) -> IndexArray:
        """The slot in which the battery moves again, or the reserve that it keeps is lower."""
        lower = np.zeros(self.charge.shape, dtype=bool)
        lower[:, 1:] = self.floor_kwh[:, 1:] < self.floor_kwh[:, :-1] - SAME_KWH
        # Nobody asks what follows before the first slot: what another plan ends with makes no
        # difference there.
        return self.next_where(~self.rests | lower)

    # --- what was learned -------------------------------------------------------------------------

    @cached_property
    def planners_choice(self) -> PlannersChoice:
        """What the planner would do where the plan follows what was learned."""
        return join_parts([read_planners_choice(plan) for plan in self.plans], self.slots)

    @cached_property
    def planner_takes(self) -> FloatArray:
        return self.planners_choice.takes

    @cached_property
    def planner_gives(self) -> FloatArray:
        return self.planners_choice.gives

    @cached_property
    def learned_cost(self) -> FloatArray:
        return self.planners_choice.cost

    @cached_property
    def learned_gain(self) -> FloatArray:
        return self.planners_choice.gain

    # --- figures ----------------------------------------------------------------------------------

    @cached_property
    def sun_curtailed_kwh(self) -> FloatArray:
        """What of the surplus is held back, where something is."""
        return np.where(self.holds_back, self.shares.sun_curtailed_kwh, np.nan)

    @cached_property
    def curtailed_kwh(self) -> FloatArray:
        """What of the sun is held back, where something is."""
        return np.where(self.flows.curtailed_kwh > NOTHING_KWH, self.flows.curtailed_kwh, np.nan)

    @cached_property
    def loaded(self) -> FloatArray:
        """What a bought kWh costs with its losses, where there are any."""
        return np.where(
            (self.buy > 0) & (self.return_share < 1), self.buy / self.return_share, np.nan
        )

    @cached_property
    def soc(self) -> FloatArray:
        return self.start_kwh / self.battery.capacity_kwh

    @cached_property
    def least_soc(self) -> FloatArray:
        return np.where(self.below_limits, self.battery.min_soc, np.nan)

    @cached_property
    def most_soc(self) -> FloatArray:
        return np.where(self.above_limits, self.battery.max_soc, np.nan)

    @cached_property
    def gives_kw(self) -> FloatArray:
        return self.discharge / self.hours

    @cached_property
    def takes_kw(self) -> FloatArray:
        return self.charge / self.hours

    @cached_property
    def peak_kw(self) -> FloatArray:
        return self.peak_kwh / self.hours

    @cached_property
    def peak_price(self) -> FloatArray:
        return self.join_each(find_peak_price)

    @cached_property
    def connection_kw(self) -> FloatArray:
        return self.connection_kwh / self.hours

    @cached_property
    def feed_in_kw(self) -> FloatArray:
        return self.feed_in_limit_kwh / self.hours

    @cached_property
    def inverter_kw(self) -> FloatArray:
        sun = self.conversion
        return np.full(self.charge.shape, np.nan) if sun is None else sun.limit_kwh / self.hours

    def _at(
        self, values: NDArray[Any], slots: IndexArray, *, unknown: float = np.nan
    ) -> FloatArray:
        """Return what holds in other slots, battery by battery; ``unknown`` where there is none."""
        # The last one stands in where there is none.
        row = values if values.ndim == 1 else values[0]
        chosen = row[slots] if values.ndim == 1 or len(values) == 1 else values[self._rows, slots]
        return np.where(slots >= 0, chosen, unknown)


def read_numbers(values: FloatArray) -> list[Figure | None]:
    """Return numbers as they leave the planner: rounded, no zero with a minus, None for what is
    unknown.
    """
    numbers = (values.round(DECIMALS) + 0.0).tolist()
    return (
        [None if math.isnan(number) else number for number in numbers]
        if np.isnan(values).any()
        else numbers
    )
