"""``luna ask``: an answer with its sources, told while it is made."""

import json
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from luna.contracts.answers import Answer, AnswerSentence, AskRequest
from luna.house.capabilities.answers import show_sources
from luna.house.desk.work import Workplace, answer_request
from luna.platform.clock import SystemClock
from luna.platform.queue import Client, serialization
from luna.platform.queue.answer_streams import FIRST
from luna.platform.settings import Settings
from services.cli.console import JsonOption, emit
from services.cli.declared import show_parts
from services.cli.options import compose_request

if TYPE_CHECKING:
    from services.rag.answering.ports import Stage


def answer_question(
    question: Annotated[str, typer.Argument(help="The question, in German or English.")],
    *,
    language: Annotated[
        str | None, typer.Option(help="Language of the answer: de or en (default: the question's).")
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(help="The site to ask about (default: the only one)."),
    ] = None,
    conversation: Annotated[str | None, typer.Option(help="Continue this conversation.")] = None,
    model: Annotated[bool, typer.Option(help="Let a language model write the answer.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from your documents and the site's data, with sources."""
    options: dict[str, Any] = {
        "language": language,
        "site_id": site,
        "conversation_id": conversation,
    }
    request = compose_request(AskRequest, question=question, model=model, **options)
    # Prefer a worker, which keeps the index open.
    answer: Answer = answer_request(
        request,
        ask=partial(hear_answer, hear=_write if not as_json else None),
        work=partial(_work, quiet=as_json),
    )
    emit(
        answer.model_dump(mode="json"),
        as_json=as_json,
        show=lambda: show_parts(show_sources(answer)),
    )


POLL_SECONDS = 0.1
# From the stream's last event to the reply.
LAST_SECONDS = 10


def hear_answer(
    client: Client,
    request: AskRequest,
    settings: Settings,
    *,
    hear: Callable[[str], None] | None = None,
) -> Answer:
    """Return the worker's answer.

    ``hear`` receives its tokens as they are written, and Ctrl-C cancels the work.

    Raises:
        LunaError: of the service, or no answer in time.
    """
    stream = uuid.uuid4().hex
    timeout = settings.plan_timeout + (
        settings.language_timeout if settings.language_url is not None else timedelta(0)
    )
    task_id = client.begin(request.model_copy(update={"stream": stream}), timeout=timeout)
    after = FIRST
    ended = False
    try:
        deadline = time.monotonic() + timeout.total_seconds()
        while not ended and time.monotonic() < deadline:
            pieces = client.answers.read(stream, after)
            for piece in pieces:
                after = piece.piece_id
                ended = piece.event in ("answer", "problem")
                if piece.event == "token" and hear is not None:
                    hear(str(json.loads(piece.data)["text"]))
            if not pieces:
                time.sleep(POLL_SECONDS)
        text = client.tasks.await_reply(
            task_id, request.task, timeout=timedelta(seconds=LAST_SECONDS)
        )
    except KeyboardInterrupt:
        client.answers.cancel(stream)
        raise
    return cast("Answer", serialization.decode_reply(Answer, text))


def _work(place: Workplace, request: "AskRequest", *, quiet: bool) -> "Answer":
    """Answer in this process, and write the tokens as they come."""
    from services.rag.answering.process import open_parts
    from services.rag.answering.service import answer_question
    from services.rag.retrieval.search import Searcher

    with closing(Searcher(place.settings)) as searcher:
        parts = open_parts(
            place.settings, place.pool, searcher, clock=SystemClock(), client=place.client
        )
        return answer_question(
            request, parts, clock=SystemClock(), listener=None if quiet else _Terminal()
        )


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class _Terminal:
    """A listener that writes tokens to standard output."""

    def stage(self, stage: "Stage") -> None:
        """Ignore the stage."""

    def token(self, text: str) -> None:
        """Write a token."""
        _write(text)

    def sentence(self, sentence: AnswerSentence) -> None:
        """Ignore the sentence: its tokens are written already."""

    def gave_up(self) -> bool:
        """Return False: Ctrl-C ends the command."""
        return False
