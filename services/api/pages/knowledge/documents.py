"""Documents: what there is and how far it is, adding and removing, and reading one at the passage that was cited."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from luna.contracts.documents import Chunk, Document, DocumentFilter, DocumentKind, FetchDocument, FetchDocumentRequest, IngestRequest
from luna.contracts.job import Job
from luna.database import documents, jobs, passages, sites
from luna.database.engine import unit_of_work
from luna.errors import NotFoundError
from luna.site import Site, invalid_input
from luna.wording.refusals import SpokenError
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.job_part import SitePath, find_progress
from services.api.pages.knowledge.asking import load_own_answer
from services.api.pages.knowledge.document_view import DocumentView, view_passages
from services.api.pages.layout import PAGES, PageRoute, numbers_of, show, show_part, words_of
from services.api.routes.documents import delete_document, fetch_document, take_documents

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["knowledge"]
UPLOAD_PATH = r"/ui/sites/[^/]+/knowledge/documents"
SHOWN_DOCUMENTS, SHOWN_PASSAGES = 200, 40
# So much stands above the passage that an answer cites.
BEFORE_CITED = 3
TASKS = (IngestRequest.task, FetchDocumentRequest.task)
DocumentPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
MOST_CHUNK = 2**63 - 1


class FetchForm(BaseModel):
    """The fields of the form that names an address."""

    url: str
    kind: DocumentKind = "other"
    site_id: str = ""


@dataclass(frozen=True, slots=True)
class Cited:
    """Which passage of a document is to be shown, and the answer that led there."""

    page: Annotated[int | None, Query(ge=1, le=1_000_000)] = None
    chunk: Annotated[int | None, Query(ge=0, le=MOST_CHUNK)] = None
    answer: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None
    source: Annotated[int | None, Query(ge=1, le=1000)] = None
    begin: Annotated[int, Query(ge=0, le=100_000_000)] = 0


@router.get("/ui/sites/{site_id}/knowledge/documents")
def show_documents(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    job: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None,
    removed: bool = False,
) -> Response:
    """Show every document that the site's people find, and the forms that add one."""
    frame = _read_list(request, gateway, site_id, job)
    may_add = "data" in caller.scopes
    kinds = get_args(DocumentKind)
    return show(request, PAGE, template="knowledge_documents.html.j2", may_add=may_add, may_add_for_all=caller.sites is None, kinds=kinds, removed=removed, **frame)


@router.get("/ui/sites/{site_id}/knowledge/documents/list")
def show_document_list(
    site_id: SitePath, request: Request, gateway: CurrentGateway, job: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None
) -> Response:
    """Show the list alone, which looks again by itself while documents are on their way."""
    return show_part(request, PAGE, "knowledge_document_list.html.j2", **_read_list(request, gateway, site_id, job))


