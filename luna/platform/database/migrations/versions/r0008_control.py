"""Whether a site is armed, its owner's override and the last decision; why an entry of the log was decided."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CREATE = """
ALTER TABLE control_log ADD COLUMN reason text DEFAULT '' NOT NULL;
COMMENT ON COLUMN control_log.reason IS 'why it was decided so';
CREATE TABLE control_state (
    site_key integer NOT NULL,
    armed_at timestamptz,
    armed_by text,
    override jsonb,
    decision jsonb,
    version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT pk_control_state PRIMARY KEY (site_key),
    CONSTRAINT fk_control_state_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE control_state IS 'Whether a site is armed, and what it was told last';
COMMENT ON COLUMN control_state.armed_at IS 'since when commands are sent; empty: none are';
COMMENT ON COLUMN control_state.override IS 'what the owner wants instead of the plan, and until when';
COMMENT ON COLUMN control_state.decision IS 'what was decided last, stored before it is sent';
COMMENT ON COLUMN control_state.version IS 'counts changes of decision: of two who decide at once one is too late';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("control_state")
    op.drop_column("control_log", "reason")
