"""Tables of recommendations.

The items, their showings, the readers' actions, and what is learned from these.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from luna.platform.database.schema.documents import documents
from luna.platform.database.schema.metadata import document, instant, metadata, number, text
from luna.platform.database.schema.plans import what_ifs
from luna.platform.database.schema.sites import sites

items = Table(
    "items",
    metadata,
    text(
        "item_id", "made of what it is, so that it stays the same from day to day", primary_key=True
    ),
    text("kind", "document, tip, tariff, what_if"),
    Column(
        "site_key",
        ForeignKey(sites.c.site_key, ondelete="CASCADE"),
        comment="whose people alone are shown it; empty: everybody",
    ),
    text("code", "which words tell it"),
    document("figures", "of its words"),
    text("currency", nullable=True),
    number("saving_cost_per_year", "currency a year; empty: none is claimed"),
    number("saving_low", "of the interval of 95 %"),
    number("saving_high"),
    Column("document_id", ForeignKey(documents.c.document_id, ondelete="CASCADE")),
    Column("what_if_id", ForeignKey(what_ifs.c.what_if_id, ondelete="CASCADE")),
    text("language", "of a document", nullable=True),
    Column("terms", ARRAY(TEXT), nullable=False, comment="stems of its words, each once"),
    text("model", "that made the vector", nullable=True),
    Column(
        "vector",
        LargeBinary,
        comment="float16, little-endian, of unit length; empty: there is no embedding model",
    ),
    instant("created_at"),
    instant("changed_at"),
    instant("withdrawn_at", "since when it no longer holds; empty: it does", nullable=True),
    Index("ix_items_site_key", "site_key"),
    Index("ix_items_document_id", "document_id"),
    Index("ix_items_what_if_id", "what_if_id"),
    comment="Something worth reading or doing",
)

recommendations = Table(
    "recommendations",
    metadata,
    text("recommendation_id", primary_key=True),
    text("slate_id", "those of one request share it"),
    Column("rank", Integer, nullable=False, comment="0: the first"),
    text("reader"),
    Column(
        "site_key",
        ForeignKey(sites.c.site_key, ondelete="CASCADE"),
        comment="of the request; empty: none was named",
    ),
    text("item_id", "may be gone since"),
    text("kind"),
    text("policy", "linucb, thompson"),
    number(
        "propensity",
        "with which probability the policy chose it among those that were left",
        nullable=False,
    ),
    Column(
        "features",
        LargeBinary,
        nullable=False,
        comment="float64, little-endian: what the policy knew of it",
    ),
    Column(
        "candidates",
        LargeBinary,
        comment="float32, little-endian, a row of features per candidate; at rank 0 alone",
    ),
    Column("place", Integer, comment="of what was chosen among the candidates; at rank 0 alone"),
    number("reward", "0 to 1, from its events; empty: there are none"),
    instant("shown_at"),
    Index("ix_recommendations_reader", "reader", "shown_at"),
    Index("ix_recommendations_site_key", "site_key"),
    Index("ix_recommendations_shown_at", "shown_at"),
    comment="A showing of an item to a reader",
)

events = Table(
    "events",
    metadata,
    text("reader", primary_key=True),
    text("event_id", "given by who reports it; the same counts once", primary_key=True),
    Column(
        "recommendation_id",
        ForeignKey(recommendations.c.recommendation_id, ondelete="CASCADE"),
        nullable=False,
    ),
    text("action", "shown, opened, useful, dismissed, read"),
    number("seconds", "of reading"),
    instant("happened_at", "by the reader's clock"),
    instant("recorded_at", "by Luna's"),
    Index("ix_events_recommendation_id", "recommendation_id"),
    comment="What a reader did with a recommendation",
)

bandit_states = Table(
    "bandit_states",
    metadata,
    text("policy", primary_key=True),
    Column("dimensions", Integer, nullable=False),
    Column(
        "precision",
        LargeBinary,
        nullable=False,
        comment="float64, little-endian: sum of outer products of observed features",
    ),
    Column(
        "response",
        LargeBinary,
        nullable=False,
        comment="float64, little-endian: sum of features times rewards",
    ),
    Column("count", BigInteger, nullable=False, comment="observations"),
    instant("changed_at"),
    comment="What each policy has learned; the sum over recommendations with a reward",
)