@router.post("/ui/sites/{site_id}/knowledge/documents")
async def upload_documents(site_id: SitePath, request: Request, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Take files and lead to the list that shows how far they are."""
    accepted = await take_documents(request, gateway, caller)
    return _lead(site_id, None if accepted.job is None else accepted.job.job_id)


@router.post("/ui/sites/{site_id}/knowledge/documents/fetch")
def fetch_page(site_id: SitePath, request: Request, gateway: CurrentGateway, caller: CurrentCaller, *, form: Annotated[FetchForm, Form()]) -> Response:
    """Have a page of the internet fetched, and lead to the list that shows how far it is."""
    try:
        wanted = FetchDocument(url=form.url.strip(), kind=form.kind, site_id=form.site_id or None)
    except ValidationError as exc:
        if any(fault["loc"] == ("url",) for fault in exc.errors()):
            raise SpokenError(words_of(request, PAGE)("fetch_malformed"), field="url", value=form.url[:200]) from exc
        raise invalid_input(exc, field="") from exc
    return _lead(site_id, fetch_document(wanted, gateway, Response(), caller).job_id)


@router.get("/ui/sites/{site_id}/knowledge/documents/{document_id}")
def show_document(
    site_id: SitePath, document_id: DocumentPath, request: Request, gateway: CurrentGateway, caller: CurrentCaller, *, cited: Annotated[Cited, Depends()]
) -> Response:
    """Show what a document says, with the passage that an answer cites."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        document = documents.load(connection, document_id, among={site_id})
        chunks, found = _read_passages(connection, document_id, cited)
        quote, conversation = _read_quote(connection, site_id, cited, caller)
        versions = documents.list_versions(connection, document.name, document.site_id)
    shown: dict[str, Any] = {
        "base": PAGE.address(site_id),
        "view": _view(request, site, document),
        "versions": [_view(request, site, each) for each in versions if each.document_id != document_id],
        "passages": view_passages(chunks[:SHOWN_PASSAGES], cited=cited.chunk, words=quote),
        "following": chunks[SHOWN_PASSAGES].position if len(chunks) > SHOWN_PASSAGES else None,
        "gone": not found,
        "conversation": conversation,
        "cited": cited,
        "may_remove": "data" in caller.scopes and (document.site_id is not None or caller.sites is None),
    }
    return show(request, PAGE, template="knowledge_document.html.j2", site=site, **shown)


@router.post("/ui/sites/{site_id}/knowledge/documents/{document_id}/remove")
def remove_document(site_id: SitePath, document_id: DocumentPath, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Remove a document for good."""
    with unit_of_work(gateway.database) as connection:
        documents.load(connection, document_id, among={site_id})
    delete_document(document_id, gateway, caller)
    return RedirectResponse(f"{PAGE.address(site_id)}/documents?removed=true", HTTPStatus.SEE_OTHER.value)


def _lead(site_id: str, job_id: str | None) -> Response:
    query = "" if job_id is None else f"?job={job_id}"
    return RedirectResponse(f"{PAGE.address(site_id)}/documents{query}", HTTPStatus.SEE_OTHER.value)


def _read_list(request: Request, gateway: Gateway, site_id: str, job_id: str | None) -> dict[str, Any]:
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        rows = documents.list_page(connection, DocumentFilter(), among={site_id}, limit=SHOWN_DOCUMENTS)
        job = None if job_id is None else _find_job(connection, site_id, job_id)
    views = [_view(request, site, document) for document in _newest(rows)]
    return {
        "site": site,
        "base": PAGE.address(site_id),
        "views": views,
        "job": job,
        "progress": None if job is None else find_progress(gateway, job),
        "busy": any(not view.settled for view in views) or (job is not None and job.finished_at is None),
        "searchable": sum(view.document.current for view in views),
        "all_shown": len(rows) < SHOWN_DOCUMENTS,
        "shown_documents": SHOWN_DOCUMENTS,
    }


def _newest(rows: list[Document]) -> list[Document]:
    """Return of each name the newest version, those stored last first."""
    newest: dict[tuple[str | None, str], Document] = {}
    for row in rows:
        known = newest.get((row.site_id, row.name))
        if known is None or row.version > known.version:
            newest[row.site_id, row.name] = row
    return list(newest.values())


def _find_job(connection: Connection, site_id: str, job_id: str) -> Job | None:
    """Return the job that brings documents of the site in, None where there is none such."""
    try:
        job = jobs.load(connection, job_id)
    except NotFoundError:
        return None
    about = job.request.get("site_id") or (job.request.get("fields") or {}).get("site_id")
    return job if job.task in TASKS and about in {None, site_id} else None


def _read_passages(connection: Connection, document_id: str, cited: Cited) -> tuple[list[Chunk], bool]:
    """Return passages from the one that is wanted, or a few before it, on; and whether the wanted one is there."""
    begin, found = cited.begin, True
    if cited.chunk is not None and not begin:
        try:
            begin = max(passages.list_around(connection, document_id, cited.chunk, span=0)[0].position - BEFORE_CITED, 0)
        except NotFoundError:
            found = False
    if cited.page is not None and not begin and (cited.chunk is None or not found):
        begin = passages.find_page(connection, document_id, cited.page)
    return passages.list_page(connection, document_id, after=begin - 1, limit=SHOWN_PASSAGES + 1), found


def _read_quote(connection: Connection, site_id: str, cited: Cited, caller: Caller) -> tuple[str, str | None]:
    """Return the words that an answer cites, and the address of the conversation; neither where the answer is gone or somebody else's."""
    if cited.answer is None:
        return "", None
    try:
        answer = load_own_answer(connection, site_id, cited.answer, caller).answer
    except NotFoundError:
        return "", None
    quote = next((each.quote for each in answer.citations if each.number == cited.source and each.chunk_id == cited.chunk), "")
    return quote, f"{PAGE.address(site_id)}?conversation={answer.conversation_id}#answer-{answer.answer_id}"


def _view(request: Request, site: Site, document: Document) -> DocumentView:
    return DocumentView(document, numbers_of(request, site), words_of(request, PAGE))
