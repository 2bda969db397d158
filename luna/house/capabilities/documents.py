"""Declare the documents that answers are taken from: list, add, read, remove.

Each has versions, and a time within which it holds.

Adding, reading and removing them.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Annotated

from pydantic import Field

from luna.contracts.documents import (
    AddExamplesRequest,
    Chunk,
    Document,
    DocumentFields,
    DocumentFilter,
    DocumentKind,
    DocumentLanguage,
    DocumentState,
    DocumentValidity,
    FetchDocument,
    FetchDocumentRequest,
    ReindexReply,
    ReindexRequest,
)
from luna.contracts.message import Message
from luna.energy.errors import ForbiddenError
from luna.house.capability import CapabilityCall, TerminalForm, TextTable, capability
from luna.house.documents import remove_document, require_own_site
from luna.platform.database import document_passages, documents, sites
from luna.platform.own_sites import require_own
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text, read_number
from luna.platform.public_addresses import require_public
from luna.words import Numbers, say_instant
from luna.words.answering import say_validity

_NOUN = "documents"
_PATH = "/v1/documents/{document_id}"
DocumentId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[\w-]+$",
        description="the document's id, one per version",
    ),
]
OfSite = Annotated[
    str | None, Field(min_length=1, max_length=64, description="only documents about this site")
]
Around = Annotated[
    int | None,
    Field(ge=0, lt=2**63, description="the passage in the middle; default: all, page by page"),
]
Span = Annotated[int, Field(ge=0, le=20, description="passages before and after it")]
OfKind = Annotated[DocumentKind | None, Field(description="only of this kind")]
InLanguage = Annotated[DocumentLanguage | None, Field(description="only in this language")]
InState = Annotated[DocumentState | None, Field(description="only documents with this status")]
IsCurrent = Annotated[
    bool | None, Field(description="only versions that search finds, or only others")
]


class DocumentList(Message):
    """Documents, those stored last first."""

    documents: list[Document]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = (
        None
    )


class PassageList(Message):
    """Passages of a document, in its order."""

    document: Document
    passages: list[Chunk]
    cursor: Annotated[
        str | None,
        Field(
            description=(
                "of the next page; null: this is the last, or these are those around a passage"
            )
        ),
    ] = None


class VersionList(Message):
    """The versions of a document, the newest first."""

    documents: list[Document]


# An id that is cut off is of no use, so they are few.
_HEADINGS = ("document", "title", "version", "found", "state", "passages")
NONE = "No documents: luna docs add FILE."


def show_documents(listed: list[Document]) -> Iterator[str | TextTable]:
    """Yield documents as a terminal shows them, with validity and faults."""
    if not listed:
        yield NONE
        return
    rows = [
        [
            document.document_id,
            document.title,
            str(document.version),
            "yes" if document.current else "no",
            document.state,
            str(document.chunks),
        ]
        for document in listed
    ]
    yield TextTable(_HEADINGS, rows, words=("title", "found", "state"))
    for document in listed:
        holds = say_validity(document.valid_from, document.valid_until, "en")
        if holds:
            yield f"  {document.title}: holds {holds}"
        fault = document.fault
        if fault is not None:
            yield f"  {document.title}: {fault.message}. {fault.remedy or ''}".rstrip()


def _show_list(reply: DocumentList | VersionList, _: Numbers) -> Iterator[str | TextTable]:
    yield from show_documents(reply.documents)


@capability(
    "GET",
    "/v1/documents",
    noun=_NOUN,
    scope="read",
    command="docs list",
    shown=_show_list,
    terminal=TerminalForm(options={"current": "current/--not-current"}),
)
def list_documents(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: OfKind = None,
    language: InLanguage = None,
    state: InState = None,
    site_id: OfSite = None,
    current: IsCurrent = None,
) -> DocumentList:
    """List documents.

    Return the documents of the caller's sites and everybody's, one per version, newest first.
    """
    filters = DocumentFilter(
        kind=kind, language=language, state=state, site_id=site_id, current=current
    )
    rows = documents.list_page(
        call.connection,
        filters,
        among=call.sites,
        after=read_instant_and_text(cursor),
        limit=limit + 1,
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_document)
    return DocumentList(documents=page, cursor=following)


@capability(
    "PUT",
    f"{_PATH}/validity",
    noun=_NOUN,
    scope="data",
    command="docs validity",
    shown=lambda document, _: show_documents([document]),
    terminal=TerminalForm(
        arguments=("document_id",), options={"valid_from": "from", "valid_until": "until"}
    ),
    errors=(ForbiddenError,),
)
def set_document_validity(
    call: CapabilityCall, document_id: DocumentId, validity: DocumentValidity
) -> Document:
    """Set a document's period of validity.

    Replace the dates read from its text; null: unknown.
    """
    document = documents.load(call.connection, document_id, among=call.sites)
    require_own_site(document.site_id, call.sites)
    documents.set_validity(call.connection, document, validity)
    return documents.load(call.connection, document_id, among=call.sites)


@capability(
    "GET",
    f"{_PATH}/versions",
    noun=_NOUN,
    scope="read",
    command="docs versions",
    shown=_show_list,
    terminal=TerminalForm(arguments=("document_id",)),
)
def list_document_versions(call: CapabilityCall, document_id: DocumentId) -> VersionList:
    """List a document's versions.

    Return every version of the document, newest first.
    """
    document = documents.load(call.connection, document_id, among=call.sites)
    return VersionList(
        documents=documents.list_versions(call.connection, document.name, document.site_id)
    )


def _key_of_document(document: Document) -> tuple[str, str]:
    return document.stored_at.isoformat(), document.document_id


_SHOWN_FIELDS = (
    "name",
    "kind",
    "site_id",
    "language",
    "dated",
    "valid_from",
    "valid_until",
    "media_type",
    "pages",
    "size_bytes",
    "notes",
    "added_by",
    "url",
)


def _show_document(document: Document, _: Numbers) -> Iterator[str | TextTable]:
    yield from show_documents([document])
    fields = document.model_dump(mode="json", include=set(_SHOWN_FIELDS))
    fields["stored_at"] = say_instant(document.stored_at, UTC)
    rows = []
    for name, value in fields.items():
        if value:
            rows.append([name, ", ".join(value) if isinstance(value, list) else str(value)])
    yield TextTable(("what", "value"), rows, words=("value",))


def show_passages(passages: Iterable[Chunk]) -> Iterator[str]:
    """Yield passages as a terminal shows them, each with where it stands."""
    for passage in passages:
        page = f"page {passage.page}: " if passage.page is not None else ""
        yield f"\n[{passage.chunk_id}] {page}{' › '.join(passage.headings)}"
        yield passage.text


@capability("GET", _PATH, noun=_NOUN, scope="read", also=("docs show",), shown=_show_document)
def read_document(call: CapabilityCall, document_id: DocumentId) -> Document:
    """Read a document's status.

    Return a document, its progress, and the cause if it failed.
    """
    return documents.load(call.connection, document_id, among=call.sites)


@capability("GET", f"{_PATH}/passages", noun=_NOUN, scope="read", also=("docs show --passages",))
def list_passages(
    call: CapabilityCall,
    document_id: DocumentId,
    *,
    around: Around = None,
    span: Span = 2,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PassageList:
    """Read a document's passages.

    Return passages with their pages and headings: all, page by page, or those around one.
    """
    document = documents.load(call.connection, document_id, among=call.sites)
    if around is not None:
        return PassageList(
            document=document,
            passages=document_passages.list_around(call.connection, document_id, around, span=span),
        )
    rows = document_passages.list_page(
        call.connection, document_id, after=read_number(cursor), limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.position,))
    return PassageList(document=document, passages=page, cursor=following)


@capability(
    "DELETE",
    _PATH,
    noun=_NOUN,
    scope="data",
    command="docs remove",
    shown="{document_id} is deleted; of what searches found, the versions before it are as well.",
    terminal=TerminalForm(arguments=("document_id",)),
    status=204,
    errors=(ForbiddenError,),
)
def delete_document(call: CapabilityCall, document_id: DocumentId) -> None:
    """Delete a document.

    Delete a document's text, vectors and file. Deleting the current version deletes the earlier
    ones, too.
    """
    require_own_site(
        documents.load(call.connection, document_id, among=call.sites).site_id, call.sites
    )
    remove_document(call.connection, call.objects(), document_id, among=call.sites)


@capability(
    "POST",
    "/v1/documents/fetch",
    noun=_NOUN,
    scope="data",
    local_command="docs add",
    status=202,
    errors=(ForbiddenError,),
)
def fetch_document(call: CapabilityCall, order: FetchDocument) -> FetchDocumentRequest:
    """Add a document from the internet.

    Fetch a page or file as a job, store it and make it searchable. Private addresses are refused,
    also behind redirects.
    """
    require_own_site(order.site_id, call.sites)
    if order.site_id is not None:
        require_own(order.site_id, call.sites)
        sites.key_of(call.connection, order.site_id)
    require_public(order.url)
    fields = DocumentFields.model_validate(order.model_dump(exclude={"url"}))
    return FetchDocumentRequest(url=order.url, fields=fields, added_by=call.by)


@capability(
    "POST",
    "/v1/documents/examples",
    noun=_NOUN,
    scope="administer",
    local_command="docs add --examples",
    status=202,
)
def add_examples(call: CapabilityCall) -> AddExamplesRequest:
    """Add the documents that come with Luna.

    Store the documents of an example household and Luna's guide as a job, for everybody, and make
    them searchable.
    """
    require_own_site(None, call.sites)
    return AddExamplesRequest(added_by=call.by)


def _format_reindexed(reply: ReindexReply, _: Numbers) -> Iterator[str]:
    vectors = (
        f"vectors by {reply.model}" if reply.model else "no vectors: searches go by words alone"
    )
    yield f"{reply.documents} documents, {reply.chunks} passages, {vectors}."


@capability(
    "POST",
    "/v1/documents/reindex",
    noun=_NOUN,
    scope="administer",
    command="rag reindex",
    shown=_format_reindexed,
    status=202,
)
def reindex_documents(_: CapabilityCall, order: ReindexRequest) -> ReindexRequest:
    """Rebuild the search index.

    Rebuild passages, vectors and index as a job. Searches use the old index until it is done.
    """
    return order


CAPABILITIES = (
    list_documents,
    set_document_validity,
    list_document_versions,
    read_document,
    list_passages,
    delete_document,
    fetch_document,
    add_examples,
    reindex_documents,
)
