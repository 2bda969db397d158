"""Measure how much the database holds, table by table."""

from typing import NamedTuple

from sqlalchemy import Connection, text

# Chunks and partitions count to the table they belong to. Rows are the server's own estimate:
# counting them would read them all.
_VOLUME = text("""
WITH RECURSIVE whole AS (
    SELECT c.oid AS root, c.oid AS part
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
    UNION ALL
    SELECT whole.root, i.inhrelid FROM whole JOIN pg_inherits i ON i.inhparent = whole.part
)
SELECT root::regclass::text AS name, sum(pg_total_relation_size(part))::bigint AS size_bytes,
       sum(greatest(coalesce(s.n_live_tup, 0), 0))::bigint AS rows
FROM whole LEFT JOIN pg_stat_all_tables s ON s.relid = part
GROUP BY root ORDER BY size_bytes DESC, name
""")


class TableVolume(NamedTuple):
    """A table: its name, its bytes with indexes, its rows as the server estimates them."""

    name: str
    size_bytes: int
    rows: int


def list_tables(connection: Connection) -> list[TableVolume]:
    """Return every table, the largest first."""
    return [TableVolume(row.name, row.size_bytes, row.rows) for row in connection.execute(_VOLUME)]


def measure_database(connection: Connection) -> int:
    """Return the bytes of the whole database."""
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
