"""Rows that were refused, with the reason. Nothing is dropped silently."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, select, text

from luna.database import copy, sites
from luna.database.schema.series import quarantine


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused row: its line in the source, why, and what it was."""

    line: int
    reason: str
    raw: dict[str, Any]


def begin(connection: Connection) -> None:
    """Open a list of refused rows in this transaction."""
    connection.execute(text("CREATE TEMP TABLE refused (line bigint PRIMARY KEY, reason text, raw jsonb) ON COMMIT DROP"))


def add(connection: Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Put line, reason and the row as JSON text onto the open list."""
    with copy.cursor(connection) as cursor, cursor.copy(sql.SQL("COPY refused (line, reason, raw) FROM STDIN")) as stream:
        for row in rows:
            stream.write_row(row)


def finish(connection: Connection, site_id: str, *, kind: str, source: str) -> None:
    """Make the open list what is in quarantine for ``source``: loading a file again keeps what is refused again and frees the rest."""
    key = {"site_key": sites.key_of(connection, site_id), "kind": kind, "source": source}
    same_source = "q.site_key = :site_key AND q.kind = :kind AND q.source = :source"
    connection.execute(text(f"DELETE FROM quarantine q WHERE {same_source} AND NOT EXISTS (SELECT FROM refused r WHERE r.line = q.line)"), key)  # noqa: S608
    connection.execute(
        text(
            "INSERT INTO quarantine AS q (site_key, kind, source, line, reason, raw) SELECT :site_key, :kind, :source, line, reason, raw FROM refused"
            " ON CONFLICT (site_key, kind, source, line) DO UPDATE SET reason = excluded.reason, raw = excluded.raw"
            " WHERE (q.reason, q.raw) IS DISTINCT FROM (excluded.reason, excluded.raw)"
        ),
        key,
    )
    connection.execute(text("DROP TABLE refused"))


def read(connection: Connection, site_id: str, *, limit: int = 1000) -> list[Refused]:
    """Return the rows refused last for a site."""
    table = quarantine.c
    query = select(table.line, table.reason, table.raw).where(table.site_key == sites.key_of(connection, site_id))
    return [Refused(*row) for row in connection.execute(query.order_by(table.quarantine_id.desc()).limit(limit))]
