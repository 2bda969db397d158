"""Derived data anew: passages from the stored bytes, vectors by the embedding model of the settings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from luna.contracts.documents import Chunk, Document, ReindexReply, ReindexRequest
from luna.energy.errors import UnavailableError
from luna.platform.database import document_passages, documents, vectors
from luna.platform.database.document_passages import NewPassage
from luna.platform.database.engine import unit_of_work
from luna.platform.database.vectors import NO_MODEL
from luna.platform.queue.task_context import isolate
from services.rag.documents.ingest import Tell, ingest_documents
from services.rag.documents.pipeline import Pipeline, cut_passages, describe_fault

# Longer than the job that reads a document tries it again.
STANDING_FOR = timedelta(hours=1)

log = structlog.get_logger("luna.rag")


def reindex_documents(request: ReindexRequest, pipeline: Pipeline, tell: Tell) -> ReindexReply:
    """Make the passages (``rechunk``) and the vectors of every document anew; what was left on its way is brought to its end first.

    Each document changes in one transaction. Vectors of another model are searched until those of this one are complete, and are dropped then.

    Raises:
        UnavailableError: something is away; what is done stays done.
    """
    with unit_of_work(pipeline.engine) as connection:
        failed = documents.list_ids(connection, "failed") if request.rechunk else []
        for document in documents.list_by_id(connection, failed):
            documents.reopen_failed(connection, document)
        open_ids = documents.list_ids(connection, "stored", "extracted", "chunked", "embedded")
    ingest_documents(open_ids, pipeline, tell)
    with unit_of_work(pipeline.engine) as connection:
        ids = documents.list_ids(connection, "searchable")
    counts = []
    for number, document_id in enumerate(ids):
        tell(number, len(ids), "documents")
        counts.append(_renew(pipeline, document_id, rechunk=request.rechunk))
    with unit_of_work(pipeline.engine) as connection:
        vectors.remove_other_models(connection, pipeline.model)
    renewed = [count for count in counts if count is not None]
    return ReindexReply(documents=len(renewed), chunks=sum(renewed), model=None if pipeline.embedder is None else pipeline.model)


def is_due(pipeline: Pipeline, *, now: datetime) -> bool:
    """Return whether there is a model now by which some passages cannot be found yet, or documents stand still on their way."""
    try:
        model = NO_MODEL if pipeline.embedder is None else pipeline.model
    except UnavailableError:
        return False
    with unit_of_work(pipeline.engine) as connection:
        incomplete = model != NO_MODEL and not vectors.is_complete(connection, model)
        return incomplete or documents.stand_still(connection, since=now - STANDING_FOR)


def _renew(pipeline: Pipeline, document_id: str, *, rechunk: bool) -> int | None:
    """Make the derived data of a document anew and return how many passages it has; None where searches do not find it."""
    document = pipeline.find(document_id)
    if document is None or not document.current:
        return None
    with unit_of_work(pipeline.engine) as connection:
        chunks = document_passages.list_of(connection, document_id)
    cutting = _cut_anew(pipeline, document, chunks) if rechunk else chunks
    embeddings = pipeline.embed(document, cutting)
    with unit_of_work(pipeline.engine) as connection:
        documents.lock_name(connection, document.name, document.site_id)
        now = documents.find(connection, document_id)
        if now is None or not now.current:
            return None
        stored_ids = document_passages.list_ids(connection, document_id)
        ids = document_passages.replace(connection, document_id, cutting) if rechunk else stored_ids
        if len(ids) == len(embeddings):
            vectors.store(connection, pipeline.model, zip(ids, embeddings, strict=True))
    return len(ids)


def _cut_anew(pipeline: Pipeline, document: Document, chunks: Sequence[Chunk]) -> Sequence[Chunk | NewPassage]:
    """Return the passages of a document, read again; those that it has where that fails now."""

    def keep(error: Exception) -> Sequence[Chunk | NewPassage]:
        if isinstance(error, UnavailableError):
            raise error
        log.warning("document keeps its passages", document_id=document.document_id, code=describe_fault(error).code)
        return chunks

    return isolate(lambda: _read_again(pipeline, document), keep)


def _read_again(pipeline: Pipeline, document: Document) -> Sequence[Chunk | NewPassage]:
    with pipeline.scratch() as folder:
        return cut_passages(pipeline.read(document, Path(folder)).blocks)
