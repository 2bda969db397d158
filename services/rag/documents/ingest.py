"""Makes stored documents searchable, and renews their passages and vectors."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from luna.contracts.documents import (
    AddExamplesRequest,
    Chunk,
    Document,
    FetchDocumentRequest,
    IngestReply,
    ReindexReply,
    ReindexRequest,
)
from luna.energy.errors import UnavailableError
from luna.house.documents import store_document
from luna.platform.database import document_passages, documents, vectors
from luna.platform.database.document_passages import NewPassage
from luna.platform.database.engine import unit_of_work
from luna.platform.database.vectors import NO_MODEL
from luna.platform.queue.task_context import isolate
from services.rag.documents.pipeline import STATES, Pipeline, cut_passages, describe_fault
from services.rag.documents.storing import read_file, store_examples
from services.rag.extraction.fetching import FetchLimits, Network, fetch_url

Tell = Callable[[int, int, str], None]
STEPS = len(STATES) - 1


def ingest_documents(document_ids: Sequence[str], pipeline: Pipeline, tell: Tell) -> IngestReply:
    """Make documents searchable, and what comes out of archives among them.

    One that fails says why, and the others go on.

    Raises:
        UnavailableError: something is away; each document stays at the step that it has reached.
    """
    waiting = deque(dict.fromkeys(document_ids))
    ended: list[str] = []
    while waiting:
        ended.append(waiting.popleft())
        report = partial(
            _report, finished=len(ended) - 1, total=len(ended) + len(waiting), tell=tell
        )
        document = pipeline.finish(ended[-1], report)
        if document is not None:
            with unit_of_work(pipeline.engine) as connection:
                members = documents.list_unsettled_members(connection, document)
            for member in members:
                member_id = member.document_id
                if member_id not in ended and member_id not in waiting:
                    waiting.append(member_id)
    tell(STEPS * len(ended), STEPS * len(ended), "")
    with unit_of_work(pipeline.engine) as connection:
        return IngestReply(documents=documents.list_by_id(connection, ended))


def _report(document: Document, *, finished: int, total: int, tell: Tell) -> None:
    steps = STATES.index(document.state) if document.state in STATES else 0
    tell(STEPS * finished + steps, STEPS * total, f"{document.title}: {document.state}")


def add_examples(request: AddExamplesRequest, pipeline: Pipeline, tell: Tell) -> IngestReply:
    """Store the documents that ship with Luna and make them searchable.

    Raises:
        UnavailableError: something is away; each document stays at the step that it has reached.
    """
    stored = store_examples(pipeline.engine, pipeline.objects, added_by=request.added_by)
    return ingest_documents([document.document_id for document in stored], pipeline, tell)


def fetch_document(
    request: FetchDocumentRequest, pipeline: Pipeline, tell: Tell, *, network: Network | None = None
) -> IngestReply:
    """Fetch what is at an address, store it under that, make it searchable.

    Raises:
        InvalidInputError: the address is refused, or what is there cannot be had.
        NotFoundError: no such site.
        UnavailableError: something is away.
    """
    with pipeline.scratch() as folder:
        fetched = fetch_url(
            request.url,
            folder=Path(folder),
            limits=FetchLimits(bytes=pipeline.settings.document_max_bytes),
            network=network,
        )
        incoming = read_file(
            fetched.path,
            pipeline.objects,
            name=request.url,
            source="url",
            added_by=request.added_by,
        )
        with unit_of_work(pipeline.engine) as connection:
            document, _ = store_document(
                connection, replace(incoming, fields=request.fields, url=fetched.final_url)
            )
    return ingest_documents([document.document_id], pipeline, tell)


# Longer than the job that reads a document tries it again.
STANDING_FOR = timedelta(hours=1)

log = structlog.get_logger("luna.rag")


def reindex_documents(request: ReindexRequest, pipeline: Pipeline, tell: Tell) -> ReindexReply:
    """Make the passages (``rechunk``) and the vectors of every document anew.

    What was left on its way is brought to its end first.

    Each document changes in one transaction. Vectors of another model are searched until those of
    this one are complete, and are dropped then.

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
    return ReindexReply(
        documents=len(renewed),
        chunks=sum(renewed),
        model=None if pipeline.embedder is None else pipeline.model,
    )


def is_due(pipeline: Pipeline, *, now: datetime) -> bool:
    """Return whether passages lack vectors of the present model, or documents stand still."""
    try:
        model = NO_MODEL if pipeline.embedder is None else pipeline.model
    except UnavailableError:
        return False
    with unit_of_work(pipeline.engine) as connection:
        incomplete = model != NO_MODEL and not vectors.is_complete(connection, model)
        return incomplete or documents.stand_still(connection, since=now - STANDING_FOR)


def _renew(pipeline: Pipeline, document_id: str, *, rechunk: bool) -> int | None:
    """Renew the derived data of a document and return its number of passages.

    None if searches do not find it.
    """
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


def _cut_anew(
    pipeline: Pipeline, document: Document, chunks: Sequence[Chunk]
) -> Sequence[Chunk | NewPassage]:
    """Return the passages of a document read again; its present ones if that fails."""

    def read() -> Sequence[Chunk | NewPassage]:
        return _read_again(pipeline, document)

    def keep(error: Exception) -> Sequence[Chunk | NewPassage]:
        if isinstance(error, UnavailableError):
            raise error
        log.warning(
            "document keeps its passages",
            document_id=document.document_id,
            code=describe_fault(error).code,
        )
        return chunks

    return isolate(read, keep)


def _read_again(pipeline: Pipeline, document: Document) -> Sequence[Chunk | NewPassage]:
    with pipeline.scratch() as folder:
        return cut_passages(pipeline.read(document, Path(folder)).blocks)
