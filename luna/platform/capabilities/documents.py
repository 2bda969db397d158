"""Documents that answers are taken from: which there are, in which versions, how long each holds."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from luna.contracts.documents import Document, DocumentFilter, DocumentKind, DocumentLanguage, DocumentState, DocumentValidity
from luna.contracts.message import Message
from luna.energy.errors import ForbiddenError
from luna.platform.capability import CapabilityCall, TextTable, capability
from luna.platform.database import documents
from luna.platform.documents import require_own_site
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from luna.words import Numbers
from luna.words.answering import say_validity

_NOUN = "documents"
_PATH = "/v1/documents/{document_id}"
DocumentId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$", description="the document's id, one per version")]
OfSite = Annotated[str | None, Field(min_length=1, max_length=64, description="documents about this site alone")]
IsCurrent = Annotated[bool | None, Field(description="true: what searches find; false: what they do not")]


class DocumentList(Message):
    """Documents, those stored last first."""

    documents: list[Document]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = None


class VersionList(Message):
    """The versions of a document, the newest first."""

    documents: list[Document]


# An id that is cut off is of no use, so they are few.
_HEADINGS = ("document", "title", "version", "found", "state", "passages")
NONE = "No documents: luna docs add FILE."


def show_documents(found: list[Document]) -> Iterator[str | TextTable]:
    """Yield documents as a terminal shows them, with how long they hold and what is the matter with them."""
    if not found:
        yield NONE
        return
    rows = [[each.document_id, each.title, str(each.version), "yes" if each.current else "no", each.state, str(each.chunks)] for each in found]
    yield TextTable(_HEADINGS, rows, words=("title", "found", "state"))
    for each in found:
        if holds := say_validity(each.valid_from, each.valid_until, "en"):
            yield f"  {each.title}: holds {holds}"
        if each.fault is not None:
            yield f"  {each.title}: {each.fault.message}. {each.fault.remedy or ''}".rstrip()


def _show_versions(found: VersionList, _: Numbers) -> Iterator[str | TextTable]:
    yield from show_documents(found.documents)


def _show_one(document: Document, _: Numbers) -> Iterator[str | TextTable]:
    yield from show_documents([document])


@capability("GET", "/v1/documents", noun=_NOUN, scope="read", command="docs list", shown="")
def list_documents(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: DocumentKind | None = None,
    language: DocumentLanguage | None = None,
    state: DocumentState | None = None,
    site_id: OfSite = None,
    current: IsCurrent = None,
) -> DocumentList:
    """List documents.

    Return documents of the caller's sites and everybody's, one per version, those stored last first.
    """
    wanted = DocumentFilter(kind=kind, language=language, state=state, site_id=site_id, current=current)
    rows = documents.list_page(call.connection, wanted, among=call.sites, after=read_instant_and_text(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.stored_at.isoformat(), row.document_id))
    return DocumentList(documents=page, cursor=following)


@capability("PUT", f"{_PATH}/validity", noun=_NOUN, scope="data", command="docs validity", shown=_show_one, errors=(ForbiddenError,))
def set_document_validity(call: CapabilityCall, document_id: DocumentId, validity: DocumentValidity) -> Document:
    """Say how long a document holds.

    Say from when until when a document holds, in the place of what was found in its text; null: it says nothing.
    """
    document = documents.load(call.connection, document_id, among=call.sites)
    require_own_site(document.site_id, call.sites)
    documents.set_validity(call.connection, document, validity)
    return documents.load(call.connection, document_id, among=call.sites)


@capability("GET", f"{_PATH}/versions", noun=_NOUN, scope="read", command="docs versions", shown=_show_versions, arguments=("document_id",))
def list_document_versions(call: CapabilityCall, document_id: DocumentId) -> VersionList:
    """List a document's versions.

    Return every version of the document, whichever of them is named, the newest first.
    """
    document = documents.load(call.connection, document_id, among=call.sites)
    return VersionList(documents=documents.list_versions(call.connection, document.name, document.site_id))


DOCUMENTS = (list_documents, set_document_validity, list_document_versions)
