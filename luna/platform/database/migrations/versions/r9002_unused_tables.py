"""Tables that nothing reads or writes go; one that holds rows stays, with what it refers to, and the log says so.

How they were stands frozen in the SQL file beside this one.
"""

from pathlib import Path

import structlog
from alembic import op
from sqlalchemy import exists, select
from sqlalchemy import table as sql_table

revision = "9002"
down_revision = "9001"
branch_labels = None
depends_on = None

# What refers to others before those; with each what it refers to.
TABLES = {
    "sessions": ("users",),
    "api_keys": ("users",),
    "events": ("users", "items"),
    "answers": ("users",),
    "chunks": ("documents",),
    "items": (),
    "documents": (),
    "users": (),
    "antares_plan_history": (),
}

log = structlog.get_logger("luna.database")


def upgrade() -> None:
    kept: set[str] = set()
    for table, refers_to in TABLES.items():
        # Nobody adds a row between the look and the drop.
        op.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        if table in kept or op.get_bind().scalar(select(exists().select_from(sql_table(table)))):
            kept |= {table, *refers_to}
            log.warning("unused table is kept for its rows", table=table, remedy="Luna does not use it; drop it when its rows are not needed any more.")
        else:
            op.drop_table(table)


def downgrade() -> None:
    # The driver runs many statements at once only where none has parameters. A table that was kept is there.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
