"""Questions and answers with sources; what was asked before, by oneself or, for admins, by everybody."""

import uuid
from typing import Annotated

from anyio import to_thread
from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.answers import Answer, AnswerList, AskRequest, Conversation, Feedback, FeedbackNote, Question, StoredAnswer
from luna.energy.instant import Instant
from luna.platform.database import answers, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from services.api.answer_relay import follow_answer
from services.api.events import sse_response
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.routing import ResourceRouter

router = ResourceRouter("answers")

_EVENT_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
AnswerPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


class AnswerQuestion(BaseModel):
    """Which answers of everybody are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    asked_by: Annotated[str | None, Field(max_length=64, pattern=r"^[^\x00]*$", description="what this reader asked alone")] = None
    refused: Annotated[bool | None, Field(description="true: what was not found alone")] = None
    feedback: Feedback | None = None
    from_: Annotated[Instant | None, Field(alias="from", description="the first instant that belongs to it")] = None
    to: Annotated[Instant | None, Field(description="the first that does not")] = None
    cursor: Annotated[str | None, Field(max_length=400, description="of the page before: what its cursor says; without it the first page")] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@router.operation(
    "Ask a question",
    response_model=Answer,
    responses={200: {"description": "the answer; as events stage, token, sentence, at last answer or problem where asked for so", "content": _EVENT_STREAM}},
)
async def ask_question(question: Question, request: Request, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Answer from documents and the site's data, with sources, or say that they do not hold it.

    With `Accept: text/event-stream` the answer is told while it is made; what is told is checked already. Who stops listening ends the work.
    """
    for site_id in (question.site_id, question.filter.site_id):
        if site_id is not None:
            caller.require_site(site_id)
    await to_thread.run_sync(_require_there, gateway, question, caller)
    own = None if caller.sites is None else tuple(sorted(caller.sites))
    asked = AskRequest(**dict(question), asked_by=caller.name, sites=own)
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return await gateway.ask(asked, patience=gateway.answer_timeout)
    gateway.streams.require_room()
    asked = asked.model_copy(update={"stream": uuid.uuid4().hex})
    task_id = await to_thread.run_sync(lambda: gateway.queue.begin(asked, timeout=gateway.answer_timeout))
    return sse_response(follow_answer(gateway.queue, asked, task_id, patience=gateway.answer_timeout), limit=gateway.streams)


@router.operation("List one's own answers")
def list_answers(gateway: CurrentGateway, caller: CurrentCaller, *, limit: Limit = 50, cursor: Cursor = None) -> AnswerList:
    """Return what the caller asked and was answered, the latest first."""
    return _list(gateway, answers.AnswerFilter(asked_by=caller.name, among=caller.sites), cursor, limit)


@router.operation("List everybody's answers")
def audit_answers(question: Annotated[AnswerQuestion, Query()], gateway: CurrentGateway) -> AnswerList:
    """Return what was asked and answered, by whom, from which passages, by which model and prompt, the latest first."""
    which = answers.AnswerFilter(question.asked_by, question.refused, question.feedback, question.from_, question.to)
    return _list(gateway, which, question.cursor, question.limit)


@router.operation("Read an answer")
def read_answer(answer_id: AnswerPath, gateway: CurrentGateway, caller: CurrentCaller) -> StoredAnswer:
    """Return an answer of the caller's with what it was made from; for admins anybody's."""
    with unit_of_work(gateway.database) as connection:
        return answers.load(connection, answer_id, asked_by=_whose(caller))


@router.operation("Say whether an answer helped")
def rate_answer(answer_id: AnswerPath, note: FeedbackNote, gateway: CurrentGateway, caller: CurrentCaller) -> StoredAnswer:
    """Store it and return the answer; said again, the last one counts."""
    with unit_of_work(gateway.database) as connection:
        answers.give_feedback(connection, answer_id, note, asked_by=caller.name)
        return answers.load(connection, answer_id, asked_by=caller.name)


@router.operation("Read a conversation")
def read_conversation(conversation_id: AnswerPath, gateway: CurrentGateway, caller: CurrentCaller) -> Conversation:
    """Return what was asked and answered one thing after the other, the first first."""
    with unit_of_work(gateway.database) as connection:
        return answers.read_conversation(connection, conversation_id, asked_by=_whose(caller))


@router.operation("Delete a conversation", status_code=204)
def delete_conversation(conversation_id: AnswerPath, gateway: CurrentGateway, caller: CurrentCaller) -> None:
    """Delete a conversation of the caller's with all of its answers."""
    with unit_of_work(gateway.database) as connection:
        answers.delete_conversation(connection, conversation_id, asked_by=caller.name)


def _list(gateway: Gateway, which: answers.AnswerFilter, cursor: str | None, limit: int) -> AnswerList:
    before = read_instant_and_text(cursor)
    with unit_of_work(gateway.database) as connection:
        rows = answers.list_before(connection, which, before=before, limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.answer.answered_at.isoformat(), row.answer.answer_id))
    return AnswerList(answers=page, cursor=following)


def _whose(caller: Caller) -> str | None:
    """Return whose answers a caller may read: None, everybody's."""
    return None if "administer" in caller.scopes else caller.name


def _require_there(gateway: Gateway, question: Question, caller: Caller) -> None:
    """Return where the sites and the conversation that a question names are there; once events are told, it is too late to say so."""
    with unit_of_work(gateway.database) as connection:
        for site_id in filter(None, (question.site_id, question.filter.site_id)):
            sites.key_of(connection, site_id)
        if question.conversation_id is not None:
            answers.require_conversation(connection, question.conversation_id, asked_by=caller.name)
