"""Read why a kWh of a site costs what it costs at an instant."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.price_explanation import Side
from luna.energy.economics.device_kwh import DeviceKwh, explain_device_kwh
from luna.energy.economics.price_explanation import PriceExplanation, explain_price
from luna.energy.economics.prices import price_rule
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Site
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import SLOT, Timeline, floor_to, local_day, parse_zone
from luna.house.account import list_unmetered, read_device_use
from luna.platform.database import prices

# Day-ahead markets publish a day at a time, some a little more.
_LOOK_AHEAD = timedelta(days=14)


def read_explanation(
    connection: Connection, site: Site, at: datetime, *, side: Side, now: datetime
) -> PriceExplanation:
    """Return the components of a site's price at an instant, and the prices of its devices.

    Raises:
        InvalidInputError: the local day of the instant is no whole number of quarter-hours.
    """
    day = local_day(at.astimezone(parse_zone(site.timezone)).date(), parse_zone(site.timezone))
    rule = site.tariff.export if side == "export" else site.tariff.import_
    explanation = explain_price(rule, _read_slots(connection, site, day, side), at)
    if side == "export":
        return explanation
    devices = read_device_kwh(connection, site, at, now=now)
    return replace(explanation, devices=devices)


def read_device_kwh(
    connection: Connection, site: Site, at: datetime, *, now: datetime
) -> tuple[DeviceKwh, ...]:
    """Return what the next kWh of a site's devices costs beside the house's price.

    An allowance has counted what was drawn until then, or until now.
    """
    if not site.tariff.devices:
        return ()
    zone = parse_zone(site.timezone)
    slot = floor_to(at, SLOT)
    until = floor_to(min(at, now), SLOT)
    counted = read_device_use(connection, site, until)
    unmetered = set(list_unmetered(site))
    used: dict[str, float | None] = {}
    for price in site.tariff.devices:
        names = {device.name for device in getattr(site, price.devices)}
        if names & unmetered:
            used[price.name] = None
        elif price.day_begin(slot, zone) < until:
            used[price.name] = counted.get(price.name, 0.0)
    return explain_device_kwh(site.tariff.devices, used, slot, zone)


def find_known_end(
    connection: Connection, site: Site, at: datetime, *, side: Side, now: datetime
) -> datetime | None:
    """Return the end of the known prices before an instant to come.

    None where the instant is past, or no price is known from now on.
    """
    timeline = Timeline(floor_to(now, SLOT), SLOT, _LOOK_AHEAD // SLOT)
    rule = site.tariff.export if side == "export" else site.tariff.import_
    price = price_rule(rule, _read_slots(connection, site, timeline, side))
    known = np.flatnonzero(np.isfinite(price))
    if not known.size:
        return None
    end = timeline.start + (int(known[-1]) + 1) * SLOT
    return end if end <= at else None


def _read_slots(connection: Connection, site: Site, timeline: Timeline, side: Side) -> PricedSlots:
    spot = prices.read_tariff(connection, site, timeline)
    own = OWN_EXPORT if side == "export" else OWN_IMPORT
    return PricedSlots(timeline, parse_zone(site.timezone), spot, own)
