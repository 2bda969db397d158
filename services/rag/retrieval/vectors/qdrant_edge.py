"""Qdrant Edge: an index in a folder, opened by one process.

Each process that searches has its own and follows the database by itself.
"""

import fcntl
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import qdrant_edge as edge
from sqlalchemy import Connection

from luna.energy.refusals import refuse
from luna.platform.database.vectors import Changes, FloatArray
from luna.platform.private_folders import make_private
from services.rag.retrieval.vectors.index import (
    DENSE,
    FORMAT,
    SPARSE,
    IndexFilter,
    payload_of,
    terms_by_number,
)

# Processes of one machine that search at the same time.
MOST_SLOTS = 64
# After so many passages the parts of an index are brought into one.
OPTIMISE_EVERY = 2000


class EdgeIndex:
    """An index below ``folder`` for one model; ``dimensions`` None: words alone."""

    def __init__(self, folder: Path, model: str, dimensions: int | None) -> None:
        self._slot = _take_slot(folder)
        name = f"{model}-{dimensions or 0}-{FORMAT}".replace("/", "_").replace(":", "_")
        self._home = Path(self._slot.name).with_suffix("") / name
        self._dense = dimensions is not None
        dense = None
        if dimensions:
            params = edge.EdgeVectorParams(size=dimensions, distance=edge.Distance.Cosine)
            dense = {DENSE: params}
        sparse = {SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}
        self._config = edge.EdgeConfig(vectors=dense, sparse_vectors=sparse)
        self._shard, self._revision = self._open()
        self._unmerged = 0

    def revision(self, _connection: Connection) -> int:
        return self._revision

    def apply(self, _connection: Connection, changes: Changes) -> None:
        if changes.removed:
            self._shard.update(edge.UpdateOperation.delete_points(list(changes.removed)))
        if changes.passages:
            points = []
            for passage in changes.passages:
                terms, weights = terms_by_number(passage)
                vector: dict[str, edge.NamedVector] = {SPARSE: edge.SparseVector(terms, weights)}
                if self._dense and passage.vector is not None:
                    vector[DENSE] = [float(value) for value in passage.vector]
                points.append(edge.Point(passage.chunk_id, vector, payload_of(passage)))
            self._shard.update(edge.UpdateOperation.upsert_points(points))
        self._unmerged += len(changes.passages)
        if self._unmerged >= OPTIMISE_EVERY:
            self._shard.optimize()
            self._unmerged = 0
        # The points first: with too low a revision changes come again, with too high a one they
        # would be lost.
        self._shard.flush()
        new = self._home / "revision.new"
        new.write_text(json.dumps(changes.revision), encoding="utf-8")
        new.replace(self._home / "revision.json")
        self._revision = changes.revision

    def search_dense(
        self, vector: FloatArray, criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        if not self._dense:
            return {}
        query = edge.Query.Nearest([float(value) for value in vector], using=DENSE)
        return self._search(query, criteria, limit)

    def search_sparse(
        self, weights: Mapping[int, float], criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        if not weights:
            return {}
        terms = sorted(weights)
        vector = edge.SparseVector(terms, [weights[term] for term in terms])
        return self._search(edge.Query.Nearest(vector, using=SPARSE), criteria, limit)

    def close(self) -> None:
        self._shard.close()
        self._slot.close()

    def _open(self) -> tuple[edge.EdgeShard, int]:
        noted = self._home / "revision.json"
        # Qdrant Edge raises nothing narrower.
        with suppress(Exception):
            shard = edge.EdgeShard.load(str(self._home / "shard"))
            return shard, int(json.loads(noted.read_text(encoding="utf-8")))
        # Half written, of another release, or not there: the database has all that it takes to
        # build it again.
        shutil.rmtree(self._home, ignore_errors=True)
        make_private(self._home / "shard")
        return edge.EdgeShard.create(str(self._home / "shard"), self._config), 0

    def _search(self, query: edge.Query, criteria: IndexFilter, limit: int) -> dict[int, float]:
        must: list[Any] = []
        for key, value in (("kind", criteria.kind), ("language", criteria.language)):
            if value is not None:
                must.append(edge.FieldCondition(key, match=edge.MatchValue(value)))
        if criteria.site_keys is not None:
            must.append(edge.FieldCondition("site", match=edge.MatchAny(list(criteria.site_keys))))
        if criteria.document_ids is not None:
            must.append(
                edge.FieldCondition("document", match=edge.MatchAny(list(criteria.document_ids)))
            )
        if criteria.from_day or criteria.to_day:
            low = criteria.from_day.toordinal() if criteria.from_day else None
            high = criteria.to_day.toordinal() if criteria.to_day else None
            must.append(edge.FieldCondition("dated", range=edge.RangeFloat(gte=low, lte=high)))
        narrowed = edge.Filter(must=must) if must else None
        request = edge.QueryRequest(limit=limit, query=query, filter=narrowed)
        points = self._shard.query(request)
        return {int(point.id): float(point.score) for point in points}


def _take_slot(folder: Path) -> IO[str]:
    """Lock the first free place below ``folder`` for this process, and return its file.

    Raises:
        MachineError: the folder cannot be written, or as many processes search already.
    """
    try:
        make_private(folder)
        for number in range(MOST_SLOTS):
            file = (folder / f"{number}.lock").open("w", encoding="utf-8")
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            file.close()
    except OSError as exc:
        raise refuse(
            "index-unwritable", field="data_folder", value=str(folder), why=exc.strerror
        ) from exc
    raise refuse("too-many-searchers", field="data_folder", value=str(folder), most=MOST_SLOTS)
