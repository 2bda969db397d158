"""Conversations and answers: questions, answers and their sources."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)

from luna.contracts.answers import Answer, Conversation, Feedback, FeedbackNote, StoredAnswer
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.database import sites
from luna.platform.database.schema.answers import answers, conversations
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.stored_rows import read_page

FORGET_AT_MOST = 10_000
# A conversation is read whole; nobody asks on for longer.
MOST_OF_CONVERSATION = 500


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """The answers to list; a field that is None excludes nothing.

    Attributes:
        first: the first instant, included.
        end: the last instant, excluded.
        among: the sites that answers may draw on.
    """

    asked_by: str | None = None
    refused: bool | None = None
    feedback: Feedback | None = None
    first: datetime | None = None
    end: datetime | None = None
    among: Collection[str] | None = None


def begin_conversation(
    connection: Connection,
    conversation_id: str,
    *,
    asked_by: str,
    site_id: str | None,
    at: datetime,
) -> None:
    """Store a conversation in which nothing was answered yet.

    Raises:
        NotFoundError: no such site.
    """
    row = {
        "conversation_id": conversation_id,
        "site_key": _key(connection, site_id),
        "asked_by": asked_by,
        "begun_at": at,
    }
    connection.execute(insert(conversations).values(row))


def require_conversation(
    connection: Connection, conversation_id: str, *, asked_by: str | None
) -> str | None:
    """Return the site of a conversation, None if it named none.

    Args:
        asked_by: whose it has to be; None: anybody's.

    Raises:
        NotFoundError: no such answer or conversation of this user.
    """
    site_id: str = _conversation(connection, conversation_id, asked_by)["site_id"]
    return site_id


def read_conversation(
    connection: Connection, conversation_id: str, *, asked_by: str | None
) -> Conversation:
    """Return a conversation with its answers.

    Raises:
        NotFoundError: as ``require_conversation``.
    """
    row = _conversation(connection, conversation_id, asked_by)
    newest = select(answers.c.answer, answers.c.answered_at).where(
        answers.c.conversation_id == conversation_id
    )
    newest = newest.order_by(answers.c.answered_at.desc(), answers.c.answer_id)
    conversation_answers = read_page(connection, newest, _answer, limit=MOST_OF_CONVERSATION)[::-1]
    return Conversation(
        conversation_id=conversation_id,
        site_id=row["site_id"],
        begun_at=row["begun_at"].astimezone(UTC),
        answers=conversation_answers,
    )


def list_sites(connection: Connection, conversation_id: str) -> list[str]:
    """Return the sites that the answers of a conversation draw on."""
    return list(
        connection.scalars(
            select(func.unnest(answers.c.sites))
            .where(answers.c.conversation_id == conversation_id)
            .distinct()
        )
    )


def list_questions(connection: Connection, conversation_id: str, *, most: int) -> list[Answer]:
    """Return the last answers of a conversation, the oldest of them first."""
    newest = (
        select(answers.c.answer)
        .where(answers.c.conversation_id == conversation_id)
        .order_by(answers.c.answered_at.desc(), answers.c.answer_id)
    )
    return read_page(connection, newest, _answer, limit=most)[::-1]


def delete_conversation(
    connection: Connection, conversation_id: str, *, asked_by: str | None
) -> None:
    """Delete a conversation with its answers.

    Raises:
        NotFoundError: as ``require_conversation``.
    """
    _conversation(connection, conversation_id, asked_by)
    connection.execute(
        delete(conversations).where(conversations.c.conversation_id == conversation_id)
    )


def save(connection: Connection, stored: StoredAnswer) -> None:
    """Store an answer of a stored conversation.

    The site that it is about is one of its sites.

    Raises:
        NotFoundError: no such site.
    """
    answer = stored.answer
    row: dict[str, Any] = stored.model_dump(mode="json", exclude={"answer", "site_id"})
    row["sites"] = sorted({*stored.sites, *filter(None, [stored.site_id])})
    row |= {"answer": answer.model_dump(mode="json"), "site_key": _key(connection, stored.site_id)}
    for name in ("answer_id", "conversation_id", "answered_at", "refused"):
        row[name] = getattr(answer, name)
    connection.execute(insert(answers).values(row))


def load(connection: Connection, answer_id: str, *, asked_by: str | None) -> StoredAnswer:
    """Return an answer with what it was made from.

    Args:
        asked_by: whose it has to be; None: anybody's.

    Raises:
        NotFoundError: no such answer or conversation of this user.
    """
    row = (
        connection.execute(_select().where(answers.c.answer_id == answer_id, *_of(asked_by)))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise _no_answer(answer_id)
    return _stored(row)


def list_before(
    connection: Connection,
    which: AnswerFilter,
    *,
    before: tuple[datetime, str] | None = None,
    limit: int,
) -> list[StoredAnswer]:
    """Return answers, the latest first.

    ``before`` is the instant and id of the last answer of the page before.
    """
    table = answers.c
    filters = (
        (table.asked_by, which.asked_by),
        (table.refused, which.refused),
        (table.feedback, which.feedback),
    )
    conditions = [column == value for column, value in filters if value is not None]
    conditions += [table.answered_at >= which.first] if which.first is not None else []
    conditions += [table.answered_at < which.end] if which.end is not None else []
    conditions += (
        [tuple_(table.answered_at, table.answer_id) < before] if before is not None else []
    )
    conditions += [table.sites.contained_by(sorted(which.among))] if which.among is not None else []
    query = _select().where(*conditions).order_by(table.answered_at.desc(), table.answer_id.desc())
    return read_page(connection, query, _stored, limit=limit)


def give_feedback(
    connection: Connection, answer_id: str, note: FeedbackNote, *, asked_by: str | None
) -> None:
    """Store whether an answer helped; the last feedback counts.

    Raises:
        NotFoundError: no such answer or conversation of this user.
    """
    change = (
        update(answers)
        .where(answers.c.answer_id == answer_id, *_of(asked_by))
        .values(feedback=note.feedback, feedback_note=note.note)
    )
    if not connection.execute(change).rowcount:
        raise _no_answer(answer_id)


def forget_old(connection: Connection, *, before: datetime) -> int:
    """Delete answers from before an instant and return their number.

    Conversations that are left empty go as well; what is left over goes in the next call.
    """
    oldest = (
        select(answers.c.answer_id)
        .where(answers.c.answered_at < before)
        .order_by(answers.c.answered_at)
        .limit(FORGET_AT_MOST)
    )
    deleted = connection.execute(delete(answers).where(answers.c.answer_id.in_(oldest))).rowcount
    empty = ~exists().where(answers.c.conversation_id == conversations.c.conversation_id)
    connection.execute(delete(conversations).where(and_(conversations.c.begun_at < before, empty)))
    return deleted


def _conversation(connection: Connection, conversation_id: str, asked_by: str | None) -> RowMapping:
    query = select(conversations, site_table.c.name.label("site_id")).outerjoin_from(
        conversations, site_table, site_table.c.site_key == conversations.c.site_key
    )
    of_reader = [conversations.c.asked_by == asked_by] if asked_by is not None else []
    row = (
        connection.execute(
            query.where(conversations.c.conversation_id == conversation_id, *of_reader)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise refuse("no-conversation-of-yours", field="conversation_id", value=conversation_id)
    return row


def _select() -> Any:
    return select(answers, site_table.c.name.label("site_id")).outerjoin_from(
        answers, site_table, site_table.c.site_key == answers.c.site_key
    )


def _of(asked_by: str | None) -> list[Any]:
    return [answers.c.asked_by == asked_by] if asked_by is not None else []


def _answer(row: RowMapping) -> Answer:
    return Answer.model_validate(row["answer"])


def _stored(row: RowMapping) -> StoredAnswer:
    return StoredAnswer.model_validate({name: row[name] for name in StoredAnswer.model_fields})


def _key(connection: Connection, site_id: str | None) -> int | None:
    return None if site_id is None else sites.key_of(connection, site_id)


def _no_answer(answer_id: str) -> LunaError:
    return refuse(
        "not-found",
        field="answer_id",
        value=answer_id,
        thing="answer",
        source="a list of your answers: answer_id",
    )
