"""Documents: what is stored of a file, its progress and its requests.

A document is on its way until it is found.
"""

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message, Request, Schedule
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Day, Instant

# In this order; failed is an end from any of them.
DocumentState = Literal["stored", "extracted", "chunked", "embedded", "searchable", "failed"]
# Subject of a document; a filter of searches, never a judgement of its content.
DocumentKind = Literal["contract", "tariff", "manual", "regulation", "subsidy", "other"]
# In which documents are searched: German and English have stems and a glossary.
DocumentLanguage = Literal["en", "de"]
DocumentSource = Literal["upload", "archive", "url", "example"]

DocumentId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
SiteName = Annotated[str, Field(min_length=1, max_length=64)]


class DocumentFault(Message):
    """The reason that a document cannot be read: a stable code, a sentence, and a remedy."""

    code: Annotated[
        str,
        Field(
            description=(
                "encrypted, damaged, too_large, too_many_pages, took_too_long, "
                "too_much_memory, unknown_format, mislabelled, macros, …"
            )
        ),
    ]
    message: Annotated[str, Field(description="what is wrong with it, in a sentence")]
    remedy: str | None = None


class DocumentValidity(Message):
    """From when until when a document holds, both days included; null: unknown."""

    valid_from: Annotated[
        Day | None, Field(description="the first day on which it holds; null: unknown")
    ] = None
    valid_until: Annotated[
        Day | None, Field(description="the last day on which it holds; null: unknown")
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (
            self.valid_from is not None
            and self.valid_until is not None
            and self.valid_until < self.valid_from
        ):
            raise invalid_part("ends-before-start")
        return self


class DocumentFields(DocumentValidity):
    """Facts that a document's owner may add; the rest is read from the file."""

    title: Annotated[
        str | None, Field(max_length=300, description="usual: the file's own, or its name")
    ] = None
    kind: DocumentKind = "other"
    language: Annotated[DocumentLanguage | None, Field(description="usual: found out")] = None
    dated: Annotated[Day | None, Field(description="the day it was written")] = None
    site_id: Annotated[
        SiteName | None,
        Field(description="the site it is about, whose people alone find it; null: everybody's"),
    ] = None


class Document(Message):
    """A stored file, one row per version.

    A file with the name of one before it (and the same site) is its next version.
    """

    document_id: str
    name: Annotated[
        str,
        Field(description="of the file, or its address; names the document through its versions"),
    ]
    version: Annotated[int, Field(ge=1)]
    current: Annotated[
        bool,
        Field(description="whether searches find it: the newest version that became searchable"),
    ]
    title: str
    kind: DocumentKind
    language: DocumentLanguage | None = None
    dated: date | None = None
    valid_from: Annotated[
        date | None, Field(description="the first day on which it holds; null: unknown")
    ] = None
    valid_until: Annotated[
        date | None, Field(description="the last day on which it holds; null: unknown")
    ] = None
    site_id: str | None = None
    source: DocumentSource
    url: Annotated[str | None, Field(description="where it was fetched from")] = None
    media_type: Annotated[str, Field(description="by its content, whatever it is called")]
    sha256: str
    size_bytes: int
    pages: int | None = None
    chunks: Annotated[int, Field(description="passages it was cut into")] = 0
    state: Annotated[DocumentState, Field(description="how far it is on its way to being found")]
    fault: Annotated[DocumentFault | None, Field(description="only where failed")] = None
    notes: Annotated[
        list[str],
        Field(
            description=(
                "codes of what was left out: macros, images_without_text, attachments, "
                "hidden_sheets, …"
            )
        ),
    ] = []
    added_by: str
    stored_at: Instant
    changed_at: Instant
    job_id: Annotated[str | None, Field(description="of the job that makes it searchable")] = None


class IngestReply(Message):
    """The state of one upload's documents; an archive brings several."""

    documents: list[Document]


class IngestRequest(Request):
    """Make stored documents searchable: stored, extracted, chunked, embedded, searchable.

    Each step is done once; a crash resumes at the one it stood at.
    """

    task: ClassVar[str] = "rag.documents.ingest"
    reply: ClassVar[type[Message]] = IngestReply

    document_ids: Annotated[tuple[DocumentId, ...], Field(min_length=1, max_length=1000)]
    site_id: Annotated[
        SiteName | None,
        Field(description="the site that all of them are about, whose people alone see the job"),
    ] = None


class FetchDocument(DocumentFields):
    """A document to fetch from the internet, with its owner's facts about it."""

    url: Annotated[str, Field(min_length=8, max_length=2000, pattern=r"^https?://")]


class FetchDocumentRequest(Request):
    """Fetch a page or file from the internet, store it, make it searchable.

    Private, loopback, link-local and metadata addresses are refused at every hop.
    """

    task: ClassVar[str] = "rag.documents.fetch"
    reply: ClassVar[type[Message]] = IngestReply

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    fields: DocumentFields = DocumentFields()
    added_by: Annotated[str, Field(max_length=64)]


class DocumentFilter(Message):
    """The documents that a list holds; what is left out filters nothing."""

    kind: DocumentKind | None = None
    language: DocumentLanguage | None = None
    state: DocumentState | None = None
    site_id: Annotated[SiteName | None, Field(description="documents about this site alone")] = None
    current: Annotated[
        bool | None, Field(description="true: what searches find; false: what they do not")
    ] = None


class Chunk(Message):
    """A passage where it stands in its document."""

    chunk_id: int
    position: Annotated[int, Field(description="0, 1, 2, … within the document")]
    page: Annotated[
        int | None, Field(description="on which it begins, from 1; null: the format has none")
    ] = None
    page_end: int | None = None
    headings: Annotated[list[str], Field(description="path of headings above it")] = []
    text: str


class AddExamplesRequest(Request):
    """Store the documents that ship with Luna and make them searchable.

    They are those of an example household and the guide, for everybody.
    """

    task: ClassVar[str] = "rag.documents.examples"
    reply: ClassVar[type[Message]] = IngestReply

    added_by: Annotated[str, Field(max_length=64)]


class ReindexReply(Message):
    """The documents that were indexed anew."""

    documents: int
    chunks: int
    model: Annotated[
        str | None,
        Field(description="of the vectors; null: there is none, and searches go by words alone"),
    ]


class ReindexRequest(Request):
    """Make all derived data anew.

    Chunks come from the stored objects (``rechunk``), vectors from the embedding model of the
    settings, the index from both.
    """

    task: ClassVar[str] = "rag.documents.reindex"
    reply: ClassVar[type[Message]] = ReindexReply
    public: ClassVar[bool] = True

    rechunk: Annotated[bool, Field(description="extract and cut every document anew first")] = False


class CompleteVectorsReply(Message):
    """Whether something was missing."""

    job_id: Annotated[
        str | None,
        Field(
            description=(
                "of the job that brings it along; null: nothing is missing, or the embedding "
                "model is away"
            )
        ),
    ] = None


class CompleteVectorsRequest(Request):
    """Complete the vectors of all passages by the settings' embedding model.

    This waits for a model, and lets no document stand still on its way.
    """

    task: ClassVar[str] = "rag.documents.complete"
    reply: ClassVar[type[Message]] = CompleteVectorsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=10), "vectors", "time between two looks for passages without vectors"
    )


REINDEX_LIMIT = timedelta(hours=2)
