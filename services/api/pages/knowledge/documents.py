"""Documents: what there is, how far each is and why one failed, adding and removing, and reading
one at the passage that was cited.
"""

from collections.abc import Sequence
from contextlib import suppress
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
from luna.energy.errors import NotFoundError
from luna.energy.site import Site, invalid_input
from luna.platform.capabilities.documents import (
    add_examples,
    delete_document,
    fetch_document,
    set_document_validity,
)
from luna.platform.capability import Capability
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
        """Whether nothing more becomes of it."""
        return self.document.state in SETTLED

    @property
    def step(self) -> tuple[int, int]:
        """How many steps are done, of how many."""
        number = STATES.index(self.document.state) + 1 if self.document.state in STATES else 0
        return number, len(STATES)

    @property
    def state(self) -> str:
        """How it is, in words."""
        if self.document.state == "searchable" and not self.document.current:
            return self.words("state_older")
        return self.words("state_" + self.document.state)

    @property
    def fault(self) -> tuple[str, str, str] | None:
        """Why it failed: what, what to do, and the error itself where no sentence is known for
        it.
        """
        fault = self.document.fault
        if fault is None:
            return None
        has_words = self.words.knows("fault_" + fault.code + "_remedy")
        if not has_words:
            return (
                self.words("fault_other"),
                "",
                " ".join(part for part in (fault.message, fault.remedy) if part),
            )
        return self.words("fault_" + fault.code), self.words("fault_" + fault.code + "_remedy"), ""

    @property
    def notes(self) -> list[str]:
        """What was left out."""
        return [
            self.words("left_out_" + code)
            for code in self.document.notes
            if self.words.knows("left_out_" + code)
        ]

    @property
    def validity(self) -> str:
        """From when until when it holds; nothing where nobody says."""
        return say_validity(
            self.document.valid_from, self.document.valid_until, self.numbers.language
        )

    @property
    def facts(self) -> list[str]:
        """What is known of it: kind, language, date, validity, version, size, pages, passages."""
        document = self.document
        return [
            self.words("kind_" + document.kind),
            *([self.words("language_" + document.language)] if document.language else []),
            *(
                [self.words("dated", day=say_day(document.dated, self.numbers.language))]
                if document.dated
                else []
            ),
            *([self.validity] if self.validity else []),
            self.words("version", version=document.version),
            say_bytes(document.size_bytes, numbers=self.numbers),
            *self._count(document.pages, "pages"),
            *self._count(document.chunks, "passages"),
            self.words("added", day=self.numbers.day_with_year(document.stored_at)),
        ]

    def _count(self, count: int | None, name: str) -> list[str]:
        return [self.words(name, count=count, number=self.numbers.number(count))] if count else []


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage as it stands in its document: headings that are new with it, its text in marked and
    unmarked parts.
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
    before = Chunk(chunk_id=0, position=0, text="")
    page = None
    for chunk in chunks:
        new_page = chunk.page if chunk.page is not None and chunk.page != page else None
        here = chunk.chunk_id == cited
        headings = chunk.headings
        levels = enumerate(zip(before.headings, headings, strict=False))
        same = next(
            (level for level, (old, new) in levels if old != new),
            min(len(before.headings), len(headings)),
        )
        # Those it begins with, each with its depth from 1.
        new_headings = tuple(
            (level + 1, heading) for level, heading in enumerate(headings) if level >= same
        )
        views.append(
            PassageView(
                chunk, new_headings, new_page, here, _mark(chunk.text, words if here else ())
            )
        )
        before = chunk
        page = chunk.page if chunk.page is not None else page
    return views


