"""Changes of charging sessions are causes of plans under that name."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
UPDATE plan_causes SET kind = 'session' WHERE kind = 'stay';
COMMENT ON COLUMN plan_causes.kind IS 'site, forecast, prices, session, block, override, owner';
COMMENT ON TABLE vehicle_sessions IS
    'When vehicles are at their chargers, and what their owners want of a session';
COMMENT ON COLUMN antares_plan_history.metrics IS
    'expected cost of both plans over the same scenarios, scenarios, milliseconds, '
    'interventions, breach_kwh';
"""
DOWNGRADE = """
COMMENT ON COLUMN antares_plan_history.metrics IS
    'expected cost of both plans over the same courses, courses, milliseconds, '
    'interventions, breach_kwh';
COMMENT ON TABLE vehicle_sessions IS
    'When vehicles are at their chargers, and what their owners want of a stay';
COMMENT ON COLUMN plan_causes.kind IS 'site, forecast, prices, stay, block, override, owner';
UPDATE plan_causes SET kind = 'stay' WHERE kind = 'session';
"""


def upgrade() -> None:
    """Rename the cause, and describe the tables by the same words."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Give the cause its former name."""
    op.execute(DOWNGRADE)
