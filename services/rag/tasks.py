"""The knowledge service's tasks: decode, call, encode."""

import numpy as np

from luna.contracts.recommendations import (
    EventsReply,
    RecommendReply,
    RecommendRequest,
    RecordEventsRequest,
    RefreshRecommendationsReply,
    RefreshRecommendationsRequest,
)
from luna.queue import TaskContext, task
from services.rag.embedding import open_embedder
from services.rag.recommending.choosing import Chooser
from services.rag.recommending.recording import record_events
from services.rag.recommending.refreshing import refresh

NEEDS = ("database", "redis", "objects", "vectors", "language")


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
