"""Passages of documents as searches show them, to those who may see them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from luna.contracts.search import Passage
from luna.energy.refusals import refuse
from luna.platform.database.schema.documents import chunks, documents
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.sites import key_of

EVERYBODY = 0


def visible_sites(connection: Connection, *, sites: Collection[str] | None, only: str | None = None) -> tuple[int, ...] | None:
    """Return the keys of the sites whose documents may be found, 0 for what is everybody's; None: all there are.

    Args:
        connection: to read by.
        sites: those of the asker; None: all.
        only: the requested one, with everybody's documents.

    Raises:
        NotFoundError: ``only`` is none of the asker's; the error is the same for a site that does not exist.
    """
    if only is not None:
        if sites is not None and only not in sites:
            raise refuse("no-site-of-asker", field="site_id", value=only, remedy="Ask for one of yours.")
        return (EVERYBODY, key_of(connection, only))
    if sites is None:
        return None
    keys = connection.scalars(select(site_table.c.site_key).where(site_table.c.name.in_(sites))).all()
    return (EVERYBODY, *sorted(keys))


def load(connection: Connection, chunk_ids: Sequence[int], *, sites: Collection[str] | None) -> dict[int, Passage]:
    """Return passages by chunk, of documents that are the ones to find and that whoever has ``sites`` may see; None: all."""
    joined = chunks.join(documents, documents.c.document_id == chunks.c.document_id).outerjoin(site_table, site_table.c.site_key == documents.c.site_key)
    names = ("title", "name", "kind", "language", "dated", "valid_from", "valid_until")
    columns = (*chunks.c, *(documents.c[name] for name in names), site_table.c.name.label("site_id"))
    query = select(*columns).select_from(joined).where(chunks.c.chunk_id.in_(chunk_ids), documents.c.current)
    if sites is not None:
        query = query.where(documents.c.site_key.is_(None) | site_table.c.name.in_(sites))
    return {row["chunk_id"]: _passage(row) for row in connection.execute(query).mappings()}


def _passage(row: Any) -> Passage:
    fields = {name: row[name] for name in Passage.model_fields if name in row}
    return Passage.model_validate(fields | {"text": row["passage"], "score": 0.0})
