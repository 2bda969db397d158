"""Writes to points of devices that wear out by them, of which each has so many a day."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE device_writes (
    write_id bigint GENERATED ALWAYS AS IDENTITY,
    device text NOT NULL,
    point text NOT NULL,
    written_at timestamp with time zone NOT NULL,
    CONSTRAINT pk_device_writes PRIMARY KEY (write_id)
);
CREATE INDEX ix_device_writes_device ON device_writes (device, written_at);
COMMENT ON TABLE device_writes IS
    'Writes of the last day to points of devices that wear out by them';
COMMENT ON COLUMN device_writes.device IS 'where it is reached: address, port and unit';
COMMENT ON COLUMN device_writes.point IS 'as its profile names it';
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(CREATE)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("device_writes")
