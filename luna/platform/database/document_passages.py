"""Passages of documents, each with its place in the document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from luna.contracts.documents import Chunk
from luna.energy.refusals import refuse
from luna.platform.database import vectors
from luna.platform.database.schema.documents import chunks


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage that was cut from a document."""

    text: str
    page: int | None
    page_end: int | None
    headings: tuple[str, ...]


def replace(connection: Connection, document_id: str, cut: Sequence[NewPassage | Chunk]) -> list[int]:
    """Store the passages of a document in place of those it had, and return their ids; the same passages keep the ids that answers cite."""
    stored = list_of(connection, document_id)
    if [_key(each) for each in stored] == [_key(each) for each in cut]:
        return [each.chunk_id for each in stored]
    vectors.remove(connection, [each.chunk_id for each in stored])
    connection.execute(delete(chunks).where(chunks.c.document_id == document_id))
    rows = [
        {
            "document_id": document_id,
            "position": position,
            "page": each.page,
            "page_end": each.page_end,
            "headings": list(each.headings),
            "passage": each.text,
        }
        for position, each in enumerate(cut)
    ]
    if rows:
        connection.execute(insert(chunks), rows)
    return list_ids(connection, document_id)


def list_ids(connection: Connection, document_id: str) -> list[int]:
    """Return the ids of a document's passages, in their order."""
    return list(connection.scalars(select(chunks.c.chunk_id).where(chunks.c.document_id == document_id).order_by(chunks.c.position)))


def list_of(connection: Connection, document_id: str) -> list[Chunk]:
    """Return the passages of a document, in their order."""
    return _read(connection, _of(document_id))


def list_page(connection: Connection, document_id: str, *, after: int | None = None, limit: int = 50) -> list[Chunk]:
    """Return ``limit`` passages of a document, from the one behind the position ``after`` on."""
    query = _of(document_id) if after is None else _of(document_id).where(chunks.c.position > after)
    return _read(connection, query.limit(limit))


def list_around(connection: Connection, document_id: str, chunk_id: int, *, span: int) -> list[Chunk]:
    """Return a passage of a document with up to ``span`` before and behind it.

    Raises:
        NotFoundError: the document has no such passage.
    """
    position = connection.scalar(select(chunks.c.position).where(chunks.c.document_id == document_id, chunks.c.chunk_id == chunk_id))
    if position is None:
        raise refuse("no-such-passage", field="around", value=chunk_id)
    return _read(connection, _of(document_id).where(chunks.c.position.between(position - span, position + span)))


def find_page(connection: Connection, document_id: str, page: int) -> int:
    """Return the position of the passage with which a page begins, or goes on from the one before; 0 where the document has no such page."""
    reaches = func.coalesce(chunks.c.page_end, chunks.c.page) >= page
    return connection.scalar(select(func.min(chunks.c.position)).where(chunks.c.document_id == document_id, reaches)) or 0


def _of(document_id: str) -> Select[Any]:
    return select(chunks).where(chunks.c.document_id == document_id).order_by(chunks.c.position)


def _read(connection: Connection, query: Select[Any]) -> list[Chunk]:
    rows = connection.execute(query).mappings()
    return [Chunk(text=row["passage"], **{name: row[name] for name in Chunk.model_fields if name != "text"}) for row in rows]


def _key(passage: NewPassage | Chunk) -> tuple[object, ...]:
    return passage.text, passage.page, passage.page_end, tuple(passage.headings)
