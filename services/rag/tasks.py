"""The knowledge service's tasks: decode, call, encode."""

from datetime import timedelta
from functools import cache

from luna.contracts.answers import Answer, AskRequest
from luna.contracts.search import EmbedReply, EmbedRequest, SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolListRequest, ToolResult
from luna.errors import UnavailableError
from luna.queue import TaskContext, task
from luna.settings import Settings
from services.rag.answering.process import open_parts
from services.rag.answering.service import answer_published
from services.rag.embedding import prepare_embedder
from services.rag.retrieval.search import Searcher
from services.rag.tools import registry

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
@task(ToolListRequest)
def list_tools(_request: ToolListRequest, _work: TaskContext) -> ToolList:
    """Return the tools over a site's data."""
    return registry.list_tools()


@task(ToolCallRequest)
def call_tool(request: ToolCallRequest, work: TaskContext) -> ToolResult:
    """Call one."""
    return registry.call_tool(work.connection, request, now=work.clock.now(), client=work.client)


@task(AskRequest, soft_limit=timedelta(minutes=15))
def answer(request: AskRequest, work: TaskContext) -> Answer:
    """Answer a question; no connection is held while a language model speaks."""
    parts = open_parts(work.settings, work.database(), searcher_of(work.settings), clock=work.clock, client=work.client)
    return answer_published(request, parts, clock=work.clock, streams=work.client.answers)
