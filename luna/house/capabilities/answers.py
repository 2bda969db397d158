"""Declare the lists of earlier questions with their answers, one's own or everybody's."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.answers import (
    Answer,
    AnswerList,
    Conversation,
    Feedback,
    FeedbackNote,
    StoredAnswer,
)
from luna.energy.timeline import Instant
from luna.house.capability import CapabilityCall, ReplyTable, TerminalForm, capability
from luna.platform.database import answers
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from luna.words import Numbers

_NOUN = "answers"
AnswerId = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$", description="the answer's id")
]
ConversationId = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[\w-]+$", description="the conversation's id"),
]
LONGEST_QUESTION = 60


class AnswerQuestion(BaseModel):
    """Selection of the answers of all users."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    asked_by: Annotated[
        str | None,
        Field(max_length=64, pattern=r"^[^\x00]*$", description="only this reader's questions"),
    ] = None
    refused: Annotated[
        bool | None, Field(description="only questions without an answer, or only with one")
    ] = None
    feedback: Annotated[Feedback | None, Field(description="only answers found this way")] = None
    from_: Annotated[
        Instant | None, Field(alias="from", description="the first instant, included")
    ] = None
    to: Annotated[Instant | None, Field(description="the end, not included")] = None
    cursor: Annotated[
        str | None,
        Field(
            max_length=400,
            description="the previous page's cursor; default: the first page",
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=500, description="most rows")] = 50


_HEADINGS = (
    "answer",
    "at (UTC)",
    "user",
    "question",
    "worded by",
    "refused",
    "feedback",
    "seconds",
)


def _show(row: StoredAnswer, _: Numbers) -> list[str]:
    answer = row.answer
    refused = "yes" if row.answer.refused else ""
    when = f"{answer.answered_at:%Y-%m-%d %H:%M:%S}"
    question = answer.question[:LONGEST_QUESTION]
    return [
        answer.answer_id,
        when,
        row.asked_by,
        question,
        answer.model or "",
        refused,
        row.feedback or "",
        f"{answer.latency_seconds:.1f}",
    ]


@capability("GET", "/v1/answers", noun=_NOUN, scope="read", local_command="answers list")
def list_answers(call: CapabilityCall, *, limit: Limit = 50, cursor: Cursor = None) -> AnswerList:
    """List your answers.

    Return the caller's questions and answers, newest first.
    """
    return _list(call, answers.AnswerFilter(asked_by=call.name, among=call.sites), cursor, limit)


@capability(
    "GET",
    "/v1/audit/answers",
    noun=_NOUN,
    scope="administer",
    command="answers list",
    shown=ReplyTable(
        _HEADINGS, _show, "answers", words=_HEADINGS[:-1], none="There are no questions yet."
    ),
    terminal=TerminalForm(options={"asked_by": "user", "refused": "refused/--no-refused"}),
)
def audit_answers(call: CapabilityCall, question: AnswerQuestion) -> AnswerList:
    """List everybody's answers.

    Return questions and answers with the user, passages, model and prompt, newest first.
    """
    which = answers.AnswerFilter(
        question.asked_by, question.refused, question.feedback, question.from_, question.to
    )
    return _list(call, which, question.cursor, question.limit)


def _list(
    call: CapabilityCall, which: answers.AnswerFilter, cursor: str | None, limit: int
) -> AnswerList:
    rows = answers.list_before(
        call.connection, which, before=read_instant_and_text(cursor), limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_row)
    return AnswerList(answers=page, cursor=following)


def _key_of_row(row: StoredAnswer) -> tuple[str, str]:
    return row.answer.answered_at.isoformat(), row.answer.answer_id


def show_sources(answer: Answer) -> Iterator[str]:
    """Yield the sources of an answer, as they stand below its text."""
    yield ""
    for citation in answer.citations:
        yield f"[{citation.number}] {citation.place}"
    for call in answer.tool_calls:
        for source in call.sources:
            period = f", {source.period}" if source.period else ""
            yield f"- {source.what}{period}"
    for passage in answer.nearest:
        one_line = " ".join(passage.text.split())
        yield f"~ {passage.place}: {one_line[:160]}"
    yield f"conversation {answer.conversation_id}"


def _show_answer(stored: StoredAnswer, _: Numbers) -> Iterator[str]:
    yield stored.answer.answer
    yield from show_sources(stored.answer)


@capability(
    "GET",
    "/v1/answers/{answer_id}",
    noun=_NOUN,
    scope="read",
    command="answers show",
    shown=_show_answer,
    terminal=TerminalForm(arguments=("answer_id",)),
)
def read_answer(call: CapabilityCall, answer_id: AnswerId) -> StoredAnswer:
    """Read an answer.

    Return one of the caller's answers with its sources; admins can read anybody's.
    """
    return answers.load(call.connection, answer_id, asked_by=_whose(call))


_RATED_IN_PAGES = "a reader's own word on an answer that a page or program showed"


@capability(
    "POST", "/v1/answers/{answer_id}/feedback", noun=_NOUN, scope="read", alone=_RATED_IN_PAGES
)
def rate_answer(call: CapabilityCall, answer_id: AnswerId, note: FeedbackNote) -> StoredAnswer:
    """Rate an answer.

    Store the rating and return the answer; the last rating counts.
    """
    answers.give_feedback(call.connection, answer_id, note, asked_by=call.name or call.by)
    return answers.load(call.connection, answer_id, asked_by=call.name or call.by)


@capability(
    "GET",
    "/v1/conversations/{conversation_id}",
    noun=_NOUN,
    scope="read",
    local_command="answers show",
)
def read_conversation(call: CapabilityCall, conversation_id: ConversationId) -> Conversation:
    """Read a conversation.

    Return its questions and answers, oldest first.
    """
    return answers.read_conversation(call.connection, conversation_id, asked_by=_whose(call))


_FORGOTTEN = "a reader's own; answer_retention forgets the others"


@capability(
    "DELETE",
    "/v1/conversations/{conversation_id}",
    noun=_NOUN,
    scope="read",
    alone=_FORGOTTEN,
    status=204,
)
def delete_conversation(call: CapabilityCall, conversation_id: ConversationId) -> None:
    """Delete a conversation.

    Delete one of the caller's conversations with all its answers.
    """
    answers.delete_conversation(call.connection, conversation_id, asked_by=call.name or call.by)


def _whose(call: CapabilityCall) -> str | None:
    """Return whose answers the caller may read: None, everybody's."""
    return None if "administer" in call.scopes else call.name


CAPABILITIES = (
    list_answers,
    audit_answers,
    read_answer,
    rate_answer,
    read_conversation,
    delete_conversation,
)
