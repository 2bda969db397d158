"""People, how they sign in, their keys, and what was done."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects.postgresql import ARRAY

from luna.platform.database.schema.metadata import instant, metadata, recorded, text
from luna.platform.database.schema.sites import sites

users = Table(
    "users",
    metadata,
    Column(
        "user_id",
        BigInteger,
        Identity(always=True),
        primary_key=True,
        comment=(
            "never given twice, so that nothing of a person is taken for another of the same name"
        ),
    ),
    text("name", unique=True),
    text("password_hash", "argon2id with its parameters and salt"),
    text("role"),
    recorded("created_at"),
    instant("signed_in_at", "when last", nullable=True),
    CheckConstraint("role IN ('user', 'analyst', 'admin')", name="ck_users_role"),
    comment="A person who may sign in",
)

user_sites = Table(
    "user_sites",
    metadata,
    Column("user_id", ForeignKey(users.c.user_id, ondelete="CASCADE"), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    comment="A site that a person has; admins have all",
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id, ondelete="CASCADE"), nullable=False),
    text(
        "token_hash",
        "SHA-256 of a browser's cookie; empty for a program, which has refresh tokens",
        nullable=True,
        unique=True,
    ),
    recorded("started_at"),
    instant("seen_at", "when it was last used, to the minute"),
    instant("expires_at", "when it ends, however much it is used"),
    instant("confirmed_until", "until when what is critical asks for no password", nullable=True),
    text("address", "from where it was begun"),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
    comment="A sign-in that stands",
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    text("token_hash", "SHA-256", primary_key=True),
    Column("session_id", ForeignKey(sessions.c.session_id, ondelete="CASCADE"), nullable=False),
    instant("expires_at"),
    instant("used_at", "used again after that, it ends the sign-in", nullable=True),
    Index("ix_refresh_tokens_session_id", "session_id"),
    comment="What a program gets its next access token for; good once",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", BigInteger, Identity(always=True), primary_key=True),
    text("prefix", "names the key", unique=True),
    text("secret_hash", "SHA-256: the secret is random and long, so nothing slower is needed"),
    Column("user_id", ForeignKey(users.c.user_id, ondelete="CASCADE"), nullable=False),
    text("name", "what it is for"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column(
        "every_site",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="all of its owner's, not only those in api_key_sites",
    ),
    recorded("created_at"),
    instant("expires_at"),
    instant("used_at", "when it was last used, to the minute", nullable=True),
    Index("ix_api_keys_user_id", "user_id"),
    comment="A key that a program signs its requests with",
)

api_key_sites = Table(
    "api_key_sites",
    metadata,
    Column("key_id", ForeignKey(api_keys.c.key_id, ondelete="CASCADE"), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    comment="A site that a key has",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    recorded("at"),
    text("user_name", "a name, not a reference: the person may be gone"),
    text("means", "how they said who they are"),
    text("operation"),
    text("site", nullable=True),
    Column("status", Integer, nullable=False, comment="how it ended, as an HTTP status"),
    text("address", nullable=True),
    text("request_id"),
    Index("ix_audit_log_at", "at"),
    comment=(
        "What somebody did or was refused; rows are never changed, and none younger than 30 "
        "days is deleted"
    ),
)
