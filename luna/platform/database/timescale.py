"""Detects TimescaleDB's edition in a database, and sets its compression and retention policies.

The Apache edition has hypertables only. Compression, retention policies and continuous aggregates need the community edition, analytical functions the
toolkit. A refused change leaves the database unchanged and returns the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from luna.platform.settings import Settings

# Segment and order columns of compressed chunks: a series as it is read.
SEGMENTS = {
    "slot_observations": ("site_key", "slot_start"),
    "market_prices": ("market", "slot_start, published_at"),
    "weather": ("place", "slot_start, issued_at"),
    "carbon_intensity": ("place", "slot_start, issued_at"),
    "slot_forecasts": ("site_key, forecast_version", "issued_at, slot_start"),
    "sensor_readings": ("sensor_key", "instant"),
    "smart_meter_readings": ("meter, register", "instant"),
}
ROLLUPS = ("slot_observations_hourly", "slot_observations_daily")

EXTENSIONS = text("SELECT extname, extversion FROM pg_extension WHERE extname IN ('timescaledb', 'timescaledb_toolkit')")
LICENCE = text("SELECT current_setting('timescaledb.license', true)")
DIMENSIONS = text(
    "SELECT hypertable_name, column_name, time_interval FROM timescaledb_information.dimensions"
    " WHERE hypertable_schema = current_schema() AND time_interval IS NOT NULL"
)
CONTINUOUS = text("SELECT view_name FROM timescaledb_information.continuous_aggregates WHERE view_schema = current_schema()")
# Rollups are tables where this trigger marks changed days.
HAS_ROLLUP_TRIGGER = text("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'mark_rollups_insert' AND tgrelid = to_regclass('slot_observations'))")
COMPRESSED = text("SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_schema = current_schema() AND hypertable_name = :table")
AGES = text(
    "SELECT hypertable_name AS table, CAST(config ->> :key AS interval) AS after FROM timescaledb_information.jobs"
    " WHERE hypertable_schema = current_schema() AND proc_name = 'policy_' || :kind"
)
# Name of a policy's age, in its configuration and in the function that adds it.
AGE_KEYS = {"compression": "compress_after", "retention": "drop_after"}
ADD = {kind: text(f"SELECT add_{kind}_policy(CAST(:table AS regclass), {key} => CAST(:after AS interval))") for kind, key in AGE_KEYS.items()}
REMOVE = {kind: text(f"SELECT remove_{kind}_policy(CAST(:table AS regclass), if_exists => true)") for kind in AGE_KEYS}

Kind = Literal["compression", "retention"]
SCENARIO_RETENTION = timedelta(days=35)

log = structlog.get_logger("luna.database")


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


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """A policy that the settings require for a table; ``refused`` is the reason why it is not in force, None where it is."""

    table: str
    kind: Kind
    after: timedelta
    refused: str | None


def detect(connection: Connection) -> Edition:
    """Return the edition of TimescaleDB in the database."""
    versions = {row.extname: row.extversion for row in connection.execute(EXTENSIONS)}
    return Edition(versions.get("timescaledb"), connection.scalar(LICENCE), versions.get("timescaledb_toolkit"))


def hypertables(connection: Connection) -> dict[str, Dimension]:
    """Return the hypertables by name; none on plain PostgreSQL."""
    if detect(connection).version is None:
        return {}
    return {table: Dimension(column, interval) for table, column, interval in connection.execute(DIMENSIONS)}


def rollups(connection: Connection) -> dict[str, str]:
    """Return how the hourly and daily rollups are maintained.

    ``continuous aggregate``: by TimescaleDB. ``table``: by Luna, whose writers mark changed days. ``view``: computed at each read.
    """
    continuous = set(connection.scalars(CONTINUOUS)) if detect(connection).version else set()
    other = "table" if keeps_rollups(connection) else "view"
    return {name: "continuous aggregate" if name in continuous else other for name in ROLLUPS}


def keeps_rollups(connection: Connection) -> bool:
    """Return whether the rollups are tables that Luna maintains; reads are current even then."""
    return bool(connection.scalar(HAS_ROLLUP_TRIGGER))


def policy_ages(connection: Connection, kind: Kind) -> dict[str, timedelta]:
    """Return the age of each table's policy; none where the edition has no policies."""
    if not detect(connection).community:
        return {}
    return {row.table: row.after for row in connection.execute(AGES, {"kind": kind, "key": AGE_KEYS[kind]})}


def apply_policies(connection: Connection, settings: Settings) -> list[RetentionPolicy]:
    """Bring compression and retention policies in line with the settings; return the policies and their state.

    A refused policy is logged and changes nothing. A table without a retention setting keeps its rows for ever.

    Invariants: a second call changes nothing.
    """
    policies = [_bring(connection, table, "compression", settings.compress_after) for table in SEGMENTS]
    policies += [_bring(connection, table, "retention", after) for table, after in retention_ages(settings).items() if table in SEGMENTS]
    return [policy for policy in policies if policy is not None]


def retention_ages(settings: Settings) -> dict[str, timedelta | None]:
    """Return the age at which a table's rows are deleted, None: never. Tables that are not listed keep their rows."""
    return {
        "slot_forecasts": settings.forecast_retention,
        "forecast_issues": settings.forecast_retention,
        # 40 kB per hour and site, unused once their horizon has passed; forecast retention has no shorter setting.
        "forecast_scenarios": SCENARIO_RETENTION,
        "plan_history": settings.plan_retention,
        "antares_plan_history": settings.plan_retention,
        "sensor_readings": settings.reading_retention,
        "smart_meter_readings": settings.reading_retention,
    }


def attempt(connection: Connection, change: Callable[[], None]) -> str | None:
    """Try a change in a savepoint; return the reason of the refusal, None where it succeeded."""
    try:
        with connection.begin_nested():
            change()
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise
        return str(exc.orig).strip().partition("\n")[0]
    return None


def _bring(connection: Connection, table: str, kind: Kind, after: timedelta | None) -> RetentionPolicy | None:
    edition = detect(connection)
    if edition.community:
        refused = attempt(connection, lambda: _set(connection, table, kind, after))
    else:
        refused = f"the {edition.licence} edition of TimescaleDB has no policies" if edition.version else "plain PostgreSQL has no policies"
    if edition.community and refused:
        log.warning("policy refused", table=table, policy=kind, reason=refused)
    return None if after is None else RetentionPolicy(table, kind, after, refused)


def _set(connection: Connection, table: str, kind: Kind, after: timedelta | None) -> None:
    if policy_ages(connection, kind).get(table) == after:
        return
    values: dict[str, Any] = {"table": table}
    if kind == "compression" and not connection.scalar(COMPRESSED, values):
        segment, order = SEGMENTS[table]
        options = f"timescaledb.compress, timescaledb.compress_segmentby = '{segment}', timescaledb.compress_orderby = '{order}'"
        connection.execute(text(f"ALTER TABLE {table} SET ({options})"))
    connection.execute(REMOVE[kind], values)
    if after is not None:
        connection.execute(ADD[kind], values | {"after": after})
