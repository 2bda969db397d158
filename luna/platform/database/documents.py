"""Store documents, a row per version: metadata, processing state, and visibility.

Locks: ``lock_name`` to add, activate or delete a version of a name; then ``lock_bytes`` to use or
delete an object.
"""

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.documents import (
    Document,
    DocumentFault,
    DocumentFilter,
    DocumentSource,
    DocumentState,
    DocumentValidity,
)
from luna.energy.refusals import refuse
from luna.platform.database import document_passages, sites, vectors
from luna.platform.database.schema.documents import chunks, documents
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.stored_rows import read_each, read_page

# Final states; in any other one the document is being processed.
SETTLED: tuple[DocumentState, ...] = ("searchable", "failed")
Sites = Collection[str] | None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """Metadata of a file to store."""

    name: str
    site_id: str | None
    title: str
    kind: str
    language: str | None
    dated: date | None
    valid_from: date | None
    valid_until: date | None
    source: DocumentSource
    url: str | None
    sha256: str
    object_key: str
    size_bytes: int
    added_by: str


def object_key(sha256: str) -> str:
    """Return the key of a document's bytes in the object store."""
    return f"documents/{sha256}"


def blocks_key(sha256: str) -> str:
    """Return the key of the content extracted from the bytes."""
    return f"documents/{sha256}.json"


def lock_name(connection: Connection, name: str, site_id: str | None) -> None:
    """Lock the versions of a name until the end of the transaction."""
    _lock(connection, f"document:{site_id or ''}/{name}")


def lock_bytes(connection: Connection, sha256: str) -> None:
    """Lock the objects of some bytes until the end of the transaction.

    Take several locks in sorted order.
    """
    _lock(connection, f"object:{sha256}")


def add(connection: Connection, new: NewDocument) -> Document:
    """Store the next version of a name; the caller holds its lock.

    Raises:
        NotFoundError: no such site.
    """
    key = None if new.site_id is None else sites.key_of(connection, new.site_id)
    owned = documents.c.site_key.is_(None) if key is None else documents.c.site_key == key
    last = connection.scalar(
        select(func.max(documents.c.version)).where(documents.c.name == new.name, owned)
    )
    row = {field: getattr(new, field) for field in NewDocument.__slots__ if field != "site_id"}
    row |= {
        "document_id": secrets.token_hex(8),
        "site_key": key,
        "version": (last or 0) + 1,
        "state": "stored",
        "media_type": "application/octet-stream",
    }
    document_id = connection.scalar(
        insert(documents).values(row).returning(documents.c.document_id)
    )
    return load(connection, str(document_id))


def load(connection: Connection, document_id: str, *, among: Sites = None) -> Document:
    """Return a document that is visible to users of ``among`` (None: of all sites).

    Raises:
        NotFoundError: none of that id, or another site's: the same error for both.
    """
    document = find(connection, document_id, among=among)
    if document is None:
        raise refuse(
            "not-found",
            field="document_id",
            value=document_id,
            thing="document",
            source="the list of documents: document_id",
        )
    return document


def find(connection: Connection, document_id: str, *, among: Sites = None) -> Document | None:
    """Return a document as ``load`` does, None where there is none."""
    query = _documents(among).where(documents.c.document_id == document_id)
    return next(iter(_read(connection, query)), None)


def list_by_id(connection: Connection, document_ids: Sequence[str]) -> list[Document]:
    """Return documents in the order of the given ids, without deleted ones."""
    query = _documents(None).where(documents.c.document_id.in_(document_ids))
    by_id = {document.document_id: document for document in _read(connection, query)}
    return [by_id[document_id] for document_id in document_ids if document_id in by_id]


def list_sites(
    connection: Connection, document_ids: Collection[str], chunk_ids: Collection[int]
) -> set[str]:
    """Return the sites to which these documents, or those of these passages, are restricted."""
    of_passages = select(chunks.c.document_id).where(chunks.c.chunk_id.in_(chunk_ids))
    is_named = documents.c.document_id.in_(document_ids)
    has_passage = documents.c.document_id.in_(of_passages)
    site_names = (
        select(site_table.c.name)
        .join(documents, documents.c.site_key == site_table.c.site_key)
        .where(or_(is_named, has_passage))
        .distinct()
    )
    return set(connection.scalars(site_names))


def list_page(
    connection: Connection,
    document_filter: DocumentFilter,
    *,
    among: Sites = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Document]:
    """Return the documents visible to users of ``among``, the last stored first.

    ``after`` is the cursor.
    """
    query = _documents(among)
    for name, value in document_filter.model_dump(exclude={"site_id"}).items():
        if value is not None:
            query = query.where(documents.c[name] == value)
    if document_filter.site_id is not None:
        query = query.where(site_table.c.name == document_filter.site_id)
    if after is not None:
        query = query.where(tuple_(documents.c.stored_at, documents.c.document_id) < tuple_(*after))
    query = query.order_by(documents.c.stored_at.desc(), documents.c.document_id.desc())
    return read_page(connection, query, _document, limit=limit)


def list_versions(connection: Connection, name: str, site_id: str | None) -> list[Document]:
    """Return all versions of a name, the newest first."""
    query = _documents(None).where(documents.c.name == name, _of_site(site_id))
    return _read(connection, query.order_by(documents.c.version.desc()))


