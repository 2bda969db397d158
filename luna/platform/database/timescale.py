"""What TimescaleDB offers in a database, and the policies it keeps there.

Its Apache edition has hypertables alone. Compression, retention policies and continuous aggregates belong to the community edition, the analytical functions
to the toolkit. What is refused leaves the database as it was, and says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from luna.platform.settings import Settings

# What lies together in a compressed chunk, and in which order: a series as it is read.
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
# They are kept where their writers mark what they change.
HAS_ROLLUP_TRIGGER = text("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'mark_rollups_insert' AND tgrelid = to_regclass('slot_observations'))")
COMPRESSED = text("SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_schema = current_schema() AND hypertable_name = :table")
AGES = text(
    "SELECT hypertable_name AS table, CAST(config ->> :key AS interval) AS after FROM timescaledb_information.jobs"
    " WHERE hypertable_schema = current_schema() AND proc_name = 'policy_' || :kind"
)
# What a policy's age is called, in its configuration as in the function that adds it.
AGE_KEYS = {"compression": "compress_after", "retention": "drop_after"}
ADD = {kind: text(f"SELECT add_{kind}_policy(CAST(:table AS regclass), {key} => CAST(:after AS interval))") for kind, key in AGE_KEYS.items()}
REMOVE = {kind: text(f"SELECT remove_{kind}_policy(CAST(:table AS regclass), if_exists => true)") for kind in AGE_KEYS}

Kind = Literal["compression", "retention"]
SCENARIO_RETENTION = timedelta(days=35)

log = structlog.get_logger("luna.database")


@dataclass(frozen=True, slots=True)
class Edition:
    """What of TimescaleDB is installed in a database; without a version it is plain PostgreSQL."""

    version: str | None
    licence: str | None
    toolkit: str | None

    @property
    def community(self) -> bool:
        """Whether policies and continuous aggregates may be used."""
        return self.version is not None and self.licence == "timescale"


@dataclass(frozen=True, slots=True)
class Dimension:
    """The column by whose time a hypertable is cut into chunks, and how long a chunk is."""

    column: str
    interval: timedelta


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What the settings ask of TimescaleDB for one table; ``refused`` says why it is not in force, None that it is."""

    table: str
    kind: Kind
    after: timedelta
    refused: str | None


def detect(connection: Connection) -> Edition:
    """Return what of TimescaleDB the database has."""
    versions = {row.extname: row.extversion for row in connection.execute(EXTENSIONS)}
    return Edition(versions.get("timescaledb"), connection.scalar(LICENCE), versions.get("timescaledb_toolkit"))


def hypertables(connection: Connection) -> dict[str, Dimension]:
    """Return the hypertables by name; none on plain PostgreSQL."""
    if detect(connection).version is None:
        return {}
    return {table: Dimension(column, interval) for table, column, interval in connection.execute(DIMENSIONS)}


def rollups(connection: Connection) -> dict[str, str]:
    """Return what the hourly and daily rollups are.

    ``continuous aggregate``: kept by TimescaleDB. ``table``: kept by Luna, whose writers mark what they change. ``view``: computed when read.
    """
    continuous = set(connection.scalars(CONTINUOUS)) if detect(connection).version else set()
    other = "table" if keeps_rollups(connection) else "view"
    return {name: "continuous aggregate" if name in continuous else other for name in ROLLUPS}


def keeps_rollups(connection: Connection) -> bool:
    """Return whether the rollups are tables that Luna keeps; what is read from them is never late."""
    return bool(connection.scalar(HAS_ROLLUP_TRIGGER))


def policy_ages(connection: Connection, kind: Kind) -> dict[str, timedelta]:
    """Return the age of each table's policy; none where the edition has no policies."""
    if not detect(connection).community:
        return {}
    return {row.table: row.after for row in connection.execute(AGES, {"kind": kind, "key": AGE_KEYS[kind]})}


def apply_policies(connection: Connection, settings: Settings) -> list[RetentionPolicy]:
    """Bring compression and retention in line with the settings; returns the policies and their state.

    A policy that is refused is logged and changes nothing. A table whose retention is not set keeps its rows for ever.

    Invariants: a second call changes nothing.
    """
    policies = [_bring(connection, table, "compression", settings.compress_after) for table in SEGMENTS]
    policies += [_bring(connection, table, "retention", after) for table, after in retention_ages(settings).items() if table in SEGMENTS]
    return [policy for policy in policies if policy is not None]


def retention_ages(settings: Settings) -> dict[str, timedelta | None]:
    """Return the age at which rows of a table are deleted; None keeps them. Any other table keeps its rows."""
    return {
        "slot_forecasts": settings.forecast_retention,
        "forecast_issues": settings.forecast_retention,
        # Forty kilobytes an hour and site, which nobody reads once they have come true; no shorter age may be set for forecasts.
        "forecast_scenarios": SCENARIO_RETENTION,
        "plan_history": settings.plan_retention,
        "antares_plan_history": settings.plan_retention,
        "sensor_readings": settings.reading_retention,
        "smart_meter_readings": settings.reading_retention,
    }


def attempt(connection: Connection, change: Callable[[], None]) -> str | None:
    """Do what the database may refuse, in a savepoint; returns why it was refused, None where it was done."""
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
