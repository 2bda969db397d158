"""Read why a kWh of a site costs what it costs at an instant."""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.price_explanation import Side
from luna.energy.economics.price_explanation import PriceExplanation, explain_price
from luna.energy.economics.prices import price_rule
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Site
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import SLOT, Timeline, floor_to, local_day, parse_zone
from luna.platform.database import prices

# Day-ahead markets publish a day at a time, some a little more.
_LOOK_AHEAD = timedelta(days=14)


def read_explanation(
    connection: Connection, site: Site, at: datetime, *, side: Side
) -> PriceExplanation:
    """Return the components of a site's price at an instant.

    Raises:
        InvalidInputError: the local day of the instant is no whole number of quarter-hours.
    """
    day = local_day(at.astimezone(parse_zone(site.timezone)).date(), parse_zone(site.timezone))
    rule = site.tariff.export if side == "export" else site.tariff.import_
    return explain_price(rule, _read_slots(connection, site, day, side), at)


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
