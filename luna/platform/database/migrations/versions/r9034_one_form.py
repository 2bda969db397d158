"""Plans are kept in one form: columns, compressed."""

from alembic import op

revision = "9034"
down_revision = "9033"
branch_labels = None
depends_on = None

CHANGE = """
DELETE FROM plan_history WHERE packed_reply IS NULL OR packed_inputs IS NULL;
ALTER TABLE plan_history DROP COLUMN reply, DROP COLUMN inputs;
ALTER TABLE plan_history ALTER COLUMN packed_reply SET NOT NULL, ALTER COLUMN packed_inputs SET NOT NULL;
COMMENT ON COLUMN plan_history.packed_inputs IS 'the complete request it was made from: JSON, its long series behind it as numbers, compressed by zlib';
COMMENT ON COLUMN plan_history.packed_reply IS 'the plan as columns over its slots, reasons as codes and figures: JSON compressed by zlib';
DELETE FROM antares_plan_history WHERE reply IS NOT NULL;
ALTER TABLE antares_plan_history DROP COLUMN reply;
ALTER TABLE antares_plan_history ADD COLUMN packed_reply bytea;
ALTER TABLE antares_plan_history ALTER COLUMN packed_reply SET STORAGE EXTERNAL;
COMMENT ON COLUMN antares_plan_history.packed_reply IS 'the plan, as in plan_history; empty: there is none';
"""


def upgrade() -> None:
    """Take the other form away."""
    op.execute(CHANGE)


def downgrade() -> None:
    """Give the columns back, empty."""
    op.execute("ALTER TABLE plan_history ADD COLUMN reply jsonb, ADD COLUMN inputs jsonb")
    op.execute("ALTER TABLE antares_plan_history DROP COLUMN packed_reply")
    op.execute("ALTER TABLE antares_plan_history ADD COLUMN reply jsonb")
