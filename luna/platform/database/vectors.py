"""Store embedding vectors of passages with a revision, by which indexes follow changes.

Each remote index has its own revision stored here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.documents import DocumentLanguage
from luna.platform.database.schema.documents import (
    chunk_vectors,
    chunks,
    documents,
    revisions,
    vector_indexes,
    vector_removals,
)

FloatArray = NDArray[np.float32]

# Model name of an index of words alone.
NO_MODEL = "none"
_STORED = np.dtype("<f2")
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A passage as an index receives it. ``site_key`` 0: for all sites."""

    chunk_id: int
    vector: FloatArray | None
    text: str
    language: DocumentLanguage | None
    site_key: int
    kind: str
    dated: date | None
    document_id: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Passages to add to an index and to remove from it, up to a revision."""

    passages: list[IndexedPassage]
    removed: list[int]
    revision: int


def store(
    connection: Connection, model: str, vectors: Iterable[tuple[int, FloatArray | None]]
) -> None:
    """Store or replace the vectors of chunks by a model; None: words alone are indexed."""
    _lock(connection)
    rows = []
    for chunk_id, vector in vectors:
        stored = None if vector is None else vector.astype(_STORED).tobytes()
        rows.append({"chunk_id": chunk_id, "model": model, "vector": stored})
    for start in range(0, len(rows), _AT_ONCE):
        new = insert(chunk_vectors).values(rows[start : start + _AT_ONCE])
        changed = {"vector": new.excluded.vector, "revision": revisions.next_value()}
        connection.execute(
            new.on_conflict_do_update(index_elements=["chunk_id", "model"], set_=changed)
        )


def remove(connection: Connection, chunk_ids: Sequence[int]) -> None:
    """Remove chunks from all indexes, before their rows are deleted or another version counts."""
    if not chunk_ids:
        return
    _lock(connection)
    connection.execute(delete(chunk_vectors).where(chunk_vectors.c.chunk_id.in_(chunk_ids)))
    for start in range(0, len(chunk_ids), _AT_ONCE):
        connection.execute(
            insert(vector_removals),
            [{"chunk_id": chunk_id} for chunk_id in chunk_ids[start : start + _AT_ONCE]],
        )


def is_complete(connection: Connection, model: str) -> bool:
    """Return whether a model has vectors of all passages that any other model has."""
    other = chunk_vectors.alias()
    has_model = exists().where(other.c.chunk_id == chunk_vectors.c.chunk_id, other.c.model == model)
    return not connection.scalar(select(exists().where(chunk_vectors.c.model != model, ~has_model)))


def remove_other_models(connection: Connection, model: str) -> int:
    """Delete the vectors of all models but one, and return how many."""
    return connection.execute(delete(chunk_vectors).where(chunk_vectors.c.model != model)).rowcount


def find_model(connection: Connection, requested: str) -> str:
    """Return the model to search with.

    ``requested`` once it has as many vectors as any other, until then the one that has most.
    """
    query = select(chunk_vectors.c.model, func.count()).group_by(chunk_vectors.c.model)
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    if not counts:
        return requested
    return max(counts, key=lambda model: (counts[model], model == requested))


def dimensions_of(connection: Connection, model: str) -> int | None:
    """Return the length of a model's vectors; None where there are none."""
    stored = connection.scalar(
        select(func.length(chunk_vectors.c.vector))
        .where(chunk_vectors.c.model == model, chunk_vectors.c.vector.is_not(None))
        .limit(1)
    )
    return stored // _STORED.itemsize if stored else None


def newest_revision(connection: Connection) -> int:
    """Return the newest revision of all changes."""
    newest = [
        select(func.max(table.c.revision)).scalar_subquery()
        for table in (chunk_vectors, vector_removals)
    ]
    return connection.scalar(select(func.greatest(*newest))) or 0


def read_changes(
    connection: Connection, model: str, *, after: int, most: int = _AT_ONCE
) -> Iterator[Changes]:
    """Yield the changes after a revision, in order, at most ``most`` passages at a time.

    Nothing where there are none.

    Revisions are assigned under a lock, in the order of commits, so that none appears before one
    that was read.
    """
    newest = newest_revision(connection)
    while after < newest:
        rows = connection.execute(
            _passages(model).where(chunk_vectors.c.revision > after).limit(most)
        ).all()
        until = rows[-1].revision if len(rows) == most else newest
        query = (
            select(vector_removals.c.chunk_id, func.max(vector_removals.c.revision))
            .where(vector_removals.c.revision.between(after + 1, until))
            .group_by(vector_removals.c.chunk_id)
        )
        removed = {row[0]: row[1] for row in connection.execute(query)}
        current = [row for row in rows if removed.get(row.chunk_id, 0) < row.revision]
        yield Changes(
            [_read(row) for row in current],
            sorted(set(removed) - {row.chunk_id for row in current}),
            until,
        )
        after = until


def index_revision(connection: Connection, name: str) -> int:
    """Return the revision of a remote index; 0: new."""
    return (
        connection.scalar(select(vector_indexes.c.revision).where(vector_indexes.c.name == name))
        or 0
    )


def note_index_revision(connection: Connection, name: str, revision: int) -> None:
    """Store the revision of a remote index."""
    row = insert(vector_indexes).values(name=name, revision=revision)
    connection.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={"revision": revision})
    )


def _lock(connection: Connection) -> None:
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("vector_revisions"))))


def _passages(model: str) -> Select[Any]:
    table = chunk_vectors.join(chunks, chunks.c.chunk_id == chunk_vectors.c.chunk_id).join(
        documents, documents.c.document_id == chunks.c.document_id
    )
    columns = (
        chunk_vectors.c.chunk_id,
        chunk_vectors.c.vector,
        chunk_vectors.c.revision,
        chunks.c.headings,
        chunks.c.passage,
        documents.c.title,
        documents.c.language,
        documents.c.site_key,
        documents.c.kind,
        documents.c.dated,
        documents.c.document_id,
    )
    return (
        select(*columns)
        .select_from(table)
        .where(chunk_vectors.c.model == model)
        .order_by(chunk_vectors.c.revision)
    )


def _read(row: Row[Any]) -> IndexedPassage:
    vector = None if row.vector is None else np.frombuffer(row.vector, _STORED).astype(np.float32)
    text = searched_text(row.title, row.headings, row.passage)
    return IndexedPassage(
        row.chunk_id,
        vector,
        text,
        row.language,
        row.site_key or 0,
        row.kind,
        row.dated,
        row.document_id,
    )


def searched_text(title: str, headings: Sequence[str], passage: str) -> str:
    """Return the indexed text of a passage: title, headings and passage."""
    return "\n".join([" › ".join(dict.fromkeys([title, *headings])), passage])
