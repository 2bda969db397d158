"""Store the passages of documents, and read them as search results under access control."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from luna.contracts.documents import Chunk
from luna.contracts.search import Passage
from luna.energy.refusals import refuse
from luna.platform.database import vectors
from luna.platform.database.schema.documents import chunks, documents
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.sites import key_of

EVERYBODY = 0


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage cut from a document."""

    text: str
    page: int | None
    page_end: int | None
    headings: tuple[str, ...]


def replace(
    connection: Connection, document_id: str, cut: Sequence[NewPassage | Chunk]
) -> list[int]:
    """Replace the passages of a document and return their ids.

    Unchanged passages keep their ids, which answers cite.
    """
    stored = list_of(connection, document_id)
    if [_key(passage) for passage in stored] == [_key(passage) for passage in cut]:
        return [passage.chunk_id for passage in stored]
    vectors.remove(connection, [passage.chunk_id for passage in stored])
    connection.execute(delete(chunks).where(chunks.c.document_id == document_id))
    rows = [
        {
            "document_id": document_id,
            "position": position,
            "page": passage.page,
            "page_end": passage.page_end,
            "headings": list(passage.headings),
            "passage": passage.text,
        }
        for position, passage in enumerate(cut)
    ]
    if rows:
        connection.execute(insert(chunks), rows)
    return list_ids(connection, document_id)


def list_ids(connection: Connection, document_id: str) -> list[int]:
    """Return the ids of a document's passages in order."""
    return list(
        connection.scalars(
            select(chunks.c.chunk_id)
            .where(chunks.c.document_id == document_id)
            .order_by(chunks.c.position)
        )
    )


def list_of(connection: Connection, document_id: str) -> list[Chunk]:
    """Return the passages of a document in order."""
    return _read(connection, _of(document_id))


def list_page(
    connection: Connection, document_id: str, *, after: int | None = None, limit: int = 50
) -> list[Chunk]:
    """Return the next ``limit`` passages of a document after the position ``after``."""
    query = _of(document_id) if after is None else _of(document_id).where(chunks.c.position > after)
    return _read(connection, query.limit(limit))


def list_around(
    connection: Connection, document_id: str, chunk_id: int, *, span: int
) -> list[Chunk]:
    """Return a passage of a document with up to ``span`` passages before and after it.

    Raises:
        NotFoundError: the document has no such passage.
    """
    position = connection.scalar(
        select(chunks.c.position).where(
            chunks.c.document_id == document_id, chunks.c.chunk_id == chunk_id
        )
    )
    if position is None:
        raise refuse(
            "not-found",
            field="around",
            value=chunk_id,
            thing="passage",
            source="an answer or a search: chunk_id",
        )
    return _read(
        connection,
        _of(document_id).where(chunks.c.position.between(position - span, position + span)),
    )


def find_page(connection: Connection, document_id: str, page: int) -> int:
    """Return the position of the first passage on a page, 0 without such a page."""
    reaches = func.coalesce(chunks.c.page_end, chunks.c.page) >= page
    return (
        connection.scalar(
            select(func.min(chunks.c.position)).where(chunks.c.document_id == document_id, reaches)
        )
        or 0
    )


def visible_sites(
    connection: Connection, *, sites: Collection[str] | None, only: str | None = None
) -> tuple[int, ...] | None:
    """Return the keys of the searchable sites, with 0 for shared documents.

    None: all.

    Args:
        connection: to the database.
        sites: the user's sites; None: all.
        only: a single site to search, with the shared documents.

    Raises:
        NotFoundError: ``only`` is none of the user's; the error is the same for a site that does
            not exist.
    """
    if only is not None:
        if sites is not None and only not in sites:
            raise refuse(
                "no-site-of-asker", field="site_id", value=only, remedy="Ask for one of yours."
            )
        return (EVERYBODY, key_of(connection, only))
    if sites is None:
        return None
    keys = connection.scalars(
        select(site_table.c.site_key).where(site_table.c.name.in_(sites))
    ).all()
    return (EVERYBODY, *sorted(keys))


def load(
    connection: Connection, chunk_ids: Sequence[int], *, sites: Collection[str] | None
) -> dict[int, Passage]:
    """Return the passages of current documents that users of ``sites`` may see, by chunk.

    ``sites``: None for all.
    """
    joined = chunks.join(documents, documents.c.document_id == chunks.c.document_id).outerjoin(
        site_table, site_table.c.site_key == documents.c.site_key
    )
    names = ("title", "name", "kind", "language", "dated", "valid_from", "valid_until")
    columns = (
        *chunks.c,
        *(documents.c[name] for name in names),
        site_table.c.name.label("site_id"),
    )
    query = (
        select(*columns)
        .select_from(joined)
        .where(chunks.c.chunk_id.in_(chunk_ids), documents.c.current)
    )
    if sites is not None:
        query = query.where(documents.c.site_key.is_(None) | site_table.c.name.in_(sites))
    return {row["chunk_id"]: _passage(row) for row in connection.execute(query).mappings()}


def _of(document_id: str) -> Select[Any]:
    return select(chunks).where(chunks.c.document_id == document_id).order_by(chunks.c.position)


def _read(connection: Connection, query: Select[Any]) -> list[Chunk]:
    rows = connection.execute(query).mappings()
    columns = [name for name in Chunk.model_fields if name != "text"]
    return [Chunk(text=row["passage"], **{name: row[name] for name in columns}) for row in rows]


def _key(passage: NewPassage | Chunk) -> tuple[object, ...]:
    return passage.text, passage.page, passage.page_end, tuple(passage.headings)


def _passage(row: Any) -> Passage:
    fields = {name: row[name] for name in Passage.model_fields if name in row}
    return Passage.model_validate(fields | {"text": row["passage"], "score": 0.0})
