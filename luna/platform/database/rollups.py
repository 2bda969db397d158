"""Maintains and reads hourly and daily rollups of the observations, where they are tables.

Writers of quarter-hours mark the days they change in their own transaction. The views compute a
marked day from its quarter-hours, so reads are always current; refreshing makes them fast.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from psycopg import sql
from sqlalchemy import Connection, Engine

from luna.energy.buckets import Parts
from luna.energy.timeline import SLOT, InstantArray, Timeline, floor_to
from luna.platform.database import copy, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.series import AVERAGED, SUMMED

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
VIEWS = {HOUR: "slot_observations_hourly", DAY: "slot_observations_daily"}
TABLES = {HOUR: "slot_observations_by_hour", DAY: "slot_observations_by_day"}
# Series → SQL of its sum, and the column with its number of known slots.
SERIES = (
    {f"{name}_kwh": (f"{name}_kwh", f"{name}_slots") for name in SUMMED}
    | {name: (f"{name} * {name}_slots", f"{name}_slots") for name in AVERAGED}
    | {"soc": ("soc_mean * soc_slots", "soc_slots")}
)
# An arbitrary number, the same in all releases.
REFRESH_LOCK = 5_862_417
# A batch takes a second at most, so that it does not block other writers of the same rows for
# longer.
BATCH_MARKS = 5_000
BATCHES = 100

# Prevents TRUNCATE of the quarter-hours between the statements of a batch.
HOLD = "LOCK TABLE slot_observations IN ACCESS SHARE MODE"
TAKE = (
    "DELETE FROM rollup_marks WHERE mark IN (SELECT mark FROM rollup_marks ORDER BY mark LIMIT "
    "%s) RETURNING site_key, day"
)
ANY = "SELECT EXISTS (SELECT FROM rollup_marks)"
# Ordered, so that rows that are read together are stored together.
DAYS = sql.SQL(
    "(SELECT DISTINCT * FROM unnest(%(sites)s::integer[], %(days)s::timestamptz[]) AS "
    "given (site_key, day) ORDER BY site_key, day) AS days"
)
# One index lookup per day: a join of all days compares every row with every day.
COMPUTE = (
    "INSERT INTO {table} SELECT days.site_key, computed.* FROM {days} CROSS JOIN LATERAL"
    " (SELECT date_bin({width}, slot_start, TIMESTAMPTZ 'epoch') AS bucket, count(*), "
    "{columns} FROM slot_observations"
    " WHERE site_key = days.site_key AND slot_start >= day AND slot_start < day + INTERVAL "
    "'24 hours' GROUP BY bucket) AS computed"
)
FORGET = (
    "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT kept.ctid FROM {days} CROSS JOIN LATERAL"
    " (SELECT ctid FROM {table} WHERE site_key = days.site_key AND bucket >= day AND "
    "bucket < day + INTERVAL '24 hours' OFFSET 0) AS kept))"
)
# Needed after large batches; autovacuum counts the rows that arrive day by day.
COUNT = "ANALYZE slot_observations_by_hour, slot_observations_by_day"
COLUMNS = ", ".join(
    [f"sum({name}_kwh), count({name}_kwh)" for name in SUMMED]
    + [
        (
            "(array_agg(soc ORDER BY slot_start DESC) FILTER (WHERE soc IS NOT NULL))[1], "
            "avg(soc), count(soc)"
        )
    ]
    + [f"avg({name}), count({name})" for name in AVERAGED]
)
# Marked days are read one by one from their quarter-hours; beyond this number it is faster to read
# all quarter-hours.
MOST_MARKED = 31
MARKED = (
    "SELECT count(*) FROM (SELECT FROM rollup_marks WHERE site_key = %s AND day > %s AND day < "
    "%s LIMIT %s) AS marked"
)
PARTS = (
    "SELECT bucket, coalesce({total}, 'NaN'), {known} FROM {view} WHERE site_key = {site} "
    "AND bucket >= {first} AND bucket < {last}"
    " UNION ALL SELECT slot_start, coalesce({series}, 'NaN'), ({series} IS NOT "
    "NULL)::integer::bigint FROM slot_observations WHERE site_key = {site}"
    " AND (slot_start >= {start} AND slot_start < {first} OR slot_start >= {last} AND "
    "slot_start < {end})"
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Counts of a refresh: marks removed, and days of sites computed."""

    marks: int = 0
    days: int = 0

    def __add__(self, other: "Refreshed") -> "Refreshed":
        return Refreshed(self.marks + other.marks, self.days + other.days)


