"""What owners pin and forbid, and when they took it back; rows are only added."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table

from luna.database.schema.identity import sites
from luna.database.schema.metadata import instant, metadata, number, recorded, text

manual_blocks = Table(
    "manual_blocks",
    metadata,
    Column("block_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("device", "a battery, a vehicle or a load by its name, or grid"),
    text("action"),
    instant("starts_at"),
    instant("ends_at", "then it has expired"),
    number("power_kw"),
    text("added_by"),
    recorded("added_at"),
    Index("ix_manual_blocks_ends_at", "site_key", "ends_at"),
    comment="What an owner pinned or forbade",
)

manual_removals = Table(
    "manual_removals",
    metadata,
    Column("block_id", ForeignKey(manual_blocks.c.block_id, ondelete="CASCADE"), primary_key=True),
    text("removed_by"),
    recorded("removed_at"),
    comment="A block that was taken back",
)
