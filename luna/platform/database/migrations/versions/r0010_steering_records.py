"""What steering had devices do, by quarter-hours."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE steering_records (
    site_key integer NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    device text NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    mean_kw double precision,
    least_kw double precision,
    most_kw double precision,
    moved_kwh double precision,
    reasons jsonb NOT NULL,
    switches jsonb NOT NULL,
    CONSTRAINT pk_steering_records PRIMARY KEY (site_key, begins_at, device),
    CONSTRAINT fk_steering_records_site_key FOREIGN KEY (site_key)
        REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE steering_records IS
    'What steering had a device do in a quarter-hour or in a part of it';
COMMENT ON COLUMN steering_records.device IS 'by its name; pv: all solar inverters';
COMMENT ON COLUMN steering_records.mean_kw IS
    'of the commanded powers; empty: none was commanded';
COMMENT ON COLUMN steering_records.least_kw IS 'the lowest commanded power';
COMMENT ON COLUMN steering_records.most_kw IS 'the highest commanded power';
COMMENT ON COLUMN steering_records.moved_kwh IS
    'what it took beyond its plan; empty: unknown';
COMMENT ON COLUMN steering_records.reasons IS 'seconds that each reason decided, by its code';
COMMENT ON COLUMN steering_records.switches IS 'changes of mode: when, to what, why';
"""
DROP = "DROP TABLE steering_records;"


def upgrade() -> None:
    """Make the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Drop the table."""
    op.execute(DROP)
