"""What the import of each policy emitted on each day: money is half of what a replay says."""

from alembic import op

revision = "9004"
down_revision = "9003"
branch_labels = None
depends_on = None

ADD = """
ALTER TABLE daily_scores ADD COLUMN import_carbon_g double precision;
COMMENT ON COLUMN daily_scores.import_carbon_g IS 'grid intensity × import; empty where the intensity of any slot is unknown';
"""


def upgrade() -> None:
    op.execute(ADD)


def downgrade() -> None:
    op.execute("ALTER TABLE daily_scores DROP COLUMN import_carbon_g")
