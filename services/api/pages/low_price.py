"""Name the part of a low price for which something charges."""

from collections.abc import Iterator

from sqlalchemy import Connection

from luna.energy.economics.price_parts import find_low_part
from luna.energy.timeline import SLOT, local_day
from luna.house.price_parts import read_price_parts
from luna.house.site_day import find_slot
from luna.words.account import format_price_part
from services.api.pages.home_view import HomeView

# Reasons to use energy when another time would cost more: of a battery, and of cars, appliances and
# water heaters.
BATTERY_CODE = "charge_from_grid"
DEVICE_CODES = ("use_cheapest", "use_now")


def describe_low_part(connection: Connection, view: HomeView, slot: int) -> str:
    """Return the part that alone makes a slot's price low, with its price and the day's highest.

    "" where nothing charges from the grid for a low price, or several parts are low.
    """
    if not any(_buys_cheaply(view, slot)):
        return ""
    start = view.instant(slot)
    zone = view.numbers.zone
    day = local_day(start.astimezone(zone).date(), zone)
    parts = read_price_parts(connection, view.window.site, day, now=view.window.now)
    low = find_low_part(parts, (start - day.start) // SLOT)
    if low is None:
        return ""
    price = view.numbers.price(low.price, decimals=1)
    highest = view.numbers.price(low.highest, decimals=1)
    if price == highest:
        return ""
    name = format_price_part(low.part.code, low.part.name, view.numbers.language)
    return view.words("low_part", name=name, price=price, highest=highest)


def _buys_cheaply(view: HomeView, slot: int) -> Iterator[bool]:
    yield view.document["decisions"]["code"][slot] == BATTERY_CODE
    plan = view.house.planned.plan
    planned = None if plan is None else find_slot(plan, view.instant(slot))
    if planned is None or planned.import_kwh <= 0:
        return
    for battery in planned.batteries.values():
        yield battery.reason is not None and battery.reason.code == BATTERY_CODE
    for _, flow in planned.scheduled:
        # Not every kind has reasons.
        reason = getattr(flow, "reason", None)
        yield reason is not None and flow.used_kwh > 0 and reason.code in DEVICE_CODES
