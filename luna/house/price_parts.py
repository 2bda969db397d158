"""Read what a kWh that a stored site buys is made of."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from luna.energy.economics.price_parts import PricePart, price_parts
from luna.energy.site import OWN_IMPORT, Site
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import Timeline, parse_zone
from luna.platform.database import prices


def read_price_parts(
    connection: Connection, site: Site, timeline: Timeline, *, now: datetime
) -> Sequence[PricePart]:
    """Return the parts of the import price on a timeline, as published until ``now``."""
    spot = prices.read_tariff(connection, site, timeline, known_at=now)
    slots = PricedSlots(timeline, parse_zone(site.timezone), spot, OWN_IMPORT)
    return price_parts(site.tariff.import_, slots)
