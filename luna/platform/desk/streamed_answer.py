"""A worker's answer, heard while it is made."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from luna.contracts.answers import Answer, AskRequest
from luna.platform.queue import Client, serialization
from luna.platform.queue.answer_streams import FIRST
from luna.platform.settings import Settings

POLL_SECONDS = 0.1
# From the last word to the reply.
LAST_SECONDS = 10


def hear_answer(client: Client, request: AskRequest, settings: Settings, *, hear: Callable[[str], None] | None = None) -> Answer:
    """Return the worker's answer; ``hear`` gets its words as they come, and Ctrl-C ends the work.

    Raises:
        LunaError: what the service raised; nobody answers in time.
    """
    stream = uuid.uuid4().hex
    timeout = settings.plan_timeout + (settings.language_timeout if settings.language_url is not None else timedelta(0))
    task_id, after, ended = client.begin(request.model_copy(update={"stream": stream}), timeout=timeout), FIRST, False
    try:
        deadline = time.monotonic() + timeout.total_seconds()
        while not ended and time.monotonic() < deadline:
            pieces = client.answers.read(stream, after)
            for piece in pieces:
                after, ended = piece.piece_id, piece.event in ("answer", "problem")
                if piece.event == "token" and hear is not None:
                    hear(str(json.loads(piece.data)["text"]))
            if not pieces:
                time.sleep(POLL_SECONDS)
        text = client.tasks.await_reply(task_id, request.task, timeout=timedelta(seconds=LAST_SECONDS))
    except KeyboardInterrupt:
        client.answers.cancel(stream)
        raise
    return cast("Answer", serialization.decode_reply(Answer, text))
