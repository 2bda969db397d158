"""Stores the energy data of sites: one row per site and quarter-hour.

Values that were filled to match a meter's total are marked in the bits of ``estimated``; they are
not measurements.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from psycopg import sql
from sqlalchemy import Connection

from luna.energy.observations import ESTIMABLE, SERIES, Observations, SocReading
from luna.energy.resolution import from_quarter_hours, kind_of, quarter_hours
from luna.energy.site import SUBMETERED
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    IndexArray,
    InstantArray,
    Timeline,
    align,
    align_each,
)
from luna.platform.database import copy, sites
from luna.platform.database.schema.series import slot_observations

PRICES = ("import_price", "export_price")
MEASURED = (*SERIES, *SUBMETERED)


def upsert(connection: Connection, site_id: str, observations: Observations) -> int:
    """Store observations.

    Return the number of rows added or changed. An unknown value never replaces a stored one.
    """
    written = write(
        connection,
        site_id,
        observations.starts,
        {name: getattr(observations, name) for name in SERIES},
    )
    return written.inserted + written.updated


def write(
    connection: Connection, site_id: str, starts: InstantArray, series: copy.Columns
) -> copy.Written:
    """Store some columns (series or their provenance) of a site by slot start.

    Other columns and unknown values leave the stored ones unchanged.
    """
    columns: copy.Columns = {
        "site_key": sites.key_of(connection, site_id),
        "slot_start": starts,
        **series,
    }
    written = copy.upsert(connection, slot_observations, columns, on_conflict="complete")
    if "estimated" not in series and written.inserted < starts.size:
        # A written value is a measurement.
        bits = np.zeros(starts.size, dtype=np.int64)
        for bit, name in enumerate(ESTIMABLE):
            if name in series:
                bits |= np.isfinite(np.asarray(series[name], dtype=np.float64)) * (1 << bit)
        statement = sql.SQL(
            "UPDATE slot_observations SET estimated = estimated & ~given.bits::smallint "
            "FROM unnest(%s::bigint[], %s::integer[]) AS given (epoch, bits)"
            " WHERE site_key = {} AND estimated > 0 AND slot_start = "
            "to_timestamp(given.epoch) AND estimated & given.bits > 0"
        ).format(sites.key_of(connection, site_id))
        with copy.cursor(connection) as cursor:
            cursor.execute(
                statement, (starts.astype("datetime64[s]").astype(np.int64).tolist(), bits.tolist())
            )
    return written


def withdraw(
    connection: Connection, site_id: str, name: str, *, starts: InstantArray, values: FloatArray
) -> IndexArray:
    """Set a column to unknown where it holds exactly ``values``.

    Values from other sources stay.

    Args:
        starts: slot starts, ``datetime64[s]`` in UTC, shape ``(slots,)``.
        values: shape ``(slots,)``, free of NaN.

    Returns:
        The positions that were withdrawn, ascending.
    """
    column = slot_observations.c[name]
    withdrawn_rows = sql.SQL(
        "unnest(%s::bigint[], %s::float8[]) WITH ORDINALITY AS given (epoch, value, place)"
    )
    statement = sql.SQL(
        "UPDATE slot_observations SET {column} = NULL, estimated = estimated & "
        "~{bit}::smallint FROM {given}"
        " WHERE site_key = {site} AND slot_start = to_timestamp(given.epoch) AND {column} "
        "= given.value RETURNING given.place - 1"
    ).format(
        column=sql.Identifier(column.name),
        given=withdrawn_rows,
        site=sites.key_of(connection, site_id),
        bit=_bit_of(name),
    )
    with copy.cursor(connection) as cursor:
        places = cursor.execute(
            statement, (starts.astype("datetime64[s]").astype(np.int64).tolist(), values.tolist())
        ).fetchall()
    return np.sort(np.array([place for (place,) in places], dtype=np.int64))


def read(connection: Connection, site_id: str, timeline: Timeline) -> Observations:
    """Return a site's measurements per slot of ``timeline``, NaN where there are none.

    They are the input of training, scores and savings.

    Slots longer than a quarter-hour hold sums (the last state of charge), unknown where any part
    is. Estimates count as unknown.
    """
    return Observations.of(
        timeline.starts,
        _read_columns(connection, site_id, timeline, {name: _measured(name) for name in SERIES}),
    )


def read_each(
    connection: Connection, windows: Mapping[int, Timeline], *, names: tuple[str, ...]
) -> dict[int, Observations]:
    """Return some measured series of many sites, NaN where unknown, by the sites' keys.

    Each site has its own timeline of quarter-hours.
    """
    series = read_columns_each(connection, windows, names=names)
    return {key: Observations.of(timeline.starts, series[key]) for key, timeline in windows.items()}


def read_columns_each(
    connection: Connection, windows: Mapping[int, Timeline], *, names: tuple[str, ...]
) -> dict[int, dict[str, FloatArray]]:
    """Return any measured columns of many sites, submetered ones included.

    As ``read_each`` does.
    """
    if not windows:
        return {}
    query = sql.SQL(
        "SELECT requested.site_key, arrays.* FROM unnest({keys}::int[], "
        "{firsts}::timestamptz[], {ends}::timestamptz[]) AS requested (site_key, first, "
        "ends)"
        " CROSS JOIN LATERAL (SELECT array_agg(slot_start), {packed} FROM (SELECT "
        "slot_start, {names} FROM slot_observations AS stored"
        " WHERE stored.site_key = requested.site_key AND slot_start >= requested.first AND "
        "slot_start < requested.ends"
        " ORDER BY slot_start) AS slots ({columns})"
        " HAVING count(*) > 0) AS arrays"
    ).format(
        keys=list(windows),
        firsts=[timeline.start for timeline in windows.values()],
        ends=[timeline.end for timeline in windows.values()],
        packed=copy.packed(names),
        names=sql.SQL(", ").join(map(_measured, names)),
        columns=copy.identifiers(("slot_start", *names)),
    )
    rows = copy.read_rows(connection, query, ("i4", "M8[s][]", *["f8[]"] * len(names)))
    columns_by_site = {}
    for key, starts, *columns in rows:
        values = dict(zip(names, columns, strict=True))
        columns_by_site[key] = align_each(starts, values, windows[key])
    for key, timeline in windows.items():
        if not columns_by_site.get(key):
            columns_by_site[key] = {name: np.full(timeline.count, np.nan) for name in names}
    return {key: columns_by_site[key] for key in windows}


# A day: the last reading is checked against those before it, and against what the meters counted.
JUDGED_SOCS = 96
LAST_SOCS = sql.SQL(
    "SELECT requested.site_key, latest.* FROM unnest({}::int[]) AS requested (site_key)"
    " CROSS JOIN LATERAL (SELECT soc, slot_start FROM slot_observations AS stored"
    " WHERE stored.site_key = requested.site_key AND slot_start >= {} AND slot_start < {} "
    "AND soc IS NOT NULL ORDER BY slot_start DESC LIMIT {}) AS latest"
    " ORDER BY requested.site_key, latest.slot_start"
)


def find_socs_each(
    connection: Connection, keys: Sequence[int], *, since: datetime, until: datetime
) -> dict[int, list[SocReading]]:
    """Return states of charge recorded between two instants, by site key and in order of time.

    Sites without any are left out.
    """
    with copy.cursor(connection) as session:
        rows = session.execute(LAST_SOCS.format(list(keys), since, until, JUDGED_SOCS)).fetchall()
    socs: dict[int, list[SocReading]] = {}
    for key, soc, start in rows:
        socs.setdefault(key, []).append(SocReading(soc, start.astimezone(UTC) + SLOT))
    return socs


def read_prices(
    connection: Connection, site_id: str, timeline: Timeline
) -> tuple[FloatArray, FloatArray]:
    """Return import and export price stored for the site itself, NaN where there is none."""
    prices = read_series(connection, site_id, timeline, PRICES)
    return prices["import_price"], prices["export_price"]


def read_series(
    connection: Connection, site_id: str, timeline: Timeline, names: tuple[str, ...]
) -> dict[str, FloatArray]:
    """Return the named series of a site on ``timeline`` with estimates, for totals and display."""
    return _read_columns(
        connection, site_id, timeline, {name: copy.coalesced(name) for name in names}
    )


def read_measured(
    connection: Connection, site_id: str, timeline: Timeline, names: tuple[str, ...]
) -> dict[str, FloatArray]:
    """Return the named series of a site on ``timeline`` without estimates, like ``read``."""
    return _read_columns(connection, site_id, timeline, {name: _measured(name) for name in names})


def _read_columns(
    connection: Connection, site_id: str, timeline: Timeline, chosen: Mapping[str, sql.Composable]
) -> dict[str, FloatArray]:
    grid = quarter_hours(timeline)
    query = sql.SQL(
        "SELECT slot_start, {} FROM slot_observations WHERE site_key = {} AND slot_start "
        ">= {} AND slot_start < {} ORDER BY slot_start"
    ).format(
        sql.SQL(", ").join(chosen.values()), sites.key_of(connection, site_id), grid.start, grid.end
    )
    rows = copy.read(connection, query, {"slot_start": "M8[s]"} | dict.fromkeys(chosen, "f8"))
    series = {}
    for name in chosen:
        quarters = align(rows["slot_start"], rows[name], grid)
        series[name] = from_quarter_hours(quarters, timeline, kind_of(name))
    return series


def _measured(name: str) -> sql.Composed:
    """Return an SQL expression that is NaN where a column is unknown or an estimate."""
    return sql.SQL("CASE WHEN estimated & {} > 0 THEN 'NaN' ELSE coalesce({}, 'NaN') END").format(
        _bit_of(name), sql.Identifier(name)
    )


def _bit_of(name: str) -> int:
    return 1 << ESTIMABLE.index(name) if name in ESTIMABLE else 0
