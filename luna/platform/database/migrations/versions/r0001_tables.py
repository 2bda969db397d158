"""Every table of the design.

The statements stand frozen in the SQL file beside this one: later changes to ``luna.platform.database.schema`` get revisions of their own.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "control_log",
    "daily_scores",
    "oracle_daily_results",
    "training_runs",
    "antares_learning",
    "antares_plan_history",
    "plan_history",
    "events",
    "items",
    "answers",
    "chunks",
    "documents",
    "data_quality_daily",
    "slot_forecasts",
    "slot_observations",
    "carbon_intensity",
    "weather",
    "quarantine",
    "sensor_readings",
    "sensors",
    "smart_meter_readings",
    "market_prices",
    "site_versions",
    "sites",
    "sessions",
    "api_keys",
    "users",
)


def upgrade() -> None:
    # The driver runs many statements at once only where none has parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
