"""What owners pin and forbid in their plans, and when they took it back."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE manual_blocks (
    block_id bigint GENERATED ALWAYS AS IDENTITY,
    site_key integer NOT NULL,
    device text NOT NULL,
    action text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    power_kw double precision,
    added_by text NOT NULL,
    added_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_manual_blocks PRIMARY KEY (block_id),
    CONSTRAINT fk_manual_blocks_site_key_sites FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE INDEX ix_manual_blocks_ends_at ON manual_blocks (site_key, ends_at);
COMMENT ON TABLE manual_blocks IS 'What an owner pinned or forbade';
COMMENT ON COLUMN manual_blocks.device IS 'a battery, a vehicle or a load by its name, or grid';
COMMENT ON COLUMN manual_blocks.ends_at IS 'then it has expired';
COMMENT ON COLUMN manual_blocks.added_at IS 'when the row was written';
CREATE TABLE manual_removals (
    block_id bigint NOT NULL,
    removed_by text NOT NULL,
    removed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_manual_removals PRIMARY KEY (block_id),
    CONSTRAINT fk_manual_removals_block_id_manual_blocks FOREIGN KEY (block_id) REFERENCES manual_blocks (block_id) ON DELETE CASCADE
);
COMMENT ON TABLE manual_removals IS 'A block that was taken back';
COMMENT ON COLUMN manual_removals.removed_at IS 'when the row was written';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("manual_removals")
    op.drop_table("manual_blocks")
