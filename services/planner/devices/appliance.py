"""Appliances in a plan: loads with a daily energy that are on or off, and programmes that run once
when asked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.counterfactual import Habit
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import OutlookMessage, StateMessage
from luna.contracts.plan.columns import Columns
from luna.energy.devices.appliance import (
    APPLIANCE,
    ComfortWindow,
    DeferrableLoad,
    LoadFlow,
    LoadRun,
    LoadState,
)
from luna.energy.devices.kind import read_section
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline, local_midnight
from luna.energy.windows import find_spans, mark_slots
from services.planner.devices.causes import (
    LITTLE_KWH,
    NOTHING_KWH,
    Codes,
    DeviceReasons,
    SlotReasonBuilder,
    SlotWindow,
)
from services.planner.devices.expected import Expected, carry_runs
from services.planner.devices.kind import (
    UNPLACED,
    DemandColumns,
    LoadPricing,
    MissedDemand,
    PinnedUse,
    PlannedKind,
    SurplusUse,
    SwitchedUse,
    refuse_strangers,
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
# What a kWh costs that an appliance does not get, as a multiple of the dearest price: dear enough
# that a slot more is cheaper than the last few watt-hours missing; what a car lacks is dearer.
LOAD_SLACK = 60.0
# What a programme uses below this is the solver's dust; and what of a need is missing, nobody
# tells.
_DUST_KWH = 1e-6
_MISSED_KWH = 1e-4


@dataclass(frozen=True, slots=True)
class DayNeed:
    """What an appliance has to use within slots ``first`` to ``end`` (exclusive): of a local day,
    or for its comfort by a local instant, as ``when``.

    ``most_kwh`` is what it may use there at most, None: hardly more than it needs; infinite where
    another need says it.
    """

    first: int
    end: int
    need_kwh: float
    when: date
    most_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class LoadDemand:
    """A load over the horizon: its needs, for how long it has been off or on at the start, and the
    slots it may run in (``(slots,)``).

    ``pinned`` says (same shape) where its owner wants it on (1) or off (0), NaN elsewhere.
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
        """The load's."""
        return self.load.name

    def rules(self, hours: FloatArray) -> RunRules:
        """Return how it may be on and off, in slots."""
        load = self.load
        gap = (
            load.max_gap_hours
            if load.max_gap_hours < _DAY_HOURS and load.energy_kwh_per_day > 0
            else np.inf
        )
        return read_rules(
            (load.min_on_minutes / 60, load.min_off_minutes / 60, gap),
            (self.on_hours, self.off_hours),
            hours,
        )

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses whatever is planned, because it has just begun, shape
        ``(slots,)``.
        """
        return self.rules(hours).bounds(np.zeros(hours.size))[0] * self.load.power_kw * hours

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses while it is on, shape ``(slots,)``."""
        return np.asarray(self.load.power_kw * hours)

    def missing_kwh(self, used_kwh: FloatArray) -> FloatArray:
        """Return what each need lacks when so much is used per slot, shape ``(needs,)``."""
        return np.array(
            [
                max(need.need_kwh - float(used_kwh[need.first : need.end].sum()), 0.0)
                for need in self.needs
            ]
        )

    def is_settled(self, hours: FloatArray) -> bool:  # its columns are whole
        """Return True."""
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "LoadDemand":
        """Return it as it is."""
        return self

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> "LoadDemand":
        """Return it on, or off, in some slots."""
        return replace(
            self, pinned=np.where(block_hours > 0, float(block.action == "on"), self.pinned)
        )

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add whether it is on per slot, and whether it has been off for too long."""
        columns = builder.columns
        rows = builder.rows
        load = self.load
        rules = self.rules(ahead.hours)
        slot_kwh = self.load.power_kw * ahead.hours
        bound = _takes_surplus(load, ahead)
        least, most = rules.bounds(self.allowed * (~bound | (ahead.surplus_kwh >= slot_kwh - 1e-9)))
        cost = (ahead.tie - (load.extra_value or 0.0)) * slot_kwh
        price = LOAD_SLACK * ahead.dearest
        on = builder.add_columns(most.size, cost=cost, lower=least, upper=most, integer=True)
        needs = [
            need
            for each in self.needs
            if (need := _read_need(each, slot_kwh, most, rules=rules, price=price))
        ]
        for need in needs:
            missing = builder.add_columns(1, cost=need.price, upper=max(need.required, 0.0))
            builder.add_sum(
                need.required, need.most, [(on[need.first : need.end], need.share), (missing, 1.0)]
            )
        too_long = on[:0]
        if (
            rules.shortest_run > 1
            or rules.shortest_rest > 1
            or rules.longest_rest
            or load.start_price
        ):
            start = add_starts(builder, on, rules, price=load.start_price)
            too_long = (
                add_longest_rest(builder, (on, start), rules, price=price)
                if rules.longest_rest
                else too_long
            )
        schedules = Schedules(cost, least, most, rules, needs, load.start_price, price)
        return DemandColumns(
            on,
            slot_kwh,
            partial(_place_load, self, (on, too_long), slot_kwh),
            ScheduleBlock(
                slice(columns, builder.columns), slice(rows, builder.rows), on, schedules
            ),
            # What runs on does so without surplus, too, and is none of those that share it.
            SurplusUse(on, slot_kwh, self.allowed, bound & (self.forced_kwh(ahead.hours) == 0)),
            PinnedUse(on, self.pinned, load.power_kw * float(ahead.hours.max())),
            switched=SwitchedUse(np.arange(on.size), on),
        )


@dataclass(frozen=True, slots=True)
class CycleRun:
    """One requested run: what each possible start uses per slot, ``(starts, slots)``, begin by
    begin; it is over at ``by``.

    ``open`` says that there is time for it beyond the horizon.
    """

    use_kwh: FloatArray
    by: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class CycleDemand:
    """A programme over the horizon: the requested runs, and the rest of the run under way at the
    start, ``(slots,)``.
    """

    section: ClassVar[str] = APPLIANCE.section

    load: DeferrableLoad
    runs: tuple[CycleRun, ...]
    running_kwh: FloatArray

    @property
    def name(self) -> str:
        """The load's."""
        return self.load.name

    @property
    def most_kwh(self) -> FloatArray:
        """What it uses at most per slot, whatever its runs' starts, shape ``(slots,)``."""
        return sum((run.use_kwh.max(axis=0, initial=0.0) for run in self.runs), self.running_kwh)

    @property
    def energy_kwh(self) -> float:
        """What one run uses."""
        return sum(self.load.profile_kw) * self.load.profile_minutes / 60

    def forced_kwh(self, hours: FloatArray) -> FloatArray:  # it is energy already
        """Return the rest of the run under way at the start."""
        return self.running_kwh

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return its largest use."""
        return self.most_kwh

    def is_settled(self, hours: FloatArray) -> bool:  # its columns are whole
        """Return True."""
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "CycleDemand":
        """Return it as it is."""
        return self

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> None:
        """Refuse: its runs say when."""

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add what it uses per slot, and whether each of its runs is missed: no run is split, and
        what runs at the start runs on.
        """
        use = builder.add_columns(
            self.running_kwh.size, cost=0.0, lower=self.running_kwh, upper=self.most_kwh
        )
        used = builder.add_rows(self.running_kwh, self.running_kwh, [(use, 1.0)])
        bound = _takes_surplus(self.load, ahead)
        missed = [use[:0]]
        for run in self.runs:
            fits = ~(run.use_kwh > np.where(bound, ahead.surplus_kwh, np.inf) + 1e-9).any(axis=1)
            starts = builder.add_columns(
                run.use_kwh.shape[0],
                cost=run.use_kwh @ ahead.tie,
                upper=fits.astype(float),
                integer=True,
            )
            # A run that may wait beyond the horizon will cost what a kWh costs on the average.
            price = max(ahead.mean_price, 0.0) if run.open else LOAD_SLACK * ahead.dearest
            skipped = builder.add_columns(1, cost=price * self.energy_kwh, upper=1.0)
            builder.add_sum(1.0, 1.0, [(starts, 1.0), (skipped, 1.0)])
            start, slot = np.nonzero(run.use_kwh)
            builder.add_entries(used[slot], starts[start], -run.use_kwh[start, slot])
            missed.append(skipped)
        surplus = SurplusUse(use, np.ones(use.size), self.most_kwh, bound & (self.running_kwh == 0))
        return DemandColumns(
            use, 1.0, partial(_place_cycle, self, use, np.concatenate(missed)), surplus=surplus
        )


