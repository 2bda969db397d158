"""Rows that were refused, with the reason. Nothing is dropped silently."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import sql
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    RowMapping,
    Select,
    all_,
    delete,
    false,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from luna.contracts.data import QuarantinedRow, QuarantineFilter, Resolution
from luna.energy.refusals import refuse
from luna.energy.row_fault import RowFault
from luna.platform.database import copy, sites
from luna.platform.database.schema.series import quarantine
from luna.platform.database.schema.sites import sites as site_names
from luna.platform.database.stored_rows import read_each, read_page
from luna.words.quarantine import say_row_fault

_INSERT = "INSERT INTO quarantine AS q (site_key, kind, source, line, fault, raw) "
_LISTED = (
    "SELECT :site_key, :kind, :source, line, fault, raw || "
    "jsonb_strip_nulls(jsonb_build_object('step_minutes', CAST(:step AS int))) FROM refused"
)
_ENTRIES = (
    "SELECT :site_key, :kind, entries.*"
    " FROM unnest(CAST(:sources AS text[]), CAST(:lines AS bigint[]), CAST(:faults AS "
    "jsonb[]), CAST(:raws AS jsonb[])) AS entries"
)
# Decided rows stay; a row that is refused again for the same reason is not written again.
_RENEW = (
    " ON CONFLICT (site_key, kind, source, line) DO UPDATE SET fault = excluded.fault, raw "
    "= excluded.raw"
    " WHERE q.resolution IS NULL AND (q.fault, q.raw) IS DISTINCT FROM (excluded.fault, "
    "excluded.raw)"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused row: its line in the source, why, and what it was."""

    line: int
    fault: RowFault
    raw: dict[str, Any]


def begin(connection: Connection) -> None:
    """Open a list of refused rows in this transaction."""
    connection.execute(
        text(
            "CREATE TEMP TABLE refused (line bigint PRIMARY KEY, fault jsonb, raw jsonb) "
            "ON COMMIT DROP"
        )
    )


