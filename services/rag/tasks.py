"""The knowledge service's tasks: decode, call, encode."""

from functools import cache

import numpy as np

from luna.contracts.recommendations import (
    EventsReply,
    RecommendReply,
    RecommendRequest,
    RecordEventsRequest,
    RefreshRecommendationsReply,
    RefreshRecommendationsRequest,
)
from luna.contracts.search import EmbedReply, EmbedRequest, SearchReply, SearchRequest
from luna.errors import UnavailableError
from luna.queue import TaskContext, task
from luna.settings import Settings
from services.rag.embedding import open_embedder, prepare_embedder
from services.rag.recommending.choosing import Chooser
from services.rag.recommending.recording import record_events
from services.rag.recommending.refreshing import refresh
from services.rag.retrieval.search import Searcher

NEEDS = ("database", "redis", "objects", "vectors", "language")


@cache
def searcher_of(settings: Settings) -> Searcher:
    """Return what this process searches with; the index stays open."""
    return Searcher(settings)


@task(SearchRequest)
def search(request: SearchRequest, work: TaskContext) -> SearchReply:
    """Find passages."""
    return searcher_of(work.settings).search(work.connection, request)


@task(EmbedRequest)
def embed(request: EmbedRequest, work: TaskContext) -> EmbedReply:
    """Turn texts into vectors."""
    embedder = prepare_embedder(work.settings)
    if embedder is None:
        raise UnavailableError("there is no embedding model on this machine", field="language_url", remedy="Let Luna fetch its own once, or name a server.")
    vectors = embedder.embed(request.texts, role=request.role)
    return EmbedReply(model=embedder.model, dimensions=embedder.dimensions, vectors=[[float(value) for value in vector] for vector in vectors])


@task(RecommendRequest)
def choose_recommendations(request: RecommendRequest, work: TaskContext) -> RecommendReply:
    """Choose what is worth reading or doing, and store that it was shown."""
    chooser = Chooser(work.settings.recommendation_policy, open_embedder(work.settings), np.random.default_rng())
    return chooser.choose(work.connection, request, now=work.clock.now())


@task(RecordEventsRequest)
def record_reader_events(request: RecordEventsRequest, work: TaskContext) -> EventsReply:
    """Store what a reader did, and learn from it."""
    return record_events(work.connection, request, now=work.clock.now())


@task(RefreshRecommendationsRequest)
def refresh_recommendations(request: RefreshRecommendationsRequest, work: TaskContext) -> RefreshRecommendationsReply:
    """Look anew for what can be recommended."""
    return refresh(work.database(), request, embedder=open_embedder(work.settings), now=work.clock.now())
