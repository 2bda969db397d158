"""Routes of questions: an answer with sources, whole or streamed as events.

When the caller of a stream disconnects, the work is cancelled.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import partial

from anyio import to_thread
from fastapi import Request, Response
from fastapi.sse import ServerSentEvent

from luna.contracts.answers import Answer, AskRequest, Question
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform.database import answers, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.own_sites import require_own
from luna.platform.queue import Client
from luna.platform.queue.answer_streams import FIRST
from luna.platform.telemetry import current_trace_id
from services.api.events import EVENT_STREAM, sse_response
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.operation import Operation
from services.api.routing import ResourceRouter

EVERY_SECONDS = 0.1
# After this without an event, the task's state is read: its worker may have died.
SILENCE_SECONDS = 2.0
LAST_EVENTS = ("answer", "problem")


async def follow_answer(
    queue: Client, request: AskRequest, task_id: str, *, patience: timedelta
) -> AsyncGenerator[ServerSentEvent]:
    """Yield stages, tokens and sentences, and at last the answer or a problem.

    Closing the generator cancels the work.
    """
    stream = request.stream or task_id
    ended = False
    after = FIRST
    last_piece_at = time.monotonic()
    deadline = last_piece_at + patience.total_seconds()
    try:
        while not ended:
            pieces = await to_thread.run_sync(queue.answers.read, stream, after)
            for piece in pieces:
                after = piece.piece_id
                last_piece_at = time.monotonic()
                ended = piece.event in LAST_EVENTS
                yield ServerSentEvent(raw_data=piece.data, event=piece.event, id=piece.piece_id)
            if not pieces and time.monotonic() - last_piece_at > SILENCE_SECONDS:
                last_piece_at = time.monotonic()
                last = await to_thread.run_sync(_read_end, queue, task_id, last_piece_at > deadline)
                if last is not None:
                    ended = True
                    yield last
            if not ended:
                await asyncio.sleep(EVERY_SECONDS)
    except UnavailableError as error:
        ended = True
        yield _problem(error)
    finally:
        if not ended:
            # Not awaited: the caller has left, and the generator is being closed.
            asyncio.get_running_loop().run_in_executor(None, queue.answers.cancel, stream)


def _read_end(queue: Client, task_id: str, late: bool) -> ServerSentEvent | None:
    """Return the last event of a task that ended without sending it; None while it runs.

    A task ends so if its process died; it is given up if it is ``late``.
    """
    state = queue.tasks.fetch(task_id, AskRequest)
    if state.error is not None:
        return _problem(state.error)
    if state.reply is not None:
        return ServerSentEvent(raw_data=state.reply.model_dump_json(), event="answer")
    return _problem(refuse("no-answer-in-time")) if late else None


def _problem(error: LunaError) -> ServerSentEvent:
    problem = error.problem() | {"trace_id": current_trace_id()}
    return ServerSentEvent(raw_data=json.dumps(problem, ensure_ascii=False), event="problem")


router = ResourceRouter("answers")


@router.operation(
    "Ask a question",
    Operation("POST", "/v1/answers", "read", "ask", solves=True, aliases=("/rag/ask",)),
    response_model=Answer,
    responses={
        200: {
            "description": (
                "the answer; as events stage, token, sentence, at last answer or problem where "
                "asked for so"
            ),
            "content": EVENT_STREAM,
        }
    },
)
async def ask_question(
    question: Question, request: Request, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Answer from documents and the site's data, with sources, or say that they do not hold it.

    With `Accept: text/event-stream` the answer is told while it is made; what is told is checked
    already. Who stops listening ends the work.
    """
    for site_id in (question.site_id, question.filter.site_id):
        if site_id is not None:
            require_own(site_id, caller.sites)
    await to_thread.run_sync(_require_there, gateway, question, caller)
    message = AskRequest(**dict(question), asked_by=caller.name, sites=caller.own_sites)
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return await gateway.ask(message, patience=gateway.answer_timeout)
    gateway.streams.require_room()
    message = message.model_copy(update={"stream": uuid.uuid4().hex})
    begin = partial(gateway.queue.begin, message, timeout=gateway.answer_timeout)
    task_id = await to_thread.run_sync(begin)
    return sse_response(
        follow_answer(gateway.queue, message, task_id, patience=gateway.answer_timeout),
        limit=gateway.streams,
    )


def _require_there(gateway: Gateway, question: Question, caller: Caller) -> None:
    """Require that the question's sites and conversation exist.

    Once a stream has begun, its status can no longer report an error.
    """
    with unit_of_work(gateway.database) as connection:
        for site_id in filter(None, (question.site_id, question.filter.site_id)):
            sites.key_of(connection, site_id)
        if question.conversation_id is not None:
            answers.require_conversation(connection, question.conversation_id, asked_by=caller.name)