def _mark(text: str, words: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Return the text in parts, each with whether it is marked.

    Words are found however the lines are broken.
    """
    plain = _Positions(text)
    span = next(
        (
            place
            for each in words
            if each.split() and (place := plain.find(" ".join(each.split()))) is not None
        ),
        None,
    )
    if span is None:
        return ((text, False),)
    first, end = span
    parts = ((text[:first], False), (text[first:end], True), (text[end:], False))
    return tuple(part for part in parts if part[0])


class _Positions:
    """A text with every run of white space as one blank, which knows where in the text its letters
    stand.
    """

    def __init__(self, text: str) -> None:
        places = [
            place
            for place, letter in enumerate(text)
            if not letter.isspace() or (place and not text[place - 1].isspace())
        ]
        self._places = [*places, len(text)]
        self._plain = "".join(" " if text[place].isspace() else text[place] for place in places)

    def find(self, words: str) -> tuple[int, int] | None:
        """Return where words begin and end in the text, None where they do not stand there."""
        first = self._plain.find(words)
        return (
            None if first < 0 else (self._places[first], self._places[first + len(words) - 1] + 1)
        )


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
    """The days from which and until which a document holds, empty where nobody says."""

    valid_from: str = ""
    valid_until: str = ""


@dataclass(frozen=True, slots=True)
class Cited:
    """Which passage of a document is to be shown, and the answer that led there."""

    page: Annotated[int | None, Query(ge=1, le=1_000_000)] = None
    chunk: Annotated[int | None, Query(ge=0, le=MOST_CHUNK)] = None
    answer: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None
    source: Annotated[int | None, Query(ge=1, le=1000)] = None
    sentence: Annotated[int | None, Query(ge=0, le=1000)] = None
    begin: Annotated[int, Query(ge=0, le=100_000_000)] = 0


@router.page("GET", "/ui/sites/{site_id}/knowledge/documents", "read")
def show_documents(visit: CurrentVisit, job: JobQuery = None, *, removed: bool = False) -> Response:
    """Show every document that the site's people find, and the forms that add one."""
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
    """Take files and lead to the list that shows how far they are."""
    accepted = await take_documents(visit.request, visit.gateway, visit.caller)
    return _lead(visit, None if accepted.job is None else accepted.job.job_id)


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/fetch", "data")
def fetch_page(visit: CurrentVisit, form: Annotated[FetchForm, Form()]) -> Response:
    """Have a page of the internet fetched, and lead to the list that shows how far it is."""
    try:
        request = FetchDocument(url=form.url.strip(), kind=form.kind, site_id=form.site_id or None)
    except ValidationError as exc:
        if any(fault["loc"] == ("url",) for fault in exc.errors()):
            raise SpokenError(
                words_of(visit.request, PAGE)("fetch_malformed"), field="url", value=form.url[:200]
            ) from exc
        raise invalid_input(exc, field="") from exc
    return _lead(visit, _accept(visit, fetch_document, order=request))


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/examples", "administer")
def add_example_documents(visit: CurrentVisit) -> Response:
    """Have the documents that ship with Luna added, and lead to the list that shows how far they
    are.
    """
    return _lead(visit, _accept(visit, add_examples))


@router.page("GET", "/ui/sites/{site_id}/knowledge/documents/{document_id}", "read")
def show_document(
    visit: CurrentVisit, document_id: DocumentPath, cited: Annotated[Cited, Depends()]
) -> Response:
    """Show what a document says, with the passage that an answer cites."""
    with unit_of_work(visit.gateway.database) as connection:
        site = sites.load(connection, visit.site_id)
        document = documents.load(connection, document_id, among={visit.site_id})
        # From the passage that is cited, or a few before it, on.
        begin = cited.begin
        has_cited = True
        if cited.chunk is not None and not begin:
            try:
                begin = max(
                    document_passages.list_around(connection, document_id, cited.chunk, span=0)[
                        0
                    ].position
                    - BEFORE_CITED,
                    0,
                )
            except NotFoundError:
                has_cited = False
        if cited.page is not None and not begin and (cited.chunk is None or not has_cited):
            begin = document_passages.find_page(connection, document_id, cited.page)
        chunks = document_passages.list_page(
            connection, document_id, after=begin - 1, limit=MOST_PASSAGES + 1
        )
        quotes, conversation = _read_quotes(connection, visit, cited)
        versions = documents.list_versions(connection, document.name, document.site_id)
    context: dict[str, Any] = {
        "base": visit.base,
        "view": _view(visit, site, document),
        "versions": [
            _view(visit, site, each) for each in versions if each.document_id != document_id
        ],
        "passages": view_passages(chunks[:MOST_PASSAGES], cited=cited.chunk, words=quotes),
        "following": chunks[MOST_PASSAGES].position if len(chunks) > MOST_PASSAGES else None,
        "gone": not has_cited,
        "conversation": conversation,
        "cited": cited,
        "may_remove": "data" in visit.caller.scopes
        and (document.site_id is not None or visit.caller.sites is None),
    }
    return show(visit.request, PAGE, template="knowledge_document.html.j2", site=site, **context)


@router.page("POST", "/ui/sites/{site_id}/knowledge/documents/{document_id}/validity", "data")
def set_validity(
    visit: CurrentVisit, document_id: DocumentPath, form: Annotated[ValidityForm, Form()]
) -> Response:
    """Say from when until when a document holds, and lead back to it."""
    with unit_of_work(visit.gateway.database) as connection:
        documents.load(connection, document_id, among={visit.site_id})
    try:
        validity = DocumentValidity.model_validate(
            {"valid_from": form.valid_from or None, "valid_until": form.valid_until or None}
        )
    except ValidationError as exc:
        raise SpokenError(
            words_of(visit.request, PAGE)("validity_malformed"),
            field="valid_until",
            value=form.valid_until[:200],
        ) from exc
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
        job = None
        if job_id is not None:
            # The one that brings documents of the site in.
            with suppress(NotFoundError):
                named = jobs.load(connection, job_id)
                about = named.request.get("site_id") or (named.request.get("fields") or {}).get(
                    "site_id"
                )
                job = named if named.task in TASKS and about in {None, visit.site_id} else None
    # Of each name the newest version, those stored last first.
    newest: dict[tuple[str | None, str], Document] = {}
    for row in rows:
        latest = newest.setdefault((row.site_id, row.name), row)
        if row.version > latest.version:
            newest[row.site_id, row.name] = row
    views = [_view(visit, site, document) for document in newest.values()]
    return {
        "site": site,
        "base": visit.base,
        "views": views,
        "job": job,
        "progress": None if job is None else find_progress(visit.gateway, job),
        "busy": any(not view.settled for view in views)
        or (job is not None and job.finished_at is None),
        "searchable": sum(view.document.current for view in views),
        "all_shown": len(rows) < MOST_DOCUMENTS,
        "shown_documents": MOST_DOCUMENTS,
    }


def _read_quotes(
    connection: Connection, visit: Visit, cited: Cited
) -> tuple[list[str], str | None]:
    """Return the words to mark, the likeliest first, and where the answer stands.

    Neither where it is gone or somebody else's.
    """
    if cited.answer is None:
        return [], None
    try:
        answer = visit.load_own_answer(connection, cited.answer).answer
    except NotFoundError:
        return [], None
    carried = (
        answer.sentences[cited.sentence : cited.sentence + 1] if cited.sentence is not None else []
    )
    quotes = [
        each.quote
        for each in answer.citations
        if each.number == cited.source and each.chunk_id == cited.chunk
    ]
    return [*map(plain_words, carried), *quotes], visit.address_of(answer)


def _view(visit: Visit, site: Site, document: Document) -> DocumentView:
    return DocumentView(document, numbers_of(visit.request, site), words_of(visit.request, PAGE))
