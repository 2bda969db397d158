"""Every table, with what keeps their rollups and the audit log.

Hypertables and continuous aggregates where TimescaleDB has them.

The tables stand frozen in the SQL file beside this one: later changes to
``luna.platform.database.schema`` get revisions of their own. What a database may refuse is tried in
a savepoint, so that its own answer decides.
"""

import re
from pathlib import Path

import structlog
from alembic import op
from sqlalchemy import Connection, text

from luna.platform.database.timescale import attempt, rollups

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

# Hypertable → its time, and how much of it a chunk holds. Rows per chunk behind the intervals:
# docs/decisions/0008-plain-postgresql.md.
HYPERTABLES = {
    "market_prices": ("slot_start", "365 days"),
    "slot_observations": ("slot_start", "30 days"),
    "weather": ("slot_start", "30 days"),
    "carbon_intensity": ("slot_start", "30 days"),
    "smart_meter_readings": ("instant", "30 days"),
    "slot_forecasts": ("slot_start", "7 days"),
    "sensor_readings": ("instant", "7 days"),
}

# View → the table behind it, the width of a bucket, and how often a continuous aggregate is brought
# up to date. Newer slots are added when it is read.
ROLLUPS = {
    "slot_observations_hourly": ("slot_observations_by_hour", "1 hour", "30 minutes"),
    "slot_observations_daily": ("slot_observations_by_day", "1 day", "1 hour"),
}
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
    "CREATE MATERIALIZED VIEW {view} WITH (timescaledb.continuous, "
    "timescaledb.materialized_only = false) AS"
    " SELECT site_key, time_bucket(INTERVAL '{width}', slot_start) AS bucket,"
    + COLUMNS.format(last_soc="last(soc, slot_start) FILTER (WHERE soc IS NOT NULL)")
    + "FROM slot_observations GROUP BY site_key, bucket WITH NO DATA"
)
# All that changed is refreshed, however old: a file of last year's slots may come at any time.
REFRESH = (
    "SELECT add_continuous_aggregate_policy('{view}', start_offset => NULL, end_offset => "
    "INTERVAL '{width}', schedule_interval => INTERVAL '{every}')"
)
PLAIN_COLUMNS = COLUMNS.format(
    last_soc="(array_agg(soc ORDER BY slot_start DESC) FILTER (WHERE soc IS NOT NULL))[1]"
)
COMPUTED = (
    "SELECT site_key, date_bin(INTERVAL '{width}', slot_start, TIMESTAMPTZ 'epoch') AS bucket, "
    "{columns} FROM slot_observations GROUP BY site_key, bucket"
)
# Day by day, each found by the key: a join of all at once compares every row with every day.
MARKED = (
    "SELECT marked.site_key, computed.* FROM (SELECT DISTINCT site_key, day FROM "
    "rollup_marks) AS marked CROSS JOIN LATERAL"
    " (SELECT date_bin(INTERVAL '{width}', slot_start, TIMESTAMPTZ 'epoch') AS bucket, "
    "{columns} FROM slot_observations"
    " WHERE site_key = marked.site_key AND slot_start >= day AND slot_start < day + "
    "INTERVAL '24 hours' GROUP BY bucket) AS computed"
)
KEPT = (
    "SELECT * FROM {table} AS kept WHERE NOT EXISTS (SELECT FROM rollup_marks WHERE "
    "rollup_marks.site_key = kept.site_key"
    " AND rollup_marks.day = date_bin(INTERVAL '1 day', kept.bucket, TIMESTAMPTZ 'epoch'))"
)
COMMENT = (
    "COMMENT ON VIEW {view} IS 'What a site did per {width} in UTC; a sum is of its known "
    "slots, and how many these are stands beside it'"
)

# Writers mark the days whose quarter-hours they change, in their own transaction:
# docs/decisions/0016-rollups.md. What a trigger function reads is what its trigger calls so: the
# rows before, the rows after, or both.
MARK = (
    "INSERT INTO rollup_marks (site_key, day) SELECT DISTINCT site_key, date_bin('1 day', "
    "slot_start, 'epoch') FROM {rows}"
)
MARKS = {
    "insert": ("NEW TABLE AS after_rows", MARK.format(rows="after_rows")),
    "update": (
        "OLD TABLE AS before_rows NEW TABLE AS after_rows",
        MARK.format(rows="(TABLE before_rows UNION ALL TABLE after_rows) AS changed_rows"),
    ),
    "delete": ("OLD TABLE AS before_rows", MARK.format(rows="before_rows")),
}
FUNCTION = """
CREATE FUNCTION mark_rollups_{event}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    {statements};
    RETURN NULL;
END $$
"""
TRIGGER = (
    "CREATE TRIGGER mark_rollups_{event} AFTER {event} ON slot_observations {referencing} FOR "
    "EACH STATEMENT EXECUTE FUNCTION mark_rollups_{event}()"
)
# Rows are deleted, not tables emptied: that would wait for readers who wait for whoever empties.
EMPTY = (
    "DELETE FROM slot_observations_by_hour; DELETE FROM slot_observations_by_day; DELETE FROM "
    "rollup_marks"
)
# A slot far before any that there may be, in a savepoint: some hypertables take the triggers and
# then refuse the rows.
TRY = "INSERT INTO slot_observations (site_key, slot_start) VALUES (-1, '1800-01-01T00:00Z')"

