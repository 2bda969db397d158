"""All rows of a database as an older schema knows them, and which of them a newer one lost or
changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Answers a query with its rows, each value as text.
Ask = Callable[[str], list[list[str]]]

# Rows that go by themselves: days whose rollups are still to be made, sessions and answers that
# ended.
PASSING = {"rollup_marks", "alembic_version"}
# Rows whose values change while nobody does anything: a job that ends, a key that was used, a
# sensor that goes on.
MOVING = {
    "chunk_vectors",
    "jobs",
    "api_keys",
    "sessions",
    "users",
    "source_cursors",
    "forecast_activations",
}

TABLES = """
SELECT relname, string_agg(quote_ident(attname), ',' ORDER BY attnum),
  coalesce((SELECT string_agg(
                quote_ident(a.attname), ','
                ORDER BY array_position(indkey::int[], a.attnum::int)
              )
            FROM pg_index JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = ANY (indkey)
            WHERE indrelid = pg_class.oid AND indisprimary), '')
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND attnum > 0 AND NOT attisdropped
  AND NOT EXISTS (
    SELECT FROM pg_depend
    WHERE objid = pg_class.oid AND classid = 'pg_class'::regclass AND deptype = 'e'
  )
GROUP BY pg_class.oid, relname ORDER BY relname
"""


@dataclass(frozen=True)
class Table:
    """The columns of a table and of its primary key, as SQL lists them.

    Without a key a row is its own.
    """

    columns: str
    key: str

    @classmethod
    def of(cls, columns: str, key: str) -> "Table":
        return cls(columns, key or columns)


@dataclass(frozen=True)
class Rows:
    """What a database holds: its tables, and of each row a number for its key and one for its
    values.
    """

    tables: Mapping[str, Table]
    numbers: Mapping[str, Mapping[str, str]]

    @property
    def count(self) -> int:
        return sum(len(rows) for rows in self.numbers.values())


def read_rows(ask: Ask, like: Rows | None = None) -> Rows:
    """Return all rows, in the columns that ``like`` has: what a newer schema adds to a row is none
    of it.
    """
    there = {name: Table.of(columns, key) for name, columns, key in ask(TABLES)}
    wanted = (
        there
        if like is None
        else {
            name: table
            for name, table in like.tables.items()
            if name in there and _names(table) <= _names(there[name])
        }
    )
    return Rows(wanted, {name: _read(ask, name, table) for name, table in wanted.items()})


def compare(before: Rows, after: Rows) -> dict[str, Any]:
    """Return how many rows were compared, and by table which were lost or changed.

    A table or column that is gone counts with all its rows.
    """
    lost = {
        name: len(rows.keys() - after.numbers.get(name, {}).keys())
        for name, rows in before.numbers.items()
        if name not in PASSING
    }
    changed = {
        name: _count_changed(rows, after.numbers.get(name, {}))
        for name, rows in before.numbers.items()
        if name not in PASSING | MOVING
    }
    return {
        "rows": before.count,
        "tables": len(before.numbers),
        "lost": sum(lost.values()),
        "changed": sum(changed.values()),
        "where": sorted(
            {name for found in (lost, changed) for name, count in found.items() if count}
        ),
    }


def _names(table: Table) -> set[str]:
    return set(table.columns.split(","))


def _read(ask: Ask, name: str, table: Table) -> dict[str, str]:
    query = (
        f"SELECT hashtextextended(ROW({table.key})::text, 1), "  # noqa: S608
        f'hashtextextended(ROW({table.columns})::text, 2) FROM "{name}"'
    )
    return {row[0]: row[1] for row in ask(query)}


def _count_changed(before: Mapping[str, str], after: Mapping[str, str]) -> int:
    return sum(after[key] != values for key, values in before.items() if key in after)
