"""What would have been under other equipment, tariffs or rules."""

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.dialects.postgresql import JSONB

from luna.database.schema.metadata import document, instant, metadata, recorded, text

what_ifs = Table(
    "what_ifs",
    metadata,
    text("what_if_id", primary_key=True),
    document("request", "site, window and variants as asked"),
    instant("asked_at", "when it was last asked"),
    Column("reply", JSONB, comment="the comparison, once every variant is replayed"),
    comment="A question what would have been",
)

what_if_flows = Table(
    "what_if_flows",
    metadata,
    Column("what_if_id", ForeignKey(what_ifs.c.what_if_id, ondelete="CASCADE"), primary_key=True),
    text("variant", "its name; baseline for the site as it is", primary_key=True),
    document("flows", "cash flow by local day"),
    recorded(),
    comment="What one variant came to",
)
