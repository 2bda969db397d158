"""Read the account of energy and money of a stored site."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.contracts.account import (
    AccountPart,
    AccountReply,
    AccountTotals,
    CostLineReply,
    FlowReply,
    UseShareReply,
)
from luna.energy.account import FLOWS, AccountSlots, EnergyAccount, FlowTotal, settle_account
from luna.energy.account_period import AccountPeriod
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.kind import DeviceKind
from luna.energy.economics.charges import begin_charges, find_charges, period_begin
from luna.energy.economics.device_charges import (
    DeviceCharge,
    TariffCharges,
    count_device_use,
    device_period_begin,
    list_device_charges,
)
from luna.energy.economics.tariff_lines import (
    TariffLine,
    device_lines,
    price_lines,
    surcharge_line,
)
from luna.energy.observations import ESTIMABLE
from luna.energy.refusals import refuse
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Site
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, parse_zone
from luna.platform.database import observations, prices, quality

_SERIES = tuple(f"{name}_kwh" for name in FLOWS)


def read_account_slots(
    connection: Connection, site: Site, timeline: Timeline, *, now: datetime
) -> AccountSlots:
    """Return a site's metered energy and costs on the ended part of ``timeline``.

    Args:
        connection: to the database.
        site: a stored one.
        timeline: quarter-hours; at least one of them has ended.
        now: the present.
    """
    elapsed = until_now(timeline, now)
    spot = prices.read_tariff(connection, site, elapsed, settled=True)
    zone = parse_zone(site.timezone)
    bought = PricedSlots(elapsed, zone, spot, OWN_IMPORT)
    sold = PricedSlots(elapsed, zone, spot, OWN_EXPORT)
    stored = observations.read_series(connection, site.name, elapsed, _SERIES)
    marks = quality.read_estimated(connection, site.name, elapsed)
    energy = {}
    estimated = {}
    for name in FLOWS:
        series = f"{name}_kwh"
        energy[name] = stored[series]
        # One bit of the marks for each series.
        estimated[name] = marks & (1 << ESTIMABLE.index(series)) > 0
    return AccountSlots(
        site=site,
        timeline=elapsed,
        energy_kwh=energy,
        estimated=estimated,
        import_lines=[
            *_read_import_lines(connection, site, bought, energy["import"]),
            *_read_device_lines(connection, site, elapsed, energy),
        ],
        export_lines=price_lines(site.tariff.export, sold),
    )


def has_begun(timeline: Timeline, now: datetime) -> bool:
    """Return whether a first quarter-hour of a timeline has ended."""
    return timeline.start + SLOT <= now


def last_counted_day(site: Site, now: datetime) -> date:
    """Return the local day of the last ended quarter-hour: at midnight still yesterday."""
    return (floor_to(now, SLOT) - SLOT).astimezone(parse_zone(site.timezone)).date()


def until_now(timeline: Timeline, now: datetime) -> Timeline:
    """Return the part of a timeline that has ended: at least one quarter-hour."""
    end = min(timeline.end, floor_to(now, SLOT))
    return Timeline(timeline.start, SLOT, (end - timeline.start) // SLOT)


def _read_import_lines(
    connection: Connection, site: Site, slots: PricedSlots, import_kwh: FloatArray
) -> list[TariffLine]:
    rule = site.tariff.import_
    timeline = slots.timeline
    lines = price_lines(rule, slots)
    drawn_kwh = _read_drawn(connection, site, timeline.start)
    for charged, kwh in zip(find_charges(rule), drawn_kwh, strict=True):
        line = surcharge_line(charged, import_kwh, timeline, drawn_kwh=kwh, zone=slots.zone)
        lines.append(line)
    return lines


def read_tariff_charges(connection: Connection, site: Site, timeline: Timeline) -> TariffCharges:
    """Return blocks and allowances of house and devices on a timeline.

    They have counted what was drawn before.
    """
    drawn_kwh = _read_drawn(connection, site, timeline.start)
    house = begin_charges(site.tariff.import_, drawn_kwh)
    return TariffCharges(house, read_device_charges(connection, site, timeline))


def _read_drawn(connection: Connection, site: Site, instant: datetime) -> list[float]:
    """Return the energy drawn per charge in its running period, kWh, see ``find_charges``."""
    zone = parse_zone(site.timezone)
    charges = find_charges(site.tariff.import_)
    begin = period_begin(charges, instant, zone)
    if begin is None or instant - begin < SLOT:
        return [0.0] * len(charges)
    past = Timeline(begin, SLOT, (instant - begin) // SLOT)
    stored = observations.read_series(connection, site.name, past, ("import_kwh",))
    return [charged.count_drawn(stored["import_kwh"], past, zone=zone) for charged in charges]


def _read_device_lines(
    connection: Connection, site: Site, timeline: Timeline, energy_kwh: Mapping[str, FloatArray]
) -> list[TariffLine]:
    """Return the lines of devices with a price of their own and a meter."""
    zone = parse_zone(site.timezone)
    lines = []
    for charge in read_device_charges(connection, site, timeline):
        use_kwh = energy_kwh[charge.price.series.removesuffix("_kwh")]
        lines += device_lines(charge, use_kwh, timeline, zone)
    return lines


def read_device_charges(
    connection: Connection, site: Site, timeline: Timeline
) -> tuple[DeviceCharge, ...]:
    """Return the charges of devices on a timeline, with what their allowances had counted."""
    if not site.tariff.devices:
        return ()
    used = read_device_use(connection, site, timeline.start)
    zone = parse_zone(site.timezone)
    return list_device_charges(site.tariff.devices, used, timeline, zone)


def read_device_use(connection: Connection, site: Site, instant: datetime) -> dict[str, float]:
    """Return what the running allowances of devices have counted, kWh or hours, by name.

    Unmeasured energy counts nothing. Empty where no device has an allowance.
    """
    zone = parse_zone(site.timezone)
    devices = site.tariff.devices
    begin = device_period_begin(devices, instant, zone)
    if begin is None or instant - begin < SLOT:
        return {}
    past = Timeline(begin, SLOT, (instant - begin) // SLOT)
    names = {price.series for price in devices}
    drawn_kwh = observations.read_series(connection, site.name, past, tuple(sorted(names)))
    return count_device_use(devices, drawn_kwh, past, zone=zone)


def read_account(
    connection: Connection,
    site: Site,
    timeline: Timeline,
    *,
    now: datetime,
    with_demand: bool = True,
) -> EnergyAccount | None:
    """Return a stored site's account on the ended part of ``timeline``.

    None where nothing has ended, or nothing is recorded. ``with_demand`` includes the capacity
    tariff, where the timeline begins with a month.
    """
    if not has_begun(timeline, now):
        return None
    slots = read_account_slots(connection, site, timeline, now=now)
    account = settle_account(slots, with_demand=with_demand)
    return account if account.sources or account.uses else None


def describe_account(
    connection: Connection, site: Site, period: AccountPeriod, *, now: datetime
) -> AccountReply:
    """Return the account of a period with its parts.

    With the totals of the same stretch in the previous period, and a year before.

    Raises:
        InvalidInputError: the period has not begun.
    """
    zone = parse_zone(site.timezone)
    timeline = period.timeline(zone)
    if not has_begun(timeline, now):
        raise refuse("account-ahead", field="day", value=period.first.isoformat())
    slots = read_account_slots(connection, site, timeline, now=now)
    account = settle_account(slots, with_demand=period.has_months)
    stretch = None
    if slots.timeline.end < timeline.end:
        stretch = slots.timeline.end - slots.timeline.start
    return AccountReply(
        site_id=site.name,
        period=period.unit,
        currency=site.currency,
        totals=_write_totals(period, account),
        sources=[_write_flow(flow) for flow in account.sources],
        uses=[_write_flow(flow) for flow in account.uses],
        unexplained_kwh=account.unexplained_kwh,
        lines=[CostLineReply(**asdict(line)) for line in account.lines],
        demand_cost=account.demand_cost,
        use_shares=[UseShareReply(**asdict(share)) for share in account.use_shares],
        unmetered=list_unmetered(site),
        priced=account.priced,
        estimated_kwh=account.estimated_kwh,
        parts=_split(slots, period.part_starts(zone)),
        previous=_read_other(connection, site, period.previous(), stretch, now=now),
        year_before=_read_other(connection, site, period.year_before(), stretch, now=now),
    )


def list_unmetered(site: Site) -> list[str]:
    """Return the devices without a meter of their own.

    Their energy is part of the house's.
    """
    names = []
    for kind in DEVICE_KINDS:
        for device in kind.of(site):
            if kind.consumption.meter is not None and not _has_sensor(site, kind, device):
                names.append(device.name)
    return names


def bills_own_price(site: Site, kind: DeviceKind[Any], recorded_kwh: FloatArray) -> bool:
    """Return whether what devices draw can be billed at a price of its own.

    It can by their meter alone: a sensor of the site, or energy that was recorded all the same.
    """
    is_metered = all(_has_sensor(site, kind, device) for device in kind.of(site))
    return is_metered or bool(np.isfinite(recorded_kwh).any())


def _has_sensor(site: Site, kind: DeviceKind[Any], device: Any) -> bool:
    """Return whether a device's energy has a sensor."""
    role = None if kind.consumption.meter is None else kind.consumption.meter(device)
    return role is not None and bool(getattr(site.input_sensors, role))


