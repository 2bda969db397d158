"""The knowledge service's tasks: decode, call, encode."""

from functools import cache

from luna.contracts.search import EmbedReply, EmbedRequest, SearchReply, SearchRequest
from luna.errors import UnavailableError
from luna.queue import TaskContext, task
from luna.settings import Settings
from services.rag.embedding import prepare_embedder
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
