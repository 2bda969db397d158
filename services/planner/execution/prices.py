"""What a kWh costs and earns in the slot that is now: for what holds PV back where no plan does."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.database import prices
from luna.economics import price_slots
from luna.site import Site
from luna.timeline import SLOT, Timeline, floor_to
from services.planner.execution.unit import SlotPrices


def read_slot_prices(connection: Connection, site: Site, now: datetime) -> SlotPrices | None:
    """Return both, None where the price of a market, or of the site's own series, is not known."""
    slot = Timeline(floor_to(now, SLOT), SLOT, 1)
    spot = prices.read_tariff(connection, site, slot)
    imported, exported = price_slots(site.tariff, slot, zone=ZoneInfo(site.timezone), spot=spot)
    known = np.isfinite(imported[0]) and np.isfinite(exported[0])
    return SlotPrices(float(imported[0]), float(exported[0])) if known else None