def add_starts(
    builder: ModelBuilder, on: Indices, rules: RunRules, *, price: float = 0.0
) -> Indices:
    """Add a column per start, with the rows that runs and rests need.

    What nothing is known of was off for long enough.
    """
    count = on.size
    rest = rules.shortest_rest
    was_on = float(bool(rules.was_on))
    # What is on at the start and stops rests for long enough too; for how long it has to stay off
    # is in the bounds of ``on``.
    start = builder.add_columns(
        count, cost=price, upper=np.where(np.arange(count) < rest, 1.0 - was_on, 1.0)
    )
    before = np.zeros(count)
    before[0] = was_on
    builder.add_rows(np.full(count, -np.inf), before, [(on, 1.0), (on[:-1], -1.0), (start, -1.0)])
    slots = np.arange(count)
    started = builder.add_windows(
        -np.inf, 0.0, start, (np.maximum(slots + 1 - rules.shortest_run, 0), slots + 1)
    )
    builder.add_entries(started, on, -1.0)
    if 1 < rest < count:
        rested = builder.add_windows(
            -np.inf, 1.0, start, (slots[1 : count - rest + 1], slots[rest:] + 1)
        )
        builder.add_entries(rested, on[:-rest], 1.0)
    return start


def add_longest_rest(
    builder: ModelBuilder, columns: tuple[Indices, Indices], rules: RunRules, *, price: float
) -> Indices:
    """Let no rest be longer than it may.

    Each slot in which it is has its price. Returns the columns of these slots.
    """
    on, start = columns
    gap = rules.longest_rest
    first = max(rules.longest_rest - rules.rested, 0)
    begins = np.arange(max(on.size - gap, 1))
    # The stretch at the horizon's begin goes on from before
    ends = np.where(begins == 0, first, begins + gap) + 1
    begins = begins[ends <= on.size]
    ends = ends[ends <= on.size]
    late = builder.add_columns(begins.size, cost=price, upper=1.0)
    rows = builder.add_windows(1.0, np.inf, start, (begins + 1, ends))
    builder.add_entries(rows, on[begins], 1.0)
    builder.add_entries(rows, late, 1.0)
    return late


