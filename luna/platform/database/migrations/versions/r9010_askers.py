"""Who asked: whose override a decision followed, and who decided about a refused row."""

from alembic import op

revision = "9010"
down_revision = "9009"
branch_labels = None
depends_on = None

ADD = """
ALTER TABLE control_log ADD COLUMN asked_by text;
COMMENT ON COLUMN control_log.asked_by IS 'whose override it was; empty: nobody asked for it';
ALTER TABLE quarantine ADD COLUMN resolved_by text;
"""


def upgrade() -> None:
    op.execute(ADD)


def downgrade() -> None:
    op.drop_column("quarantine", "resolved_by")
    op.drop_column("control_log", "asked_by")
