"""The request each plan was made from, so that it can be planned again otherwise; questions what would have been, and what came of them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CREATE = """
ALTER TABLE plan_history ADD COLUMN inputs jsonb;
COMMENT ON COLUMN plan_history.inputs IS 'the complete request it was made from; empty where the plan was stored before these were';
ALTER TABLE antares_plan_history ADD COLUMN inputs jsonb;
COMMENT ON COLUMN antares_plan_history.inputs IS 'the complete request it was made from; empty where the plan was stored before these were';
CREATE TABLE what_ifs (
    what_if_id text NOT NULL,
    request jsonb NOT NULL,
    asked_at timestamptz NOT NULL,
    reply jsonb,
    CONSTRAINT pk_what_ifs PRIMARY KEY (what_if_id)
);
COMMENT ON TABLE what_ifs IS 'A question what would have been';
COMMENT ON COLUMN what_ifs.request IS 'site, window and variants as asked';
COMMENT ON COLUMN what_ifs.asked_at IS 'when it was last asked';
COMMENT ON COLUMN what_ifs.reply IS 'the comparison, once every variant is replayed';
CREATE TABLE what_if_flows (
    what_if_id text NOT NULL,
    variant text NOT NULL,
    flows jsonb NOT NULL,
    recorded_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_what_if_flows PRIMARY KEY (what_if_id, variant),
    CONSTRAINT fk_what_if_flows_what_if_id_what_ifs FOREIGN KEY (what_if_id) REFERENCES what_ifs (what_if_id) ON DELETE CASCADE
);
COMMENT ON TABLE what_if_flows IS 'What one variant came to';
COMMENT ON COLUMN what_if_flows.variant IS 'its name; baseline for the site as it is';
COMMENT ON COLUMN what_if_flows.flows IS 'cash flow by local day';
COMMENT ON COLUMN what_if_flows.recorded_at IS 'when the row was written';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("what_if_flows")
    op.drop_table("what_ifs")
    op.drop_column("antares_plan_history", "inputs")
    op.drop_column("plan_history", "inputs")
