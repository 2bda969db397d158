"""Dehumidifiers in a plan: how humid the air of their rooms is kept, how often they are switched
on, and why they run or wait.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np
from luna.energy.devices.dehumidifier import (
    DEHUMIDIFIER,
    Dehumidifier,
    DehumidifierFlow,
    DehumidifierState,
)

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, StateMessage
from luna.contracts.plan.columns import Columns
from luna.energy.devices.kind import read_section
from luna.energy.physics.mode import BoolArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline, local_dates, local_midnight
from services.planner.devices.causes import DeviceReasons, SlotReasonBuilder, SlotWindow, round_each
from services.planner.devices.expected import Expected
from services.planner.devices.kind import (
    DemandColumns,
    LoadPricing,
    MissedDemand,
    PinnedUse,
    PlannedKind,
    refuse_strangers,
)
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.linear.schedules import OnOffSchedule, ScheduleBlock

# What it costs that the air is too humid or too dry by what a kWh makes of it, per hour, as a
# multiple of the dearest price.
AIR_SLACK = 60.0
_MISSED_PERCENT = 0.01
# Prices this close would read the same.
_SAME_PRICE = 5e-4


@dataclass(frozen=True, slots=True)
class HumidityDemand:
    """A dehumidifier over the horizon: how humid the air is at the start, and per slot
    (``(slots,)``) its change while it is on and off and its local day.

    ``driest`` and ``dampest`` are its band, wider where the air is outside of it whatever is done;
    ``pinned`` says where its owner wants it on (1) or off (0), NaN elsewhere.
    """

    section: ClassVar[str] = DEHUMIDIFIER.section

    dryer: Dehumidifier
    state: DehumidifierState
    start_percent: float
    fall_percent: FloatArray
    rise_percent: FloatArray
    driest: FloatArray
    dampest: FloatArray
    day: FloatArray
    pinned: FloatArray

    @property
    def name(self) -> str:
        """The dehumidifier's."""
        return self.dryer.name

    @property
    def percent_per_kwh(self) -> float:
        """By how much the air is drier for a kWh than without it."""
        return (
            self.dryer.falls_percent_per_h + self.dryer.rises_percent_per_h
        ) / self.dryer.power_kw

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return nothing: it may be switched off at any time."""
        return np.zeros(hours.size)

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses while it is on, shape ``(slots,)``."""
        return np.asarray(self.dryer.power_kw * hours)

    def is_settled(self, hours: FloatArray) -> bool:  # its columns are whole
        """Return True."""
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "HumidityDemand":
        """Return it as it is."""
        return self

    def pin(
        self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray
    ) -> "HumidityDemand":
        """Return it on, or off, in some slots."""
        return replace(
            self, pinned=np.where(block_hours > 0, float(block.action == "on"), self.pinned)
        )

    def follow(self, on: BoolArray) -> FloatArray:
        """Return how humid the air is at the end of each slot when it is on in some, shape
        ``(slots,)``.
        """
        return self.start_percent + np.cumsum(np.where(on, -self.fall_percent, self.rise_percent))

    def starts_left(self) -> Iterator[tuple[BoolArray, int]]:
        """Yield the slots of each local day and how often it may be switched on in them."""
        for place, day in enumerate(dict.fromkeys(self.day.tolist())):
            yield (
                self.day == day,
                max(self.dryer.most_starts_per_day - (0 if place else self.state.starts_today), 0),
            )

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add whether it is on per slot, the starts of each day, and the humidity: what lies within
        the band, plus what is too humid, less what is too dry.
        """
        columns = builder.columns
        rows = builder.rows
        count = ahead.hours.size
        slot_kwh = self.dryer.power_kw * ahead.hours
        cost = ahead.tie * slot_kwh
        on = builder.add_columns(count, cost=cost, upper=1.0, integer=True)
        start = builder.add_columns(count, cost=0.0, upper=1.0)
        before = np.zeros(count)
        before[0] = float(self.state.on)
        builder.add_rows(
            np.full(count, -np.inf), before, [(on, 1.0), (on[:-1], -1.0), (start, -1.0)]
        )
        for slots, left in self.starts_left():
            builder.add_sum(-np.inf, float(left), [(start[slots], 1.0)])
        worth = np.zeros(count)
        worth[-1] = ahead.left_price / self.percent_per_kwh
        inside = builder.add_columns(count, cost=worth, lower=self.driest, upper=self.dampest)
        slack = AIR_SLACK * ahead.dearest / self.percent_per_kwh * ahead.hours
        damp, dry = (builder.add_columns(count, cost=slack, upper=np.inf) for _ in range(2))
        change = np.array(self.rise_percent)
        change[0] += self.start_percent
        last = [(inside[:-1], -1.0), (damp[:-1], -1.0), (dry[:-1], 1.0)]
        builder.add_rows(
            change,
            change,
            [
                (inside, 1.0),
                (damp, 1.0),
                (dry, -1.0),
                *last,
                (on, self.fall_percent + self.rise_percent),
            ],
        )
        block = ScheduleBlock(
            slice(columns, builder.columns),
            slice(rows, builder.rows),
            on,
            DryingSchedules(self, cost, slack, float(worth[-1])),
        )
        return DemandColumns(
            on,
            slot_kwh,
            partial(_read_schedule, self, on, slot_kwh),
            block,
            pinned=PinnedUse(on, self.pinned, float(slot_kwh.max())),
        )


@dataclass(frozen=True, slots=True)
class DryingSchedules:
    """When a dehumidifier may be on, and the cheapest of that: exact, by dynamic programming over
    slots.

    A state is whether it was on in the first slot, which may be a short one, in how many others,
    how many starts are left of the day, and whether it is on. ``cost`` is what being on costs
    beside the energy, ``slack`` what a per cent too humid or too dry does, both ``(slots,)``;
    ``worth`` what a per cent less at the end is worth.
    """

    demand: HumidityDemand
    cost: FloatArray
    slack: FloatArray
    worth: float

    def find(self, price: FloatArray) -> OnOffSchedule:
        """Return the cheapest schedule where being on also costs a ``price``, (slots,), which is
        not part of the schedule's cost.
        """
        cost = self.cost + price
        air = self._price_air()
        most = self.demand.dryer.most_starts_per_day
        count = price.size
        after = np.zeros((2, count, most + 1, 2))
        chosen = np.zeros((count, 2, count, most + 1, 2), dtype=bool)
        for slot in range(count - 1, 0, -1):
            after = after + air[slot][:, :, None, None]
            going = np.concatenate([after[:, 1:, :, 1], np.full((2, 1, most + 1), np.inf)], axis=1)
            starting = np.concatenate([np.full((2, count, 1), np.inf), going[:, :, :-1]], axis=2)
            off = after[..., 0]
            if self.demand.day[slot] != self.demand.day[slot - 1]:
                going, starting, off = (
                    np.broadcast_to(each[:, :, most:], off.shape) for each in (going, starting, off)
                )
            with_on = np.stack([starting, going], axis=-1) + cost[slot]
            with_off = np.stack([off, off], axis=-1)
            chosen[slot] = with_on < with_off
            after = np.where(chosen[slot], with_on, with_off)
        after = after + air[0][:, :, None, None]
        return self._follow(chosen, after, cost, price)

    def _follow(
        self, chosen: BoolArray, after: FloatArray, cost: FloatArray, price: FloatArray
    ) -> OnOffSchedule:
        """Return the schedule that was chosen, from the first slot on, and its cost without the
        price.
        """
        most = self.demand.dryer.most_starts_per_day
        on = np.zeros(price.size)
        left = next(left for _, left in self.demand.starts_left())
        was_on = self.demand.state.on
        others = 0
        with_on = cost[0] + after[1, 0, left - (not was_on), 1] if was_on or left else np.inf
        value = float(min(with_on, after[0, 0, left, 0]))
        first = int(with_on < after[0, 0, left, 0])
        left = left - int(first and not was_on)
        was_on = bool(first)
        on[0] = first
        for slot in range(1, price.size):
            is_on = bool(chosen[slot, first, others, left, int(was_on)])
            left = most if self.demand.day[slot] != self.demand.day[slot - 1] else left
            left = left - int(is_on and not was_on)
            others = others + int(is_on)
            was_on = is_on
            on[slot] = is_on
        return OnOffSchedule(on, value - float(price @ on))

    def _price_air(self) -> FloatArray:
        """Return what the air costs at the end of each slot, ``(slots, 2, slots)``: by whether it
        was on in the first one, and in how many others.
        """
        demand = self.demand
        count = self.cost.size
        drier = demand.fall_percent + demand.rise_percent
        less = drier[0] * np.arange(2)[:, None] + drier[-1] * np.arange(count)
        humidity = (demand.start_percent + np.cumsum(demand.rise_percent))[:, None, None] - less
        inside = np.clip(humidity, demand.driest[:, None, None], demand.dampest[:, None, None])
        air = self.slack[:, None, None] * np.abs(humidity - inside)
        air[-1] += self.worth * inside[-1]
        return np.asarray(air)


@dataclass(frozen=True, slots=True)
class DryerSchedule:
    """What a dehumidifier does in a plan: where it is on and what it uses, ``(slots,)``."""

    demand: HumidityDemand
    on: BoolArray
    use_kwh: FloatArray

    def columns(self) -> Columns:
        """Return electricity, humidity, and whether it is on."""
        numbers = {"energy_kwh": self.use_kwh, "humidity_percent": self.demand.follow(self.on)}
        return {name: (np.round(values, 6) + 0.0).tolist() for name, values in numbers.items()} | {
            "on": self.on.tolist()
        }

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield where the air is too humid or too dry.

        What is too humid as the electricity that would dry it.
        """
        dryer = self.demand.dryer
        humidity = self.demand.follow(self.on)
        kwh = 1 / self.demand.percent_per_kwh
        for code, wanted, missed in (
            ("air_most", dryer.most_percent, humidity - dryer.most_percent),
            ("air_least", dryer.least_percent, dryer.least_percent - humidity),
        ):
            worst = int(missed.argmax())
            if (percent := float(missed[worst])) > _MISSED_PERCENT:
                figures = {
                    "name": dryer.name,
                    "wanted": wanted,
                    "worst": list(timeline)[worst].astimezone(zone),
                    "percent": percent,
                }
                yield MissedDemand(code, percent * kwh if code == "air_most" else 0.0, figures)

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot: what a kWh costs in it, how humid the air then is, and
        what is waited for.
        """
        demand = self.demand
        on = self.on
        price = reasons.view.marginal
        priced = reasons.view.priced
        dryer = demand.dryer
        humidity = demand.follow(on)
        every = np.ones(on.size, dtype=bool)
        window = SlotWindow(
            every, reasons.outlook.timeline.end, self.use_kwh, self.use_kwh, self.use_kwh
        )
        following = np.minimum(window.following, on.size - 1)
        too_dry = humidity - demand.rise_percent - demand.fall_percent < dryer.least_percent
        cheaper = priced & priced[following] & (price[following] < price - _SAME_PRICE)
        waits = np.where(cheaper, "air_waits", "air_later")
        codes = np.select([on, too_dry, window.later], ["air_dries", "air_dry", waits], "air_done")
        told = SlotReasonBuilder(on.size)
        told.set_reasons(
            every,
            codes,
            {"driest": dryer.least_percent / 100, "dampest": dryer.most_percent / 100},
            start=reasons.starts,
            buy=np.where(priced, reasons.marginal, None),
            humidity=round_each(humidity / 100),
            price=np.where(codes == "air_waits", reasons.marginal[following], None),
            time=np.where(window.later & ~on, reasons.starts[following], None),
        )
        return told.write()

    @property
    def storage(self) -> None:
        """Dry air gives nothing back."""

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield how far its use is from what is pinned."""
        yield (
            "manual",
            float(
                np.nansum(
                    np.abs(self.demand.pinned * self.demand.most_use_kwh(hours) - self.use_kwh)[
                        inside
                    ]
                )
            ),
        )


