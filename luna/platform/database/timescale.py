"""Detects TimescaleDB's edition in a database, and what it keeps there.

The Apache edition has hypertables only. Compression, retention policies and continuous aggregates
need the community edition, analytical functions the toolkit. A refused change leaves the database
unchanged and returns the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

ROLLUPS = ("slot_observations_hourly", "slot_observations_daily")

EXTENSIONS = text(
    "SELECT extname, extversion FROM pg_extension WHERE extname IN ('timescaledb', "
    "'timescaledb_toolkit')"
)
LICENCE = text("SELECT current_setting('timescaledb.license', true)")
DIMENSIONS = text(
    "SELECT hypertable_name, column_name, time_interval FROM timescaledb_information.dimensions"
    " WHERE hypertable_schema = current_schema() AND time_interval IS NOT NULL"
)
CONTINUOUS = text(
    "SELECT view_name FROM timescaledb_information.continuous_aggregates WHERE view_schema "
    "= current_schema()"
)
# Rollups are tables where this trigger marks changed days.
HAS_ROLLUP_TRIGGER = text(
    "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'mark_rollups_insert' AND "
    "tgrelid = to_regclass('slot_observations'))"
)


@dataclass(frozen=True, slots=True)
class Edition:
    """The edition of TimescaleDB in a database; without a version it is plain PostgreSQL."""

    version: str | None
    licence: str | None
    toolkit: str | None

    @property
    def community(self) -> bool:
        """Whether policies and continuous aggregates are available."""
        return self.version is not None and self.licence == "timescale"


@dataclass(frozen=True, slots=True)
class Dimension:
    """The time column of a hypertable and the length of its chunks."""

    column: str
    interval: timedelta


def detect(connection: Connection) -> Edition:
    """Return the edition of TimescaleDB in the database."""
    versions = {row.extname: row.extversion for row in connection.execute(EXTENSIONS)}
    return Edition(
        versions.get("timescaledb"), connection.scalar(LICENCE), versions.get("timescaledb_toolkit")
    )


def hypertables(connection: Connection) -> dict[str, Dimension]:
    """Return the hypertables by name; none on plain PostgreSQL."""
    if detect(connection).version is None:
        return {}
    rows = connection.execute(DIMENSIONS)
    return {table: Dimension(column, interval) for table, column, interval in rows}


def rollups(connection: Connection) -> dict[str, str]:
    """Return how the hourly and daily rollups are maintained.

    ``continuous aggregate``: by TimescaleDB. ``table``: by Luna, whose writers mark changed days.
    ``view``: computed at each read.
    """
    continuous = set(connection.scalars(CONTINUOUS)) if detect(connection).version else set()
    other = "table" if keeps_rollups(connection) else "view"
    return {name: "continuous aggregate" if name in continuous else other for name in ROLLUPS}


def keeps_rollups(connection: Connection) -> bool:
    """Return whether the rollups are tables that Luna maintains; reads are current even then."""
    return bool(connection.scalar(HAS_ROLLUP_TRIGGER))


def attempt(connection: Connection, change: Callable[[], None]) -> str | None:
    """Try a change in a savepoint.

    Return the reason of the refusal, None where it succeeded.
    """
    try:
        with connection.begin_nested():
            change()
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise
        return str(exc.orig).strip().partition("\n")[0]
    return None
