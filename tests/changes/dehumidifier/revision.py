"""What dehumidifiers use, in a column of its own."""

from alembic import op

revision = "9999"
down_revision = "HEAD"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE slot_observations ADD COLUMN dehumidifier_kwh double precision")
    op.execute("COMMENT ON COLUMN slot_observations.dehumidifier_kwh IS 'no part of load_kwh'")


def downgrade() -> None:
    """Take the column away."""
    op.execute("ALTER TABLE slot_observations DROP COLUMN dehumidifier_kwh")
