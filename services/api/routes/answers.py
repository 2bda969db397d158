"""Questions answered with sources, at once or while the answer is made."""

import uuid

from anyio import to_thread
from fastapi import Request, Response

from luna.contracts.answers import Answer, AskRequest, Question
from luna.platform.database import answers, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.own_sites import require_own
from services.api.answer_relay import follow_answer
from services.api.events import sse_response
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.routing import ResourceRouter

router = ResourceRouter("answers")

_EVENT_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


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
            require_own(site_id, caller.sites)
    await to_thread.run_sync(_require_there, gateway, question, caller)
    own = None if caller.sites is None else tuple(sorted(caller.sites))
    asked = AskRequest(**dict(question), asked_by=caller.name, sites=own)
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return await gateway.ask(asked, patience=gateway.answer_timeout)
    gateway.streams.require_room()
    asked = asked.model_copy(update={"stream": uuid.uuid4().hex})
    task_id = await to_thread.run_sync(lambda: gateway.queue.begin(asked, timeout=gateway.answer_timeout))
    return sse_response(follow_answer(gateway.queue, asked, task_id, patience=gateway.answer_timeout), limit=gateway.streams)


def _require_there(gateway: Gateway, question: Question, caller: Caller) -> None:
    """Return where the sites and the conversation that a question names are there; once events are told, it is too late to say so."""
    with unit_of_work(gateway.database) as connection:
        for site_id in filter(None, (question.site_id, question.filter.site_id)):
            sites.key_of(connection, site_id)
        if question.conversation_id is not None:
            answers.require_conversation(connection, question.conversation_id, asked_by=caller.name)
