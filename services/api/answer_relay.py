"""Tells an answer while it is made: reads on in its stream, and has it ended where whoever asked has left."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from datetime import timedelta

from anyio import to_thread
from fastapi.sse import ServerSentEvent

from luna.contracts.answers import AskRequest
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform.queue import Client
from luna.platform.queue.answer_streams import FIRST

EVERY_SECONDS = 0.1
# How long nothing is heard before somebody looks whether the worker lives still.
SILENCE_SECONDS = 2.0
LAST_EVENTS = ("answer", "problem")


async def follow_answer(queue: Client, request: AskRequest, task_id: str, *, patience: timedelta) -> AsyncGenerator[ServerSentEvent]:
    """Yield stages, words, sentences, and at last the answer or the problem; whoever stops listening ends the work."""
    stream = request.stream or task_id
    ended, after, heard_at = False, FIRST, time.monotonic()
    deadline = heard_at + patience.total_seconds()
    try:
        while not ended:
            pieces = await to_thread.run_sync(queue.answers.read, stream, after)
            for piece in pieces:
                after, heard_at, ended = piece.piece_id, time.monotonic(), piece.event in LAST_EVENTS
                yield ServerSentEvent(raw_data=piece.data, event=piece.event, id=piece.piece_id)
            if not pieces and time.monotonic() - heard_at > SILENCE_SECONDS:
                heard_at = time.monotonic()
                last = await to_thread.run_sync(_read_end, queue, task_id, heard_at > deadline)
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
            # Nothing is waited for here: whoever is told of it has left.
            asyncio.get_running_loop().run_in_executor(None, queue.answers.cancel, stream)


def _read_end(queue: Client, task_id: str, late: bool) -> ServerSentEvent | None:
    """Return the last event of a task that ended without a word, as one whose process died; None while it may go on."""
    state = queue.tasks.fetch(task_id, AskRequest)
    if state.error is not None:
        return _problem(state.error)
    if state.reply is not None:
        return ServerSentEvent(raw_data=state.reply.model_dump_json(), event="answer")
    return _problem(refuse("no-answer-in-time")) if late else None


def _problem(error: LunaError) -> ServerSentEvent:
    return ServerSentEvent(raw_data=json.dumps(error.problem(), ensure_ascii=False), event="problem")
