"""Pages of documents: their list with states, adding and removing, and reading one."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, get_args

from fastapi import Depends, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from luna.contracts.documents import (
    Chunk,
    Document,
    DocumentFilter,
    DocumentKind,
    DocumentState,
    DocumentValidity,
    FetchDocument,
    FetchDocumentRequest,
    IngestRequest,
)
from luna.contracts.job import Job
from luna.energy.errors import NotFoundError
from luna.energy.site import Site, invalid_input
from luna.house.capabilities.documents import (
    add_examples,
    delete_document,
    fetch_document,
    set_document_validity,
)
from luna.house.capability import Capability
from luna.platform.database import document_passages, documents, jobs, sites
from luna.platform.database.engine import unit_of_work
from luna.words import Numbers
from luna.words.answering import say_validity
from luna.words.numbers import say_day
from luna.words.pages import PageWords
from luna.words.refusals import SpokenError
from services.api.pages.admin.pages import say_bytes
from services.api.pages.job_part import find_progress
from services.api.pages.knowledge.answer_view import plain_words
from services.api.pages.knowledge.visit import PAGE, CurrentVisit, Visit
from services.api.pages.layout import PageRoute, numbers_of, show, show_part, words_of
from services.api.routes.documents import take_documents
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_FORM_BYTES

STATES = tuple(state for state in get_args(DocumentState) if state != "failed")
SETTLED = ("searchable", "failed")


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One document of the list."""

    document: Document
    numbers: Numbers
    words: PageWords

    @property
    def settled(self) -> bool:
        """Whether its state is final."""
        return self.document.state in SETTLED

    @property
    def step(self) -> tuple[int, int]:
        """The number of finished steps, and of all steps."""
        number = STATES.index(self.document.state) + 1 if self.document.state in STATES else 0
        return number, len(STATES)

    @property
    def state(self) -> str:
        """Its state in words."""
        if self.document.state == "searchable" and not self.document.current:
            return self.words("state_older")
        return self.words("state_" + self.document.state)

    @property
    def fault(self) -> tuple[str, str] | None:
        """Its fault and the remedy; the remedy is empty where the sentence has it."""
        fault = self.document.fault
        if fault is None:
            return None
        key = "fault_" + fault.code
        if self.words.knows(key + "_remedy"):
            return self.words(key), self.words(key + "_remedy")
        return self.words("fault_other"), ""

    @property
    def notes(self) -> list[str]:
        """Notes on what was left out."""
        keys = ["left_out_" + code for code in self.document.notes]
        return [self.words(key) for key in keys if self.words.knows(key)]

    @property
    def validity(self) -> str:
        """Its days of validity in words; "" if unknown."""
        return say_validity(
            self.document.valid_from, self.document.valid_until, self.numbers.language
        )

    @property
    def facts(self) -> list[str]:
        """The known ones of kind, language, date, validity, version, size, pages and passages."""
        document = self.document
        facts = [self.words("kind_" + document.kind)]
        if document.language:
            facts.append(self.words("language_" + document.language))
        if document.dated:
            day = say_day(document.dated, self.numbers.language)
            facts.append(self.words("dated", day=day))
        if self.validity:
            facts.append(self.validity)
        facts.append(self.words("version", version=document.version))
        facts.append(say_bytes(document.size_bytes, numbers=self.numbers))
        for name, count in (("pages", document.pages), ("passages", document.chunks)):
            if count:
                facts.append(self.words(name, count=count, number=self.numbers.number(count)))
        facts.append(self.words("added", day=self.numbers.day_with_year(document.stored_at)))
        return facts


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage in its document, with its new headings and its text in parts.

    Each part of the text has whether it is marked.
    """

    chunk: Chunk
    headings: tuple[tuple[int, str], ...]
    new_page: int | None
    cited: bool
    parts: tuple[tuple[str, bool], ...]


def view_passages(
    chunks: Sequence[Chunk], *, cited: int | None = None, words: Sequence[str] = ()
) -> list[PassageView]:
    """Return passages in their order.

    In ``cited`` the first of ``words`` that stands there is marked.
    """
    views = []
    headings: Sequence[str] = ()
    page = None
    for chunk in chunks:
        is_cited = chunk.chunk_id == cited
        new_headings = _list_new_headings(headings, chunk.headings)
        new_page = None if chunk.page == page else chunk.page
        parts = _mark(chunk.text, words if is_cited else ())
        views.append(
            PassageView(
                chunk=chunk, headings=new_headings, new_page=new_page, cited=is_cited, parts=parts
            )
        )
        headings = chunk.headings
        if chunk.page is not None:
            page = chunk.page
    return views


def _list_new_headings(
    before: Sequence[str], headings: Sequence[str]
) -> tuple[tuple[int, str], ...]:
    """Return the headings from the first that changed on, each with its depth from 1."""
    unchanged = 0
    for old, new in zip(before, headings, strict=False):
        if old != new:
            break
        unchanged += 1
    return tuple(enumerate(headings[unchanged:], start=unchanged + 1))


def _mark(text: str, words: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Return the text in parts, each with whether it is marked.

    Words are found however the lines are broken.
    """
    plain = _Positions(text)
    for phrase in words:
        wanted = " ".join(phrase.split())
        span = plain.find(wanted) if wanted else None
        if span is not None:
            first, end = span
            parts = ((text[:first], False), (text[first:end], True), (text[end:], False))
            return tuple(part for part in parts if part[0])
    return ((text, False),)


