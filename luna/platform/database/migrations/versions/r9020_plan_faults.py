"""Why a site could not be planned: its owner is told, instead of waiting for a plan that does not come."""

from alembic import op

revision = "9020"
down_revision = "9019"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE plan_faults (
    site_key integer NOT NULL REFERENCES sites (site_key) ON DELETE CASCADE,
    tried_at timestamptz NOT NULL,
    problem jsonb NOT NULL,
    CONSTRAINT pk_plan_faults PRIMARY KEY (site_key)
);
COMMENT ON TABLE plan_faults IS 'Why a site got no plan when it was tried last; the next plan takes it back';
COMMENT ON COLUMN plan_faults.tried_at IS 'when it was tried';
COMMENT ON COLUMN plan_faults.problem IS 'what stood in the way, as a problem document';
COMMENT ON COLUMN plan_causes.kind IS 'site, forecast, prices, stay, block, override, owner';
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("plan_faults")
