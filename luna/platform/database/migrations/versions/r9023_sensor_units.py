"""The unit belongs to the reading: a change of a sensor's unit is a row with its instant."""

from alembic import op

revision = "9023"
down_revision = "9020"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE sensor_units (
    sensor_key integer NOT NULL,
    since timestamptz NOT NULL,
    unit text NOT NULL,
    CONSTRAINT pk_sensor_units PRIMARY KEY (sensor_key, since),
    CONSTRAINT fk_sensor_units_sensor_key FOREIGN KEY (sensor_key) REFERENCES sensors (sensor_key) ON DELETE CASCADE
);
COMMENT ON TABLE sensor_units IS 'A change of the unit in which a sensor speaks';
COMMENT ON COLUMN sensor_units.since IS 'the first reading in this unit';
COMMENT ON COLUMN sensors.unit IS 'of its readings, until sensor_units says another; empty: nobody said one';
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Take the table away; what is left is each sensor's first unit."""
    op.execute("COMMENT ON COLUMN sensors.unit IS NULL")
    op.drop_table("sensor_units")
