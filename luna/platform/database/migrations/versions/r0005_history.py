"""What meters leave unexplained, consumption apart from the base load, changes of the past, and how far sources have been read."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CREATE = """
ALTER TABLE slot_observations ADD COLUMN residual_kwh double precision;
ALTER TABLE slot_observations ADD COLUMN vehicle_kwh double precision;
ALTER TABLE slot_observations ADD COLUMN heat_pump_kwh double precision;
ALTER TABLE slot_observations ADD COLUMN water_heater_kwh double precision;
COMMENT ON COLUMN slot_observations.residual_kwh IS
    'import + PV + discharge − export − charge − all consumption: what the meters leave unexplained';
COMMENT ON COLUMN slot_observations.vehicle_kwh IS 'charged into vehicles; no part of load_kwh';
COMMENT ON COLUMN slot_observations.heat_pump_kwh IS 'no part of load_kwh';
COMMENT ON COLUMN slot_observations.water_heater_kwh IS 'no part of load_kwh';
ALTER TABLE quarantine ADD COLUMN resolution text;
ALTER TABLE quarantine ADD COLUMN corrected jsonb;
ALTER TABLE quarantine ADD COLUMN resolved_at timestamptz;
COMMENT ON COLUMN quarantine.resolution IS 'released, corrected or dismissed, by hand; empty: still in quarantine';
COMMENT ON COLUMN quarantine.corrected IS 'the row as corrected by hand';
CREATE TABLE history_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    series text NOT NULL,
    slot_start timestamptz NOT NULL,
    before double precision,
    after double precision,
    rule text NOT NULL,
    changed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_history_changes PRIMARY KEY (change_id),
    CONSTRAINT fk_history_changes_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_history_changes_site_key_slot_start ON history_changes (site_key, slot_start);
COMMENT ON TABLE history_changes IS 'A change of a value of the past: what it was, what it became, why';
COMMENT ON COLUMN history_changes.series IS 'column of slot_observations, or market_prices:<market>';
COMMENT ON COLUMN history_changes.rule IS 'which rule or whose hand changed it';
COMMENT ON COLUMN history_changes.changed_at IS 'when the row was written';
CREATE TABLE source_cursors (
    site_key integer NOT NULL,
    source text NOT NULL,
    series text NOT NULL,
    complete_until timestamptz NOT NULL,
    moved_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_source_cursors PRIMARY KEY (site_key, source, series),
    CONSTRAINT fk_source_cursors_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE source_cursors IS 'How far a source has been read, so that reading goes on there';
COMMENT ON COLUMN source_cursors.source IS 'home_assistant, mqtt, energy_charts, …';
COMMENT ON COLUMN source_cursors.series IS 'sensor, market or place';
COMMENT ON COLUMN source_cursors.complete_until IS 'everything before this instant was taken over';
COMMENT ON COLUMN source_cursors.moved_at IS 'when the row was written';
"""
COLUMNS = {
    "slot_observations": ("residual_kwh", "vehicle_kwh", "heat_pump_kwh", "water_heater_kwh"),
    "quarantine": ("resolution", "corrected", "resolved_at"),
}


def upgrade() -> None:
    # The driver runs many statements at once only where none has parameters.
    op.get_bind().connection.cursor().execute(CREATE)


def downgrade() -> None:
    for table in ("source_cursors", "history_changes"):
        op.drop_table(table)
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)
