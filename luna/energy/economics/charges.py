"""Tariff components that couple slots: block prices, allowances and demand charges.

Block prices and allowances depend on the energy drawn before, demand charges on a month's peak
powers. ``EnergyCharge`` has one implementation per kind of component that needs one; it is
registered with ``@charges``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.local_times import slot_times, window_holds
from luna.energy.refusals import refuse
from luna.energy.site import ImportRule, PeakPrice
from luna.energy.tariffs.allowance import AllowanceComponent
from luna.energy.tariffs.blocks import BlockComponent
from luna.energy.tariffs.component import Component
from luna.energy.tariffs.components import AnyComponent
from luna.energy.timeline import (
    FloatArray,
    IndexArray,
    Timeline,
    local_midnight,
    local_offsets,
    split_days,
)


class EnergyCharge(Protocol):
    """A surcharge on a slot's price that depends on the energy drawn before.

    It holds the state at the begin of a horizon. Its class is registered with ``@charges``, and its
    rows in the planner's model with ``@rows_of``; the price of the first kWh is the component's.

    ``counts_month``: the period is the local month, which counts from its first day, also for a
    component that begins later.
    """

    counts_month: ClassVar[bool]

    @property
    def drawn_kwh(self) -> float:
        """Energy drawn in the current period before the horizon, kWh."""
        ...

    @classmethod
    def of(cls, component: Any, drawn_kwh: float) -> Self:
        """Return the charge of a component after ``drawn_kwh`` in the current period."""
        ...

    @property
    def allowance_kwh(self) -> float | None:
        """Energy of each period before the surcharge; None where it has several steps."""
        ...

    def period_begin(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """Return when the period of an instant began, in UTC."""
        ...

    def count_drawn(self, import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        """Return the energy drawn in the period that runs at the end of ``past``, kWh.

        ``past`` begins with that period, or before it; NaN counts as 0.
        """
        ...

    def slot_cost(
        self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo
    ) -> FloatArray:
        """Return the surcharge of each slot, shape ``(slots,)``, currency."""
        ...

    def after(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> Self:
        """Return the charge after slots that have drawn ``import_kwh``.

        These are the first ones of the timeline, and fewer than it has.
        """
        ...


ChargeT = TypeVar("ChargeT", bound=type[EnergyCharge])
_CHARGES: dict[type, type[EnergyCharge]] = {}


def charges(component: type[Component]) -> Callable[[ChargeT], ChargeT]:
    """Register the charge class of a kind of component."""

    def declare(charge: ChargeT) -> ChargeT:
        _CHARGES[component] = charge
        return charge

    return declare


@dataclass(frozen=True, slots=True)
class ChargedComponent:
    """A price's component that depends on the energy drawn before, with its charge's class."""

    component: AnyComponent
    charge: type[EnergyCharge]

    @property
    def key(self) -> str:
        """The name of the drawn energy in a plan's state."""
        return self.component.kind if self.charge.counts_month else self.component.name

    def counts_on(self, day: date) -> bool:
        """Return whether energy drawn on a local day counts."""
        return self.charge.counts_month or self.component.holds_on(day)

    def holds_within(self, timeline: Timeline, zone: ZoneInfo) -> bool:
        """Return whether the component holds in some slot."""
        return bool(self.component.holds_at(slot_times(timeline, zone)).any())

    def period_begin(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """Return when the period of an instant began, in UTC."""
        return self.after(0.0).period_begin(instant, zone)

    def count_drawn(self, import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        """Return the energy drawn in the period that runs at the end of ``past``, kWh."""
        return self.after(0.0).count_drawn(import_kwh, past, zone=zone)

    def after(self, drawn_kwh: float) -> EnergyCharge:
        """Return the charge after ``drawn_kwh`` in the current period."""
        return self.charge.of(self.component, drawn_kwh)


def find_charges(rule: ImportRule) -> tuple[ChargedComponent, ...]:
    """Return the components whose price depends on the energy drawn before."""
    charged = []
    for component in rule.components:
        charge = _CHARGES.get(type(component))
        if charge is not None:
            charged.append(ChargedComponent(component, charge))
    return tuple(charged)


def count_drawn(
    rule: ImportRule, import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo
) -> dict[str, float]:
    """Return the energy drawn in the periods that run at the end of ``past``, kWh, by key."""
    today = past.end.astimezone(zone).date()
    drawn_kwh = {}
    for charged in find_charges(rule):
        if charged.counts_on(today):
            drawn_kwh[charged.key] = charged.count_drawn(import_kwh, past, zone=zone)
    return drawn_kwh


def list_drawn(rule: ImportRule, drawn_kwh: Mapping[str, float], day: date) -> list[float]:
    """Return the energy drawn per charge in its running period, kWh, as ``find_charges`` lists it.

    Args:
        rule: of bought energy.
        drawn_kwh: by key.
        day: local; a component of the same name that begins later has counted nothing yet.
    """
    per_charge = []
    for charged in find_charges(rule):
        kwh = 0.0
        if charged.counts_on(day):
            kwh = drawn_kwh.get(charged.key, 0.0)
        per_charge.append(kwh)
    return per_charge


def name_drawn(rule: ImportRule, drawn_kwh: Sequence[float], day: date) -> dict[str, float]:
    """Return the drawn energy of ``list_drawn`` by key, kWh."""
    named = {}
    for charged, kwh in zip(find_charges(rule), drawn_kwh, strict=True):
        if charged.counts_on(day):
            named[charged.key] = kwh
    return named


def begin_charges(rule: ImportRule, drawn_kwh: Sequence[float]) -> tuple[EnergyCharge, ...]:
    """Return the charges of ``find_charges`` after the energy that each has drawn."""
    charges = zip(find_charges(rule), drawn_kwh, strict=True)
    return tuple(charged.after(kwh) for charged, kwh in charges)


def slot_surcharge(
    charges: Sequence[EnergyCharge], import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo
) -> FloatArray:
    """Return the surcharges of each slot, shape ``(slots,)``, currency."""
    total = np.zeros(timeline.count)
    for charge in charges:
        total += charge.slot_cost(import_kwh, timeline, zone=zone)
    return total


def period_begin(
    components: Sequence[ChargedComponent], instant: datetime, zone: ZoneInfo
) -> datetime | None:
    """Return the earliest begin of an instant's periods; None without a component."""
    begins = [component.period_begin(instant, zone) for component in components]
    return min(begins, default=None)


@dataclass(frozen=True, slots=True)
class BlockMonth:
    """One local month of a horizon under blocks.

    Attributes:
        slots: its slots.
        holds: marks those in which the component is in force, one stretch at most.
        left_kwh: energy left before each later block begins, at the first slot.
    """

    slots: IndexArray
    holds: NDArray[np.bool_]
    left_kwh: FloatArray

    @property
    def before(self) -> IndexArray:
        """The slots before the component is in force."""
        first_in_force = int(self.holds.argmax())
        return self.slots[:first_in_force]

    @property
    def until_end(self) -> IndexArray:
        """The slots up to the last one in which it is in force."""
        slots_after = int(self.holds[::-1].argmax())
        return self.slots[: self.slots.size - slots_after]


@charges(BlockComponent)
@dataclass(frozen=True, slots=True)
class Blocks:
    """A block tariff, with the month's energy before the horizon.

    The month's energy counts from its first day, also where the component begins later.
    """

    counts_month: ClassVar[bool] = True

    component: BlockComponent
    drawn_kwh: float = 0.0

    @classmethod
    def of(cls, component: BlockComponent, drawn_kwh: float) -> Self:
        """Return the blocks of a component after ``drawn_kwh`` in the current month."""
        return cls(component, drawn_kwh)

    @property
    def begin_kwh(self) -> FloatArray:
        """Energy at which each later block begins, kWh, shape ``(blocks − 1,)``."""
        blocks = self.component.blocks
        ends = [block.up_to_kwh for block in blocks if block.up_to_kwh is not None]
        return np.array(ends, dtype=float)

    @property
    def rise(self) -> FloatArray:
        """Price of each later block above that of the one before, per kWh with tax."""
        prices = [self.component.per_kwh(block.price) for block in self.component.blocks]
        return np.asarray(np.diff(prices) * (1.0 + self.component.vat))

    @property
    def allowance_kwh(self) -> float | None:
        """None: every block begins at an energy of its own."""
        return None

    def period_begin(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """Return when the local month of an instant began, in UTC."""
        return month_begin(instant, zone)

    def count_drawn(self, import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        """Return the energy drawn in the local month that runs at the end of ``past``, kWh."""
        first = past.first_from(month_begin(past.end, zone))
        return float(np.nansum(import_kwh[first:]))

    def slot_cost(
        self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo
    ) -> FloatArray:
        """Return the surcharge of later blocks per slot.

        A slot pays for the blocks that its own energy falls into.
        """
        cost = np.zeros(timeline.count)
        for month in self.split_months(timeline, zone):
            drawn = np.cumsum(import_kwh[month.slots])
            beyond_kwh = np.maximum(drawn[:, None] - month.left_kwh, 0.0)
            paid = (beyond_kwh * self.rise).sum(axis=1)
            cost[month.slots] = np.where(month.holds, np.diff(paid, prepend=0.0), 0.0)
        return cost

    def after(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> Self:
        """Return the blocks with the month's energy before the next slot."""
        next_slot = import_kwh.size
        before_kwh = self.drawn_kwh
        for slots in list_months(timeline, zone):
            if next_slot in slots:
                break
            before_kwh = 0.0
        past_slots = slots[slots < next_slot]
        return replace(self, drawn_kwh=before_kwh + float(import_kwh[past_slots].sum()))

    def split_months(self, timeline: Timeline, zone: ZoneInfo) -> list[BlockMonth]:
        """Return the local months of a horizon, in order."""
        holds = self.component.holds_at(slot_times(timeline, zone))
        months = []
        for number, slots in enumerate(list_months(timeline, zone)):
            left_kwh = self.left_kwh(first=number == 0)
            months.append(BlockMonth(slots, holds[slots], left_kwh))
        return months

    def holds_throughout(self, timeline: Timeline, zone: ZoneInfo) -> bool:
        """Return whether the component is in force in every slot."""
        return bool(self.component.holds_at(slot_times(timeline, zone)).all())

    def left_kwh(self, *, first: bool) -> FloatArray:
        """Return the energy left before each later block begins, kWh.

        ``first``: in the month in which the horizon begins.
        """
        drawn_kwh = self.drawn_kwh if first else 0.0
        return np.maximum(self.begin_kwh - drawn_kwh, 0.0)

    def block_of(self, energy_kwh: float, *, first: bool) -> int:
        """Return the block of the next kWh after a month draws another ``energy_kwh``."""
        return int((self.left_kwh(first=first) <= energy_kwh).sum())

    def price_above(self, block: int) -> float:
        """Return the price of a block above that of the first, per kWh."""
        return float(self.rise[:block].sum())


@charges(AllowanceComponent)
@dataclass(frozen=True, slots=True)
class AllowanceCharge:
    """An allowance of each day, with the energy taken from it before the horizon."""

    counts_month: ClassVar[bool] = False

    component: AllowanceComponent
    drawn_kwh: float = 0.0

    @classmethod
    def of(cls, component: AllowanceComponent, drawn_kwh: float) -> Self:
        """Return the allowance of a component after ``drawn_kwh`` of the current day."""
        return cls(component, drawn_kwh)

    @property
    def allowance_kwh(self) -> float | None:
        """Energy of each day before the surcharge."""
        return self.component.kwh_per_day

    def period_begin(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """Return when the allowance in force at an instant began, in UTC."""
        return self.component.day_begin(instant, zone)

    def count_drawn(self, import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        """Return the energy taken from the allowance in force at the end of ``past``, kWh."""
        first = past.first_from(self.component.day_begin(past.end, zone))
        counts = self.component.counts_at(slot_times(past, zone))[first:]
        return float(np.nansum(import_kwh[first:][counts]))

    def slot_cost(
        self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo
    ) -> FloatArray:
        """Return the surcharge per slot for what each day draws beyond its allowance."""
        cost = np.zeros(timeline.count)
        for slots, left_kwh in self.list_days(timeline, zone):
            beyond_kwh = np.maximum(np.cumsum(import_kwh[slots]) - left_kwh, 0.0)
            cost[slots] = np.diff(beyond_kwh, prepend=0.0) * self.component.rise
        return cost

    def after(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> Self:
        """Return the allowance with the energy taken from it before the next slot."""
        end = import_kwh.size
        edges = split_days(timeline, zone, begins=self.component.day_begins)
        first = max(edge for edge in edges if edge <= end)
        counts = self.component.counts_at(slot_times(timeline, zone))[first:end]
        before_kwh = self.drawn_kwh if first == 0 else 0.0
        return replace(self, drawn_kwh=before_kwh + float(import_kwh[first:][counts].sum()))

    def list_days(self, timeline: Timeline, zone: ZoneInfo) -> list[tuple[IndexArray, float]]:
        """Return the counted slots of each day, and the energy left of its allowance, kWh."""
        counts = self.component.counts_at(slot_times(timeline, zone))
        days = []
        for first, end in pairwise(split_days(timeline, zone, begins=self.component.day_begins)):
            drawn_kwh = self.drawn_kwh if first == 0 else 0.0
            left_kwh = max(self.component.kwh_per_day - drawn_kwh, 0.0)
            days.append((first + np.flatnonzero(counts[first:end]), left_kwh))
        return days


def month_begin(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return when the local month of an instant began, in UTC."""
    return local_midnight(instant.astimezone(zone).date().replace(day=1), zone)


def list_months(timeline: Timeline, zone: ZoneInfo) -> list[IndexArray]:
    """Return the slots of each local month, in order."""
    local = timeline.starts + local_offsets(timeline.starts, zone)
    months = local.astype("datetime64[M]").astype(np.int64)
    return [np.flatnonzero(months == month) for month in np.unique(months)]


# --- demand charges -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeakHistory:
    """Peaks before a horizon in its first month.

    Attributes:
        highest_kw: the highest intervals of the month.
        today_kw: the highest interval of today, where only one interval a day counts.
        interval_kwh: import so far in the interval that the horizon begins in.
    """

    highest_kw: tuple[float, ...] = ()
    today_kw: float = 0.0
    interval_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Peak:
    """A component of a capacity tariff with the peaks of the month so far."""

    price: PeakPrice
    history: PeakHistory = PeakHistory()


@dataclass(frozen=True, slots=True)
class MonthShare:
    """One local month of a horizon under a component, as indices.

    Attributes:
        slots: those that count.
        interval: of each slot.
        unit: of each interval; a unit has one peak: it is the interval, or its day.
        first: the horizon begins in this month.
        running: the first interval began before the horizon.
        today: the first unit is the day on which the horizon begins.
    """

    slots: IndexArray
    interval: IndexArray
    unit: IndexArray
    first: bool
    running: bool
    today: bool

    def interval_kw(self, import_kwh: FloatArray, peak: Peak) -> FloatArray:
        """Return the mean power of each interval, kW, with the import before the horizon."""
        energy = np.bincount(self.interval, weights=import_kwh[self.slots])
        if self.running:
            energy[0] += peak.history.interval_kwh
        return np.asarray(energy * 60 / peak.price.interval_minutes)

    def before_kw(self, peak: Peak) -> tuple[tuple[float, ...], float]:
        """Return the month's peaks so far and its first unit's peak so far, kW."""
        if not self.first:
            return (), 0.0
        history = peak.history
        if not peak.price.one_per_day:
            return history.highest_kw, 0.0
        if self.today:
            return history.highest_kw, history.today_kw
        # No unit of the horizon is of today, so today's peak stands.
        return (*history.highest_kw, history.today_kw), 0.0


# Many sites of a batch share a tariff, and several steps of a plan need the shares.
@lru_cache(maxsize=32)
def month_shares(price: PeakPrice, timeline: Timeline, zone: ZoneInfo) -> tuple[MonthShare, ...]:
    """Split a horizon into local months.

    A month without a slot that counts is left out.

    Raises:
        InvalidInputError: the slots are longer than the tariff's interval.
    """
    interval = timedelta(minutes=price.interval_minutes)
    if timeline.step > interval:
        raise refuse(
            "slots-beyond-interval",
            field="tariff.peak.interval_minutes",
            value=price.interval_minutes,
        )
    offset = local_offsets(timeline.starts, zone)
    local = timeline.starts + offset
    length = np.timedelta64(interval)
    # Intervals follow the local clock; counted in UTC, the repeated hour in autumn stays two hours.
    shifted = (timeline.starts + offset % length).astype("datetime64[s]").astype(np.int64)
    tick = shifted // int(interval.total_seconds())
    day = local.astype("datetime64[D]").astype(np.int64)
    month = local.astype("datetime64[M]").astype(np.int64)
    counts = window_holds(price, timeline.starts, zone)
    since_midnight = local[0] - local[0].astype("datetime64[D]")
    begun = timeline.first_step is not None or bool(since_midnight % length)
    shares = []
    for month_of_share in np.unique(month[counts]):
        slots = np.flatnonzero(counts & (month == month_of_share))
        _, opens, interval_of = np.unique(tick[slots], return_index=True, return_inverse=True)
        unit = np.arange(opens.size)
        if price.one_per_day:
            _, unit = np.unique(day[slots[opens]], return_inverse=True)
        for places in (slots, interval_of, unit):
            places.flags.writeable = False
        first = bool(month_of_share == month[0])
        shares.append(
            MonthShare(
                slots,
                interval_of,
                unit,
                first,
                running=begun and slots[0] == 0,
                today=first and bool(day[slots[0]] == day[0]),
            )
        )
    return tuple(shares)


def peak_cost(
    import_kwh: FloatArray, timeline: Timeline, peaks: Sequence[Peak], *, zone: ZoneInfo
) -> float:
    """Return the extra demand charge of a horizon, currency.

    Per month it is the price × the rise of the billed power over the peaks so far. Billed is the
    mean of the highest units, never less than the component's floor. A month that begins within the
    horizon starts at the floor, whose cost is due with any plan and not included.

    Args:
        import_kwh: energy bought, at the meter, shape ``(slots,)``.
        timeline: of these slots.
        peaks: components with the peaks so far of the month in which the horizon begins.
        zone: time zone of intervals and months.

    Raises:
        InvalidInputError: the slots are longer than a component's interval.
    """
    rises: list[float] = []
    for peak in peaks:
        shares = month_shares(peak.price, timeline, zone)
        rises += [_month_rise(import_kwh, share, peak) for share in shares]
    return sum(rises)


def demand_charge(
    import_kwh: FloatArray, timeline: Timeline, prices: Sequence[PeakPrice], *, zone: ZoneInfo
) -> float:
    """Return the capacity tariff's cost of whole local months, currency.

    ``timeline`` begins with a local month.

    Args:
        import_kwh: energy bought, at the meter, shape ``(slots,)``, free of NaN.
        timeline: of these slots.
        prices: components of the tariff.
        zone: time zone of intervals and months.
    """
    months = len(list_months(timeline, zone))
    floors = sum(price.price_per_kw_month * price.least_kw * months for price in prices)
    return floors + peak_cost(import_kwh, timeline, [Peak(price) for price in prices], zone=zone)


def _month_rise(import_kwh: FloatArray, share: MonthShare, peak: Peak) -> float:
    """Return the extra demand charge of one month, currency."""
    past_kw, first_unit_kw = share.before_kw(peak)
    unit_kw = _peak_per_unit(share, share.interval_kw(import_kwh, peak))
    unit_kw[0] = max(unit_kw[0], first_unit_kw)
    billed_after = _billed_kw(peak.price, [*past_kw, *unit_kw.tolist()])
    billed_before = _billed_kw(peak.price, [*past_kw, first_unit_kw])
    return peak.price.price_per_kw_month * (billed_after - billed_before)


def _peak_per_unit(share: MonthShare, interval_kw: FloatArray) -> FloatArray:
    """Return the highest of the given first intervals in each unit of a month, kW."""
    unit_kw = np.zeros(share.unit[-1] + 1)
    np.maximum.at(unit_kw, share.unit[: interval_kw.size], interval_kw)
    return unit_kw


def _billed_kw(price: PeakPrice, units_kw: Sequence[float]) -> float:
    """Return a month's billed power, kW.

    It is the mean of the highest units, missing ones as 0, and never less than the floor.
    """
    highest = sorted(units_kw, reverse=True)[: price.highest]
    return max(sum(highest) / price.highest, price.least_kw)


def read_history(
    import_kwh: FloatArray, past: Timeline, price: PeakPrice, *, zone: ZoneInfo
) -> PeakHistory:
    """Return a component's peaks in one local month up to the end of ``past``.

    NaN counts as 0.

    Args:
        import_kwh: energy bought, at the meter, shape ``(slots,)``.
        past: the month so far, from its first slot.
        price: the component.
        zone: time zone of intervals and months.
    """
    shares = month_shares(price, past, zone)
    if not shares:
        return PeakHistory()
    share = shares[-1]
    energy = np.nan_to_num(import_kwh)
    power = share.interval_kw(energy, Peak(price))
    ends = np.array([past.end.replace(tzinfo=None)], dtype="datetime64[s]")
    local_end = (ends + local_offsets(ends, zone))[0]
    end_day = local_end.astype("datetime64[D]")
    interval = np.timedelta64(price.interval_minutes, "m")
    ends_within_interval = bool((local_end - end_day) % interval)
    last_interval_runs = bool(share.slots[-1] == past.count - 1) and ends_within_interval
    interval_kwh = 0.0
    finished_kw = power
    if last_interval_runs:
        interval_kwh = float(power[-1]) * price.interval_minutes / 60
        finished_kw = power[:-1]
    unit_kw = _peak_per_unit(share, finished_kw).tolist()
    last = past.starts[share.slots[-1:]]
    last_day = (last + local_offsets(last, zone)).astype("datetime64[D]")[0]
    today_kw = 0.0
    if price.one_per_day and last_day == end_day:
        today_kw = unit_kw.pop()
    highest_kw = sorted(unit_kw, reverse=True)[: price.highest]
    return PeakHistory(tuple(highest_kw), today_kw, interval_kwh)
