"""Price of the next kWh of cars or heat pumps beside that of the house."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from luna.energy.economics.device_charges import DeviceCharge
from luna.energy.local_times import slot_times
from luna.energy.tariffs.device_price import DevicePrice, PricedDevices
from luna.energy.timeline import SLOT, Timeline, local_instant

_LITTLE = 1e-6


@dataclass(frozen=True, slots=True)
class AllowanceLeft:
    """An allowance that counts in a slot.

    Attributes:
        name: of the price, as the owner calls it.
        counts_hours: whether it is so many hours of drawing; else kWh.
        limit: of each day.
        left: of it; None where the devices have no meter.
        ends: when a new one begins.
        rise: what a kWh beyond it costs more, currency.
    """

    name: str
    counts_hours: bool
    limit: float
    left: float | None
    ends: datetime
    rise: float

    @property
    def is_used_up(self) -> bool:
        """Whether the slot lies beyond it; hours count by whole slots."""
        least = SLOT / timedelta(hours=1) if self.counts_hours else 2 * _LITTLE
        return self.left is not None and self.left < least - _LITTLE


@dataclass(frozen=True, slots=True)
class DeviceKwh:
    """What the next kWh of a kind of devices costs beside the house's price in a slot.

    Attributes:
        devices: their kind.
        names: of their prices in force.
        difference: from the house's price with tax, currency/kWh.
        allowances: those that count in the slot.
    """

    devices: PricedDevices
    names: tuple[str, ...]
    difference: float
    allowances: tuple[AllowanceLeft, ...]


def explain_device_kwh(
    prices: Sequence[DevicePrice], used: Mapping[str, float | None], at: datetime, zone: ZoneInfo
) -> tuple[DeviceKwh, ...]:
    """Return the prices of devices in the slot that begins at ``at``.

    Args:
        prices: of the tariff.
        used: what each allowance in force has counted, kWh or hours, by name; None: not metered.
        at: the begin of a quarter-hour.
        zone: whose clock counts.
    """
    slot = Timeline(at, SLOT, 1)
    times = slot_times(slot, zone)
    of_kind: dict[PricedDevices, DeviceKwh] = {}
    for price in prices:
        if not price.holds_at(times)[0]:
            continue
        difference = float(DeviceCharge(price).first_price(slot, zone)[0])
        allowances: tuple[AllowanceLeft, ...] = ()
        if price.has_limit and price.counts_at(times)[0]:
            allowance = _find_left(price, used.get(price.name, 0.0), at, zone)
            allowances = (allowance,)
            if allowance.is_used_up:
                difference += allowance.rise
        before = of_kind.get(price.devices, DeviceKwh(price.devices, (), 0.0, ()))
        of_kind[price.devices] = DeviceKwh(
            price.devices,
            (*before.names, price.name),
            before.difference + difference,
            before.allowances + allowances,
        )
    return tuple(of_kind.values())


def _find_left(
    price: DevicePrice, used: float | None, at: datetime, zone: ZoneInfo
) -> AllowanceLeft:
    charge = DeviceCharge(price)
    next_day = price.day_begin(at, zone).astimezone(zone).date() + timedelta(days=1)
    return AllowanceLeft(
        name=price.name,
        counts_hours=charge.counts_hours,
        limit=charge.limit,
        left=None if used is None else max(charge.limit - used, 0.0),
        ends=local_instant(next_day, price.day_begins, zone),
        rise=price.rise,
    )
