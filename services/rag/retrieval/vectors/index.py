"""The interface of an index of passages, and its updates from the database."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import Connection

from luna.platform.database import vectors
from luna.platform.database.vectors import Changes, FloatArray, IndexedPassage
from services.rag.retrieval.terms import weigh_passage

DENSE = "dense"
SPARSE = "words"
# A format of the points: an index of another one is made anew.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class IndexFilter:
    """Conditions on the passages that a search may find.

    None sets no condition. ``site_keys`` holds 0 if documents for everybody are among them.
    """

    site_keys: tuple[int, ...] | None = None
    kind: str | None = None
    language: str | None = None
    from_day: date | None = None
    to_day: date | None = None
    document_ids: tuple[str, ...] | None = None


class VectorIndex(Protocol):
    """An index of passages, derived from the database; a lost one is built again.

    Invariants: after ``follow`` it holds exactly the passages that the database has vectors of.
    """

    def revision(self, connection: Connection) -> int:
        """Return the revision up to which it has followed; 0 for a new one."""

    def apply(self, connection: Connection, changes: Changes) -> None:
        """Take in and forget; where this fails, the same changes come again."""

    def search_dense(
        self, vector: FloatArray, criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        """Return the cosine of the nearest passages by chunk."""

    def search_sparse(
        self, weights: Mapping[int, float], criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        """Return the BM25 of the best passages by chunk."""

    def close(self) -> None:
        """Release what it holds open."""


def follow(index: VectorIndex, connection: Connection, model: str, *, patience: timedelta) -> bool:
    """Bring an index up to what the database holds by one model.

    False where that takes longer than ``patience``: the next call goes on from there.
    """
    end = time.monotonic() + patience.total_seconds()
    for changes in vectors.read_changes(connection, model, after=index.revision(connection)):
        index.apply(connection, changes)
        if time.monotonic() > end:
            return False
    return True


def payload_of(passage: IndexedPassage) -> dict[str, object]:
    """Return what filters look at.

    No text: that is read from the database, where it is known who may see it.
    """
    dated = passage.dated.toordinal() if passage.dated else None
    fields = {
        "site": passage.site_key,
        "kind": passage.kind,
        "language": passage.language,
        "dated": dated,
        "document": passage.document_id,
    }
    return {name: value for name, value in fields.items() if value is not None}


def terms_by_number(passage: IndexedPassage) -> tuple[list[int], list[float]]:
    """Return the terms of a passage and their weights, ascending."""
    weights = sorted(weigh_passage(passage.text, passage.language).items())
    return [term for term, _ in weights], [weight for _, weight in weights]