class _Positions:
    """A text with white space collapsed to blanks, and the place of each letter."""

    def __init__(self, text: str) -> None:
        self._places = list[int]()
        letters: list[str] = []
        for place, letter in enumerate(text):
            if not letter.isspace():
                letters.append(letter)
            elif place and not text[place - 1].isspace():
                letters.append(" ")
            else:
                continue
            self._places.append(place)
        self._plain = "".join(letters)

    def find(self, words: str) -> tuple[int, int] | None:
        """Return the first and last place of words in the text, None if it lacks them."""
        first = self._plain.find(words)
        if first < 0:
            return None
        return self._places[first], self._places[first + len(words) - 1] + 1


router = ResourceRouter(route_class=PageRoute)

MOST_DOCUMENTS = 200
MOST_PASSAGES = 40
# So much stands above the passage that an answer cites.
BEFORE_CITED = 3
TASKS = (IngestRequest.task, FetchDocumentRequest.task)
DocumentPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
JobQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")]
MOST_CHUNK = 2**63 - 1


class FetchForm(BaseModel):
    """The fields of the form that names an address."""

    url: str = ""
    kind: DocumentKind = "other"
    site_id: str = ""


class ValidityForm(BaseModel):
    """A document's first and last day of validity, empty if unknown."""

    valid_from: str = ""
    valid_until: str = ""


@dataclass(frozen=True, slots=True)
class Cited:
    """The passage of a document to show, and the answer that led there."""

    page: Annotated[int | None, Query(ge=1, le=1_000_000)] = None
    chunk: Annotated[int | None, Query(ge=0, le=MOST_CHUNK)] = None
    answer: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None
    source: Annotated[int | None, Query(ge=1, le=1000)] = None
    sentence: Annotated[int | None, Query(ge=0, le=1000)] = None
    begin: Annotated[int, Query(ge=0, le=100_000_000)] = 0


@router.page("GET", "/ui/sites/{site_id}/knowledge/documents", "read")
def show_documents(visit: CurrentVisit, job: JobQuery = None, *, removed: bool = False) -> Response:
    """Show the site's documents, and the forms to add one."""
    frame = _read_list(visit, job) | {"kinds": get_args(DocumentKind), "removed": removed}
    frame |= {
        "may_add": "data" in visit.caller.scopes,
        "may_add_for_all": visit.caller.sites is None,
        "may_add_examples": "administer" in visit.caller.scopes,
    }
    return show(visit.request, PAGE, template="knowledge_documents.html.j2", **frame)


