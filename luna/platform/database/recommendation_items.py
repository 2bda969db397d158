"""Store the items that can be recommended."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    all_,
    and_,
    case,
    cast,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert

from luna.contracts.recommendations import ItemKind
from luna.energy.timeline import FloatArray
from luna.platform.database import sites as stored_sites
from luna.platform.database.schema.documents import chunk_vectors, chunks, documents
from luna.platform.database.schema.recommendations import items
from luna.platform.database.schema.sites import sites

SHORT_VECTOR = "<f2"
# Words that describe a document's subject.
_PASSAGES = 3
_CHANGING = (
    "kind",
    "code",
    "figures",
    "currency",
    "saving_cost_per_year",
    "saving_low",
    "saving_high",
    "language",
    "terms",
    "model",
    "vector",
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something recommendable.

    Its words are told by ``code`` and ``figures`` in the reader's language. ``terms`` are stems,
    ``vector`` has unit length.
    """

    item_id: str
    kind: ItemKind
    code: str
    figures: Mapping[str, Any]
    currency: str | None = None
    saving_cost_per_year: float | None = None
    saving_low: float | None = None
    saving_high: float | None = None
    document_id: str | None = None
    what_if_id: str | None = None
    language: str | None = None
    terms: frozenset[str] = frozenset()
    model: str | None = None
    vector: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item's figures for a ranking."""

    item_id: str
    kind: ItemKind
    saving: float | None
    language: str | None
    created_at: datetime
    terms: frozenset[str]
    vector: FloatArray | None


@dataclass(frozen=True, slots=True)
class Audience:
    """The items that a reader may get, those for everybody among them.

    Attributes:
        sites: of these; None: of all.
        site_id: of this one alone.
        kind: of this one alone.
        without: the ids of items that are left out.
    """

    sites: tuple[str, ...] | None
    site_id: str | None = None
    kind: ItemKind | None = None
    without: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """A searchable document, its first words, and the mean of its passages' vectors."""

    document_id: str
    site_key: int | None
    title: str
    kind: str
    language: str | None
    opening: str
    vector: FloatArray | None = field(default=None)