def add(connection: Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Put line, fault and row, both as JSON text, onto the open list."""
    with (
        copy.cursor(connection) as cursor,
        cursor.copy(sql.SQL("COPY refused (line, fault, raw) FROM STDIN")) as stream,
    ):
        for row in rows:
            stream.write_row(row)


def finish(
    connection: Connection, site_id: str, *, kind: str, source: str, step_minutes: int | None = None
) -> None:
    """Make the open list the quarantined rows of ``source``.

    Loading a file again leaves those in quarantine that are refused again, and frees the rest.

    Decided rows stay as they are.

    Args:
        step_minutes: how long the source's slots are; kept with each row, which does not tell it.
    """
    key = {
        "site_key": sites.key_of(connection, site_id),
        "kind": kind,
        "source": source,
        "step": step_minutes,
    }
    undecided = (
        "q.site_key = :site_key AND q.kind = :kind AND q.source = :source AND q.resolution IS NULL"
    )
    connection.execute(
        text(
            f"DELETE FROM quarantine q WHERE {undecided} AND NOT EXISTS (SELECT FROM "  # noqa: S608
            "refused r WHERE r.line = q.line)"
        ),
        key,
    )
    connection.execute(text(_INSERT + _LISTED + _RENEW), key)
    connection.execute(text("DROP TABLE refused"))


def settle(
    connection: Connection,
    site_id: str,
    refused: Mapping[str, Sequence[Refused]],
    *,
    lines: tuple[int, int],
    kind: str = "readings",
) -> None:
    """Make ``refused`` the quarantined rows of live sources within ``lines``.

    Rows before these lines are added or renewed as well. Decided rows stay as they are.

    Args:
        connection: to the database.
        site_id: the site's name.
        refused: by source, which names the sensor; a line is an instant in microseconds.
        lines: the first line, and the one after the last.
        kind: of the rows.
    """
    key = {"site_key": sites.key_of(connection, site_id), "kind": kind}
    table = quarantine.c
    same = (
        (table.site_key == key["site_key"])
        & (table.kind == key["kind"])
        & table.resolution.is_(None)
    )
    freed = []
    for source, source_rows in refused.items():
        lines_of_source = literal([row.line for row in source_rows], ARRAY(BigInteger))
        freed.append((table.source == source) & (table.line != all_(lines_of_source)))
    connection.execute(
        delete(quarantine).where(
            same, table.line >= lines[0], table.line < lines[1], or_(false(), *freed)
        )
    )
    rows: list[tuple[str, int, str, str]] = []
    for source, source_rows in refused.items():
        rows += [(source, row.line, row.fault.text, json.dumps(row.raw)) for row in source_rows]
    if rows:
        # A bad sensor has tens of thousands of refused stretches: they are one statement of four
        # arrays, not a statement each.
        sources, lines_refused, faults, raws = zip(*rows, strict=True)
        arrays = {
            "sources": list(sources),
            "lines": list(lines_refused),
            "faults": list(faults),
            "raws": list(raws),
        }
        connection.execute(text(_INSERT + _ENTRIES + _RENEW), key | arrays)


def read(connection: Connection, site_id: str, *, limit: int = 1000) -> list[Refused]:
    """Return the rows refused last for a site."""
    table = quarantine.c
    query = select(table.line, table.fault, table.raw).where(
        table.site_key == sites.key_of(connection, site_id)
    )
    return _read_refused(connection, query.order_by(table.quarantine_id.desc()).limit(limit))


def list_rows(
    connection: Connection,
    site_id: str,
    *,
    status: QuarantineFilter = "open",
    limit: int = 100,
    below: int | None = None,
) -> list[QuarantinedRow]:
    """Return refused rows of a site, those refused last first.

    Args:
        status: of the decision about them.
        below: only rows with a lower number, to go on where a list ended.

    Raises:
        NotFoundError: no such site.
    """
    table = quarantine.c
    decided = table.resolution.is_(None) if status == "open" else table.resolution == status
    query = _rows().where(table.site_key == sites.key_of(connection, site_id), decided)
    if below is not None:
        query = query.where(table.quarantine_id < below)
    return read_page(connection, query.order_by(table.quarantine_id.desc()), _row, limit=limit)


def require_of_site(connection: Connection, site_id: str, quarantine_id: int) -> None:
    """Refuse a row that is none of the site's.

    Raises:
        NotFoundError: no such site, or it has no such row.
    """
    is_row = (quarantine.c.site_key == sites.key_of(connection, site_id)) & (
        quarantine.c.quarantine_id == quarantine_id
    )
    if connection.scalar(select(quarantine.c.quarantine_id).where(is_row)) is None:
        raise refuse(
            "not-found",
            field="quarantine_id",
            value=quarantine_id,
            thing="row",
            source=f"the list: luna data quarantine list --site {site_id}",
        )


def hold(connection: Connection, quarantine_id: int) -> tuple[str, QuarantinedRow]:
    """Return the site's name and an open row, locked so that nobody else decides meanwhile.

    Raises:
        NotFoundError: no row of that number.
        ConflictError: somebody decided already.
    """
    query = (
        _rows(site_names.c.name)
        .join(site_names, site_names.c.site_key == quarantine.c.site_key)
        .where(quarantine.c.quarantine_id == quarantine_id)
    )
    row = connection.execute(query.with_for_update(of=quarantine)).mappings().first()
    if row is None:
        raise refuse(
            "not-found",
            field="quarantine_id",
            value=quarantine_id,
            thing="row",
            source="the list: luna data quarantine list --site NAME",
        )
    if row["resolution"] is not None:
        raise refuse(
            "row-decided", field="quarantine_id", value=quarantine_id, decision=row["resolution"]
        )
    return row["name"], _row(row)


def resolve(
    connection: Connection,
    quarantine_id: int,
    resolution: Resolution,
    *,
    corrected: dict[str, Any] | None,
    at: datetime,
    by: str,
) -> QuarantinedRow:
    """Note what was decided about a row and return it as it now stands."""
    table = quarantine
    decided = {
        "resolution": resolution,
        "corrected": null() if corrected is None else corrected,
        "resolved_at": at,
        "resolved_by": by,
    }
    connection.execute(update(table).where(table.c.quarantine_id == quarantine_id).values(decided))
    return _row(
        connection.execute(_rows().where(table.c.quarantine_id == quarantine_id)).mappings().one()
    )


def list_let_in(
    connection: Connection, site_id: str, *, kind: str, sources: Collection[str]
) -> list[QuarantinedRow]:
    """Return released and corrected rows of sources, in the order of these decisions."""
    table = quarantine.c
    same_sources = (
        (table.site_key == sites.key_of(connection, site_id))
        & (table.kind == kind)
        & table.source.in_(sources)
    )
    query = (
        _rows()
        .where(same_sources, table.resolution.in_(("released", "corrected")))
        .order_by(table.resolved_at, table.quarantine_id)
    )
    return read_each(connection.execute(query).mappings(), _row)


def list_open(
    connection: Connection, site_id: str, *, source: str, lines: tuple[int, int]
) -> list[Refused]:
    """Return the open refusals of a source of readings.

    From the first line on, before the second.
    """
    table = quarantine.c
    same = (
        (table.site_key == sites.key_of(connection, site_id))
        & (table.kind == "readings")
        & (table.source == source)
        & table.resolution.is_(None)
    )
    query = (
        select(table.line, table.fault, table.raw)
        .where(same, table.line >= lines[0], table.line < lines[1])
        .order_by(table.line)
    )
    return _read_refused(connection, query)


def list_refused_readings(
    connection: Connection, site_id: str, *, codes: Collection[str], lines: tuple[int, int]
) -> list[Refused]:
    """Return the open refusals of sensors' readings for one of some reasons.

    From the first line on, before the second.
    """
    table = quarantine.c
    same = (
        (table.site_key == sites.key_of(connection, site_id))
        & (table.kind == "readings")
        & table.resolution.is_(None)
    )
    for_reason = (
        table.fault["code"].astext.in_(codes) & (table.line >= lines[0]) & (table.line < lines[1])
    )
    query = select(table.line, table.fault, table.raw).where(same, for_reason).order_by(table.line)
    return _read_refused(connection, query)


def _read_refused(connection: Connection, query: Select[Any]) -> list[Refused]:
    return read_each(
        connection.execute(query), lambda row: Refused(row.line, RowFault.read(row.fault), row.raw)
    )


def _rows(*further: Column[Any]) -> Select[Any]:
    return select(
        *(quarantine.c[name] for name in QuarantinedRow.model_fields if name != "reason"), *further
    )


def _row(row: RowMapping) -> QuarantinedRow:
    values = {name: row[name] for name in QuarantinedRow.model_fields if name != "reason"}
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    fault = RowFault.read(row["fault"])
    return QuarantinedRow(**values | {"fault": fault, "reason": say_row_fault(fault)})
