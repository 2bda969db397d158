"""Days of replays under way, what stored energy was worth at midnight, and the oracle's and idle's costs with it."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CREATE = """
ALTER TABLE daily_scores ADD COLUMN value_gain double precision;
COMMENT ON COLUMN daily_scores.value_gain IS 'the same worth by the oracle''s value of stored energy at both midnights; cost less this compares days';
ALTER TABLE oracle_daily_results ADD COLUMN oracle_gain double precision;
COMMENT ON COLUMN oracle_daily_results.oracle_gain IS 'worth of the energy the oracle gained in the batteries, by its own value of stored energy';
ALTER TABLE oracle_daily_results ADD COLUMN idle_gain double precision;
COMMENT ON COLUMN oracle_daily_results.idle_gain IS 'the same without control';
CREATE TABLE replay_days (
    site_key integer NOT NULL,
    replay text NOT NULL,
    day date NOT NULL,
    records jsonb NOT NULL,
    recorded_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_replay_days PRIMARY KEY (site_key, replay, day),
    CONSTRAINT fk_replay_days_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE replay_days IS 'A day of a replay under way: what an interrupted one goes on from';
COMMENT ON COLUMN replay_days.replay IS 'SHA-256 of everything the replay is made from';
COMMENT ON COLUMN replay_days.day IS 'local day of the site';
COMMENT ON COLUMN replay_days.records IS 'what each policy did and handed on at midnight';
COMMENT ON COLUMN replay_days.recorded_at IS 'when the row was written';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("replay_days")
    op.drop_column("oracle_daily_results", "idle_gain")
    op.drop_column("oracle_daily_results", "oracle_gain")
    op.drop_column("daily_scores", "value_gain")
