"""From when until when a document holds, as its owner or its text says."""

from alembic import op

revision = "9029"
down_revision = "9027"
branch_labels = None
depends_on = None

ADD = """
ALTER TABLE documents ADD COLUMN valid_from date, ADD COLUMN valid_until date;
COMMENT ON COLUMN documents.valid_from IS 'the first day on which it holds; empty: nobody says';
COMMENT ON COLUMN documents.valid_until IS 'the last day on which it holds; empty: nobody says';
"""


def upgrade() -> None:
    """Add the columns."""
    op.execute(ADD)


def downgrade() -> None:
    """Take the columns away."""
    op.drop_column("documents", "valid_until")
    op.drop_column("documents", "valid_from")
