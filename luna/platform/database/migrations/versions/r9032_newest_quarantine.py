"""The newest rows of a site in quarantine are found by an index: each open page asks for them every second."""

from alembic import op

revision = "9032"
down_revision = "9029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_quarantine_newest", "quarantine", ["site_key", "quarantine_id"])


def downgrade() -> None:
    """Take the index away."""
    op.drop_index("ix_quarantine_newest", "quarantine")