@router.page("GET", "/ui/sites/{site_id}/knowledge/documents/list", "read")
def show_document_list(visit: CurrentVisit, job: JobQuery = None) -> Response:
    """Show the list alone, which looks again by itself while documents are on their way."""
    return show_part(
        visit.request, PAGE, "knowledge_document_list.html.j2", **_read_list(visit, job)
    )


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents", "data", most_bytes=MAX_FORM_BYTES)
async def upload_documents(visit: CurrentVisit) -> Response:
    """Take files and lead to the list with their states."""
    accepted = await take_documents(visit.request, visit.gateway, visit.caller)
    return _lead(visit, None if accepted.job is None else accepted.job.job_id)


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/fetch", "data")
def fetch_page(visit: CurrentVisit, form: Annotated[FetchForm, Form()]) -> Response:
    """Fetch a page of the internet, and lead to the list with its state."""
    try:
        request = FetchDocument(url=form.url.strip(), kind=form.kind, site_id=form.site_id or None)
    except ValidationError as exc:
        if any(fault["loc"] == ("url",) for fault in exc.errors()):
            text = words_of(visit.request, PAGE)("fetch_malformed")
            raise SpokenError(text, field="url", value=form.url[:200]) from exc
        raise invalid_input(exc, field="") from exc
    return _lead(visit, _accept(visit, fetch_document, order=request))


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/examples", "administer")
def add_example_documents(visit: CurrentVisit) -> Response:
    """Add the documents that ship with Luna, and lead to the list."""
    return _lead(visit, _accept(visit, add_examples))


@router.page("GET", "/ui/sites/{site_id}/knowledge/documents/{document_id}", "read")
def show_document(
    visit: CurrentVisit, document_id: DocumentPath, cited: Annotated[Cited, Depends()]
) -> Response:
    """Show a document, from a few passages before the cited one on."""
    with unit_of_work(visit.gateway.database) as connection:
        site = sites.load(connection, visit.site_id)
        document = documents.load(connection, document_id, among={visit.site_id})
        begin, is_gone = _find_begin(connection, document_id, cited)
        chunks = document_passages.list_page(
            connection, document_id, after=begin - 1, limit=MOST_PASSAGES + 1
        )
        quotes, conversation = _read_quotes(connection, visit, cited)
        versions = documents.list_versions(connection, document.name, document.site_id)
    other_versions = [version for version in versions if version.document_id != document_id]
    may_remove = document.site_id is not None or visit.caller.sites is None
    context: dict[str, Any] = {
        "base": visit.base,
        "view": _view(visit, site, document),
        "versions": [_view(visit, site, version) for version in other_versions],
        "passages": view_passages(chunks[:MOST_PASSAGES], cited=cited.chunk, words=quotes),
        "following": chunks[MOST_PASSAGES].position if len(chunks) > MOST_PASSAGES else None,
        "gone": is_gone,
        "conversation": conversation,
        "cited": cited,
        "may_remove": "data" in visit.caller.scopes and may_remove,
    }
    return show(visit.request, PAGE, template="knowledge_document.html.j2", site=site, **context)


