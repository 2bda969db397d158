"""Charges of devices with a price of their own, beside that of the house.

An allowance counts kWh, or the hours of the slots in which the devices draw anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import EnergyCharge
from luna.energy.local_times import slot_times
from luna.energy.site import OWN_IMPORT
from luna.energy.tariffs.component import PricedSlots
from luna.energy.tariffs.device_price import DevicePrice
from luna.energy.timeline import FloatArray, IndexArray, Timeline, split_days

# What a meter counts of devices at rest is no hour of drawing.
LEAST_DRAW_KW = 0.05
_SAME_HOURS = 1e-9


class AllowanceDay(NamedTuple):
    """The slots of a day that take from an allowance, and its rest, kWh or hours."""

    slots: IndexArray
    left: float


@dataclass(frozen=True, slots=True)
class DeviceCharge:
    """A device's price, with what its running allowance has counted, kWh or hours."""

    price: DevicePrice
    used: float = 0.0

    @property
    def limit(self) -> float:
        """The allowance of each day, kWh or hours; infinite without one."""
        limits = (self.price.kwh_per_day, self.price.hours_per_day)
        return next((limit for limit in limits if limit is not None), np.inf)

    @property
    def counts_hours(self) -> bool:
        """Whether the allowance is so many hours."""
        return self.price.hours_per_day is not None

    def first_price(self, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
        """Return the price of the allowance's first kWh with tax, ``(slots,)``."""
        return self.price.gross_price(PricedSlots(timeline, zone, {}, OWN_IMPORT))

    def slot_cost(self, use_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> FloatArray:
        """Return what each slot costs beside the house's price, ``(slots,)``, currency."""
        within = self.first_price(timeline, zone) * use_kwh
        return within + self.beyond_kwh(use_kwh, timeline, zone=zone) * self.price.rise

    def beyond_kwh(self, use_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> FloatArray:
        """Return what each slot draws beyond its day's allowance, kWh, ``(slots,)``."""
        beyond = np.zeros(timeline.count)
        counted = self._count(use_kwh, timeline)
        for slots, left in self.list_days(timeline, zone):
            if self.counts_hours:
                # A slot that no longer fits lies beyond as a whole.
                is_over = np.cumsum(counted[slots]) > left + _SAME_HOURS
                is_beyond = is_over & (counted[slots] > 0)
                beyond[slots] = np.where(is_beyond, use_kwh[slots], 0.0)
            else:
                drawn_kwh = np.maximum(np.cumsum(counted[slots]) - left, 0.0)
                beyond[slots] = np.diff(drawn_kwh, prepend=0.0)
        return beyond

    def list_days(self, timeline: Timeline, zone: ZoneInfo) -> list[AllowanceDay]:
        """Return the days of an allowance in order; none without one."""
        if not self.price.has_limit:
            return []
        counts = self.price.counts_at(slot_times(timeline, zone))
        days = []
        for first, end in pairwise(split_days(timeline, zone, begins=self.price.day_begins)):
            left = max(self.limit - (self.used if first == 0 else 0.0), 0.0)
            days.append(AllowanceDay(first + np.flatnonzero(counts[first:end]), left))
        return days

    def after(self, past_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> Self:
        """Return the charge at the end of ``past``, in which the devices drew ``past_kwh``.

        ``past`` begins with an allowance; NaN counts as 0.
        """
        if not self.price.has_limit or not past.count:
            return self
        first = past.first_from(self.price.day_begin(past.end, zone))
        counts = self.price.counts_at(slot_times(past, zone))[first:]
        counted = self._count(np.nan_to_num(past_kwh), past)[first:]
        return replace(self, used=float(counted[counts].sum()))

    def _count(self, use_kwh: FloatArray, timeline: Timeline) -> FloatArray:
        """Return what each slot takes from an allowance, kWh or hours."""
        if not self.counts_hours:
            return use_kwh
        draws = use_kwh > LEAST_DRAW_KW * timeline.hours
        return np.where(draws, timeline.hours, 0.0)


@dataclass(frozen=True, slots=True)
class TariffCharges:
    """Charges of house and devices beside the price of the first kWh."""

    house: Sequence[EnergyCharge] = ()
    devices: Sequence[DeviceCharge] = ()


NO_CHARGES = TariffCharges()


def list_device_charges(
    prices: Sequence[DevicePrice], used: Mapping[str, float], timeline: Timeline, zone: ZoneInfo
) -> tuple[DeviceCharge, ...]:
    """Return the charges that hold in some slot.

    Args:
        prices: of the tariff.
        used: what each running allowance has counted, by name, kWh or hours.
        timeline: of a horizon.
        zone: whose clock counts.
    """
    times = slot_times(timeline, zone)
    day = timeline.start.astimezone(zone).date()
    charges = []
    for price in prices:
        if price.holds_at(times).any():
            # One that begins later has counted nothing yet.
            counted = used.get(price.name, 0.0) if price.holds_on(day) else 0.0
            charges.append(DeviceCharge(price, counted))
    return tuple(charges)


def device_period_begin(
    prices: Sequence[DevicePrice], instant: datetime, zone: ZoneInfo
) -> datetime | None:
    """Return when the first allowance in force at an instant began, or None."""
    begins = [price.day_begin(instant, zone) for price in prices if price.has_limit]
    return min(begins, default=None)


def count_device_use(
    prices: Sequence[DevicePrice],
    drawn_kwh: Mapping[str, FloatArray],
    past: Timeline,
    *,
    zone: ZoneInfo,
) -> dict[str, float]:
    """Return what the allowances running at the end of ``past`` have counted.

    Args:
        prices: of the tariff; their names are the keys of the result.
        drawn_kwh: the devices' energy by series, ``(slots,)``.
        past: of these slots; it begins with the allowances, or before them.
        zone: whose clock counts.
    """
    today = past.end.astimezone(zone).date()
    used = {}
    for price in prices:
        if price.has_limit and price.holds_on(today):
            charge = DeviceCharge(price).after(drawn_kwh[price.series], past, zone=zone)
            used[price.name] = charge.used
    return used


def device_slot_cost(
    charges: Sequence[DeviceCharge],
    use_kwh: Mapping[str, FloatArray],
    timeline: Timeline,
    *,
    zone: ZoneInfo,
) -> FloatArray:
    """Return what devices cost beside the house's price per slot, ``(slots,)``, currency.

    ``use_kwh`` is their energy by section, ``(slots,)``.
    """
    cost = np.zeros(timeline.count)
    for charge in charges:
        if charge.price.devices in use_kwh:
            cost += charge.slot_cost(use_kwh[charge.price.devices], timeline, zone=zone)
    return cost
