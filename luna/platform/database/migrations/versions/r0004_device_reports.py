"""Of each commanded device, what it did when it was read last, and whether its owner paused it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE control_state ADD COLUMN reports jsonb, ADD COLUMN paused jsonb;
ALTER TABLE control_devices ADD COLUMN reports jsonb, ADD COLUMN paused jsonb;
COMMENT ON COLUMN control_state.reports IS 'by device: what it did when it was read last';
COMMENT ON COLUMN control_state.paused IS
    'since when and by whom the device is left alone; empty: it is not';
COMMENT ON COLUMN control_devices.reports IS 'by device: what it did when it was read last';
COMMENT ON COLUMN control_devices.paused IS
    'since when and by whom the device is left alone; empty: it is not';
"""
DOWNGRADE = """
ALTER TABLE control_devices DROP COLUMN paused, DROP COLUMN reports;
ALTER TABLE control_state DROP COLUMN paused, DROP COLUMN reports;
"""


def upgrade() -> None:
    """Begin without any report."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Forget reports and pauses."""
    op.execute(DOWNGRADE)
