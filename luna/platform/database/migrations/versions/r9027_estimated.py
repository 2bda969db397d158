"""Which quarter-hours are filled to a meter's total: their sum is known, their shape is not."""

from alembic import op

revision = "9027"
down_revision = "9026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and an index of the few rows that are marked."""
    op.execute("ALTER TABLE slot_observations ADD COLUMN estimated smallint NOT NULL DEFAULT 0")
    said = "bit i: value i (load first, soc seventh, then residual, beyond house, vehicle, heat pump, water heater) is filled to a meter''s total"
    op.execute(f"COMMENT ON COLUMN slot_observations.estimated IS '{said}'")
    op.execute("CREATE INDEX ix_slot_observations_estimated ON slot_observations (site_key, slot_start) WHERE estimated > 0")


def downgrade() -> None:
    """Take column and index away."""
    op.execute("DROP INDEX ix_slot_observations_estimated")
    op.drop_column("slot_observations", "estimated")