def is_any_marked(connection: Connection) -> bool:
    """Return whether any day is marked."""
    with copy.cursor(connection) as session:
        return session.execute(ANY).fetchone() == (True,)


def refresh(engine: Engine, *, batches: int = BATCHES) -> Refreshed:
    """Compute marked days in at most ``batches`` batches, each in a transaction of its own."""
    total = Refreshed()
    for _ in range(batches):
        with unit_of_work(engine) as connection:
            refreshed = refresh_batch(connection)
        total += refreshed
        if refreshed.marks < BATCH_MARKS:
            break
    if total.marks >= BATCH_MARKS:
        with unit_of_work(engine) as connection:
            copy.cursor(connection).execute(COUNT)
    return total


def refresh_batch(connection: Connection, *, most: int = BATCH_MARKS) -> Refreshed:
    """Compute the days of the oldest marks; nothing where another refresh runs.

    A mark that is set meanwhile stays: only marks seen at the start are deleted, and the days are
    computed after that.
    """
    with copy.cursor(connection) as session:
        session.execute(HOLD)
        # One at a time: a second refresh could store older values over newer ones.
        lock = session.execute("SELECT pg_try_advisory_xact_lock(%s)", (REFRESH_LOCK,))
        if lock.fetchone() != (True,):
            return Refreshed()
        marks = session.execute(TAKE, (most,)).fetchall()
        batch = {"sites": [site for site, _ in marks], "days": [day for _, day in marks]}
        for width, table in TABLES.items() if marks else ():
            names = {
                "table": sql.Identifier(table),
                "width": sql.Literal(width),
                "columns": sql.SQL(COLUMNS),
                "days": DAYS,
            }
            session.execute(sql.SQL(FORGET).format(**names), batch)
            session.execute(sql.SQL(COMPUTE).format(**names), batch)
    return Refreshed(len(marks), len(set(marks)))


def are_fresh(connection: Connection, site_id: str, timeline: Timeline) -> bool:
    """Return whether few enough days are marked for rollups to be faster than quarter-hours."""
    window = sites.key_of(connection, site_id), timeline.start - DAY, timeline.end
    with copy.cursor(connection) as session:
        marked = session.execute(MARKED, (*window, MOST_MARKED + 1)).fetchone()
    return marked is not None and marked[0] <= MOST_MARKED


def read_parts(
    connection: Connection, site_id: str, series: str, *, timeline: Timeline, width: timedelta
) -> tuple[InstantArray, Parts]:
    """Return a series as sums over whole hours or days, with their starts.

    ``width`` is an hour or a day; at the ends of ``timeline`` the parts are quarter-hours.

    Args:
        series: one of ``SERIES``.
        timeline: quarter-hours that contain at least one whole hour or day.
    """
    first = floor_to(timeline.start + width - SLOT, width)
    last = floor_to(timeline.end, width)
    head, body, tail = np.split(
        timeline.starts, [(first - timeline.start) // SLOT, (last - timeline.start) // SLOT]
    )
    starts = np.concatenate([head, body[:: width // SLOT], tail])
    slots_of_body = np.full(body.size * SLOT // width, width // SLOT)
    slots = np.concatenate([np.ones(head.size), slots_of_body, np.ones(tail.size)]).astype(np.int64)
    total, count_column = SERIES[series]
    query = sql.SQL(PARTS).format(
        total=sql.SQL(total),
        known=sql.Identifier(count_column),
        view=sql.Identifier(VIEWS[width]),
        site=sites.key_of(connection, site_id),
        series=sql.Identifier(series),
        start=timeline.start,
        first=first,
        last=last,
        end=timeline.end,
    )
    rows = copy.read(connection, query, {"start": "M8[s]", "total": "f8", "known": "i8"})
    sums = np.zeros(starts.size)
    known_slots = np.zeros(starts.size, dtype=np.int64)
    places = np.searchsorted(starts, rows["start"])
    sums[places] = np.nan_to_num(rows["total"])
    known_slots[places] = rows["known"]
    return starts, Parts(sums, known_slots, slots)
