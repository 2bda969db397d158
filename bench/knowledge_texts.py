"""Made-up documents for the bench of the knowledge service: distinct texts of the field, stored as
an ingest leaves them.
"""

from datetime import UTC, datetime
from itertools import islice

import numpy as np
from pydantic import SecretStr
from sqlalchemy import Engine, insert

from luna.contracts.identity import NewKey, NewUser
from luna.platform.database import api_keys, engine, users, vectors
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.documents import chunks, documents
from services.rag.embedding import Embedder
from services.rag.retrieval.glossary import GLOSSARY

WORDS_PER_PAGE = 500
WORDS_PER_PASSAGE = 90
PASSAGES_PER_DOCUMENT = 500
# Words as they are in any text: few are frequent, most are rare.
_FIELD = tuple(
    dict.fromkeys(
        word
        for german, english in GLOSSARY
        for phrase in (*german, *english)
        for word in phrase.split()
    )
)
_WORDS = (*_FIELD, *(f"{word}{number}" for number in range(20) for word in _FIELD[:600]))
_SHARE = 1 / np.arange(1, len(_WORDS) + 1) ** 0.9
_SHARE /= _SHARE.sum()


def draw_words(rng: np.random.Generator, count: int) -> str:
    """Return so many words, frequent and rare ones as texts have them."""
    return " ".join(_WORDS[index] for index in rng.choice(len(_WORDS), count, p=_SHARE))


def draw_question(rng: np.random.Generator) -> str:
    """Return a question of some words of the field."""
    return f"What about {' '.join(rng.choice(_FIELD, 5))}?"


def write_pages(rng: np.random.Generator, pages: int) -> str:
    """Return a document in Markdown with a heading and 500 words on each page."""
    parts = (
        f"## Part {page}\n\n"
        + "\n\n".join(f"{draw_words(rng, 20).capitalize()}." for _ in range(WORDS_PER_PAGE // 20))
        for page in range(1, pages + 1)
    )
    return "# Pages\n\n" + "\n\n".join(parts) + "\n"


def store_corpus(
    database_url: str, rng: np.random.Generator, count: int, embedder: Embedder | None
) -> None:
    """Store so many passages with random vectors of unit length by the embedding model's name.

    Without one, with words alone.
    """
    pool = engine.create(database_url, application_name="bench")
    texts = (draw_words(rng, WORDS_PER_PASSAGE) for _ in range(count))
    number = 0
    while batch := list(islice(texts, PASSAGES_PER_DOCUMENT)):
        _store_document(
            pool,
            f"bench-{number}",
            batch,
            _draw_vectors(rng, len(batch), embedder),
            model=embedder.model if embedder else vectors.NO_MODEL,
        )
        number += 1
    pool.dispose()


def store_key(database_url: str) -> dict[str, str]:
    """Return what a caller says to be let in to search."""
    pool = engine.create(database_url, application_name="bench")
    with unit_of_work(pool) as connection:
        # Who nobody signs in as needs no password.
        users.add_first(
            connection,
            NewUser(name="bench", password=SecretStr("never asked for here"), role="admin"),
            password_hash="",
        )
        owner = users.find_credentials(connection, "bench")
        made = (
            api_keys.make(
                connection,
                owner.user_id,
                NewKey(name="bench", scopes=("read",)),
                now=datetime.now(UTC),
            )
            if owner
            else None
        )
    pool.dispose()
    return {"Authorization": f"Bearer {made.key}"} if made else {}


def _store_document(
    pool: Engine, name: str, texts: list[str], found: list[vectors.FloatArray | None], *, model: str
) -> None:
    fields = {
        "document_id": name,
        "title": name,
        "name": name,
        "version": 1,
        "kind": "other",
        "language": "en",
        "source": "upload",
        "current": True,
    }
    stored = {
        "media_type": "text/plain",
        "sha256": name,
        "object_key": f"documents/{name}",
        "size_bytes": 1,
        "state": "searchable",
        "added_by": "bench",
    }
    rows = [
        {"document_id": name, "position": place, "page": 1, "headings": [], "passage": text}
        for place, text in enumerate(texts)
    ]
    with unit_of_work(pool) as connection:
        connection.execute(insert(documents).values(fields | stored))
        keys = connection.scalars(
            insert(chunks).returning(chunks.c.chunk_id, sort_by_parameter_order=True), rows
        ).all()
        vectors.store(connection, model, list(zip(keys, found, strict=True)))


def _draw_vectors(
    rng: np.random.Generator, count: int, embedder: Embedder | None
) -> list[vectors.FloatArray | None]:
    if embedder is None:
        return [None] * count
    drawn = rng.standard_normal((count, embedder.dimensions), dtype=np.float32)
    return list(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
