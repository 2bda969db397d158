"""Find the recorded local days of a site that can be replayed, and why the others cannot."""

from datetime import date

import numpy as np
from sqlalchemy import Connection

from luna.energy.quality_verdict import may_use
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import Timeline, local_dates, local_days, parse_zone
from luna.platform.database import observations, quality, recorded_span
from luna.platform.database.prices import read_tariff
from services.agent.evaluation.days import UsableDays

_NEEDED = ("load_kwh", "pv_kwh")


def read_record(
    connection: Connection, site: Site, *, first: date | None = None, last: date | None = None
) -> UsableDays:
    """Return the days recorded whole from ``first`` to ``last``, with the unusable ones' reasons.

    Without ``first`` or ``last`` the record is not cut there.

    Raises:
        NotFoundError: nothing was recorded then.
    """
    begin, end = recorded_span.whole_days(connection, site) or (date.max, date.min)
    if first is not None:
        begin = max(begin, first)
    if last is not None:
        end = min(end, last)
    if end < begin:
        raise refuse("no-whole-day-recorded", field="site", value=site.name)
    window = local_days(begin, end, parse_zone(site.timezone))
    unusable = _find_gaps(connection, site, window)
    # A verdict on the whole day is the stronger reason.
    for judged in quality.read(connection, site.name, begin, end):
        if not may_use(judged.verdict):
            unusable[judged.day] = "; ".join([judged.verdict, *judged.reasons])
    return UsableDays(begin, end, dict(sorted(unusable.items())))


def _find_gaps(connection: Connection, site: Site, window: Timeline) -> dict[date, str]:
    """Return the days on which load, sun or a price is unknown in some slots, with the gaps."""
    measured = observations.read_measured(connection, site.name, window, _NEEDED)
    unknown = {name: np.isnan(series) for name, series in measured.items()}
    for name, price in read_tariff(connection, site, window).items():
        unknown[f"the price {name}"] = np.isnan(price)
    days = np.array([day.toordinal() for day in local_dates(window, parse_zone(site.timezone))])
    reasons_by_day: dict[date, list[str]] = {}
    for name, gaps in unknown.items():
        ordinals, counts = np.unique(days[gaps], return_counts=True)
        for ordinal, count in zip(ordinals, counts, strict=True):
            reasons = reasons_by_day.setdefault(date.fromordinal(int(ordinal)), [])
            reasons.append(f"{name} is unknown in {count} slots")
    return {day: ", ".join(reasons) for day, reasons in reasons_by_day.items()}