# A table that is only added to says so itself, whatever asks.
APPEND_ONLY = """
CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_log is only added to';
END $$;
CREATE TRIGGER keep_audit_log_rows BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION keep_audit_log();
CREATE TRIGGER keep_audit_log BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_log();
"""

log = structlog.get_logger("luna.database")


def upgrade() -> None:
    """Make everything."""
    connection = op.get_bind()
    # The driver runs many statements at once only where none has parameters.
    connection.connection.cursor().execute(TABLES)
    timescale = bool(
        connection.scalar(
            text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")
        )
    )
    if timescale:
        _make_hypertables(connection)
        _install_toolkit(connection)
    _make_rollups(connection, timescale=timescale)
    # Some hosts allow no triggers; Luna itself only adds.
    reason = attempt(connection, lambda: op.execute(APPEND_ONLY))
    log.info("the audit log is kept from others", kept=reason is None, reason=reason)


def downgrade() -> None:
    """Drop everything; the toolkit stays, for others may use it by now."""
    connection = op.get_bind()
    kinds = rollups(connection)
    for view in ROLLUPS:
        op.execute(
            f"DROP {'MATERIALIZED ' if kinds[view] == 'continuous aggregate' else ''}VIEW {view}"
        )
    for table in reversed(re.findall(r"^CREATE TABLE (\w+)", TABLES, re.MULTILINE)):
        op.drop_table(table)
    for name in (*(f"mark_rollups_{event}" for event in (*MARKS, "truncate")), "keep_audit_log"):
        op.execute(f"DROP FUNCTION IF EXISTS {name}()")
    op.execute("DROP SEQUENCE vector_revisions")


def _make_hypertables(connection: Connection) -> None:
    # The keys already lead with the series; a second index on time alone would only slow writing.
    create = text(
        "SELECT create_hypertable(CAST(:table AS regclass), CAST(:column AS name), "
        "create_default_indexes => false)"
    )
    for table, (column, interval) in HYPERTABLES.items():
        connection.execute(create, {"table": table, "column": column})
        op.execute(f"SELECT set_chunk_time_interval('{table}', INTERVAL '{interval}')")


def _install_toolkit(connection: Connection) -> None:
    if connection.scalar(
        text(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb_toolkit')"
        )
    ):
        refused = attempt(
            connection, lambda: op.execute("CREATE EXTENSION IF NOT EXISTS timescaledb_toolkit")
        )
        log.info("toolkit", installed=refused is None, reason=refused)


def _make_rollups(connection: Connection, *, timescale: bool) -> None:
    """Make the roll-ups, in the best form that the database allows.

    Continuous aggregates where TimescaleDB's licence allows them, else tables that writers mark,
    else views that compute everything.
    """
    plain_views = [
        view for view in ROLLUPS if not (timescale and _create_continuous(connection, view))
    ]
    for view in plain_views:
        _, width, _ = ROLLUPS[view]
        op.execute(f"CREATE VIEW {view} AS {COMPUTED.format(width=width, columns=PLAIN_COLUMNS)}")
        op.execute(COMMENT.format(view=view, width=width))
    reason = (
        attempt(connection, lambda: _keep(connection))
        if len(plain_views) == len(ROLLUPS)
        else "TimescaleDB keeps them"
    )
    log.info("kept rollups", kept=reason is None, reason=reason)


def _create_continuous(connection: Connection, view: str) -> bool:
    _, width, every = ROLLUPS[view]

    def create() -> None:
        op.execute(CONTINUOUS.format(view=view, width=width))
        op.execute(REFRESH.format(view=view, width=width, every=every))

    refused = attempt(connection, create)
    log.info(
        "rollup", name=view, kind="view" if refused else "continuous aggregate", reason=refused
    )
    return refused is None


def _keep(connection: Connection) -> None:
    for event, (referencing, mark) in MARKS.items():
        _add_trigger(event, mark, f"REFERENCING {referencing}")
    _add_trigger("truncate", EMPTY, "")
    trial = connection.begin_nested()
    op.execute(TRY)
    trial.rollback()
    for view, (table, width, _) in ROLLUPS.items():
        op.execute(
            f"CREATE OR REPLACE VIEW {view} AS {KEPT.format(table=table)} UNION ALL "
            f"{MARKED.format(width=width, columns=PLAIN_COLUMNS)}"
        )


def _add_trigger(event: str, statements: str, referencing: str) -> None:
    op.execute(FUNCTION.format(event=event, statements=statements))
    op.execute(TRIGGER.format(event=event, referencing=referencing))