def _read_other(
    connection: Connection,
    site: Site,
    period: AccountPeriod,
    elapsed: timedelta | None,
    *,
    now: datetime,
) -> AccountTotals | None:
    """Return the totals of another period, or of as much of it as ``elapsed``."""
    timeline = period.timeline(parse_zone(site.timezone))
    if elapsed is not None:
        timeline = timeline.window(0, min(elapsed // SLOT, timeline.count))
    account = read_account(connection, site, timeline, now=now, with_demand=period.has_months)
    return None if account is None else _write_totals(period, account)


def _split(slots: AccountSlots, starts: Sequence[datetime]) -> list[AccountPart]:
    """Return the parts that begin at ``starts``, as far as they have begun."""
    count = slots.timeline.count
    firsts = [(start - slots.timeline.start) // SLOT for start in starts]
    begun = [first for first in firsts if first < count]
    parts = []
    for first, end in pairwise([*begun, count]):
        account = settle_account(slots.window(first, end - first))
        flows = {flow.name: flow.energy_kwh for flow in (*account.sources, *account.uses)}
        parts.append(AccountPart(start=account.start, flows=flows, cost=account.energy_cost))
    return parts


def _write_flow(flow: FlowTotal) -> FlowReply:
    return FlowReply(**asdict(flow))


def _write_totals(period: AccountPeriod, account: EnergyAccount) -> AccountTotals:
    flows = {}
    for name in ("pv", "import", "export", "charge", "discharge"):
        flow = account.flow(name)
        flows[f"{name}_kwh"] = flow.energy_kwh if flow else None
    return AccountTotals(
        first_day=period.first,
        last_day=period.last,
        until=account.end,
        known=account.known,
        consumption_kwh=None if account.flow("load") is None else account.consumption_kwh,
        energy_cost=account.energy_cost,
        cost=account.cost,
        self_sufficiency=account.self_sufficiency,
        own_use=account.own_use,
        **flows,
    )


def list_as_recorded(site: Site) -> list[str]:
    """Return the devices that a replay leaves as recorded; it simulates only batteries."""
    names: list[str] = []
    for kind in DEVICE_KINDS:
        if kind.consumption.meter is not None:
            names += [device.name for device in kind.of(site)]
    return names
