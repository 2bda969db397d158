"""The knowledge service's tasks: decode, call, encode."""

from datetime import timedelta
from functools import cache

import numpy as np

from luna.contracts.answers import Answer, AskRequest
from luna.contracts.documents import (
    REINDEX_LIMIT,
    AddExamplesRequest,
    CompleteVectorsReply,
    CompleteVectorsRequest,
    FetchDocumentRequest,
    IngestReply,
    IngestRequest,
    ReindexReply,
    ReindexRequest,
)
from luna.contracts.recommendations import (
    EventsReply,
    RecommendReply,
    RecommendRequest,
    RecordEventsRequest,
    RefreshRecommendationsReply,
    RefreshRecommendationsRequest,
)
from luna.contracts.search import EmbedReply, EmbedRequest, SearchReply, SearchRequest
from luna.contracts.site_tools import ToolCallRequest, ToolList, ToolListRequest, ToolResult
from luna.energy.refusals import refuse
from luna.platform.database import answers
from luna.platform.database.answers import AnswerFilter
from luna.platform.queue import TaskContext, task
from luna.platform.queue.jobs import submit_job
from luna.platform.settings import Settings
from services.rag.answering.process import open_parts
from services.rag.answering.service import answer_published
from services.rag.documents import ingest
from services.rag.documents.pipeline import Pipeline
from services.rag.embedding import open_embedder, prepare_embedder
from services.rag.recommending.choosing import Chooser, record_events
from services.rag.recommending.stock import refresh, refresh_documents
from services.rag.retrieval.search import Searcher
from services.rag.tools import registry

# Of the reader's last questions so many say what they care about.
QUESTIONS_REMEMBERED = 10
NEEDS = ("database", "redis", "objects", "vectors", "language")


@task(IngestRequest, soft_limit=timedelta(hours=2))
def ingest_documents(request: IngestRequest, work: TaskContext) -> IngestReply:
    """Make stored documents searchable, one after the other."""
    return _refresh_recommended(
        work, ingest.ingest_documents(request.document_ids, Pipeline.of(work), work.progress)
    )


@task(FetchDocumentRequest, soft_limit=timedelta(minutes=30))
def fetch_document(request: FetchDocumentRequest, work: TaskContext) -> IngestReply:
    """Fetch a document from the internet and make it searchable."""
    return _refresh_recommended(
        work, ingest.fetch_document(request, Pipeline.of(work), work.progress)
    )


@task(AddExamplesRequest, soft_limit=timedelta(hours=1))
def add_examples(request: AddExamplesRequest, work: TaskContext) -> IngestReply:
    """Add the documents that ship with Luna."""
    return _refresh_recommended(
        work, ingest.add_examples(request, Pipeline.of(work), work.progress)
    )


def _refresh_recommended(work: TaskContext, reply: IngestReply) -> IngestReply:
    """Return the reply; documents that were just read can be recommended from now on."""
    refresh_documents(work.database(), embedder=open_embedder(work.settings), now=work.clock.now())
    return reply


@task(CompleteVectorsRequest)
def complete_vectors(_request: CompleteVectorsRequest, work: TaskContext) -> CompleteVectorsReply:
    """Have passages brought along that a new embedding model does not find yet."""
    is_due = ingest.is_due(Pipeline.of(work), now=work.clock.now())
    return CompleteVectorsReply(
        job_id=submit_job(work.database(), work.client, ReindexRequest()).job_id if is_due else None
    )


@task(ReindexRequest, soft_limit=REINDEX_LIMIT)
def reindex_documents(request: ReindexRequest, work: TaskContext) -> ReindexReply:
    """Make passages and vectors of all documents anew."""
    return ingest.reindex_documents(request, Pipeline.of(work), work.progress)


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
        raise refuse("no-embedding-model", field="language_url")
    vectors = embedder.embed(request.texts, role=request.role)
    return EmbedReply(
        model=embedder.model,
        dimensions=embedder.dimensions,
        vectors=[[float(value) for value in vector] for vector in vectors],
    )


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
    parts = open_parts(
        work.settings,
        work.database(),
        searcher_of(work.settings),
        clock=work.clock,
        client=work.client,
    )
    return answer_published(request, parts, clock=work.clock, streams=work.client.answers)


@task(RecommendRequest)
def choose_recommendations(request: RecommendRequest, work: TaskContext) -> RecommendReply:
    """Choose what is worth reading or doing, and store that it was shown."""
    chooser = Chooser(
        work.settings.recommendation_policy, open_embedder(work.settings), np.random.default_rng()
    )
    earlier = answers.list_before(
        work.connection,
        AnswerFilter(asked_by=request.reader, among=request.sites),
        limit=QUESTIONS_REMEMBERED,
    )
    return chooser.choose(
        work.connection,
        request,
        questions=[stored.answer.question for stored in earlier],
        now=work.clock.now(),
    )


@task(RecordEventsRequest)
def record_reader_events(request: RecordEventsRequest, work: TaskContext) -> EventsReply:
    """Store what a reader did, and learn from it."""
    return record_events(work.connection, request, now=work.clock.now())


@task(RefreshRecommendationsRequest)
def refresh_recommendations(
    request: RefreshRecommendationsRequest, work: TaskContext
) -> RefreshRecommendationsReply:
    """Look anew for what can be recommended."""
    return refresh(
        work.database(), request, embedder=open_embedder(work.settings), now=work.clock.now()
    )
