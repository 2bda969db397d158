"""Devices that a trial has moved as commanded."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE device_trials (
    device text NOT NULL,
    prefix text NOT NULL,
    profile text NOT NULL,
    tried_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_device_trials PRIMARY KEY (device, prefix, profile)
);
COMMENT ON TABLE device_trials IS
    'Devices whose last trial moved them as commanded, by the profile that was tried';
COMMENT ON COLUMN device_trials.device IS 'where it is reached: address, port and unit';
COMMENT ON COLUMN device_trials.prefix IS 'how its topics begin; empty: it has none';
COMMENT ON COLUMN device_trials.profile IS 'the name of the profile';
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("device_trials")
