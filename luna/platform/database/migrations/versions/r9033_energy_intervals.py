"""What a counter counted through a silence is kept as the energy of that interval, whatever its quarter-hours are taken to be."""

from alembic import op

revision = "9033"
down_revision = "9032"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE energy_intervals (
    sensor_key integer NOT NULL,
    series text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    energy_kwh double precision NOT NULL,
    certainty text NOT NULL,
    CONSTRAINT pk_energy_intervals PRIMARY KEY (sensor_key, series, starts_at),
    CONSTRAINT fk_energy_intervals_sensor_key FOREIGN KEY (sensor_key) REFERENCES sensors (sensor_key) ON DELETE CASCADE,
    CONSTRAINT ck_energy_intervals_certainty CHECK (certainty IN ('counted', 'at_least')),
    CONSTRAINT ck_energy_intervals_span CHECK (ends_at > starts_at)
);
COMMENT ON TABLE energy_intervals IS 'What a counter counted between two readings that are too far apart to interpolate';
COMMENT ON COLUMN energy_intervals.series IS 'the column of slot_observations that the sensor counts for';
COMMENT ON COLUMN energy_intervals.starts_at IS 'of the reading before';
COMMENT ON COLUMN energy_intervals.ends_at IS 'of the reading after';
COMMENT ON COLUMN energy_intervals.energy_kwh IS 'below zero where the sensor is taken off';
COMMENT ON COLUMN energy_intervals.certainty IS 'counted: all of it; at_least: the counter began anew meanwhile';
"""


def upgrade() -> None:
    """Add the table; building quarter-hours fills it."""
    op.execute(CREATE)


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("energy_intervals")
