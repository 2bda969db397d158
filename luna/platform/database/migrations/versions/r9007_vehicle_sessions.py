"""When vehicles are at their chargers, as their owners said, and when they took it back."""

from alembic import op

revision = "9007"
down_revision = "9006"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE vehicle_sessions (
    session_id bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    vehicle text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    wanted jsonb NOT NULL,
    added_by text NOT NULL,
    added_at timestamptz DEFAULT now() NOT NULL,
    removed_by text,
    removed_at timestamptz,
    CONSTRAINT pk_vehicle_sessions PRIMARY KEY (session_id),
    CONSTRAINT fk_vehicle_sessions_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_vehicle_sessions_ends_at ON vehicle_sessions (site_key, ends_at);
COMMENT ON TABLE vehicle_sessions IS 'When vehicles are at their chargers, and what their owners want of a stay';
COMMENT ON COLUMN vehicle_sessions.vehicle IS 'by its name';
COMMENT ON COLUMN vehicle_sessions.ends_at IS 'then the vehicle leaves';
COMMENT ON COLUMN vehicle_sessions.wanted IS 'what it is to hold when, as a plan''s request says it';
COMMENT ON COLUMN vehicle_sessions.added_at IS 'when the row was written';
COMMENT ON COLUMN vehicle_sessions.removed_at IS 'since when it is in no plan any more';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("vehicle_sessions")
