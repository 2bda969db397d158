"""Tables that step aside with all that is theirs, so that others may take their names."""

from collections.abc import Callable

from alembic import op
from sqlalchemy import inspect, text


def rename_table(table: str, to: str, rename: Callable[[str], str]) -> None:
    """Call a table otherwise, with its constraints and their indexes; one that is not there is none."""
    found = inspect(op.get_bind())
    if not found.has_table(table):
        return
    own = text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass)")
    for name in op.get_bind().scalars(own, {"table": table}).all():
        op.execute(f'ALTER TABLE {table} RENAME CONSTRAINT "{name}" TO "{rename(name)}"')
    for name in [index["name"] for index in found.get_indexes(table) if not index.get("duplicates_constraint")]:
        op.execute(f'ALTER INDEX "{name}" RENAME TO "{rename(str(name))}"')
    op.rename_table(table, to)
