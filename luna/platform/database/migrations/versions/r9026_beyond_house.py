"""By how much the meters of appliances count more than the house's: the proof that one of them does not lie behind it."""

from alembic import op

revision = "9026"
down_revision = "9023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE slot_observations ADD COLUMN beyond_house_kwh double precision")
    said = "by how much meters of appliances count more than the house''s: load_kwh would be below zero by so much"
    op.execute(f"COMMENT ON COLUMN slot_observations.beyond_house_kwh IS '{said}'")


def downgrade() -> None:
    """Take the column away."""
    op.drop_column("slot_observations", "beyond_house_kwh")
