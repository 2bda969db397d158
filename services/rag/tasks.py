"""The knowledge service's tasks: decode, call, encode."""

from datetime import timedelta

from luna.contracts.documents import REINDEX_LIMIT, FetchDocumentRequest, IngestReply, IngestRequest, ReindexReply, ReindexRequest
from luna.queue import TaskContext, task
from services.rag.documents import ingest, reindex
from services.rag.documents.pipeline import Pipeline

NEEDS = ("database", "redis", "objects", "vectors", "language")


@task(IngestRequest, soft_limit=timedelta(hours=2))
def ingest_documents(request: IngestRequest, work: TaskContext) -> IngestReply:
    """Make stored documents searchable, one after the other."""
    return ingest.ingest_documents(request.document_ids, Pipeline.of(work), work.progress)


@task(FetchDocumentRequest, soft_limit=timedelta(minutes=30))
def fetch_document(request: FetchDocumentRequest, work: TaskContext) -> IngestReply:
    """Fetch a document from the internet and make it searchable."""
    return ingest.fetch_document(request, Pipeline.of(work), work.progress)


@task(ReindexRequest, soft_limit=REINDEX_LIMIT)
def reindex_documents(request: ReindexRequest, work: TaskContext) -> ReindexReply:
    """Make passages and vectors of all documents anew."""
    return reindex.reindex_documents(request, Pipeline.of(work), work.progress)
