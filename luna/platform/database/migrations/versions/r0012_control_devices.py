"""What chargers, appliances and PV were told last, and which device a row of the control log is of."""

from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

CREATE = """
ALTER TABLE control_log ADD COLUMN device text DEFAULT 'batteries' NOT NULL;
COMMENT ON COLUMN control_log.device IS 'batteries, vehicle:…, load:…, pv: who was told';
CREATE TABLE control_devices (
    site_key integer NOT NULL,
    device text NOT NULL,
    override jsonb,
    decision jsonb,
    version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT pk_control_devices PRIMARY KEY (site_key, device),
    CONSTRAINT fk_control_devices_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE control_devices IS 'What each device beside the batteries was told last';
COMMENT ON COLUMN control_devices.device IS 'vehicle:…, load:…, pv; the batteries are in control_state';
COMMENT ON COLUMN control_devices.override IS 'what the owner wants instead of the plan, and until when';
COMMENT ON COLUMN control_devices.decision IS 'what was decided last, stored before it is sent';
COMMENT ON COLUMN control_devices.version IS 'counts changes of decision: of two who decide at once one is too late';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("control_devices")
    op.drop_column("control_log", "device")