def _read_need(
    need: DayNeed, slot_kwh: FloatArray, most: FloatArray, *, rules: RunRules, price: float
) -> SlotNeed | None:
    """Return a need's energy in slots, in whole ones where all are as long: then no relaxation gets
    by with a part of one. None: it asks for nothing.
    """
    within = slice(need.first, need.end)
    full = float(slot_kwh[within].max())
    share = slot_kwh[within] / full
    required = need.need_kwh / full
    # What its slots cannot carry is missing whatever is planned: a price on it would only hide what
    # else a plan costs.
    required = min(
        float(np.ceil(required - 1e-9)) if share.min() == 1.0 else required,
        float(share @ most[within]),
    )
    # What heats must not become a way to burn energy that is paid for: so many slots more than it
    # needs it may be on.
    runs = (need.end - need.first) // (rules.longest_rest + 1) + 1 if rules.longest_rest else 1
    beyond = max(runs * rules.shortest_run - 1, rules.stays)
    highest = (
        np.ceil(required - 1e-9) + beyond
        if need.most_kwh is None
        else max(need.most_kwh / full, required, rules.stays)
    )
    return (
        SlotNeed(need.first, share, required, float(highest), price * full)
        if required > 0 or highest < share.size
        else None
    )


@dataclass(frozen=True, slots=True)
class PlacedRuns:
    """What a load does in a plan: what it uses, ``(slots,)``, and how often it is off for too
    long.
    """

    demand: LoadDemand
    use_kwh: FloatArray
    off_too_long: float

    def columns(self) -> Columns:
        """Return what it uses, and whether it is on."""
        return _columns(self.use_kwh)

    # Its needs say when
    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield what its needs lack, and how often it is off for too long."""
        load = self.demand.load
        for need, missing in zip(
            self.demand.needs, self.demand.missing_kwh(self.use_kwh).tolist(), strict=True
        ):
            if missing > _MISSED_KWH:
                figures = {
                    "name": load.name,
                    "wanted": need.need_kwh,
                    "by": need.when,
                    "kwh": missing,
                } | _limits(load)
                yield MissedDemand(
                    "load_by" if isinstance(need.when, datetime) else "load_day", missing, figures
                )
        if self.off_too_long > _MISSED_KWH:
            yield MissedDemand(
                "load_gap",
                0.0,
                {"name": load.name, "hours": load.max_gap_hours, "count": round(self.off_too_long)},
            )

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot, day by day."""
        demand = self.demand
        used_kwh = self.use_kwh
        slot_reasons = SlotReasonBuilder(used_kwh.size)
        slots = np.arange(used_kwh.size)
        hours = reasons.outlook.timeline.hours
        begins = list(reasons.outlook.timeline)
        full = demand.load.power_kw * hours
        # For how long an appliance has been off when each slot begins.
        off = demand.off_hours
        off_each = []
        for used, length in zip(used_kwh.tolist(), hours.tolist(), strict=True):
            off_each.append(off)
            off = 0.0 if used > NOTHING_KWH else off + length
        due = np.array(off_each) >= demand.load.max_gap_hours - float(hours.max()) - NOTHING_KWH
        for need, missing in zip(demand.needs, demand.missing_kwh(used_kwh).tolist(), strict=True):
            here = (slots >= need.first) & (slots < need.end) & (demand.allowed > 0)
            until = begins[need.end] if need.end < slots.size else reasons.outlook.timeline.end
            window = SlotWindow(here, until, used_kwh, full, full, missing, "load")
            runs = reasons.charging(window)
            runs = np.where((runs == "load_among") & due, "load_gap", runs)
            reasons.explain_window(
                slot_reasons,
                window,
                np.where(window.used, runs, _idle(reasons, window)),
                hours=demand.load.max_gap_hours,
            )
        slot_reasons.set_reasons(demand.allowed <= 0, "load_not_now")
        return slot_reasons.write()

    @property
    def storage(self) -> None:
        """It stores nothing."""

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield how far its use is from what is pinned."""
        yield (
            "manual",
            float(
                np.nansum(
                    np.abs(self.demand.pinned * self.demand.load.power_kw * hours - self.use_kwh)[
                        inside
                    ]
                )
            ),
        )


def _place_load(
    demand: LoadDemand, columns: tuple[Indices, Indices], slot_kwh: FloatArray, column: FloatArray
) -> PlacedRuns:
    on, too_long = columns
    return PlacedRuns(demand, np.round(column[on]) * slot_kwh, float(column[too_long].sum()))


@dataclass(frozen=True, slots=True)
class PlacedCycle:
    """What a programme does in a plan: what it uses, ``(slots,)``, and how far each of its runs is
    missed.
    """

    demand: CycleDemand
    use_kwh: FloatArray
    missed_runs: FloatArray

    def columns(self) -> Columns:
        """Return what it uses, and whether it is on."""
        return _columns(self.use_kwh)

    # Its runs say when
    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield its runs that are missed."""
        for run, share in zip(self.demand.runs, self.missed_runs.tolist(), strict=True):
            if share > 0 and not run.open:
                yield MissedDemand(
                    "load_run",
                    self.demand.energy_kwh,
                    {"name": self.demand.name, "by": run.by.astimezone(zone)}
                    | _limits(self.demand.load),
                )

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot until the last requested run's deadline."""
        demand = self.demand
        use_kwh = self.use_kwh
        slot_reasons = SlotReasonBuilder(use_kwh.size)
        end = reasons.outlook.timeline.end
        until = min(max((run.by for run in demand.runs), default=end), end)
        here = np.array([begin < until for begin in reasons.outlook.timeline])
        missing = float(self.missed_runs.sum()) * demand.energy_kwh
        window = SlotWindow(
            here, until, use_kwh, demand.most_kwh, demand.most_kwh, missing, "load", whole=True
        )
        reasons.explain_window(slot_reasons, window, _idle(reasons, window))
        # A run under way at the start goes on, whatever is requested
        slot_reasons.set_reasons(window.chosen, "load_programme")
        for run, used in _match_runs(demand, use_kwh):
            reasons.explain_window(
                slot_reasons,
                SlotWindow(used > NOTHING_KWH, run.by, used, used, used, kind="load", whole=True),
                "load_programme",
            )
        return slot_reasons.write()

    @property
    def storage(self) -> None:
        """It stores nothing."""

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield nothing: nobody pins it."""
        yield from ()


def _place_cycle(
    demand: CycleDemand, use: Indices, missed: Indices, column: FloatArray
) -> PlacedCycle:
    used = column[use]
    return PlacedCycle(demand, np.where(used > _DUST_KWH, used, 0.0), np.round(column[missed]))


def _takes_surplus(load: DeferrableLoad, ahead: LoadPricing) -> BoolArray:
    """Return the slots in which a load may take PV surplus alone."""
    too_dear = (
        np.zeros(ahead.hours.size, dtype=bool)
        if load.price_limit is None
        else ahead.import_price > load.price_limit
    )
    return too_dear | load.surplus_only


def _columns(use_kwh: FloatArray) -> Columns:
    # Rounding leaves a minus before some zeros; adding nothing takes it away.
    energies = (np.round(use_kwh, 6) + 0.0).tolist()
    return {"energy_kwh": energies, "on": [energy > 0 for energy in energies]}


def _limits(load: DeferrableLoad) -> dict[str, Any]:
    """Return what keeps a load from running whenever it would: the rules of
    ``luna.words.compromises`` that hold, with their price.
    """
    holding = {
        "allowed": load.allowed or load.forbidden,
        "price_limit": load.price_limit is not None,
        "surplus_only": load.surplus_only,
    }
    rules = [name for name, holds in holding.items() if holds]
    return ({"rules": rules} if rules else {}) | (
        {} if load.price_limit is None else {"price": load.price_limit}
    )


def _idle(reasons: DeviceReasons, window: SlotWindow) -> Codes:
    done = "load_short" if window.missing_kwh > LITTLE_KWH else "load_done"
    return np.where(window.later, reasons.waiting(window), done)


def _match_runs(demand: CycleDemand, use_kwh: FloatArray) -> Iterable[tuple[CycleRun, FloatArray]]:
    """Yield each run that is placed, with what it uses: the next energy of a run that one of its
    starts would use just so.
    """
    done = np.cumsum(np.maximum(use_kwh - demand.running_kwh, 0.0))
    open_runs = sorted(demand.runs, key=lambda run: run.by)
    for number in range(round(float(done[-1]) / demand.energy_kwh) if demand.energy_kwh > 0 else 0):
        through = np.clip(done, number * demand.energy_kwh, (number + 1) * demand.energy_kwh)
        used = np.diff(through, prepend=number * demand.energy_kwh)
        fitting = [
            run
            for run in open_runs
            if run.use_kwh.size and np.abs(run.use_kwh - used).max(axis=1).min() < LITTLE_KWH
        ]
        if fitting:
            open_runs = [run for run in open_runs if run is not fitting[0]]
            yield fitting[0], used


def read_load(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo
) -> LoadDemand:
    """Return an appliance's demand over a timeline, local day by local day."""
    needs = [*_read_days(load, state, timeline, zone)]
    for window in load.comfort:
        needs += _read_comfort(load, window, timeline, state=state, zone=zone)
    pinned = np.full(timeline.count, np.nan)
    return LoadDemand(
        load,
        tuple(needs),
        state.off_hours,
        state.on_hours,
        read_allowed(load, timeline, zone),
        pinned,
    )


