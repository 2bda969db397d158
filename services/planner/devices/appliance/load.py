"""Switched loads in a plan: on or off per slot, with needs by day and for comfort."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.contracts.plan.columns import Columns
from luna.energy.devices.appliance import APPLIANCE, ComfortWindow, DeferrableLoad, LoadState
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, Timeline, local_midnight
from luna.energy.windows import find_spans
from services.planner.devices.appliance.shared import (
    LOAD_SLACK,
    explain_idle,
    list_limits,
    read_allowed,
    takes_surplus_alone,
    write_columns,
)
from services.planner.devices.causes import (
    NOTHING_KWH,
    DeviceReasons,
    SlotReasonBuilder,
    SlotWindow,
)
from services.planner.devices.kind import (
    DemandColumns,
    LoadPricing,
    MissedDemand,
    PinnedUse,
    SurplusUse,
    SwitchedUse,
)
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.linear.schedules import (
    RunRules,
    ScheduleBlock,
    Schedules,
    SlotNeed,
    read_rules,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_DAY_HOURS = 24.0
# Less missing energy than this is not reported.
_MISSED_KWH = 1e-4


@dataclass(frozen=True, slots=True)
class DayNeed:
    """Energy that an appliance has to use within slots ``first`` to ``end`` (exclusive).

    ``when`` is the local day, or the local instant at which a comfort window ends. ``most_kwh`` is
    the most energy that it may use there; None: hardly more than it needs; infinite where another
    need limits it.
    """

    first: int
    end: int
    need_kwh: float
    when: date
    most_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class LoadDemand:
    """A switched load over the horizon.

    Args:
        load: the owner's declaration.
        needs: its needs.
        off_hours: how long it has been off at the start.
        on_hours: how long it has been on at the start.
        allowed: 1 in the slots in which it may run, else 0, ``(slots,)``.
        pinned: 1 where its owner wants it on, 0 where off, else NaN, ``(slots,)``.
    """

    section: ClassVar[str] = APPLIANCE.section

    load: DeferrableLoad
    needs: tuple[DayNeed, ...]
    off_hours: float
    on_hours: float
    allowed: FloatArray
    pinned: FloatArray

    @property
    def name(self) -> str:
        return self.load.name

    def rules(self, hours: FloatArray) -> RunRules:
        """Return its rules for runs and rests, in slots."""
        load = self.load
        has_longest_rest = load.max_gap_hours < _DAY_HOURS and load.energy_kwh_per_day > 0
        longest_rest_hours = load.max_gap_hours if has_longest_rest else np.inf
        return read_rules(
            (load.min_on_minutes / 60, load.min_off_minutes / 60, longest_rest_hours),
            (self.on_hours, self.off_hours),
            hours,
        )

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return the energy of a run that has just begun, ``(slots,)``."""
        least_on, _ = self.rules(hours).bounds(np.zeros(hours.size))
        return least_on * self.load.power_kw * hours

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        return np.asarray(self.load.power_kw * hours)

    def missing_kwh(self, used_kwh: FloatArray) -> FloatArray:
        """Return the energy missing of each need, ``(needs,)``."""
        missing = np.zeros(len(self.needs))
        for place, need in enumerate(self.needs):
            used = float(used_kwh[need.first : need.end].sum())
            missing[place] = max(need.need_kwh - used, 0.0)
        return missing

    def is_settled(self, hours: FloatArray) -> bool:
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "LoadDemand":
        return self

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> "LoadDemand":
        pinned = np.where(block_hours > 0, float(block.action == "on"), self.pinned)
        return replace(self, pinned=pinned)

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add whether it is on per slot, and whether it has been off for too long."""
        first_column = builder.columns
        first_row = builder.rows
        load = self.load
        rules = self.rules(ahead.hours)
        slot_kwh = load.power_kw * ahead.hours
        surplus_alone = takes_surplus_alone(load, ahead)
        has_energy = ~surplus_alone | (ahead.surplus_kwh >= slot_kwh - 1e-9)
        least, most = rules.bounds(self.allowed * has_energy)
        cost = (ahead.tie - (load.extra_value or 0.0)) * slot_kwh
        price = LOAD_SLACK * ahead.dearest
        on = builder.add_columns(most.size, cost=cost, lower=least, upper=most, integer=True)
        needs = []
        for day_need in self.needs:
            need = _read_need(day_need, slot_kwh, most, rules=rules, price=price)
            if need is not None:
                needs.append(need)
        for need in needs:
            missing = builder.add_columns(1, cost=need.price, upper=max(need.required, 0.0))
            # row required <= sum(share * on) + missing <= most
            builder.add_sum(
                need.required, need.most, [(on[need.first : need.end], need.share), (missing, 1.0)]
            )
        has_run_rules = rules.shortest_run > 1 or rules.shortest_rest > 1 or rules.longest_rest
        too_long = on[:0]
        if has_run_rules or load.start_price:
            start = add_starts(builder, on, rules, price=load.start_price)
            if rules.longest_rest:
                too_long = add_longest_rest(builder, (on, start), rules, price=price)
        block = ScheduleBlock(
            slice(first_column, builder.columns),
            slice(first_row, builder.rows),
            on,
            Schedules(cost, least, most, rules, needs, load.start_price, price),
        )
        # A run under way goes on without surplus, and takes no share of it.
        is_free = self.forced_kwh(ahead.hours) == 0
        return DemandColumns(
            on,
            slot_kwh,
            partial(_read_schedule, self, (on, too_long), slot_kwh),
            block,
            SurplusUse(on, slot_kwh, self.allowed, surplus_alone & is_free),
            PinnedUse(on, self.pinned, load.power_kw * float(ahead.hours.max())),
            switched=SwitchedUse(np.arange(on.size), on),
        )


def _read_need(
    need: DayNeed, slot_kwh: FloatArray, most: FloatArray, *, rules: RunRules, price: float
) -> SlotNeed | None:
    """Return a need in slots, None if it neither requires nor limits anything.

    Where all slots are equally long, the need is rounded up to whole slots: then no relaxation
    meets it with a part of one.
    """
    within = slice(need.first, need.end)
    full_kwh = float(slot_kwh[within].max())
    share = slot_kwh[within] / full_kwh
    required = need.need_kwh / full_kwh
    if share.min() == 1.0:
        required = float(np.ceil(required - 1e-9))
    # Energy beyond the slots' capacity is missing under any plan: a price on it would only hide
    # the other costs of a plan.
    required = min(required, float(share @ most[within]))
    if need.most_kwh is None:
        # An upper limit, so that a heater does not burn energy at negative prices. It leaves room
        # for the slots beyond the need that the rules for runs may ask for.
        runs = 1
        if rules.longest_rest:
            runs = (need.end - need.first) // (rules.longest_rest + 1) + 1
        beyond = max(runs * rules.shortest_run - 1, rules.sessions)
        highest = float(np.ceil(required - 1e-9)) + beyond
    else:
        highest = float(max(need.most_kwh / full_kwh, required, rules.sessions))
    if required <= 0 and highest >= share.size:
        return None
    return SlotNeed(need.first, share, required, highest, price * full_kwh)


def add_starts(
    builder: ModelBuilder, on: Indices, rules: RunRules, *, price: float = 0.0
) -> Indices:
    """Add a column per start, with the rows for shortest runs and rests.

    An appliance of which nothing is known has been off for long enough.
    """
    count = on.size
    rest = rules.shortest_rest
    was_on = float(bool(rules.was_on))
    slots = np.arange(count)
    # An appliance that is on at the start rests for long enough once it stops. How long one that
    # is off has to stay off is in the bounds of ``on``.
    upper = np.where(slots < rest, 1.0 - was_on, 1.0)
    start = builder.add_columns(count, cost=price, upper=upper)
    before = np.zeros(count)
    before[0] = was_on
    # rows start[t] >= on[t] - on[t-1]
    unbound = np.full(count, -np.inf)
    builder.add_rows(unbound, before, [(on, 1.0), (on[:-1], -1.0), (start, -1.0)])
    # rows sum of start[t - shortest_run + 1 ... t] <= on[t]
    first = np.maximum(slots + 1 - rules.shortest_run, 0)
    started = builder.add_windows(-np.inf, 0.0, start, (first, slots + 1))
    builder.add_entries(started, on, -1.0)
    if 1 < rest < count:
        # rows on[t] + sum of start[t + 1 ... t + rest] <= 1
        edges = (slots[1 : count - rest + 1], slots[rest:] + 1)
        rested = builder.add_windows(-np.inf, 1.0, start, edges)
        builder.add_entries(rested, on[:-rest], 1.0)
    return start


def add_longest_rest(
    builder: ModelBuilder, columns: tuple[Indices, Indices], rules: RunRules, *, price: float
) -> Indices:
    """Limit rests to the longest rest, at a price per slot beyond it.

    Returns:
        The columns of the slots beyond.
    """
    on, start = columns
    longest_rest = rules.longest_rest
    first = max(longest_rest - rules.rested, 0)
    begins = np.arange(max(on.size - longest_rest, 1))
    # The rest at the horizon's begin started before it.
    ends = np.where(begins == 0, first, begins + longest_rest) + 1
    begins = begins[ends <= on.size]
    ends = ends[ends <= on.size]
    late = builder.add_columns(begins.size, cost=price, upper=1.0)
    # rows on[t] + sum of start[t + 1 ... t + longest_rest] + late[t] >= 1
    rows = builder.add_windows(1.0, np.inf, start, (begins + 1, ends))
    builder.add_entries(rows, on[begins], 1.0)
    builder.add_entries(rows, late, 1.0)
    return late


@dataclass(frozen=True, slots=True)
class RunSchedule:
    """A switched load's schedule.

    Args:
        demand: the scheduled demand.
        use_kwh: energy used, ``(slots,)``.
        off_too_long: the number of slots in which it has been off for too long.
    """

    demand: LoadDemand
    use_kwh: FloatArray
    off_too_long: float

    def columns(self) -> Columns:
        return write_columns(self.use_kwh)

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield the energy missing of its needs, and its rests that are too long."""
        load = self.demand.load
        missing_by_need = self.demand.missing_kwh(self.use_kwh).tolist()
        for need, missing in zip(self.demand.needs, missing_by_need, strict=True):
            if missing > _MISSED_KWH:
                figures = {
                    "name": load.name,
                    "wanted": need.need_kwh,
                    "by": need.when,
                    "kwh": missing,
                } | list_limits(load)
                code = "load_by" if isinstance(need.when, datetime) else "load_day"
                yield MissedDemand(code, missing, figures)
        if self.off_too_long > _MISSED_KWH:
            figures = {
                "name": load.name,
                "hours": load.max_gap_hours,
                "count": round(self.off_too_long),
            }
            yield MissedDemand("load_gap", 0.0, figures)

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot, day by day."""
        demand = self.demand
        slot_reasons = SlotReasonBuilder(self.use_kwh.size)
        slots = np.arange(self.use_kwh.size)
        timeline = reasons.outlook.timeline
        begins = list(timeline)
        full_kwh = demand.load.power_kw * timeline.hours
        due_hours = demand.load.max_gap_hours - float(timeline.hours.max())
        is_due = self._off_hours(timeline.hours) >= due_hours - NOTHING_KWH
        missing_by_need = demand.missing_kwh(self.use_kwh).tolist()
        for need, missing in zip(demand.needs, missing_by_need, strict=True):
            window = SlotWindow(
                (slots >= need.first) & (slots < need.end) & (demand.allowed > 0),
                until=begins[need.end] if need.end < slots.size else timeline.end,
                used_kwh=self.use_kwh,
                least_kwh=full_kwh,
                most_kwh=full_kwh,
                missing_kwh=missing,
            )
            running = reasons.charging(window)
            running = np.where((running == "use_now") & is_due, "load_gap", running)
            codes = np.where(window.used, running, explain_idle(reasons, window))
            reasons.explain_window(slot_reasons, window, codes, hours=demand.load.max_gap_hours)
        slot_reasons.set_reasons(demand.allowed <= 0, "load_not_now")
        return slot_reasons.write()

    def _off_hours(self, hours: FloatArray) -> FloatArray:
        """Return how long the load has been off at the start of each slot."""
        off_hours = np.zeros(hours.size)
        off = self.demand.off_hours
        for slot in range(hours.size):
            off_hours[slot] = off
            off = 0.0 if self.use_kwh[slot] > NOTHING_KWH else off + hours[slot]
        return off_hours

    @property
    def storage(self) -> None:
        return None

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield the difference between its use and the pinned use."""
        pinned_kwh = self.demand.pinned * self.demand.load.power_kw * hours
        deviations = np.abs(pinned_kwh - self.use_kwh)
        yield "manual", float(np.nansum(deviations[inside]))


