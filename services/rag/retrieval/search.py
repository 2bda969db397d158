"""Hybrid search of the asker's passages: dense and sparse retrieval, fused and re-ranked."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import isfinite

import httpx
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.search import Passage, Retriever, SearchFilter, SearchReply, SearchRequest
from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.checked_transport import trusted_certificates
from luna.platform.database import document_passages, vectors
from luna.platform.database.engine import unit_of_work
from luna.platform.database.vectors import NO_MODEL
from luna.platform.settings import Settings
from services.rag.embedding import Embedder, embed_if_there, open_embedder
from services.rag.model_server import server_headers, server_root
from services.rag.retrieval.english import question_to_embed
from services.rag.retrieval.fusion import Ranked, fuse
from services.rag.retrieval.terms import weigh_query
from services.rag.retrieval.vectors import IndexFilter, VectorIndex, follow, open_index

# Number of passages for the re-ranking model.
DEPTH = 30
_CONNECT_SECONDS = 2.0
_TOTAL_SECONDS = 10.0

log = structlog.get_logger("luna.rag")


def rerank(
    settings: Settings, query: str, passages: Sequence[Passage]
) -> tuple[list[Passage], str | None]:
    """Return passages in the order of the re-ranking model, and its name.

    Unchanged, and None, without a model or while it is away.

    Protocol: ``POST /v1/rerank``, as of llama.cpp, vLLM and others.
    """
    if settings.rerank_model is None or settings.language_url is None or len(passages) < 2:
        return list(passages), None
    texts = [passage.text for passage in passages[:DEPTH]]
    question = {
        "model": settings.rerank_model,
        "query": query,
        "documents": texts,
        "top_n": len(texts),
    }
    timeout = httpx.Timeout(_TOTAL_SECONDS, connect=_CONNECT_SECONDS)
    try:
        answer = httpx.post(
            f"{server_root(settings)}/v1/rerank",
            json=question,
            headers=server_headers(settings),
            timeout=timeout,
            verify=trusted_certificates(),
        )
        answer.raise_for_status()
        rows = answer.json()["results"]
        scores = {int(row["index"]): float(row["relevance_score"]) for row in rows}
        reason = f"{len(texts)} passages were sent, scores of {len(scores)} came back"
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        scores = {}
        reason = str(error) or type(error).__name__
    is_complete = set(scores) == set(range(len(texts)))
    if not is_complete or not all(map(isfinite, scores.values())):
        log.warning("the re-ranking model is away, passages stay as they were found", error=reason)
        return list(passages), None
    order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    reranked = [passages[place] for place in order]
    return [*reranked, *passages[len(scores) :]], settings.rerank_model


# Factor and minimum for the depth of each ranking: some passages may be deleted since, and fusion
# needs long lists.
DEEPER = 3
LEAST_DEPTH = 60
# The asker waits for the index to catch up; ten thousand passages take less.
PATIENCE = timedelta(seconds=15)


class Searcher:
    """Search of one process; indexes are opened at the first search."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._indexes: dict[tuple[str, int | None], VectorIndex] = {}
        self._followed: tuple[int, str] | None = None
        self._current: tuple[str, int | None] = (NO_MODEL, None)

    def search(self, connection: Connection, request: SearchRequest) -> SearchReply:
        """Return the passages nearest to a query, the best first.

        Raises:
            NotFoundError: the filter's site is not one of the asker's.
            UnavailableError: the index is away.
        """
        embedder = open_embedder(self._settings)
        requested_model = embedder.model if embedder else NO_MODEL
        state = (vectors.newest_revision(connection), requested_model)
        if self._followed != state:
            self._current = self._bring_up(connection.engine, requested_model)
            self._followed = state
        index = self._indexes[self._current]
        model = self._current[0]
        search_filter = request.filter
        keys = document_passages.visible_sites(
            connection, sites=request.sites, only=search_filter.site_id
        )
        criteria = IndexFilter(
            keys,
            search_filter.kind,
            search_filter.language,
            search_filter.from_day,
            search_filter.to_day,
            search_filter.document_ids,
        )
        vector = _embed(embedder, model, request) if request.retriever != "sparse" else None
        depth = max(LEAST_DEPTH, request.k * DEEPER)
        # Dense retrieval alone falls back to sparse where there is no vector.
        by_words = request.retriever != "dense" or vector is None
        dense: dict[int, float] = {}
        sparse: dict[int, float] = {}
        try:
            if vector is not None:
                dense = index.search_dense(vector, criteria, depth)
            if by_words:
                sparse = index.search_sparse(weigh_query(request.query), criteria, depth)
        except UnavailableError:
            # The index server may have lost data: catch up again at the next search.
            self._followed = None
            raise
        retriever: Retriever = "sparse" if vector is None else request.retriever
        most = max(request.k, DEPTH if self._settings.rerank_model else 0)
        visible = _load_visible(connection, fuse(dense, sparse), request, most)
        reranked, reranker = rerank(self._settings, request.query, visible)
        return SearchReply(
            passages=reranked[: request.k],
            retriever=retriever,
            model=None if vector is None else model,
            reranker=reranker,
        )

    def close(self) -> None:
        """Close the indexes; the next search opens them again."""
        for index in self._indexes.values():
            index.close()
        self._indexes = {}
        self._followed = None

    def _bring_up(self, database: Engine, requested_model: str) -> tuple[str, int | None]:
        # A transaction of its own: the progress of a server's index must be committed even if the
        # search fails.
        with unit_of_work(database) as connection:
            model = vectors.find_model(connection, requested_model)
            key = (model, vectors.dimensions_of(connection, model))
            if key not in self._indexes:
                self._indexes[key] = open_index(self._settings, *key)
            is_complete = follow(self._indexes[key], connection, model, patience=PATIENCE)
        if not is_complete:
            raise refuse("index-incomplete", field="vectors")
        return key


def _load_visible(
    connection: Connection, ranked: Sequence[Ranked], request: SearchRequest, most: int
) -> list[Passage]:
    """Return the first ``most`` passages that exist and that the asker may see.

    The database decides; the index may lag behind.
    """
    visible: list[Passage] = []
    for start in range(0, len(ranked), most):
        part = ranked[start : start + most]
        keys = [hit.key for hit in part]
        rows = document_passages.load(connection, keys, sites=request.sites)
        for hit in part:
            if hit.key not in rows or not _fits(rows[hit.key], request.filter):
                continue
            scores = {
                "score": hit.score,
                "dense_score": hit.dense,
                "sparse_score": hit.sparse,
            }
            visible.append(rows[hit.key].model_copy(update=scores))
        if len(visible) >= most:
            break
    return visible[:most]


def _embed(
    embedder: Embedder | None, model: str, request: SearchRequest
) -> vectors.FloatArray | None:
    """Return the vector of a question.

    None without a model, with vectors of another one, or while it is away.
    """
    if embedder is None or embedder.model != model:
        return None
    text = question_to_embed(request.query, speaks_english_alone=embedder.speaks_one_language)
    embeddings = embed_if_there(embedder, [text], role="query")
    return None if embeddings is None else embeddings[0]


def _fits(passage: Passage, search_filter: SearchFilter) -> bool:
    if search_filter.kind is not None and passage.kind != search_filter.kind:
        return False
    if search_filter.language is not None and passage.language != search_filter.language:
        return False
    document_ids = search_filter.document_ids
    if document_ids is not None and passage.document_id not in document_ids:
        return False
    if search_filter.from_day is None and search_filter.to_day is None:
        return True
    if passage.dated is None:
        return False
    first = search_filter.from_day or date.min
    last = search_filter.to_day or date.max
    return first <= passage.dated <= last
