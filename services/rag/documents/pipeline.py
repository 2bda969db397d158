"""Ingestion pipeline of one document: extract, chunk, embed, publish.

```
stored ─▶ extracted ─▶ chunked ─▶ embedded, searchable
   │  blocks, members     │  passages     vectors, and `current` moves, in one transaction
   └────────────┴─────────┴──▶ failed, with the fault
```

Each step reads, computes, and commits its result together with the next state; nothing is committed
where the document has advanced or is deleted. So steps are idempotent: after a crash, or with two
workers at once, a step counts once.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

import structlog
from sqlalchemy import Engine

from luna.contracts.documents import (
    Chunk,
    Document,
    DocumentFault,
    DocumentFields,
    DocumentState,
    DocumentValidity,
)
from luna.energy.errors import LunaError, NotFoundError, UnavailableError
from luna.house.documents import clean_path, store_document
from luna.platform.database import document_passages, documents, vectors
from luna.platform.database.document_passages import NewPassage
from luna.platform.database.engine import unit_of_work
from luna.platform.database.vectors import NO_MODEL, FloatArray
from luna.platform.objects import ObjectStore
from luna.platform.private_folders import make_private
from luna.platform.queue import TaskContext
from luna.platform.queue.task_context import isolate
from luna.platform.settings import Settings
from services.rag.documents.storing import read_file
from services.rag.documents.validity import validity_of
from services.rag.embedding import Embedder, prepare_embedder
from services.rag.extraction.chunking import cut
from services.rag.extraction.extract import extract
from services.rag.extraction.model import DocumentBlock, Extraction, Limits
from services.rag.retrieval.english import text_to_embed

# Batch size of the embedding model.
AT_ONCE = 32
STATES: tuple[DocumentState, ...] = ("stored", "extracted", "chunked", "searchable")

log = structlog.get_logger("luna.rag")


@dataclass
class Pipeline:
    """The steps and their dependencies; ``open_embedder`` is called once, for the first vectors."""

    settings: Settings
    engine: Engine
    objects: ObjectStore
    open_embedder: Callable[[Settings], Embedder | None] = prepare_embedder
    extract: Callable[..., Extraction] = extract

    @classmethod
    def of(cls, work: TaskContext) -> "Pipeline":
        """Return the pipeline of a task; each step commits by itself."""
        return cls(work.settings, work.database(), work.objects)

    @cached_property
    def embedder(self) -> Embedder | None:
        """The embedding model.

        None without one, or where a server does not have it yet: then passages get sparse terms
        only.

        Raises:
            UnavailableError: the model is away and other passages have its vectors, beside which
                those without would not be found.
        """
        embedder = self.open_embedder(self.settings)
        if embedder is None:
            return None
        try:
            embedder.embed(["."], role="passage")
        except UnavailableError as error:
            with unit_of_work(self.engine) as connection:
                if vectors.dimensions_of(connection, embedder.model) is not None:
                    raise
            log.warning(
                "there is no embedding model yet, words alone are indexed", reason=str(error)
            )
            return None
        return embedder

    @property
    def model(self) -> str:
        """The model name of the stored vectors."""
        return NO_MODEL if self.embedder is None else self.embedder.model

    def finish(self, document_id: str, report: Callable[[Document], None]) -> Document | None:
        """Run a document's remaining steps and return it, None where it is deleted.

        ``report`` receives it before each step.

        Raises:
            UnavailableError: a service is away; the document keeps its current state.
        """
        steps = {
            "stored": self._extract,
            "extracted": self._cut,
            "chunked": self._embed,
            "embedded": self._embed,
        }
        document = self.find(document_id)
        while document is not None and document.state not in documents.SETTLED:
            report(document)
            isolate(partial(steps[document.state], document), partial(self._note_fault, document))
            document = self.find(document_id)
        return document

    def find(self, document_id: str) -> Document | None:
        """Return a document in its current state, None where it is deleted."""
        with unit_of_work(self.engine) as connection:
            return documents.find(connection, document_id)

    def _note_fault(self, document: Document, error: Exception) -> None:
        if isinstance(error, UnavailableError):
            raise error
        fault = describe_fault(error)
        unexpected = None if isinstance(error, LunaError) else error
        log.warning(
            "document failed",
            document_id=document.document_id,
            state=document.state,
            code=fault.code,
            exc_info=unexpected,
        )
        with unit_of_work(self.engine) as connection:
            documents.fail(connection, document, fault)

    def _extract(self, document: Document) -> None:
        with self.scratch() as folder:
            extraction = self.read(document, Path(folder))
            # Members have titles of their own.
            names = DocumentFields.model_fields.keys() - {"title"}
            shared = DocumentFields.model_validate(
                {name: getattr(document, name) for name in names}
            )
            for member in extraction.members:
                name = f"{document.name}/{clean_path(member.name)}"
                incoming = read_file(
                    member.path,
                    self.objects,
                    name=name,
                    source="archive",
                    added_by=document.added_by,
                )
                with unit_of_work(self.engine) as connection:
                    stored, _ = store_document(connection, replace(incoming, fields=shared))
                    documents.note_job(connection, [stored.document_id], document.job_id)
        named = document.title == PurePosixPath(document.name).name
        # The owner's validity is not mixed with the text's: together they may be an empty period.
        stated: Document | DocumentValidity = document
        if not (document.valid_from or document.valid_until):
            stated = validity_of(extraction, title=document.title)
        fields = {
            "media_type": extraction.media_type,
            "pages": extraction.pages,
            "notes": list(extraction.notes),
            "language": document.language or extraction.language,
            "title": (extraction.title if named else None) or document.title,
            "valid_from": stated.valid_from,
            "valid_until": stated.valid_until,
        }
        with unit_of_work(self.engine) as connection:
            if documents.advance(connection, document, "extracted", **fields):
                self.objects.put(
                    documents.blocks_key(document.sha256),
                    json.dumps([asdict(block) for block in extraction.blocks]).encode(),
                )

    def scratch(self) -> "tempfile.TemporaryDirectory[str]":
        """Return a temporary folder on disk.

        A container's usual place for temporary files is memory.
        """
        place = self.settings.data_folder / "documents"
        make_private(place)
        return tempfile.TemporaryDirectory(dir=place)

    def read(self, document: Document, folder: Path) -> Extraction:
        """Return a document's extracted content.

        Members are written to ``folder``, except of documents from an archive, which are not
        unpacked again.

        Raises:
            ExtractionError: the file is unreadable.
            NotFoundError: its bytes are deleted.
        """
        path = folder / "file"
        inside = folder / "members"
        inside.mkdir()
        self.objects.fetch(documents.object_key(document.sha256), path)
        return self.extract(
            path,
            name=document.name,
            limits=limits_of(self.settings),
            folder=None if document.source == "archive" else inside,
        )

    def _cut(self, document: Document) -> None:
        try:
            stored = json.loads(self.objects.get(documents.blocks_key(document.sha256)))
            blocks = [DocumentBlock(**block) for block in stored]
        except NotFoundError:
            # A document with the same bytes has removed the shared blocks: extract them again.
            with unit_of_work(self.engine) as connection:
                documents.advance(connection, document, "stored")
            return
        cutting = cut_passages(blocks)
        with unit_of_work(self.engine) as connection:
            if documents.advance(connection, document, "chunked"):
                document_passages.replace(connection, document.document_id, cutting)
        # No later step reads the blocks.
        with suppress(LunaError):
            self.objects.remove(documents.blocks_key(document.sha256))

    def _embed(self, document: Document) -> None:
        with unit_of_work(self.engine) as connection:
            chunks = document_passages.list_of(connection, document.document_id)
        embeddings = self.embed(document, chunks)
        with unit_of_work(self.engine) as connection:
            documents.lock_name(connection, document.name, document.site_id)
            if documents.advance(connection, document, "searchable") and documents.make_current(
                connection, document
            ):
                ids = [chunk.chunk_id for chunk in chunks]
                vectors.store(connection, self.model, zip(ids, embeddings, strict=True))

    def embed(
        self, document: Document, chunks: Sequence[Chunk | NewPassage]
    ) -> list[FloatArray | None]:
        """Return the vector of each passage, or None for each without an embedding model.

        Raises:
            UnavailableError: the model is away.
        """
        if self.embedder is None:
            return [None] * len(chunks)
        english = self.embedder.speaks_one_language
        language = document.language
        searched = (
            vectors.searched_text(document.title, chunk.headings, chunk.text) for chunk in chunks
        )
        texts = [text_to_embed(text, language, speaks_english_alone=english) for text in searched]
        embeddings: list[FloatArray | None] = []
        for start in range(0, len(texts), AT_ONCE):
            batch = texts[start : start + AT_ONCE]
            embeddings.extend(self.embedder.embed(batch, role="passage"))
        return embeddings


def limits_of(settings: Settings) -> Limits:
    """Return the settings' limits for one document."""
    return Limits(
        bytes=settings.document_max_bytes,
        pages=settings.document_max_pages,
        seconds=int(settings.document_timeout.total_seconds()),
    )


def cut_passages(blocks: Sequence[DocumentBlock]) -> list[NewPassage]:
    """Return the passages of extracted blocks."""
    passages = []
    for piece in cut(blocks):
        headings = tuple(piece.headings)
        passages.append(NewPassage(piece.text, piece.page, piece.page_end, headings))
    return passages


def describe_fault(error: Exception) -> DocumentFault:
    """Return an error's description for a document's owner."""
    if isinstance(error, LunaError):
        return DocumentFault(code=error.code, message=error.message, remedy=error.remedy)
    if isinstance(error, MemoryError):
        return DocumentFault(
            code="too_much_memory",
            message="It takes more memory than a task may have",
            remedy="Split it, or raise LUNA_JOB_MEMORY_BYTES.",
        )
    return DocumentFault(
        code="unexpected",
        message="It failed unexpectedly",
        remedy="The worker's log holds the reason.",
    )