def _read_schedule(
    demand: HumidityDemand, on: Indices, slot_kwh: FloatArray, column: FloatArray
) -> DryerSchedule:
    is_on = column[on] > 0.5  # a choice is 0 or 1 but for the solver's dust
    return DryerSchedule(demand, is_on, is_on * slot_kwh)


def read_dehumidifier(
    dryer: Dehumidifier, state: DehumidifierState, timeline: Timeline, *, zone: ZoneInfo
) -> HumidityDemand:
    """Return what is wanted of a dehumidifier over a timeline."""
    known = state.humidity_percent
    start = (dryer.least_percent + dryer.most_percent) / 2 if known is None else known
    fall = dryer.falls_percent_per_h * timeline.hours
    rise = dryer.rises_percent_per_h * timeline.hours
    day = np.array([day.toordinal() for day in local_dates(timeline, zone)], dtype=float)
    # However it is run the air is no drier than where it always runs, nor damper than where it
    # never does: what nothing can mend has no price.
    dampest = np.maximum(dryer.most_percent, start - np.cumsum(fall))
    driest = np.minimum(dryer.least_percent, start + np.cumsum(rise))
    return HumidityDemand(
        dryer, state, start, fall, rise, driest, dampest, day, np.full(timeline.count, np.nan)
    )


