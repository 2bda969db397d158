"""Store how far sources have been read, so that reading goes on there."""

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from luna.platform.database import sites
from luna.platform.database.schema.series import source_cursors


def read(connection: Connection, site_id: str, source: str) -> dict[str, datetime]:
    """Return, by series, the instant before which everything of ``source`` was taken over.

    Raises:
        NotFoundError: no such site.
    """
    table = source_cursors.c
    query = select(table.series, table.complete_until).where(
        table.site_key == sites.key_of(connection, site_id), table.source == source
    )
    return {row.series: row.complete_until.astimezone(UTC) for row in connection.execute(query)}


def move(
    connection: Connection, site_id: str, source: str, series: str, *, complete_until: datetime
) -> None:
    """Note that everything of a series before ``complete_until`` is taken over.

    A cursor never goes back.
    """
    key = sites.key_of(connection, site_id)
    statement = insert(source_cursors).values(
        site_key=key, source=source, series=series, complete_until=complete_until
    )
    moved = {"complete_until": statement.excluded.complete_until, "moved_at": func.now()}
    ahead = source_cursors.c.complete_until < statement.excluded.complete_until
    connection.execute(
        statement.on_conflict_do_update(
            constraint=source_cursors.primary_key, set_=moved, where=ahead
        )
    )


def forget(
    connection: Connection, site_id: str, source: str, *, before: datetime | None = None
) -> None:
    """Drop the cursors of a source: it is read anew from where one asks.

    Args:
        connection: an open transaction.
        site_id: whose source it is.
        source: that is read.
        before: drops only cursors that stand before it; None: all.
    """
    table = source_cursors.c
    key = sites.key_of(connection, site_id)
    of_source = (table.site_key == key) & (table.source == source)
    if before is not None:
        of_source &= table.complete_until < before
    connection.execute(delete(source_cursors).where(of_source))
