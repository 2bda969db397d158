"""Plans that are made by the thousand: kept as compressed columns, which cost a twentieth of what documents cost to write, and half the room."""

from alembic import op

revision = "9016"
down_revision = "9015"
branch_labels = None
depends_on = None

ADD = """
ALTER TABLE plan_history ALTER COLUMN reply DROP NOT NULL;
COMMENT ON COLUMN plan_history.reply IS 'the plan as answered; empty where it is kept as columns';
ALTER TABLE plan_history ADD COLUMN packed_reply bytea;
COMMENT ON COLUMN plan_history.packed_reply IS 'the plan as columns over its slots, JSON compressed by zlib; empty where it is kept as answered';
ALTER TABLE plan_history ADD COLUMN packed_inputs bytea;
COMMENT ON COLUMN plan_history.packed_inputs IS 'the complete request it was made from, JSON compressed by zlib; empty where it is kept as it came';
ALTER TABLE plan_history ALTER COLUMN packed_reply SET STORAGE EXTERNAL;
ALTER TABLE plan_history ALTER COLUMN packed_inputs SET STORAGE EXTERNAL;
"""


def upgrade() -> None:
    """Add the columns; what is compressed already is not compressed again."""
    op.execute(ADD)


def downgrade() -> None:
    """Take them away, and the plans that are kept in them alone."""
    op.execute("DELETE FROM plan_history WHERE reply IS NULL")
    op.execute("ALTER TABLE plan_history ALTER COLUMN reply SET NOT NULL")
    op.execute("COMMENT ON COLUMN plan_history.reply IS 'the plan as answered'")
    op.drop_column("plan_history", "packed_inputs")
    op.drop_column("plan_history", "packed_reply")
