"""What is due whether or not energy is drawn."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from luna.energy.site import BaseCharge
from luna.energy.timeline import Timeline


def list_base_costs(
    charges: Sequence[BaseCharge], timeline: Timeline, zone: ZoneInfo
) -> dict[str, float]:
    """Return what each base charge costs over the local days of a timeline, with tax, by name.

    A price per month counts by the share of its days. Charges that do not hold are left out.
    """
    first = timeline.start.astimezone(zone).date()
    last = (timeline.end - timeline.step).astimezone(zone).date()
    costs: dict[str, float] = {}
    for charge in charges:
        days = [day for day in _days(first, last) if charge.holds_on(day)]
        if days:
            cost = sum(_price_of_day(charge, day) for day in days)
            costs[charge.name] = costs.get(charge.name, 0.0) + cost * (1.0 + charge.vat)
    return costs


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _price_of_day(charge: BaseCharge, day: date) -> float:
    if charge.per == "day":
        return charge.price
    _, days_of_month = monthrange(day.year, day.month)
    return charge.price / days_of_month
