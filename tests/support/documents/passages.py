"""Documents whose passages are searched, stored as an ingest leaves them."""

import uuid
from collections.abc import Sequence
from datetime import date

import numpy as np
from sqlalchemy import Engine, delete, insert, select

from luna.platform.database import vectors
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.documents import chunks, documents
from luna.platform.database.sites import key_of
from services.rag.embedding import Embedder


def store_passages(
    database: Engine,
    title: str,
    texts: Sequence[str],
    *,
    language: str | None = "en",
    kind: str = "other",
    site: str | None = None,
    dated: date | None = None,
    embedder: Embedder | None = None,
    current: bool = True,
) -> str:
    """Store a document that is searchable, and return its id."""
    document_id = f"d{uuid.uuid4().hex[:12]}"
    with unit_of_work(database) as connection:
        fields = {
            "title": title,
            "name": f"{title}-{document_id}",
            "version": 1,
            "kind": kind,
            "language": language,
            "dated": dated,
            "source": "upload",
        }
        stored = {
            "media_type": "text/plain",
            "sha256": document_id,
            "object_key": f"documents/{document_id}",
            "size_bytes": 1,
            "state": "searchable",
        }
        owner = {
            "site_key": key_of(connection, site) if site else None,
            "added_by": "test",
            "current": current,
            "document_id": document_id,
        }
        connection.execute(insert(documents).values(fields | stored | owner))
        rows = [
            {
                "document_id": document_id,
                "position": number,
                "page": 1,
                "headings": [],
                "passage": text,
            }
            for number, text in enumerate(texts)
        ]
        ids = connection.scalars(
            insert(chunks).returning(chunks.c.chunk_id, sort_by_parameter_order=True), rows
        ).all()
        found: Sequence[np.ndarray | None] = [None] * len(ids)
        if embedder is not None:
            found = list(embedder.embed([vectors.searched_text(title, [], text) for text in texts]))
        vectors.store(
            connection,
            embedder.model if embedder else vectors.NO_MODEL,
            list(zip(ids, found, strict=True)),
        )
    return document_id


def remove_documents(database: Engine) -> None:
    """Take every document away again."""
    with unit_of_work(database) as connection:
        vectors.remove(connection, connection.scalars(select(chunks.c.chunk_id)).all())
        connection.execute(delete(documents))