def _read_schedule(
    demand: LoadDemand, columns: tuple[Indices, Indices], slot_kwh: FloatArray, column: FloatArray
) -> RunSchedule:
    """Read a load's schedule from the values of all columns."""
    on, too_long = columns
    return RunSchedule(demand, np.round(column[on]) * slot_kwh, float(column[too_long].sum()))


def read_load(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo
) -> LoadDemand:
    """Return a switched load's demand over a timeline, local day by local day."""
    needs = [*_read_days(load, state, timeline, zone)]
    for window in load.comfort:
        needs += _read_comfort(load, window, timeline, state=state, zone=zone)
    return LoadDemand(
        load,
        tuple(needs),
        off_hours=state.off_hours,
        on_hours=state.on_hours,
        allowed=read_allowed(load, timeline, zone),
        pinned=np.full(timeline.count, np.nan),
    )


def _read_days(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, zone: ZoneInfo
) -> Iterator[DayNeed]:
    today = timeline.start.astimezone(zone).date()
    day = today
    midnight = local_midnight(day, zone)
    while midnight < timeline.end:
        following = local_midnight(day + DAY, zone)
        ahead = min(following, timeline.end) - max(midnight, timeline.begin)
        need = load.energy_kwh_per_day * (ahead / (following - midnight))
        used = state.energy_today_kwh if day == today else None
        if used is not None:
            remaining_kwh = max(load.energy_kwh_per_day - used, 0.0)
            need = remaining_kwh if following <= timeline.end else min(remaining_kwh, need)
        first = timeline.first_from(midnight)
        end = timeline.first_from(following)
        if end > first:
            yield DayNeed(first, end, need, day, _most_of_day(load, used or 0.0))
        day += DAY
        midnight = following


