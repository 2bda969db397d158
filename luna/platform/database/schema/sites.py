"""The sites and their configurations."""

from sqlalchemy import Column, ForeignKey, Identity, Integer, Table

from luna.platform.database.schema.metadata import document, instant, metadata, recorded, text

sites = Table(
    "sites",
    metadata,
    Column(
        "site_key",
        Integer,
        Identity(always=True),
        primary_key=True,
        comment="stands in the wide tables instead of the name",
    ),
    text("name", "the site's id everywhere outside the database", unique=True),
    recorded("created_at"),
    comment="A site; its configuration is the latest of its versions",
)

site_versions = Table(
    "site_versions",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column(
        "version", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3, … per site"
    ),
    document("configuration", "validated by luna.site"),
    recorded("saved_at"),
    comment="A configuration a site has or had",
)

setup_drafts = Table(
    "setup_drafts",
    metadata,
    text("draft_id", primary_key=True),
    document("answers", "by step, as it was typed; no password or token"),
    instant("changed_at", "forgotten thirty days later"),
    comment="What is being entered of a site that is not there yet",
)