def _find_begin(connection: Connection, document_id: str, cited: Cited) -> tuple[int, bool]:
    """Return the position of the first passage to show, and whether the cited one is gone."""
    if cited.begin:
        return cited.begin, False
    begin = 0
    is_gone = False
    if cited.chunk is not None:
        try:
            around = document_passages.list_around(connection, document_id, cited.chunk, span=0)
            return max(around[0].position - BEFORE_CITED, 0), False
        except NotFoundError:
            is_gone = True
    if cited.page is not None:
        begin = document_passages.find_page(connection, document_id, cited.page)
    return begin, is_gone


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/{document_id}/validity", "data")
def set_validity(
    visit: CurrentVisit, document_id: DocumentPath, form: Annotated[ValidityForm, Form()]
) -> Response:
    """Store a document's days of validity, and lead back to it."""
    with unit_of_work(visit.gateway.database) as connection:
        documents.load(connection, document_id, among={visit.site_id})
    fields = {"valid_from": form.valid_from or None, "valid_until": form.valid_until or None}
    try:
        validity = DocumentValidity.model_validate(fields)
    except ValidationError as exc:
        text = words_of(visit.request, PAGE)("validity_malformed")
        raise SpokenError(text, field="valid_until", value=form.valid_until[:200]) from exc
    visit.gateway.carry_out(
        set_document_validity, visit.caller, document_id=document_id, validity=validity
    )
    return RedirectResponse(f"{visit.base}/documents/{document_id}", HTTPStatus.SEE_OTHER.value)


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/{document_id}/remove", "data")
def remove_document(visit: CurrentVisit, document_id: DocumentPath) -> Response:
    """Remove a document for good."""
    with unit_of_work(visit.gateway.database) as connection:
        documents.load(connection, document_id, among={visit.site_id})
    visit.gateway.carry_out(delete_document, visit.caller, document_id=document_id)
    return RedirectResponse(f"{visit.base}/documents?removed=true", HTTPStatus.SEE_OTHER.value)


def _accept(visit: Visit, capability: Capability, **arguments: Any) -> str:
    """Return the id of the job that a capability is accepted as."""
    job: Any = visit.gateway.accept(capability, visit.caller, **arguments)
    return str(job.job_id)


def _lead(visit: Visit, job_id: str | None) -> Response:
    query = "" if job_id is None else f"?job={job_id}"
    return RedirectResponse(f"{visit.base}/documents{query}", HTTPStatus.SEE_OTHER.value)


def _read_list(visit: Visit, job_id: str | None) -> dict[str, Any]:
    with unit_of_work(visit.gateway.database) as connection:
        site = sites.load(connection, visit.site_id)
        rows = documents.list_page(
            connection, DocumentFilter(), among={visit.site_id}, limit=MOST_DOCUMENTS
        )
        job = None if job_id is None else _find_job(connection, visit.site_id, job_id)
    # Of each name the newest version; those stored last come first.
    newest: dict[tuple[str | None, str], Document] = {}
    for row in rows:
        latest = newest.setdefault((row.site_id, row.name), row)
        if row.version > latest.version:
            newest[row.site_id, row.name] = row
    views = [_view(visit, site, document) for document in newest.values()]
    is_running = job is not None and job.finished_at is None
    return {
        "site": site,
        "base": visit.base,
        "views": views,
        "job": job,
        "progress": None if job is None else find_progress(visit.gateway, job),
        "busy": is_running or not all(view.settled for view in views),
        "searchable": sum(view.document.current for view in views),
        "all_shown": len(rows) < MOST_DOCUMENTS,
        "shown_documents": MOST_DOCUMENTS,
    }


def _find_job(connection: Connection, site_id: str, job_id: str) -> Job | None:
    """Return the job if it adds documents of the site or of all sites."""
    try:
        job = jobs.load(connection, job_id)
    except NotFoundError:
        return None
    fields = job.request.get("fields") or {}
    about = job.request.get("site_id") or fields.get("site_id")
    return job if job.task in TASKS and about in {None, site_id} else None


def _read_quotes(
    connection: Connection, visit: Visit, cited: Cited
) -> tuple[list[str], str | None]:
    """Return the words to mark, the likeliest first, and the address of the answer.

    Neither if the answer is gone or somebody else's.
    """
    if cited.answer is None:
        return [], None
    try:
        answer = visit.load_own_answer(connection, cited.answer).answer
    except NotFoundError:
        return [], None
    quotes: list[str] = []
    if cited.sentence is not None:
        supported = answer.sentences[cited.sentence : cited.sentence + 1]
        quotes += [plain_words(sentence) for sentence in supported]
    for citation in answer.citations:
        if citation.number == cited.source and citation.chunk_id == cited.chunk:
            quotes.append(citation.quote)
    return quotes, visit.address_of(answer)


def _view(visit: Visit, site: Site, document: Document) -> DocumentView:
    return DocumentView(document, numbers_of(visit.request, site), words_of(visit.request, PAGE))
