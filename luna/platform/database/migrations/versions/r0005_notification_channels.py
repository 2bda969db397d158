"""Messages about the installation itself, and the channels by which messages go."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE notifications ALTER COLUMN site_key DROP NOT NULL;
ALTER TABLE notifications DROP CONSTRAINT uq_notifications_site_key_code_event_key;
ALTER TABLE notifications
    ADD CONSTRAINT uq_notifications_site_key_code_event_key
    UNIQUE NULLS NOT DISTINCT (site_key, code, event_key);
COMMENT ON COLUMN notifications.site_key IS 'NULL: it is about the installation itself';
COMMENT ON COLUMN notifications.event IS
    'plan, device, prices, saving, day, system: what targets ask for';
CREATE TABLE notification_channels (
    name text NOT NULL,
    address text NOT NULL,
    events text[] NOT NULL,
    recorded_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_notification_channels PRIMARY KEY (name)
);
COMMENT ON TABLE notification_channels IS
    'A way by which messages go, stored on the page or by command';
COMMENT ON COLUMN notification_channels.name IS 'what its owner calls it';
COMMENT ON COLUMN notification_channels.address IS
    'where it leads, with the password that opens it; no reply holds it';
COMMENT ON COLUMN notification_channels.events IS 'what it is told of';
COMMENT ON COLUMN notification_channels.recorded_at IS 'when the row was written';
"""
DOWNGRADE = """
DROP TABLE notification_channels;
DELETE FROM notifications WHERE site_key IS NULL;
COMMENT ON COLUMN notifications.event IS 'plan, device, prices, saving: what targets ask for';
COMMENT ON COLUMN notifications.site_key IS NULL;
ALTER TABLE notifications DROP CONSTRAINT uq_notifications_site_key_code_event_key;
ALTER TABLE notifications
    ADD CONSTRAINT uq_notifications_site_key_code_event_key UNIQUE (site_key, code, event_key);
ALTER TABLE notifications ALTER COLUMN site_key SET NOT NULL;
"""


def upgrade() -> None:
    """Let a message be about no site, and store channels."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop the channels and what was about no site."""
    op.execute(DOWNGRADE)
