"""Makes stored documents searchable: the work of the jobs."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from luna.contracts.documents import AddExamplesRequest, Document, FetchDocumentRequest, IngestReply
from luna.platform.database import documents
from luna.platform.database.engine import unit_of_work
from luna.platform.documents import store_document
from services.rag.documents.pipeline import STATES, Pipeline
from services.rag.documents.storing import read_file, store_examples
from services.rag.extraction.fetching import FetchLimits, Network, fetch_url

Tell = Callable[[int, int, str], None]
STEPS = len(STATES) - 1


def ingest_documents(document_ids: Sequence[str], pipeline: Pipeline, tell: Tell) -> IngestReply:
    """Make documents searchable, and what comes out of archives among them; one that fails says why, and the others go on.

    Raises:
        UnavailableError: something is away; each document stays at the step that it has reached.
    """
    waiting, ended = deque(dict.fromkeys(document_ids)), list[str]()
    while waiting:
        ended.append(waiting.popleft())
        report = partial(_report, finished=len(ended) - 1, total=len(ended) + len(waiting), tell=tell)
        document = pipeline.finish(ended[-1], report)
        if document is not None:
            with unit_of_work(pipeline.engine) as connection:
                members = [each.document_id for each in documents.list_unsettled_members(connection, document)]
            waiting.extend(each for each in members if each not in ended and each not in waiting)
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


def fetch_document(request: FetchDocumentRequest, pipeline: Pipeline, tell: Tell, *, network: Network | None = None) -> IngestReply:
    """Fetch what is at an address, store it under that, make it searchable.

    Raises:
        InvalidInputError: the address is refused, or what is there cannot be had.
        NotFoundError: no such site.
        UnavailableError: something is away.
    """
    with pipeline.scratch() as folder:
        fetched = fetch_url(request.url, folder=Path(folder), limits=FetchLimits(bytes=pipeline.settings.document_max_bytes), network=network)
        incoming = read_file(fetched.path, pipeline.objects, name=request.url, source="url", added_by=request.added_by)
        with unit_of_work(pipeline.engine) as connection:
            document, _ = store_document(connection, replace(incoming, fields=request.fields, url=fetched.final_url))
    return ingest_documents([document.document_id], pipeline, tell)
