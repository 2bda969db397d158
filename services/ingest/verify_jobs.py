"""Compare what is stored of a site with what its source counted: fetch, ask, compare."""

from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from luna.database import observations, sites
from luna.database.engine import unit_of_work
from luna.timeline import Timeline, floor_to, local_days, parse_zone
from services.ingest.metering.columns import measured_columns
from services.ingest.verification import DayDifference, StatisticSource, add_appliances, ask_energy, compare_days

HOUR = timedelta(hours=1)


def verify_days(engine: Engine, source: StatisticSource, site_id: str, *, first: date, last: date) -> list[DayDifference]:
    """Return, for the local days from ``first`` to ``last`` and each energy that sensors count, what the source counted and what is stored.

    Energies whose sensors all have a minus are left out: statistics do not tell the two directions of a power apart.

    Raises:
        NotFoundError: no such site.
        SourceError: the source is away.
    """
    with unit_of_work(engine) as connection:
        site = sites.load(connection, site_id)
    days = _days(site.timezone, first, last)
    hours = _whole_hours(days[0][1], days[-1][2])
    columns = [column for column in measured_columns(site) if column.name != "soc"]
    with unit_of_work(engine) as connection:
        stored = add_appliances(observations.read_series(connection, site_id, hours, tuple(column.name for column in columns)))
    places = [(day, slice((start - hours.start) // HOUR, (end - hours.start) // HOUR)) for day, start, end in days]
    compared = [column for column in columns if not column.reversed]
    found = [difference for column in compared for difference in compare_days(column.name, ask_energy(source, column, hours), stored[column.name], places)]
    return sorted(found, key=lambda difference: difference.day)


def _days(timezone: str, first: date, last: date) -> list[tuple[date, datetime, datetime]]:
    """Return each local day, with the hours of UTC that it begins and ends with."""
    zone = parse_zone(timezone)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    slots = [local_days(day, day, zone) for day in days]
    return [(day, floor_to(timeline.start, HOUR), floor_to(timeline.end, HOUR)) for day, timeline in zip(days, slots, strict=True)]


def _whole_hours(start: datetime, end: datetime) -> Timeline:
    return Timeline(start, HOUR, (end - start) // HOUR)
