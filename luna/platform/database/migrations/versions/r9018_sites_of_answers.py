"""Whose data and documents an answer tells of, so that who has not all of these sites does not see it."""

from alembic import op

revision = "9018"
down_revision = "9017"
branch_labels = None
depends_on = None

ADD = """
ALTER TABLE answers ADD COLUMN sites text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN answers.sites IS 'whose data and documents it tells of; who has not all of them does not see it';
"""

# Of an answer that was given before, its own site is known and the sites of the passages that are still there.
FILL = """
UPDATE answers SET sites = ARRAY(
    SELECT name FROM sites WHERE site_key = answers.site_key
    UNION
    SELECT sites.name FROM jsonb_array_elements_text(answers.chunk_ids) AS found (chunk_id)
    JOIN chunks ON chunks.chunk_id = found.chunk_id::bigint
    JOIN documents USING (document_id)
    JOIN sites ON sites.site_key = documents.site_key
    ORDER BY 1
)
"""


def upgrade() -> None:
    """Add the column and fill it."""
    op.execute(ADD)
    op.execute(FILL)


def downgrade() -> None:
    """Take the column away."""
    op.drop_column("answers", "sites")
