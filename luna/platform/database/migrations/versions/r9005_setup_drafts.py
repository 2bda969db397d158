"""What is being entered of a site that is not there yet."""

from alembic import op

revision = "9005"
down_revision = "9004"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE setup_drafts (
    draft_id text NOT NULL,
    answers jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_setup_drafts PRIMARY KEY (draft_id)
);
COMMENT ON TABLE setup_drafts IS 'What is being entered of a site that is not there yet';
COMMENT ON COLUMN setup_drafts.answers IS 'by step, as it was typed; no password or token';
COMMENT ON COLUMN setup_drafts.changed_at IS 'forgotten thirty days later';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("setup_drafts")