def write(
    connection: Connection,
    new_items: Iterable[Item],
    *,
    site_key: int | None,
    kinds: Collection[ItemKind],
    now: datetime,
) -> tuple[int, int]:
    """Replace the items of a site (None: of everybody) of some kinds.

    Return the number of new or changed ones, and of those that were withdrawn.

    Whoever writes the same site's at the same time waits.

    Invariants: the same again changes nothing.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('items'), :site)"), {"site": site_key or 0}
    )
    unique_items = {item.item_id: item for item in new_items}
    rows = [_row(item, site_key, now) for item in unique_items.values()]
    written = _upsert(connection, rows) if rows else 0
    of_site = items.c.site_key.is_(None) if site_key is None else items.c.site_key == site_key
    is_outdated = and_(
        of_site,
        items.c.kind.in_(kinds),
        items.c.withdrawn_at.is_(None),
        items.c.item_id != all_(cast([row["item_id"] for row in rows], ARRAY(TEXT))),
    )
    withdrawn = connection.execute(
        update(items).where(is_outdated).values(withdrawn_at=now)
    ).rowcount
    return written, withdrawn


def withdraw_departure(
    connection: Connection, departure_id: str, *, site_key: int, now: datetime
) -> None:
    """Withdraw a proposed departure that was answered."""
    proposed = (items.c.site_key == site_key) & (
        items.c.figures["departure_id"].astext == departure_id
    )
    connection.execute(update(items).where(proposed).values(withdrawn_at=now))


def _upsert(connection: Connection, rows: list[dict[str, Any]]) -> int:
    statement = insert(items)
    new = statement.excluded
    changes = or_(
        *(items.c[name].is_distinct_from(new[name]) for name in _CHANGING),
        items.c.withdrawn_at.is_not(None),
    )
    values = {name: new[name] for name in (*_CHANGING, "changed_at")} | {"withdrawn_at": None}
    write = statement.on_conflict_do_update(
        index_elements=["item_id"], set_=values, where=changes
    ).returning(items.c.item_id)
    return len(connection.execute(write, rows).all())


def _row(item: Item, site_key: int | None, now: datetime) -> dict[str, Any]:
    names = (
        "item_id",
        "kind",
        "code",
        "currency",
        "saving_cost_per_year",
        "saving_low",
        "saving_high",
        "document_id",
        "what_if_id",
        "language",
        "model",
    )
    vector = None if item.vector is None else item.vector.astype(SHORT_VECTOR).tobytes()
    return {name: getattr(item, name) for name in names} | {
        "figures": dict(item.figures),
        "terms": sorted(item.terms),
        "vector": vector,
        "site_key": site_key,
        "created_at": now,
        "changed_at": now,
    }


def list_candidates(
    connection: Connection, audience: Audience, *, model: str | None
) -> list[Candidate]:
    """Return the items that may be shown to a reader, with their terms.

    They have vectors where ``model`` made them.

    Raises:
        NotFoundError: no such site.
    """
    table = items.c
    vector = case((table.model == model, table.vector), else_=None) if model else null()
    query = select(
        table.item_id,
        table.kind,
        table.saving_cost_per_year,
        table.language,
        table.created_at,
        table.terms,
        vector.label("vector"),
    )
    query = (
        query.outerjoin(documents, documents.c.document_id == table.document_id)
        .where(*_visible(connection, audience))
        .order_by(table.item_id)
    )
    candidates = []
    for row in connection.execute(query):
        unpacked = None if row.vector is None else _vector(row.vector)
        candidates.append(
            Candidate(
                row.item_id,
                row.kind,
                row.saving_cost_per_year,
                row.language,
                row.created_at,
                frozenset(row.terms),
                unpacked,
            )
        )
    return candidates


def _visible(connection: Connection, audience: Audience) -> list[ColumnElement[bool]]:
    is_searchable = and_(documents.c.current, documents.c.state == "searchable")
    conditions = [
        items.c.withdrawn_at.is_(None),
        or_(items.c.document_id.is_(None), is_searchable),
    ]
    is_for_everybody = items.c.site_key.is_(None)
    if audience.sites is not None:
        keys = select(sites.c.site_key).where(sites.c.name.in_(audience.sites))
        conditions.append(or_(is_for_everybody, items.c.site_key.in_(keys)))
    if audience.site_id is not None:
        key = stored_sites.key_of(connection, audience.site_id)
        conditions.append(or_(is_for_everybody, items.c.site_key == key))
    if audience.kind is not None:
        conditions.append(items.c.kind == audience.kind)
    if audience.without:
        conditions.append(items.c.item_id.not_in(audience.without))
    return conditions


def load(connection: Connection, item_ids: Collection[str]) -> dict[str, Item]:
    """Return the stored ones of these items, by id."""
    query = select(items).where(items.c.item_id.in_(set(item_ids)))
    rows = connection.execute(query).mappings()
    return {row["item_id"]: _item(row) for row in rows}


def list_documents(connection: Connection, *, model: str | None) -> list[DocumentSource]:
    """Return all searchable documents, shared ones and those of sites."""
    searchable = (
        select(documents)
        .where(documents.c.current, documents.c.state == "searchable")
        .order_by(documents.c.document_id)
    )
    opening = (
        select(chunks.c.document_id, chunks.c.passage)
        .where(chunks.c.position < _PASSAGES)
        .order_by(chunks.c.document_id, chunks.c.position)
    )
    passages: dict[str, list[str]] = {}
    for row in connection.execute(opening):
        passages.setdefault(row.document_id, []).append(row.passage)
    vectors = {} if model is None else _mean_vectors(connection, model)
    sources = []
    for document in connection.execute(searchable).mappings():
        document_id = document["document_id"]
        opening_text = "\n".join(passages.get(document_id, []))
        sources.append(
            DocumentSource(
                document_id,
                document["site_key"],
                document["title"],
                document["kind"],
                document["language"],
                opening_text,
                vectors.get(document_id),
            )
        )
    return sources


def _mean_vectors(connection: Connection, model: str) -> dict[str, FloatArray]:
    query = (
        select(chunks.c.document_id, chunk_vectors.c.vector)
        .join(chunk_vectors, chunk_vectors.c.chunk_id == chunks.c.chunk_id)
        .where(chunk_vectors.c.model == model, chunk_vectors.c.vector.is_not(None))
    )
    sums: dict[str, FloatArray] = {}
    for row in connection.execute(query):
        sums[row.document_id] = sums.get(row.document_id, 0.0) + _vector(row.vector)
    means = {}
    for document_id, total in sums.items():
        length = float(np.linalg.norm(total))
        means[document_id] = total / max(length, 1e-9)
    return means


def _item(row: Mapping[Any, Any]) -> Item:
    names = (
        "item_id",
        "kind",
        "code",
        "figures",
        "currency",
        "saving_cost_per_year",
        "saving_low",
        "saving_high",
        "document_id",
        "what_if_id",
    )
    vector = None if row["vector"] is None else _vector(row["vector"])
    return Item(
        **{name: row[name] for name in names},
        language=row["language"],
        terms=frozenset(row["terms"]),
        model=row["model"],
        vector=vector,
    )


def _vector(stored: bytes) -> FloatArray:
    return np.frombuffer(stored, SHORT_VECTOR).astype(np.float64)
