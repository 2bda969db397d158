"""Questions about documents and the site's data, and answers with their sources."""

from typing import Annotated, Any

from fastapi import Form, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from luna.contracts.answers import (
    Answer,
    AnswerId,
    AskRequest,
    Feedback,
    FeedbackNote,
    StoredAnswer,
)
from luna.contracts.documents import DocumentFilter
from luna.contracts.search import SearchFilter
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.database import answers, documents, sites
from luna.platform.database.engine import unit_of_work
from services.api.pages.knowledge.answer_view import CitedAnswerView, cut_excerpt
from services.api.pages.knowledge.visit import PAGE, CurrentVisit, Visit
from services.api.pages.layout import (
    EMPTY_IS_NONE,
    PageRoute,
    numbers_of,
    show,
    show_part,
    words_of,
)
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

# Questions that the home's data answers, and those that need a document.
DATA_EXAMPLES = ("example_prices", "example_plan", "example_savings")
DOCUMENT_EXAMPLES = ("example_tariff", "example_manual")
STAGES = ("understanding", "tools", "searching", "answering", "checking")
# Of a conversation; what was asked before stays stored.
MOST_ANSWERS = 20
AnswerPath = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


class QuestionForm(BaseModel):
    """The fields of the form."""

    question: Annotated[str, Field(min_length=1, max_length=2000)]
    conversation: Annotated[AnswerId | None, EMPTY_IS_NONE] = None


@router.page("GET", "/ui/sites/{site_id}/knowledge", "read")
def show_knowledge(
    visit: CurrentVisit,
    conversation: Annotated[AnswerId | None, Query()] = None,
    question: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Show the question box, and the conversation that it goes on from."""
    return _show(visit, QuestionForm.model_construct(question=question, conversation=conversation))


@router.page("POST", "/ui/sites/{site_id}/knowledge", "read")
async def ask_on_page(visit: CurrentVisit, form: Annotated[QuestionForm, Form()]) -> Response:
    """Answer a question: as a part of the page, or, without a script, in the whole page."""
    try:
        request = AskRequest(
            question=form.question,
            site_id=visit.site_id,
            conversation_id=form.conversation,
            filter=SearchFilter(site_id=visit.site_id),
            asked_by=visit.caller.name,
            sites=visit.caller.own_sites,
        )
        reply = await visit.gateway.ask(request, patience=visit.gateway.answer_timeout)
        answer = Answer.model_validate_json(bytes(reply.body))
    except LunaError as refusal:
        if visit.wants_part:
            raise
        return await run_in_threadpool(_show, visit, form, refusal)
    if visit.wants_part:
        return await run_in_threadpool(show_answer, visit, answer.answer_id)
    return RedirectResponse(visit.address_of(answer), 303)


@router.page("GET", "/ui/sites/{site_id}/knowledge/answers/{answer_id}", "read")
def show_answer(visit: CurrentVisit, answer_id: AnswerPath) -> Response:
    """Show one answer as a part, which replaces the streamed one."""
    with unit_of_work(visit.gateway.database) as connection:
        site = sites.load(connection, visit.site_id)
        stored = visit.load_own_answer(connection, answer_id)
    return show_part(
        visit.request,
        PAGE,
        "knowledge_answer.html.j2",
        site=site,
        view=_view(visit, site, stored),
        excerpt=cut_excerpt,
    )


@router.page("POST", "/ui/sites/{site_id}/knowledge/answers/{answer_id}/feedback", "read")
def rate_on_page(
    visit: CurrentVisit, answer_id: AnswerPath, feedback: Annotated[Feedback, Form()]
) -> Response:
    """Note whether an answer helped."""
    with unit_of_work(visit.gateway.database) as connection:
        site = sites.load(connection, visit.site_id)
        stored = visit.load_own_answer(connection, answer_id)
        answers.give_feedback(
            connection, answer_id, FeedbackNote(feedback=feedback), asked_by=visit.caller.name
        )
    if not visit.wants_part:
        return RedirectResponse(visit.address_of(stored.answer), 303)
    rated = _view(visit, site, stored.model_copy(update={"feedback": feedback}))
    return show_part(visit.request, PAGE, "knowledge_feedback.html.j2", site=site, view=rated)


def _show(visit: Visit, form: QuestionForm, refusal: LunaError | None = None) -> Response:
    with unit_of_work(visit.gateway.database) as connection:
        site = sites.load(connection, visit.site_id)
        earlier = _read_earlier(connection, visit, form)
        anything = documents.list_page(
            connection, DocumentFilter(current=True), among={visit.site_id}, limit=1
        )
    context: dict[str, Any] = {
        "base": visit.base,
        "views": [_view(visit, site, stored) for stored in earlier],
        "conversation_id": form.conversation,
        "question": form.question,
        "refusal": refusal,
        "served": visit.is_served(AskRequest),
        "examples": DATA_EXAMPLES + (DOCUMENT_EXAMPLES if anything else ()),
        "stages": STAGES,
        "documents_there": bool(anything),
        "excerpt": cut_excerpt,
    }
    return show(visit.request, PAGE, site=site, **context)


def _read_earlier(connection: Connection, visit: Visit, form: QuestionForm) -> list[StoredAnswer]:
    """Return the last answers of the conversation, the earliest first."""
    if form.conversation is None:
        return []
    reader = visit.caller.name
    conversation = answers.read_conversation(connection, form.conversation, asked_by=reader)
    if conversation.site_id not in {None, visit.site_id}:
        raise refuse("no-conversation-of-yours", field="conversation", value=form.conversation)
    last = conversation.answers[-MOST_ANSWERS:]
    return [answers.load(connection, entry.answer_id, asked_by=reader) for entry in last]


def _view(visit: Visit, site: Site, stored: StoredAnswer) -> CitedAnswerView:
    return CitedAnswerView(
        answer=stored.answer,
        base=visit.base,
        numbers=numbers_of(visit.request, site),
        words=words_of(visit.request, PAGE),
        feedback=stored.feedback,
    )