def _states(state: StateMessage) -> dict[str, DehumidifierState]:
    return read_section(state, DEHUMIDIFIER.section, DehumidifierState)


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage
) -> tuple[HumidityDemand, ...]:
    dryers = DEHUMIDIFIER.of(site)
    states = _states(state)
    zone = ZoneInfo(site.timezone)
    refuse_strangers(DEHUMIDIFIER.section, states, [dryer.name for dryer in dryers])
    apart = [dryer for dryer in dryers if dryer.name not in series.load_includes]
    return tuple(
        read_dehumidifier(dryer, states.get(dryer.name, DehumidifierState()), timeline, zone=zone)
        for dryer in apart
    )


def carry_dehumidifiers(
    expected: Expected, switched: Collection[str]
) -> dict[str, DehumidifierState]:
    """Return the dehumidifiers that Luna switches and those of which the plan was told how humid
    the air is: they have run as planned.
    """
    states = _states(expected.plan.request.state)
    return {
        name: _carry(expected, name, states.get(name, DehumidifierState()))
        for name in dict.fromkeys([*states, *switched])
    }


def _carry(expected: Expected, name: str, state: DehumidifierState) -> DehumidifierState:
    flows = expected.flows(DEHUMIDIFIER.section, name, DehumidifierFlow)
    if not flows:
        return state
    zone = ZoneInfo(expected.plan.reply.timezone)
    midnight = local_midnight(expected.at.astimezone(zone).date(), zone)
    on = [state.on, *(flow.on for flow in flows)]
    starts = [
        slot.start
        for slot, before, now in zip(expected.over, on, on[1:], strict=False)
        if now and not before
    ]
    earlier = state.starts_today if expected.plan.start >= midnight else 0
    return DehumidifierState(
        humidity_percent=flows[-1].humidity_percent,
        on=on[-1],
        starts_today=earlier + sum(start >= midnight for start in starts),
    )


def _assume_air(
    site: Site, state: StateMessage, included: Collection[str], _begin: datetime
) -> Iterator[Assumption]:
    known = [name for name, each in _states(state).items() if each.humidity_percent is not None]
    if unknown := [
        dryer.name for dryer in DEHUMIDIFIER.of(site) if dryer.name not in (*included, *known)
    ]:
        yield Assumption(code="air_assumed", figures={"dehumidifiers": unknown})


PLANNED = PlannedKind(DEHUMIDIFIER.section, _read_demands, carry_dehumidifiers, assume=_assume_air)
