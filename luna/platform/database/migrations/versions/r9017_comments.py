"""What columns hold by now, said by their comments."""

from alembic import op

revision = "9017"
down_revision = "9016"
branch_labels = None
depends_on = None

# By column: what it says from now on, and what it said.
COMMENTS = {
    "jobs.error": ("problem document where failed or dead, or queued again until a disk has room", "problem document, only where failed or dead"),
    "plan_history.packed_inputs": (
        "the complete request it was made from: JSON, its long series behind it as numbers, compressed by zlib; empty where it is kept as it came",
        "the complete request it was made from, JSON compressed by zlib; empty where it is kept as it came",
    ),
}


def upgrade() -> None:
    """Say what the columns hold."""
    for column, (now, _) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{now}'")


def downgrade() -> None:
    """Say what they held."""
    for column, (_, before) in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{before}'")
