"""What policies cost a site day by day, beside what is known of the days themselves."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.data import DayQuality
from luna.contracts.replay import DayCost
from luna.database import forecasts, quality, scores
from luna.database.forecast_activations import find_active
from luna.savings import G_PER_KG, NEEDED, CountedDay, LeftOutDay, Savings
from luna.site import Site
from luna.timeline import local_midnight, parse_zone

# Whose scores are held to be what the site itself would have done.
SYSTEM = "simulation"


def read_savings(connection: Connection, site: Site, *, first: date, last: date) -> Savings:
    """Return what each policy cost a stored site from ``first`` to ``last``, and which days do not count and why."""
    scored = _by_day(scores.read_daily(connection, site.name, system_id=SYSTEM, first=first, last=last))
    verdicts = {day.day: day for day in quality.read(connection, site.name, first, last)}
    forecast_days = _find_forecast_days(connection, site, first, last)
    counted: list[CountedDay] = []
    left_out: list[LeftOutDay] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        left = _leave_out(day, verdicts.get(day), has_forecast=day in forecast_days, replayed=set(NEEDED) <= set(scored.get(day, {})))
        if left is None:
            counted.append(_count(day, scored[day]))
        else:
            left_out.append(left)
    return Savings(first, last, counted, left_out)


def _leave_out(day: date, verdict: DayQuality | None, *, has_forecast: bool, replayed: bool) -> LeftOutDay | None:
    """Return why a day does not count; None where it does."""
    if verdict is not None and verdict.verdict == "exclude":
        return LeftOutDay(day, "excluded", tuple(verdict.reasons))
    if replayed:
        return None
    if verdict is None:
        return LeftOutDay(day, "not_recorded")
    return LeftOutDay(day, "not_replayed" if has_forecast else "no_forecast")


def _count(day: date, costs: Mapping[str, DayCost]) -> CountedDay:
    settled = {name: cost.cost - (cost.stored_gain if cost.value_gain is None else cost.value_gain) for name, cost in costs.items()}
    carbon = {name: cost.import_carbon_g / G_PER_KG for name, cost in costs.items() if cost.import_carbon_g is not None}
    return CountedDay(day, settled, carbon)


def _by_day(policies: Mapping[str, list[DayCost]]) -> dict[date, dict[str, DayCost]]:
    days: dict[date, dict[str, DayCost]] = {}
    for name, costs in policies.items():
        for cost in costs:
            days.setdefault(cost.day, {})[name] = cost
    return days


def _find_forecast_days(connection: Connection, site: Site, first: date, last: date) -> set[date]:
    """Return the local days on which the version that drives the planner issued a forecast."""
    zone = parse_zone(site.timezone)
    window: tuple[datetime, datetime] = (local_midnight(first, zone), local_midnight(last + timedelta(days=1), zone))
    version = find_active(connection, site).forecast_version
    issued = forecasts.read_instants(connection, site.name, version=version, first=window[0], last=window[1])
    return {instant.astimezone(zone).date() for instant in issued}
