"""Read what policies cost a site day by day, with the state of the days."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.contracts.replay import DayCost
from luna.energy.observations import ESTIMABLE
from luna.energy.quality_verdict import may_use
from luna.energy.savings import G_PER_KG, NEEDED, CountedDay, LeftOutCode, LeftOutDay, Savings
from luna.energy.site import OWN, Site
from luna.energy.timeline import SLOT, local_dates, local_days, local_midnight, parse_zone
from luna.platform.database import (
    control,
    forecasts,
    history_changes,
    observations,
    prices,
    quality,
    recorded_span,
    scores,
)
from luna.platform.database.forecast_activations import find_active

# Their scores stand for the site itself.
SYSTEM = "simulation"
# The deciders of a slot under Luna's control.
LUNA_DECIDES = frozenset({"planner", "agent"})
SLOTS_OF_HALF_A_DAY = timedelta(hours=12) // SLOT


def read_savings(connection: Connection, site: Site, *, first: date, last: date) -> Savings:
    """Return each policy's costs from ``first`` to ``last``, and the days that do not count.

    Each such day has its reason.

    It begins with the first day on which the site was there, at the latest with ``last``: a day
    before it is not left out.
    """
    policies = scores.read_daily(connection, site.name, system_id=SYSTEM, first=first, last=last)
    scored: dict[date, dict[str, DayCost]] = {}
    for name, costs in policies.items():
        for cost in costs:
            scored.setdefault(cost.day, {})[name] = cost
    first = max(first, min([last, recorded_span.first_day(connection, site), *scored]))
    verdicts = {day.day: day for day in quality.read(connection, site.name, first, last)}
    # A day counts if the active version issued a forecast on it.
    zone = parse_zone(site.timezone)
    begin = local_midnight(first, zone)
    end = local_midnight(last + timedelta(days=1), zone)
    version = find_active(connection, site).forecast_version
    issued = forecasts.read_instants(connection, site.name, version=version, first=begin, last=end)
    forecast_days = {instant.astimezone(zone).date() for instant in issued}
    controlled = find_controlled(connection, site, first=begin, end=end)
    corrected = _find_corrected(connection, site, first=first, last=last)
    lacking = _find_lacking(
        connection, site, [day for day in verdicts if not _is_replayed(scored, day)]
    )
    counted: list[CountedDay] = []
    excluded_days: list[LeftOutDay] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        verdict = verdicts.get(day)
        if verdict is not None and not may_use(verdict.verdict):
            excluded_days.append(LeftOutDay(day, "excluded", tuple(verdict.faults)))
        elif _is_replayed(scored, day):
            settled = {name: cost.settled for name, cost in scored[day].items()}
            carbon = {
                name: cost.import_carbon_g / G_PER_KG
                for name, cost in scored[day].items()
                if cost.import_carbon_g is not None
            }
            counted.append(
                CountedDay(
                    day,
                    settled,
                    carbon,
                    by_luna=day in controlled,
                    is_outdated=day in corrected,
                )
            )
        else:
            # Data missing for a trusted day.
            waits_for = lacking.get(day, "not_replayed" if day in forecast_days else "no_forecast")
            excluded_days.append(LeftOutDay(day, "not_recorded" if verdict is None else waits_for))
    return Savings(first, last, counted, excluded_days)


def find_controlled(
    connection: Connection, site: Site, *, first: datetime, end: datetime
) -> set[date]:
    """Return the local days on which Luna decided for the batteries most of the time."""
    zone = parse_zone(site.timezone)
    deciders = control.read_deciders(connection, site.name, first=first, end=end)
    decided = Counter(
        slot.astimezone(zone).date()
        for slot, decider in deciders.items()
        if decider in LUNA_DECIDES
    )
    return {day for day, slots in decided.items() if slots > SLOTS_OF_HALF_A_DAY}


def _find_corrected(connection: Connection, site: Site, *, first: date, last: date) -> set[date]:
    """Return the days of which a price was corrected after they were scored."""
    zone = parse_zone(site.timezone)
    series = [
        name.removeprefix(OWN) if name.startswith(OWN) else history_changes.name_market(name)
        for name in site.tariff.price_series
    ]
    changed_at = history_changes.read_last_changes(
        connection, site.name, series, local_days(first, last, zone)
    )
    if not changed_at:
        return set()
    scored_at = scores.read_instants(
        connection, site.name, system_id=SYSTEM, policies=NEEDED, days=(first, last)
    )
    corrected = set()
    for slot_start, instant in changed_at.items():
        day = slot_start.astimezone(zone).date()
        if day in scored_at and scored_at[day] < instant:
            corrected.add(day)
    return corrected


def _is_replayed(scored: Mapping[date, Mapping[str, DayCost]], day: date) -> bool:
    return set(NEEDED) <= set(scored.get(day, {}))


def _find_lacking(
    connection: Connection, site: Site, days: Sequence[date]
) -> dict[date, LeftOutCode]:
    """Return the days with an unknown or estimated slot of load, PV or price.

    A replay refuses these days, and all days that it is asked for beside them.
    """
    if not days:
        return {}
    zone = parse_zone(site.timezone)
    span = local_days(min(days), max(days), zone)
    observed = observations.read(connection, site.name, span)
    marks = quality.read_estimated(connection, site.name, span)
    values = {name: np.isfinite(getattr(observed, name)) for name in ("load_kwh", "pv_kwh")}
    measured = np.logical_and.reduce([*values.values()])
    known_parts = [
        is_measured | (marks >> ESTIMABLE.index(name) & 1 > 0)
        for name, is_measured in values.items()
    ]
    is_known = np.logical_and.reduce(known_parts)
    tariff_prices = prices.read_tariff(connection, site, span, settled=True).values()
    has_price = [np.isfinite(price) for price in tariff_prices]
    priced = np.logical_and.reduce([np.ones(span.count, dtype=bool), *has_price])
    codes_by_day: dict[date, LeftOutCode] = {}
    codes: tuple[tuple[LeftOutCode, NDArray[np.bool_]], ...] = (
        ("gaps", ~is_known),
        ("estimated", ~measured),
        ("no_prices", ~priced),
    )
    days = local_dates(span, zone)
    for code, lacking in codes:
        for place in np.flatnonzero(lacking).tolist():
            codes_by_day.setdefault(days[place], code)
    return codes_by_day
