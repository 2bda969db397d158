"""What has changed since a site was planned: each site is planned anew by itself."""

from alembic import op

revision = "9019"
down_revision = "9018"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE plan_causes (
    site_key integer NOT NULL REFERENCES sites (site_key) ON DELETE CASCADE,
    kind text NOT NULL,
    change_id uuid NOT NULL DEFAULT gen_random_uuid(),
    asked_at timestamptz,
    CONSTRAINT pk_plan_causes PRIMARY KEY (site_key, kind)
);
COMMENT ON TABLE plan_causes IS 'A change of a site that its newest plan does not know yet';
COMMENT ON COLUMN plan_causes.kind IS 'site, forecast, prices, stay, block, override';
COMMENT ON COLUMN plan_causes.change_id IS 'another one with each change, so that who planned takes back what it knew and nothing else';
COMMENT ON COLUMN plan_causes.asked_at IS 'when a plan was asked for because of it; empty: not yet';
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("plan_causes")
