"""Questions about documents and the site's data, and answers with their sources."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import Connection

from luna.contracts.answers import Answer, AnswerId, AskRequest, Feedback, FeedbackNote, StoredAnswer
from luna.contracts.documents import DocumentFilter
from luna.database import answers, documents, sites
from luna.database.engine import unit_of_work
from luna.errors import LunaError, NotFoundError
from luna.site import Site
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.knowledge.answer_view import AnswerView, cut_excerpt
from services.api.pages.layout import PAGES, PageRoute, numbers_of, show, show_part, words_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["knowledge"]
EXAMPLES = ("example_prices", "example_plan", "example_tariff", "example_manual")
STAGES = ("understanding", "tools", "searching", "answering", "checking")
# Of a conversation; what was asked before stays stored.
SHOWN_ANSWERS = 20
AnswerPath = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]
_EmptyIsNone = BeforeValidator(lambda value: None if value == "" else value)


class QuestionForm(BaseModel):
    """The fields of the form."""

    question: Annotated[str, Field(min_length=1, max_length=2000)]
    conversation: Annotated[AnswerId | None, _EmptyIsNone] = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was asked before, the first question first; ``conversation_id`` is None where nothing was."""

    conversation_id: str | None
    answers: list[StoredAnswer]


@router.get("/ui/sites/{site_id}/knowledge")
def show_knowledge(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    conversation: Annotated[AnswerId | None, Query()] = None,
    question: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Show the question box, and the conversation that it goes on from."""
    return _show(request, gateway, caller, site_id=site_id, conversation_id=conversation, question=question)


@router.post("/ui/sites/{site_id}/knowledge")
async def ask_on_page(
    site_id: SitePath, request: Request, gateway: CurrentGateway, caller: CurrentCaller, *, form: Annotated[QuestionForm, Form()]
) -> Response:
    """Have a question answered: as the part that waits for it, or, without a script, in the whole page."""
    answer, refusal = await _ask(gateway, caller, site_id, form)
    if answer is None:
        if request.headers.get("HX-Request") and refusal is not None:
            raise refusal
        return await run_in_threadpool(
            lambda: _show(request, gateway, caller, site_id=site_id, conversation_id=form.conversation, question=form.question, refusal=refusal)
        )
    if request.headers.get("HX-Request"):
        return await run_in_threadpool(show_answer, site_id, answer.answer_id, request, gateway, caller)
    return RedirectResponse(f"{PAGE.address(site_id)}?conversation={answer.conversation_id}#answer-{answer.answer_id}", 303)


@router.get("/ui/sites/{site_id}/knowledge/answers/{answer_id}")
def show_answer(site_id: SitePath, answer_id: AnswerPath, request: Request, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Show one answer, as the part that takes the place of what was streamed."""
    with unit_of_work(gateway.database) as connection:
        site, stored = sites.load(connection, site_id), load_own_answer(connection, site_id, answer_id, caller)
    return show_part(request, PAGE, "knowledge_answer.html.j2", site=site, view=_view(request, site, stored), excerpt=cut_excerpt)


@router.post("/ui/sites/{site_id}/knowledge/answers/{answer_id}/feedback")
def rate_answer(
    site_id: SitePath, answer_id: AnswerPath, request: Request, gateway: CurrentGateway, *, caller: CurrentCaller, feedback: Annotated[Feedback, Form()]
) -> Response:
    """Note whether an answer helped."""
    with unit_of_work(gateway.database) as connection:
        site, stored = sites.load(connection, site_id), load_own_answer(connection, site_id, answer_id, caller)
        answers.give_feedback(connection, answer_id, FeedbackNote(feedback=feedback), asked_by=caller.name)
    if request.headers.get("HX-Request"):
        rated = _view(request, site, stored.model_copy(update={"feedback": feedback}))
        return show_part(request, PAGE, "knowledge_feedback.html.j2", site=site, view=rated)
    return RedirectResponse(f"{PAGE.address(site_id)}?conversation={stored.answer.conversation_id}#answer-{answer_id}", 303)


def load_own_answer(connection: Connection, site_id: str, answer_id: str, caller: Caller) -> StoredAnswer:
    """Return an answer that the caller was given on a site.

    Raises:
        NotFoundError: there is none of that id, it is somebody else's or another site's.
    """
    stored = answers.load(connection, answer_id, asked_by=caller.name)
    if stored.site_id not in {None, site_id}:
        raise NotFoundError("no such answer", field="answer_id", value=answer_id, remedy="Go back to the page Knowledge.")
    return stored


async def _ask(gateway: Gateway, caller: Caller, site_id: str, form: QuestionForm) -> tuple[Answer | None, LunaError | None]:
    """Return the answer, or why there is none: the page stands either way."""
    caller.require_site(site_id)
    own = None if caller.sites is None else tuple(sorted(caller.sites))
    request = AskRequest(question=form.question, site_id=site_id, conversation_id=form.conversation, asked_by=caller.name, sites=own)
    try:
        reply = await gateway.ask(request)
    except LunaError as error:
        return None, error
    return Answer.model_validate_json(bytes(reply.body)), None


def _show(
    request: Request, gateway: Gateway, caller: Caller, *, site_id: str, conversation_id: str | None, question: str, refusal: LunaError | None = None
) -> Response:
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        held = _read_conversation(connection, site_id, conversation_id, caller)
        anything = documents.list_page(connection, DocumentFilter(current=True), among=caller.sites, limit=1)
    shown: dict[str, Any] = {
        "base": PAGE.address(site_id),
        "views": [_view(request, site, stored) for stored in held.answers],
        "conversation_id": held.conversation_id,
        "question": question,
        "refusal": refusal,
        "examples": EXAMPLES,
        "stages": STAGES,
        "documents_there": bool(anything),
        "excerpt": cut_excerpt,
    }
    return show(request, PAGE, site=site, **shown)


def _read_conversation(connection: Connection, site_id: str, conversation_id: str | None, caller: Caller) -> Conversation:
    if conversation_id is None:
        return Conversation(None, [])
    held = answers.read_conversation(connection, conversation_id, asked_by=caller.name)
    if held.site_id not in {None, site_id}:
        raise NotFoundError("no such conversation", field="conversation", value=conversation_id, remedy="Ask a new question.")
    shown = [answers.load(connection, each.answer_id, asked_by=caller.name) for each in held.answers[-SHOWN_ANSWERS:]]
    return Conversation(conversation_id, shown)


def _view(request: Request, site: Site, stored: StoredAnswer) -> AnswerView:
    return AnswerView(stored.answer, PAGE.address(site.name), numbers_of(request, site), words_of(request, PAGE), stored.feedback)
