"""Tables of questions about documents and data, with their answers."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, false
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import text as sql_text

from luna.platform.database.schema.metadata import document, instant, metadata, number, text
from luna.platform.database.schema.sites import sites

conversations = Table(
    "conversations",
    metadata,
    text("conversation_id", primary_key=True),
    Column(
        "site_key",
        ForeignKey(sites.c.site_key, ondelete="CASCADE"),
        comment="whose data were asked about; empty: none was named",
    ),
    text("asked_by"),
    instant("begun_at"),
    Index("ix_conversations_site_key", "site_key"),
    comment="Questions of one person that go on from each other",
)

answers = Table(
    "answers",
    metadata,
    text("answer_id", primary_key=True),
    Column(
        "conversation_id",
        ForeignKey(conversations.c.conversation_id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column(
        "site_key",
        ForeignKey(sites.c.site_key, ondelete="CASCADE"),
        comment="whose data were asked about; empty: none",
    ),
    Column(
        "sites",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="whose data and documents it tells of; who has not all of them does not see it",
    ),
    text("asked_by"),
    instant("answered_at"),
    Column(
        "refused",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="neither documents nor data held it",
    ),
    document("answer", "as it was given"),
    text("prompt", "as the language model was given it; empty: none was asked", nullable=True),
    document("chunk_ids", "passages that were found for it", server_default=sql_text("'[]'")),
    number("first_token_seconds"),
    Column("prompt_tokens", Integer),
    Column("answer_tokens", Integer),
    text("feedback", "helpful, unhelpful", nullable=True),
    text("feedback_note", nullable=True),
    Index("ix_answers_conversation_id", "conversation_id", "answered_at"),
    Index("ix_answers_asked_by", "asked_by", "answered_at", "answer_id"),
    Index("ix_answers_answered_at", "answered_at", "answer_id"),
    Index("ix_answers_site_key", "site_key"),
    comment="An answer with everything it was made from",
)
