"""Limits that a grid operator sets for a while, and what was done under them."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE operator_limits (
    site_key integer NOT NULL,
    limit_id text DEFAULT gen_random_uuid()::text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    import_kw double precision,
    export_kw double precision,
    scope text NOT NULL,
    source text NOT NULL,
    acknowledged_at timestamp with time zone,
    summary jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pk_operator_limits PRIMARY KEY (site_key, limit_id),
    CONSTRAINT fk_operator_limits_site_key FOREIGN KEY (site_key)
        REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_operator_limits_ends_at ON operator_limits (site_key, ends_at);
COMMENT ON TABLE operator_limits IS
    'A limit of power that the grid operator sets for a while';
COMMENT ON COLUMN operator_limits.ends_at IS
    'from then on it holds no longer; empty: until it is released';
COMMENT ON COLUMN operator_limits.import_kw IS 'the most that may be drawn; empty: not limited';
COMMENT ON COLUMN operator_limits.export_kw IS 'the most that may be fed in; empty: not limited';
COMMENT ON COLUMN operator_limits.scope IS
    'devices: the controllable devices together; connection: what the meter counts';
COMMENT ON COLUMN operator_limits.source IS
    'api, mqtt, contact, lpc, lpp, openadr, ieee2030.5 or owner';
COMMENT ON COLUMN operator_limits.acknowledged_at IS
    'when a device first followed it; empty: not yet';
COMMENT ON COLUMN operator_limits.summary IS
    'figures of what was done, by their names; empty: it still holds';
COMMENT ON COLUMN operator_limits.created_at IS 'when the row was written';
COMMENT ON COLUMN plan_causes.kind IS
    'site, forecast, prices, session, block, override, owner, limit';
"""
DROP = """
DELETE FROM plan_causes WHERE kind = 'limit';
COMMENT ON COLUMN plan_causes.kind IS 'site, forecast, prices, session, block, override, owner';
DROP TABLE operator_limits;
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Drop the table, and the causes of plans that name it."""
    op.execute(DROP)
