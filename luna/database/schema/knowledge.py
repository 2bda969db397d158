"""Documents, answers and recommendations."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from luna.database.schema.identity import users
from luna.database.schema.metadata import document, instant, metadata, number, recorded, text

documents = Table(
    "documents",
    metadata,
    text("document_id", primary_key=True),
    text("sha256", "of the file's bytes", unique=True),
    text("object_key", "where the file is stored"),
    text("title"),
    text("mime_type"),
    text("language", "ISO 639-1", nullable=True),
    Column("size_bytes", BigInteger, nullable=False),
    recorded("stored_at"),
    comment="A stored file",
)

chunks = Table(
    "chunks",
    metadata,
    text("chunk_id", primary_key=True),
    Column("document_id", ForeignKey(documents.c.document_id, ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False, comment="0, 1, 2, … within the document"),
    Column("page", Integer, comment="first page of the passage, from 1"),
    text("heading", nullable=True),
    text("passage"),
    Index("uq_chunks_document_id_position", "document_id", "position", unique=True),
    comment="A passage with its place in the file",
)

answers = Table(
    "answers",
    metadata,
    text("answer_id", primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id, ondelete="SET NULL")),
    text("question"),
    text("prompt"),
    text("answer"),
    text("model"),
    Column("chunk_ids", ARRAY(TEXT), nullable=False, server_default="{}"),
    document("tool_calls", server_default="[]"),
    number("latency_seconds", nullable=False),
    Column("feedback", Integer, comment="-1, 0 or 1"),
    recorded("answered_at"),
    comment="An answer with everything it was made from",
)

items = Table(
    "items",
    metadata,
    text("item_id", primary_key=True),
    text("kind"),
    text("title"),
    document("features"),
    recorded("created_at"),
    comment="Something that can be recommended",
)

events = Table(
    "events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id, ondelete="CASCADE"), nullable=False),
    Column("item_id", ForeignKey(items.c.item_id, ondelete="CASCADE"), nullable=False),
    text("kind", "shown, opened, accepted, refused"),
    instant("happened_at"),
    document("context"),
    Index("uq_events_natural", "user_id", "item_id", "kind", "happened_at", unique=True),
    comment="What a user did with an item",
)
