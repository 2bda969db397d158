"""Messages to owners, each event once, and how they stand at every target."""

from alembic import op

revision = "9009"
down_revision = "9008"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE notifications (
    notification_id bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    event text NOT NULL,
    code text NOT NULL,
    event_key text NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    urgent boolean NOT NULL,
    expires_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_notifications PRIMARY KEY (notification_id),
    CONSTRAINT uq_notifications_site_key_code_event_key UNIQUE (site_key, code, event_key),
    CONSTRAINT fk_notifications_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE notifications IS 'What owners were to know; rows are only added';
COMMENT ON COLUMN notifications.event IS 'plan, device, prices, saving: what targets ask for';
COMMENT ON COLUMN notifications.code IS 'what happened';
COMMENT ON COLUMN notifications.event_key IS 'the same as long as it is the same event, which is told once';
COMMENT ON COLUMN notifications.text IS 'in the language of messages when it happened';
COMMENT ON COLUMN notifications.urgent IS 'sent in quiet hours too';
COMMENT ON COLUMN notifications.expires_at IS 'after this it is not sent any more';
COMMENT ON COLUMN notifications.recorded_at IS 'when the row was written';
CREATE TABLE notification_deliveries (
    notification_id bigint NOT NULL,
    target text NOT NULL,
    label text NOT NULL,
    status text NOT NULL DEFAULT 'waiting',
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    error text,
    CONSTRAINT pk_notification_deliveries PRIMARY KEY (notification_id, target),
    CONSTRAINT fk_notification_deliveries_notification_id FOREIGN KEY (notification_id)
        REFERENCES notifications (notification_id) ON DELETE CASCADE
);
COMMENT ON TABLE notification_deliveries IS 'A message on its way to one target';
COMMENT ON COLUMN notification_deliveries.target IS 'digest of its address';
COMMENT ON COLUMN notification_deliveries.label IS 'its address without secrets';
COMMENT ON COLUMN notification_deliveries.status IS 'waiting, sending, sent, failed, expired, unknown';
COMMENT ON COLUMN notification_deliveries.due_at IS 'when it is sent next, or was last';
CREATE INDEX ix_notification_deliveries_due_at ON notification_deliveries (status, due_at);
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("notification_deliveries")
    op.drop_table("notifications")
