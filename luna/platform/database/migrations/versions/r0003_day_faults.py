"""Store faults of days as codes with parameters.

What was said until now is a code that nobody knows: it is said as it is.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE data_quality_daily ADD COLUMN faults jsonb DEFAULT '[]' NOT NULL;
UPDATE data_quality_daily
SET faults = (
    SELECT jsonb_agg(jsonb_build_object('code', reason, 'parameters', '{}'::jsonb))
    FROM unnest(reasons) AS reason
)
WHERE cardinality(reasons) > 0;
ALTER TABLE data_quality_daily DROP COLUMN reasons;
"""
DOWNGRADE = """
ALTER TABLE data_quality_daily ADD COLUMN reasons text[] DEFAULT '{}' NOT NULL;
UPDATE data_quality_daily
SET reasons = ARRAY(SELECT fault ->> 'code' FROM jsonb_array_elements(faults) AS fault);
ALTER TABLE data_quality_daily DROP COLUMN faults;
"""


def upgrade() -> None:
    """Take what was said over."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Keep the codes alone."""
    op.execute(DOWNGRADE)
