"""Ingest whose worker halts in the middle of each document, for a test to kill it there: one
document is left at each step.
"""

from luna.contracts.documents import Document, IngestReply, IngestRequest
from luna.platform.queue import TaskContext, task
from services.rag.documents.pipeline import Pipeline
from tests.support.worker.workers import wait_for


@task(IngestRequest)
def ingest_documents(request: IngestRequest, work: TaskContext) -> IngestReply:
    """Leave each document at the step that it is named after, then halt."""
    pipeline = Pipeline.of(work)
    for document_id in request.document_ids:
        leave(pipeline, document_id)
    (last,) = [
        document for document in [pipeline.find(request.document_ids[-1])] if document is not None
    ]
    (work.settings.data_folder / f"halted-{last.state}").touch()
    wait_for(lambda: False, seconds=600)
    return IngestReply(documents=[])


def leave(pipeline: Pipeline, document_id: str) -> None:
    """Do the steps before the one that a document is named after."""

    def halt(document: Document) -> None:
        if document.state == document.name.removesuffix(".md"):
            raise InterruptedError

    try:
        pipeline.finish(document_id, halt)
    except InterruptedError:
        return
