"""Rollups in tables that are refreshed day by day, where TimescaleDB does not keep them.

Writers mark the days whose quarter-hours they change, in their own transaction; the views of the rollups read a marked day from its quarter-hours and any
other from the tables, so no reader meets a sum that is late (docs/decisions/0016-rollups.md). Days that are there already are marked here.
"""

import structlog
from alembic import op
from sqlalchemy import Connection, text

from luna.platform.database.timescale import attempt

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# View → the table behind it, and the width of a bucket.
ROLLUPS = {"slot_observations_hourly": ("slot_observations_by_hour", "1 hour"), "slot_observations_daily": ("slot_observations_by_day", "1 day")}
CREATE = """
CREATE TABLE {table} (
    site_key integer NOT NULL,
    bucket timestamptz NOT NULL,
    slots bigint NOT NULL,
    load_kwh double precision, load_slots bigint NOT NULL,
    pv_kwh double precision, pv_slots bigint NOT NULL,
    import_kwh double precision, import_slots bigint NOT NULL,
    export_kwh double precision, export_slots bigint NOT NULL,
    charge_kwh double precision, charge_slots bigint NOT NULL,
    discharge_kwh double precision, discharge_slots bigint NOT NULL,
    soc_last double precision, soc_mean double precision, soc_slots bigint NOT NULL,
    import_price double precision, import_price_slots bigint NOT NULL,
    export_price double precision, export_price_slots bigint NOT NULL,
    CONSTRAINT pk_{table} PRIMARY KEY (site_key, bucket)
);
COMMENT ON TABLE {table} IS 'What a site did per {words} in UTC, but for the days that rollup_marks names';
"""
CREATE_MARKS = """
CREATE TABLE rollup_marks (
    mark bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    day timestamptz NOT NULL,
    CONSTRAINT pk_rollup_marks PRIMARY KEY (mark)
);
CREATE INDEX ix_rollup_marks_site_key_day ON rollup_marks (site_key, day);
COMMENT ON TABLE rollup_marks IS
    'A day whose quarter-hours changed since the rollups were last brought up to date; rows are only added and deleted, so no writer waits for another';
COMMENT ON COLUMN rollup_marks.day IS 'its beginning in UTC';
"""
# What a trigger function reads is what its trigger calls so: the rows before, the rows after, or both.
MARK = "INSERT INTO rollup_marks (site_key, day) SELECT DISTINCT site_key, date_bin('1 day', slot_start, 'epoch') FROM {rows}"
MARKS = {
    "insert": MARK.format(rows="after_rows"),
    "update": MARK.format(rows="(TABLE before_rows UNION ALL TABLE after_rows) AS changed_rows"),
    "delete": MARK.format(rows="before_rows"),
}
REFERENCING = {"insert": "NEW TABLE AS after_rows", "update": "OLD TABLE AS before_rows NEW TABLE AS after_rows", "delete": "OLD TABLE AS before_rows"}
FUNCTION = """
CREATE FUNCTION mark_rollups_{event}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    {statements};
    RETURN NULL;
END $$
"""
TRIGGER = "CREATE TRIGGER mark_rollups_{event} AFTER {event} ON slot_observations {referencing} FOR EACH STATEMENT EXECUTE FUNCTION mark_rollups_{event}()"
# Rows are deleted, not tables emptied: that would wait for readers who wait for whoever empties.
EMPTY = "DELETE FROM slot_observations_by_hour; DELETE FROM slot_observations_by_day; DELETE FROM rollup_marks"
# A slot far before any that there may be, in a savepoint: some hypertables take the triggers and then refuse the rows.
TRY = "INSERT INTO slot_observations (site_key, slot_start) VALUES (-1, '1800-01-01T00:00Z')"
COLUMNS = """
    count(*) AS slots,
    sum(load_kwh) AS load_kwh, count(load_kwh) AS load_slots,
    sum(pv_kwh) AS pv_kwh, count(pv_kwh) AS pv_slots,
    sum(import_kwh) AS import_kwh, count(import_kwh) AS import_slots,
    sum(export_kwh) AS export_kwh, count(export_kwh) AS export_slots,
    sum(charge_kwh) AS charge_kwh, count(charge_kwh) AS charge_slots,
    sum(discharge_kwh) AS discharge_kwh, count(discharge_kwh) AS discharge_slots,
    (array_agg(soc ORDER BY slot_start DESC) FILTER (WHERE soc IS NOT NULL))[1] AS soc_last, avg(soc) AS soc_mean, count(soc) AS soc_slots,
    avg(import_price) AS import_price, count(import_price) AS import_price_slots,
    avg(export_price) AS export_price, count(export_price) AS export_price_slots
"""
COMPUTED = (
    "SELECT site_key, date_bin(INTERVAL '{width}', slot_start, TIMESTAMPTZ 'epoch') AS bucket, {columns} FROM slot_observations GROUP BY site_key, bucket"
)
# Day by day, each found by the key: a join of all at once compares every row with every day.
MARKED = (
    "SELECT marked.site_key, computed.* FROM (SELECT DISTINCT site_key, day FROM rollup_marks) AS marked CROSS JOIN LATERAL"
    " (SELECT date_bin(INTERVAL '{width}', slot_start, TIMESTAMPTZ 'epoch') AS bucket, {columns} FROM slot_observations"
    " WHERE site_key = marked.site_key AND slot_start >= day AND slot_start < day + INTERVAL '24 hours' GROUP BY bucket) AS computed"
)
KEPT = (
    "SELECT * FROM {table} AS kept WHERE NOT EXISTS (SELECT FROM rollup_marks WHERE rollup_marks.site_key = kept.site_key"
    " AND rollup_marks.day = date_bin(INTERVAL '1 day', kept.bucket, TIMESTAMPTZ 'epoch'))"
)

