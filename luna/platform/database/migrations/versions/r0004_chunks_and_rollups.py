"""How much time a chunk holds; hourly and daily rollups of what sites did; the toolkit where it may be installed.

Rollups are continuous aggregates where TimescaleDB's licence allows them, else views of the same names and columns. What decides is the database's own
answer: each is tried in a savepoint. Rows per chunk behind the intervals: docs/decisions/0012-timescaledb.md.
"""

import structlog
from alembic import op
from sqlalchemy import Connection, text

from luna.platform.database.timescale import attempt

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INTERVALS = {
    "market_prices": "365 days",
    "slot_observations": "30 days",
    "weather": "30 days",
    "carbon_intensity": "30 days",
    "smart_meter_readings": "30 days",
    "slot_forecasts": "7 days",
    "sensor_readings": "7 days",
}
INTERVAL_BEFORE = "7 days"
# Name → width of a bucket, and how often the continuous aggregate is brought up to date. Newer slots are added when it is read.
ROLLUPS = {"slot_observations_hourly": ("1 hour", "30 minutes"), "slot_observations_daily": ("1 day", "1 hour")}
COLUMNS = """
    count(*) AS slots,
    sum(load_kwh) AS load_kwh, count(load_kwh) AS load_slots,
    sum(pv_kwh) AS pv_kwh, count(pv_kwh) AS pv_slots,
    sum(import_kwh) AS import_kwh, count(import_kwh) AS import_slots,
    sum(export_kwh) AS export_kwh, count(export_kwh) AS export_slots,
    sum(charge_kwh) AS charge_kwh, count(charge_kwh) AS charge_slots,
    sum(discharge_kwh) AS discharge_kwh, count(discharge_kwh) AS discharge_slots,
    {last_soc} AS soc_last, avg(soc) AS soc_mean, count(soc) AS soc_slots,
    avg(import_price) AS import_price, count(import_price) AS import_price_slots,
    avg(export_price) AS export_price, count(export_price) AS export_price_slots
"""
CONTINUOUS = (
    "CREATE MATERIALIZED VIEW {name} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS"
    " SELECT site_key, time_bucket(INTERVAL '{width}', slot_start) AS bucket,"
    + COLUMNS.format(last_soc="last(soc, slot_start) FILTER (WHERE soc IS NOT NULL)")
    + "FROM slot_observations GROUP BY site_key, bucket WITH NO DATA"
)
# All that changed is refreshed, however old: a file of last year's slots may come at any time.
REFRESH = "SELECT add_continuous_aggregate_policy('{name}', start_offset => NULL, end_offset => INTERVAL '{width}', schedule_interval => INTERVAL '{every}')"
VIEW = (
    "CREATE VIEW {name} AS SELECT site_key, date_bin(INTERVAL '{width}', slot_start, TIMESTAMPTZ 'epoch') AS bucket,"
    + COLUMNS.format(last_soc="(array_agg(soc ORDER BY slot_start DESC) FILTER (WHERE soc IS NOT NULL))[1]")
    + "FROM slot_observations GROUP BY site_key, bucket"
)
COMMENT = "COMMENT ON VIEW {name} IS 'What a site did per {width} in UTC; a sum is of its known slots, and how many these are stands beside it'"

log = structlog.get_logger("luna.database")


def upgrade() -> None:
    connection = op.get_bind()
    timescale = _has_timescale(connection)
    if timescale:
        _set_intervals(connection, INTERVALS)
        _install_toolkit(connection)
    for name, (width, every) in ROLLUPS.items():
        if not (timescale and _create_continuous(connection, name, width=width, every=every)):
            op.execute(VIEW.format(name=name, width=width))
            op.execute(COMMENT.format(name=name, width=width))


def downgrade() -> None:
    """Drop the rollups, which hold nothing of their own; the toolkit stays, for others may use it by now."""
    connection = op.get_bind()
    for name in ROLLUPS:
        op.execute(f"DROP {'MATERIALIZED ' if name in _continuous(connection) else ''}VIEW {name}")
    if _has_timescale(connection):
        _set_intervals(connection, dict.fromkeys(INTERVALS, INTERVAL_BEFORE))


def _create_continuous(connection: Connection, name: str, *, width: str, every: str) -> bool:
    def create() -> None:
        op.execute(CONTINUOUS.format(name=name, width=width))
        op.execute(REFRESH.format(name=name, width=width, every=every))

    refused = attempt(connection, create)
    log.info("rollup", name=name, kind="view" if refused else "continuous aggregate", reason=refused)
    return refused is None


def _has_timescale(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")))


def _continuous(connection: Connection) -> set[str]:
    if not _has_timescale(connection):
        return set()
    return set(connection.scalars(text("SELECT view_name FROM timescaledb_information.continuous_aggregates WHERE view_schema = current_schema()")))


def _set_intervals(connection: Connection, intervals: dict[str, str]) -> None:
    """Chunks that are there already keep their length."""
    hypertables = set(connection.scalars(text("SELECT hypertable_name FROM timescaledb_information.hypertables WHERE hypertable_schema = current_schema()")))
    for table in hypertables & intervals.keys():
        op.execute(f"SELECT set_chunk_time_interval('{table}', INTERVAL '{intervals[table]}')")


def _install_toolkit(connection: Connection) -> None:
    if connection.scalar(text("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb_toolkit')")):
        refused = attempt(connection, lambda: op.execute("CREATE EXTENSION IF NOT EXISTS timescaledb_toolkit"))
        log.info("toolkit", installed=refused is None, reason=refused)
