"""The record of a stored site.

The local days that can be replayed, and the reasons of the others.
"""

from datetime import date

import numpy as np
from sqlalchemy import Connection

from luna.energy.quality_verdict import may_use
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import local_dates, local_days, parse_zone
from luna.platform.database import observations, quality, recorded_span
from luna.platform.database.prices import read_tariff
from services.agent.evaluation.days import UsableDays

_NEEDED = ("load_kwh", "pv_kwh")


def read_record(
    connection: Connection, site: Site, *, first: date | None = None, last: date | None = None
) -> UsableDays:
    """Return the whole days recorded from ``first`` to ``last``, and faults of some.

    By default these are all there are.

    Raises:
        NotFoundError: nothing was recorded then.
    """
    begin, end = recorded_span.whole_days(connection, site) or (date.max, date.min)
    begin = max(begin, first or begin)
    end = min(end, last or end)
    if end < begin:
        raise refuse("no-whole-day-recorded", field="site", value=site.name)
    window = local_days(begin, end, parse_zone(site.timezone))
    judged = quality.read(connection, site.name, begin, end)
    excluded = {
        day.day: "; ".join([day.verdict, *day.reasons])
        for day in judged
        if not may_use(day.verdict)
    }
    # Days on which load, sun or a price is unknown in some slots.
    measured = observations.read_measured(connection, site.name, window, _NEEDED)
    unpriced = {
        f"the price {name}": np.isnan(price)
        for name, price in read_tariff(connection, site, window).items()
    }
    unknown = {name: np.isnan(series) for name, series in measured.items()} | unpriced
    days = np.array([day.toordinal() for day in local_dates(window, parse_zone(site.timezone))])
    reasons_by_day: dict[date, list[str]] = {}
    for name, gaps in unknown.items():
        for day, count in zip(*np.unique(days[gaps], return_counts=True), strict=True):
            reasons_by_day.setdefault(date.fromordinal(int(day)), []).append(
                f"{name} is unknown in {count} slots"
            )
    unusable = {day: ", ".join(reasons) for day, reasons in reasons_by_day.items()} | excluded
    return UsableDays(begin, end, dict(sorted(unusable.items())))