log = structlog.get_logger("luna.database")


def upgrade() -> None:
    connection = op.get_bind()
    _run(connection, CREATE_MARKS + "".join(CREATE.format(table=table, words=width.removeprefix("1 ")) for table, width in ROLLUPS.values()))
    reason = "TimescaleDB keeps them" if _continuous(connection) else attempt(connection, lambda: _keep(connection))
    log.info("kept rollups", kept=reason is None, reason=reason)


def downgrade() -> None:
    """The views compute everything again; the tables hold nothing of their own."""
    connection = op.get_bind()
    if not _continuous(connection):
        for view, (_, width) in ROLLUPS.items():
            op.execute(f"CREATE OR REPLACE VIEW {view} AS {COMPUTED.format(width=width, columns=COLUMNS)}")
    for event in (*MARKS, "truncate"):
        op.execute(f"DROP TRIGGER IF EXISTS mark_rollups_{event} ON slot_observations")
        op.execute(f"DROP FUNCTION IF EXISTS mark_rollups_{event}()")
    for table in (*(table for table, _ in ROLLUPS.values()), "rollup_marks"):
        op.drop_table(table)


def _keep(connection: Connection) -> None:
    for event, mark in MARKS.items():
        _add_trigger(event, mark, f"REFERENCING {REFERENCING[event]}")
    _add_trigger("truncate", EMPTY, "")
    trial = connection.begin_nested()
    op.execute(TRY)
    trial.rollback()
    op.execute(MARK.format(rows="slot_observations"))
    for view, (table, width) in ROLLUPS.items():
        op.execute(f"CREATE OR REPLACE VIEW {view} AS {KEPT.format(table=table)} UNION ALL {MARKED.format(width=width, columns=COLUMNS)}")


def _add_trigger(event: str, statements: str, referencing: str) -> None:
    op.execute(FUNCTION.format(event=event, statements=statements))
    op.execute(TRIGGER.format(event=event, referencing=referencing))


def _continuous(connection: Connection) -> bool:
    """Return whether the rollups of revision 0004 are continuous aggregates, whose views PostgreSQL knows as such too."""
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")):
        return False
    return bool(connection.scalar(text("SELECT EXISTS (SELECT FROM timescaledb_information.continuous_aggregates WHERE view_schema = current_schema())")))


def _run(connection: Connection, statements: str) -> None:
    # The driver runs many statements at once only where none has parameters.
    connection.connection.cursor().execute(statements)