def list_unsettled_members(connection: Connection, archive: Document) -> list[Document]:
    """Return the documents from an archive that are not searchable yet."""
    inside = documents.c.name.startswith(f"{archive.name}/", autoescape=True)
    query = _documents(None).where(
        inside,
        documents.c.source == "archive",
        documents.c.state.not_in(SETTLED),
        _of_site(archive.site_id),
    )
    return _read(connection, query.order_by(documents.c.name, documents.c.version))


def list_ids(connection: Connection, *states: DocumentState) -> list[str]:
    """Return the ids of documents in some states, in order of storage."""
    query = select(documents.c.document_id).where(documents.c.state.in_(states))
    return list(connection.scalars(query.order_by(documents.c.stored_at, documents.c.document_id)))


def stand_still(connection: Connection, *, since: datetime) -> bool:
    """Return whether a document in processing has not changed its state since an instant."""
    open_states = ("stored", "extracted", "chunked", "embedded")
    stalled = exists().where(documents.c.state.in_(open_states), documents.c.changed_at < since)
    return bool(connection.scalar(select(stalled)))


def advance(
    connection: Connection, document: Document, state: DocumentState, **values: Any
) -> bool:
    """Change a document's state from the one it was read in, which locks its row.

    Return False where it is gone, or was changed meanwhile.
    """
    where = documents.c.document_id == document.document_id, documents.c.state == document.state
    write = (
        update(documents)
        .where(*where)
        .values(state=state, changed_at=func.clock_timestamp(), **values)
    )
    return connection.execute(write).rowcount == 1


def fail(connection: Connection, document: Document, fault: DocumentFault) -> bool:
    """Record why a document cannot be made searchable.

    A current one can still be found. False where its state was changed meanwhile.
    """
    return advance(connection, document, "failed", fault=json.loads(fault.model_dump_json()))


def reopen_failed(connection: Connection, document: Document) -> bool:
    """Reset a failed document to ``stored``; False where it did not fail."""
    return document.state == "failed" and advance(
        connection, document, "stored", fault=null(), notes=[]
    )


def set_validity(connection: Connection, document: Document, validity: DocumentValidity) -> None:
    """Store a document's validity; it need not be processed again."""
    values = {"valid_from": validity.valid_from, "valid_until": validity.valid_until}
    connection.execute(
        update(documents).where(documents.c.document_id == document.document_id).values(values)
    )


def note_job(connection: Connection, document_ids: Sequence[str], job_id: str | None) -> None:
    """Record the job that processes documents."""
    connection.execute(
        update(documents).where(documents.c.document_id.in_(document_ids)).values(job_id=job_id)
    )


def make_current(connection: Connection, document: Document) -> bool:
    """Make searches find this version instead of older ones.

    False where a newer one is current. The caller holds the name's lock.
    """
    same = documents.c.name == document.name, _of_site(document.site_id)
    newest = connection.execute(
        select(documents.c.document_id, documents.c.version).where(*same, documents.c.current)
    ).first()
    if newest is not None and newest.version > document.version:
        return False
    if newest is not None and newest.document_id != document.document_id:
        vectors.remove(connection, document_passages.list_ids(connection, newest.document_id))
        connection.execute(
            update(documents)
            .where(documents.c.document_id == newest.document_id)
            .values(current=False)
        )
    connection.execute(
        update(documents)
        .where(documents.c.document_id == document.document_id)
        .values(current=True)
    )
    return True


def remove(connection: Connection, document_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Delete documents with passages and vectors.

    Return the keys of their objects by the digest of their bytes.
    """
    bytes_of = select(documents.c.sha256, documents.c.object_key).where(
        documents.c.document_id.in_(document_ids)
    )
    rows = connection.execute(bytes_of.with_for_update()).all()
    chunk_ids = connection.scalars(
        select(chunks.c.chunk_id).where(chunks.c.document_id.in_(document_ids))
    ).all()
    vectors.remove(connection, list(chunk_ids))
    connection.execute(delete(documents).where(documents.c.document_id.in_(document_ids)))
    return {row.sha256: (row.object_key, blocks_key(row.sha256)) for row in rows}


def remove_of_site(connection: Connection, site_id: str) -> dict[str, tuple[str, ...]]:
    """Delete a site's documents, see ``remove``."""
    ids = connection.scalars(select(documents.c.document_id).where(_of_site(site_id)))
    return remove(connection, list(ids))


def is_needed(connection: Connection, sha256: str) -> bool:
    """Return whether a document has these bytes."""
    return bool(connection.scalar(select(exists().where(documents.c.sha256 == sha256))))


def _lock(connection: Connection, what: str) -> None:
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))


def _of_site(site_id: str | None) -> ColumnElement[bool]:
    if site_id is None:
        return documents.c.site_key.is_(None)
    site_key = select(site_table.c.site_key).where(site_table.c.name == site_id)
    return documents.c.site_key == site_key.scalar_subquery()


def _documents(among: Sites) -> Select[Any]:
    count = (
        select(func.count())
        .where(chunks.c.document_id == documents.c.document_id)
        .scalar_subquery()
    )
    query = select(documents, site_table.c.name.label("site_id"), count.label("chunks"))
    query = query.outerjoin(site_table, site_table.c.site_key == documents.c.site_key)
    if among is None:
        return query
    return query.where(or_(documents.c.site_key.is_(None), site_table.c.name.in_(among)))


def _read(connection: Connection, query: Select[Any]) -> list[Document]:
    return read_each(connection.execute(query).mappings(), _document)


def _document(row: RowMapping) -> Document:
    values = {name: row[name] for name in Document.model_fields}
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    return Document.model_validate(values)