def read_allowed(load: DeferrableLoad, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
    """Return 1 in the slots in which the clock lets an appliance be on, 0 elsewhere, shape
    ``(slots,)``.
    """
    inside = (
        mark_slots(load.allowed, timeline, zone, whole=True)
        if load.allowed
        else np.ones(timeline.count, dtype=bool)
    )
    return (inside & ~mark_slots(load.forbidden, timeline, zone, whole=False)).astype(float)


def _read_days(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, zone: ZoneInfo
) -> Iterator[DayNeed]:
    first_day = day = timeline.start.astimezone(zone).date()
    while (midnight := local_midnight(day, zone)) < timeline.end:
        following = local_midnight(day + DAY, zone)
        ahead = (min(following, timeline.end) - max(midnight, timeline.begin)) / (
            following - midnight
        )
        need = load.energy_kwh_per_day * ahead
        used = state.energy_today_kwh if day == first_day else None
        if used is not None:
            remaining_kwh = max(load.energy_kwh_per_day - used, 0.0)
            need = remaining_kwh if following <= timeline.end else min(remaining_kwh, need)
        first, end = (timeline.first_from(instant) for instant in (midnight, following))
        if end > first:
            most = load.most_kwh_per_day
            most_kwh = (
                None
                if load.extra_value is None
                else np.inf
                if most is None
                else max(most - (used or 0.0), 0.0)
            )
            yield DayNeed(first, end, need, day, most_kwh)
        day += DAY


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
        later_kwh = max((end - timeline.end) / HOUR, 0.0) * load.power_kw
        # An open window has got today's use as far as it can have been since, or as if it had come
        # evenly.
        passed = max((timeline.begin - begin) / HOUR, 0.0)
        used_kwh = (
            window.energy_kwh * passed / ((end - begin) / HOUR)
            if used_today is None
            else min(used_today, passed * load.power_kw)
        )
        need = window.energy_kwh - used_kwh - later_kwh
        first = timeline.first_from(begin)
        last = min(int((end - timeline.start) // timeline.step), timeline.count)
        if need > 0 and last > first:
            yield DayNeed(first, last, need, end.astimezone(zone), np.inf)


def read_cycle(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo
) -> CycleDemand:
    """Return a programme's demand over a timeline.

    Raises:
        InvalidInputError: a run that is to be over before it may begin.
    """
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    running = (
        _use_kwh(load, -state.on_hours, edges) if state.on_hours > 0 else np.zeros(timeline.count)
    )
    return CycleDemand(load, tuple(_read_runs(load, state, timeline, zone=zone)), running)


def _read_runs(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo
) -> Iterator[CycleRun]:
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    now = timeline.begin
    allowed = read_allowed(load, timeline, zone) > 0
    for place, run in enumerate(state.runs):
        earliest = max(run.from_ or now, now)
        if run.by <= (run.from_ or now):
            field = f"state.loads.{load.name}.runs.{place}.by"
            raise refuse("run-reversed", field=field, value=run.by.astimezone(zone).isoformat())
        latest = (min(run.by, timeline.end) - now) / HOUR - load.programme_hours
        begins = edges[:-1][
            (edges[:-1] >= (earliest - now) / HOUR - 1e-9) & (edges[:-1] <= latest + 1e-9)
        ]
        use = np.array([_use_kwh(load, begin, edges) for begin in begins]).reshape(
            -1, timeline.count
        )
        fits = ~(use[:, ~allowed] > 0).any(axis=1)
        yield CycleRun(
            use[fits],
            run.by.astimezone(UTC),
            (run.by - timeline.end) / HOUR >= load.programme_hours,
        )


def _use_kwh(load: DeferrableLoad, begin: float, edges: FloatArray) -> FloatArray:
    """Return what a run that begins so many hours after the start uses per slot, shape
    ``(slots,)``.
    """
    step = load.profile_minutes / 60
    passed = np.arange(len(load.profile_kw) + 1) * step
    used = np.concatenate([[0.0], np.cumsum(load.profile_kw) * step])
    return np.diff(np.interp(edges - begin, passed, used))


def _states(state: StateMessage) -> dict[str, LoadState]:
    return read_section(state, APPLIANCE.section, LoadState)


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage
) -> tuple[LoadDemand | CycleDemand, ...]:
    states = _states(state)
    zone = ZoneInfo(site.timezone)
    refuse_strangers(APPLIANCE.section, states, [load.name for load in site.loads])
    pairs = [
        (load, states.get(load.name, LoadState()))
        for load in site.loads
        if load.name not in series.load_includes
    ]
    loads = [
        read_load(load, now, timeline, zone=zone) for load, now in pairs if not load.profile_kw
    ]
    return (
        *loads,
        *(
            read_cycle(load, now, timeline, zone=zone)
            for load, now in pairs
            if load.profile_kw and (now.runs or now.on_hours)
        ),
    )


def carry_loads(expected: Expected, switched: Collection[str]) -> dict[str, LoadState]:
    """Return the states of loads named in the plan's request, and of those that Luna switches: they
    have run as planned.

    One that is switched and of which the plan knew nothing is taken to have run evenly until the
    plan began.
    """
    request = expected.plan.request
    zone = ZoneInfo(expected.plan.reply.timezone)
    states = _states(request.state)
    planned = read_section(expected.plan.reply.slots[0], APPLIANCE.section, LoadFlow)
    carried = {name: _carry_load(expected, name, state) for name, state in states.items()}
    today = expected.plan.start - local_midnight(expected.plan.start.astimezone(zone).date(), zone)
    for load in request.site.loads if request.site else ():
        if load.name in switched and load.name in planned:
            state = states.get(load.name, LoadState())
            used = (
                load.energy_kwh_per_day * (today / DAY)
                if state.energy_today_kwh is None
                else state.energy_today_kwh
            )
            carried[load.name] = _carry_load(
                expected, load.name, state.model_copy(update={"energy_today_kwh": used})
            )
    return carried


def _carry_load(expected: Expected, name: str, state: LoadState) -> LoadState:
    read = ((slot.start, read_section(slot, APPLIANCE.section, LoadFlow)) for slot in expected.over)
    flows = [
        (start, loads[name].energy_kwh, loads[name].on) for start, loads in read if name in loads
    ]
    zone = ZoneInfo(expected.plan.reply.timezone)
    return _live_on(
        state, flows, (expected.plan.start, expected.at), zone=zone, slot_hours=expected.slot_hours
    )


def _live_on(
    state: LoadState,
    flows: Sequence[tuple[datetime, float, bool]],
    span: tuple[datetime, datetime],
    *,
    zone: ZoneInfo,
    slot_hours: float,
) -> LoadState:
    """Return a load's state at the end of a span, by the starts of its slots, what it used in each,
    and whether it was on.
    """
    midnight = local_midnight(span[1].astimezone(zone).date(), zone)
    today = sum(energy for start, energy, _ in flows if start >= midnight)
    before = state.energy_today_kwh if span[0] >= midnight else 0.0
    used = None if before is None or state.energy_today_kwh is None else before + today
    on = [each for _, _, each in flows]
    return state.model_copy(
        update={
            "energy_today_kwh": used,
            "runs": list_remaining_runs(state, on),
            **carry_runs(state, on, slot_hours),
        }
    )


def list_remaining_runs(state: LoadState, on: Sequence[bool]) -> list[LoadRun]:
    """Return a programme's remaining requested runs: those that have begun had the earliest
    deadlines.
    """
    begun = sum(
        now and not before for before, now in zip([state.on_hours > 0, *on], on, strict=False)
    )
    return sorted(state.runs, key=lambda run: run.by)[begun:]


def _refuse_block(_block: ManualBlock, load: DeferrableLoad) -> str:
    return "runs a programme: its runs say when" if load.profile_kw else UNPLACED


@dataclass(frozen=True, slots=True)
class AddedLoad:
    """A load that was not there: on its first day it has used nothing yet."""

    device: DeferrableLoad
    zone: ZoneInfo

    def begin(self, ahead: Timeline, before: LoadState | None) -> LoadState:  # whatever is ahead
        """Return how it was left."""
        return LoadState(energy_today_kwh=0.0) if before is None else before

    def end(self, flows: Columns, past: Timeline, before: LoadState | None) -> LoadState:
        """Return what it has used since midnight, and for how long it has been on, or off."""
        used = list(zip(past, flows["energy_kwh"], flows["on"], strict=False))
        return _live_on(
            self.begin(past, before),
            used,
            (past.start, past.end),
            zone=self.zone,
            slot_hours=past.step / HOUR,
        )


def _add_loads(
    loads: Sequence[DeferrableLoad], _habits: Mapping[str, Habit], zone: ZoneInfo
) -> list[AddedLoad]:
    return [AddedLoad(load, zone) for load in loads]


PLANNED = PlannedKind(APPLIANCE.section, _read_demands, carry_loads, _refuse_block, add=_add_loads)
