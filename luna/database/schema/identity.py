"""Who may do what, and the sites."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Identity, Integer, Table

from luna.database.schema.metadata import document, instant, metadata, recorded, text

ROLES = ("user", "analyst", "admin")

users = Table(
    "users",
    metadata,
    text("user_id", primary_key=True),
    text("email", unique=True),
    text("password_hash", "argon2id"),
    text("role", "user < analyst < admin"),
    Column("active", Boolean, nullable=False, server_default="true"),
    recorded("created_at"),
    CheckConstraint("role IN ('user', 'analyst', 'admin')", name="ck_users_role"),
    comment="A person who may sign in",
)

api_keys = Table(
    "api_keys",
    metadata,
    text("key_id", primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id, ondelete="CASCADE"), nullable=False, index=True),
    text("name"),
    text("secret_hash", "argon2id; the key itself is shown once and never stored"),
    instant("expires_at", nullable=True),
    instant("revoked_at", nullable=True),
    recorded("created_at"),
    comment="A key with which a program acts for a user",
)

sessions = Table(
    "sessions",
    metadata,
    text("token_hash", primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id, ondelete="CASCADE"), nullable=False, index=True),
    instant("expires_at"),
    recorded("created_at"),
    comment="A signed-in browser",
)

sites = Table(
    "sites",
    metadata,
    Column("site_key", Integer, Identity(always=True), primary_key=True, comment="stands in the wide tables instead of the name"),
    text("name", "the site's id everywhere outside the database", unique=True),
    recorded("created_at"),
    comment="A site; its configuration is the latest of its versions",
)

site_versions = Table(
    "site_versions",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3, … per site"),
    document("configuration", "validated by luna.site"),
    recorded("saved_at"),
    comment="A configuration a site has or had",
)
