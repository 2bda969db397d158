"""Make the wide tables hypertables where TimescaleDB is installed in the database; leave them plain elsewhere."""

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HYPERTABLES = {
    "market_prices": "slot_start",
    "smart_meter_readings": "instant",
    "sensor_readings": "instant",
    "weather": "slot_start",
    "carbon_intensity": "slot_start",
    "slot_observations": "slot_start",
    "slot_forecasts": "slot_start",
}


def upgrade() -> None:
    connection = op.get_bind()
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")):
        return
    for table, column in HYPERTABLES.items():
        # The keys already lead with the series; a second index on time alone would only slow writing.
        connection.execute(
            text("SELECT create_hypertable(CAST(:table AS regclass), CAST(:column AS name), create_default_indexes => false, migrate_data => true)"),
            {"table": table, "column": column},
        )


def downgrade() -> None:
    """Leave hypertables as they are: revision 0001 drops them like plain tables."""