def _most_of_day(load: DeferrableLoad, used_kwh: float) -> float | None:
    """Return the most energy that a load may use in the rest of a day."""
    if load.extra_value is None:
        return None
    if load.most_kwh_per_day is None:
        return np.inf
    return max(load.most_kwh_per_day - used_kwh, 0.0)


def _read_comfort(
    load: DeferrableLoad,
    window: ComfortWindow,
    timeline: Timeline,
    *,
    state: LoadState,
    zone: ZoneInfo,
) -> Iterator[DayNeed]:
    midnight = local_midnight(timeline.start.astimezone(zone).date(), zone)
    for begin, end in find_spans(window, timeline, zone):
        used_today = state.energy_today_kwh if begin >= midnight else None
        # Energy used in an open window so far: today's use if it fits into the time since the
        # window's begin, or else an even share.
        passed_hours = max((timeline.begin - begin) / HOUR, 0.0)
        if used_today is None:
            used_kwh = window.energy_kwh * passed_hours / ((end - begin) / HOUR)
        else:
            used_kwh = min(used_today, passed_hours * load.power_kw)
        later_kwh = max((end - timeline.end) / HOUR, 0.0) * load.power_kw
        need = window.energy_kwh - used_kwh - later_kwh
        first = timeline.first_from(begin)
        last = min(int((end - timeline.start) // timeline.step), timeline.count)
        if need > 0 and last > first:
            yield DayNeed(first, last, need, end.astimezone(zone), np.inf)
