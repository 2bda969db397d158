"""Answers to proposed departures, and states of charge that owners state."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE departure_answers (
    answer_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    site_key integer NOT NULL,
    departure_id text NOT NULL,
    vehicle text NOT NULL,
    proposal jsonb NOT NULL,
    answer text NOT NULL,
    session_id bigint,
    answered_by text NOT NULL,
    answered_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pk_departure_answers PRIMARY KEY (answer_id),
    CONSTRAINT fk_departure_answers_site_key FOREIGN KEY (site_key)
        REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_departure_answers_vehicle ON departure_answers (site_key, vehicle, answer_id);
COMMENT ON TABLE departure_answers IS
    'What an owner answered to a weekly departure that was proposed';
COMMENT ON COLUMN departure_answers.departure_id IS 'the proposal''s name';
COMMENT ON COLUMN departure_answers.vehicle IS 'by its name';
COMMENT ON COLUMN departure_answers.proposal IS
    'weekdays, time and energy as they were proposed';
COMMENT ON COLUMN departure_answers.answer IS 'accepted or declined';
COMMENT ON COLUMN departure_answers.session_id IS
    'the weekly session that it became; empty: it was declined';
COMMENT ON COLUMN departure_answers.answered_at IS 'when the row was written';
CREATE TABLE vehicle_levels (
    site_key integer NOT NULL,
    vehicle text NOT NULL,
    soc double precision NOT NULL,
    need_kwh double precision,
    stated_by text NOT NULL,
    stated_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_vehicle_levels PRIMARY KEY (site_key, vehicle),
    CONSTRAINT fk_vehicle_levels_site_key FOREIGN KEY (site_key)
        REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE vehicle_levels IS 'A vehicle''s state of charge as its owner last stated it';
COMMENT ON COLUMN vehicle_levels.vehicle IS 'by its name';
COMMENT ON COLUMN vehicle_levels.soc IS 'state of charge, 0 to 1';
COMMENT ON COLUMN vehicle_levels.need_kwh IS
    'the need that it was said by; empty: it was said itself';
"""
DROP = """
DROP TABLE vehicle_levels;
DROP TABLE departure_answers;
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(CREATE)


def downgrade() -> None:
    """Drop the tables."""
    op.execute(DROP)
