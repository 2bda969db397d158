"""Messages to owners."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from luna.platform.database.schema.metadata import instant, metadata, recorded, text
from luna.platform.database.schema.sites import sites

notifications = Table(
    "notifications",
    metadata,
    Column("notification_id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "site_key",
        ForeignKey(sites.c.site_key, ondelete="CASCADE"),
        nullable=True,
        comment="NULL: it is about the installation itself",
    ),
    text("event", "plan, device, prices, saving, day, system: what targets ask for"),
    text("code", "what happened"),
    text("event_key", "the same as long as it is the same event, which is told once"),
    text("title"),
    text("text", "in the language of messages when it happened"),
    Column("urgent", Boolean, nullable=False, comment="sent in quiet hours too"),
    instant("expires_at", "after this it is not sent any more"),
    recorded(),
    UniqueConstraint("site_key", "code", "event_key", postgresql_nulls_not_distinct=True),
    comment="What owners were to know; rows are only added",
)

notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    Column(
        "notification_id",
        ForeignKey(notifications.c.notification_id, ondelete="CASCADE"),
        primary_key=True,
    ),
    text("target", "digest of its address", primary_key=True),
    text("label", "its address without secrets"),
    text("status", "waiting, sending, sent, failed, expired, unknown", server_default="waiting"),
    Column("tries", Integer, nullable=False, server_default="0"),
    instant("due_at", "when it is sent next, or was last"),
    text("error", nullable=True),
    Index("ix_notification_deliveries_due_at", "status", "due_at"),
    comment="A message on its way to one target",
)

notification_channels = Table(
    "notification_channels",
    metadata,
    text("name", "what its owner calls it", primary_key=True),
    text("address", "where it leads, with the password that opens it; no reply holds it"),
    Column("events", ARRAY(Text), nullable=False, comment="what it is told of"),
    recorded(),
    comment="A way by which messages go, stored on the page or by command",
)
