"""A Qdrant server: one index for all processes, one collection per embedding model."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)
from sqlalchemy import Connection

from luna.energy.refusals import refuse
from luna.platform.database import vectors
from luna.platform.database.vectors import Changes, FloatArray
from luna.platform.settings import Settings
from services.rag.retrieval.vectors.index import (
    DENSE,
    FORMAT,
    SPARSE,
    IndexFilter,
    payload_of,
    terms_by_number,
)

TIMEOUT_SECONDS = 10
_NOT_FOUND = 404
ParamT = ParamSpec("ParamT")
ResultT = TypeVar("ResultT")


class ServerIndex:
    """An index on the server that the settings name; ``dimensions`` None: words alone."""

    def __init__(self, settings: Settings, model: str, dimensions: int | None) -> None:
        key = settings.vectors_api_key.get_secret_value() if settings.vectors_api_key else None
        self._url = str(settings.vectors_url)
        # The server stands in a network of its own; without TLS the client warns of every key.
        self._client = QdrantClient(
            url=self._url, api_key=key, timeout=TIMEOUT_SECONDS, check_compatibility=False
        )
        self._name = f"luna-{model}-{dimensions or 0}-{FORMAT}".replace("/", "-").replace(":", "-")
        self._dimensions = dimensions
        self._is_there = False

    def revision(self, connection: Connection) -> int:
        if not self._is_there and not self._call(self._client.collection_exists, self._name):
            self._create_collection()
            vectors.note_index_revision(connection, self._name, 0)
        self._is_there = True
        return vectors.index_revision(connection, self._name)

    def _create_collection(self) -> None:
        dense = {}
        if self._dimensions:
            distance = models.Distance.COSINE
            dense[DENSE] = models.VectorParams(size=self._dimensions, distance=distance)
        sparse = {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)}
        self._call(
            self._client.create_collection,
            self._name,
            vectors_config=dense,
            sparse_vectors_config=sparse,
        )
        integer = models.PayloadSchemaType.INTEGER
        for field in ("site", "dated"):
            self._call(self._client.create_payload_index, self._name, field, integer)

    def apply(self, connection: Connection, changes: Changes) -> None:
        if changes.removed:
            removed = models.PointIdsList(points=list(changes.removed))
            self._call(self._client.delete, self._name, points_selector=removed, wait=True)
        if changes.passages:
            points = []
            for passage in changes.passages:
                terms, weights = terms_by_number(passage)
                vector: dict[str, Any] = {
                    SPARSE: models.SparseVector(indices=terms, values=weights)
                }
                if self._dimensions and passage.vector is not None:
                    vector[DENSE] = [float(value) for value in passage.vector]
                payload = payload_of(passage)
                point = models.PointStruct(id=passage.chunk_id, vector=vector, payload=payload)
                points.append(point)
            self._call(self._client.upload_points, self._name, points, batch_size=256, wait=True)
        vectors.note_index_revision(connection, self._name, changes.revision)

    def search_dense(
        self, vector: FloatArray, criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        if self._dimensions is None:
            return {}
        return self._search([float(value) for value in vector], DENSE, criteria, limit)

    def search_sparse(
        self, weights: Mapping[int, float], criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        if not weights:
            return {}
        terms = sorted(weights)
        query = models.SparseVector(indices=terms, values=[weights[term] for term in terms])
        return self._search(query, SPARSE, criteria, limit)

    def close(self) -> None:
        self._client.close()

    def _search(
        self, query: Any, using: str, criteria: IndexFilter, limit: int
    ) -> dict[int, float]:
        must: list[models.Condition] = []
        for key, value in (("kind", criteria.kind), ("language", criteria.language)):
            if value is not None:
                must.append(models.FieldCondition(key=key, match=models.MatchValue(value=value)))
        for key, values in (("site", criteria.site_keys), ("document", criteria.document_ids)):
            if values is not None:
                must.append(models.FieldCondition(key=key, match=models.MatchAny(any=list(values))))
        if criteria.from_day or criteria.to_day:
            low = criteria.from_day.toordinal() if criteria.from_day else None
            high = criteria.to_day.toordinal() if criteria.to_day else None
            must.append(models.FieldCondition(key="dated", range=models.Range(gte=low, lte=high)))
        narrowed = models.Filter(must=must) if must else None
        response = self._call(
            self._client.query_points,
            self._name,
            query=query,
            using=using,
            query_filter=narrowed,
            limit=limit,
            with_payload=False,
        )
        return {int(point.id): float(point.score) for point in response.points}

    def _call(
        self, method: Callable[ParamT, ResultT], *args: ParamT.args, **kwargs: ParamT.kwargs
    ) -> ResultT:
        """Call a method of the client and return its result.

        Raises:
            UnavailableError: it is away, refuses Luna, or lost the collection, which is made anew
                at the next call.
        """
        try:
            return method(*args, **kwargs)
        except (ApiException, ResponseHandlingException, httpx.HTTPError) as exc:
            if isinstance(exc, UnexpectedResponse) and exc.status_code == _NOT_FOUND:
                self._is_there = False
            reason = str(exc).partition("\n")[0]
            raise refuse("index-away", field="vectors_url", value=self._url, why=reason) from exc
