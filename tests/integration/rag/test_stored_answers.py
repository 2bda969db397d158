"""Answers as they are stored: whose they are, how they are forgotten, and that they go with their
site.
"""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from luna.contracts.answers import Answer, FeedbackNote, StoredAnswer
from luna.energy.errors import NotFoundError
from luna.platform.database import answers, site_removal
from luna.platform.database.answers import AnswerFilter
from tests.support.database.site import store_site

NOON = datetime(2026, 5, 21, 12, tzinfo=UTC)


def store(
    connection: Connection,
    *,
    conversation: str | None = None,
    asked_by: str = "uwe",
    site: str | None = None,
    at: datetime = NOON,
    refused: bool = False,
) -> Answer:
    """Store an answer, in a conversation of its own where none is named."""
    if conversation is None:
        conversation = uuid.uuid4().hex
        answers.begin_conversation(connection, conversation, asked_by=asked_by, site_id=site, at=at)
    parts = {
        "answer_id": uuid.uuid4().hex,
        "conversation_id": conversation,
        "question": "?",
        "language": "de",
        "answer": "!",
        "prompt_version": "1",
    }
    answer = Answer(**parts, refused=refused, answered_at=at, latency_seconds=0.5)  # type: ignore[arg-type]
    answers.save(
        connection,
        StoredAnswer(
            answer=answer,
            asked_by=asked_by,
            site_id=site,
            prompt="p",
            chunk_ids=[3, 1],
            prompt_tokens=7,
        ),
    )
    return answer


def test_an_answer_comes_back_as_it_was_stored(connection: Connection) -> None:
    answer = store(connection)
    stored = answers.load(connection, answer.answer_id, asked_by="uwe")
    assert (
        stored.answer,
        stored.chunk_ids,
        stored.prompt,
        stored.prompt_tokens,
        stored.feedback,
    ) == (answer, [3, 1], "p", 7, None)


def test_somebody_elses_is_not_there(connection: Connection) -> None:
    answer = store(connection)
    for act in (
        lambda: answers.load(connection, answer.answer_id, asked_by="ana"),
        lambda: answers.read_conversation(connection, answer.conversation_id, asked_by="ana"),
        lambda: answers.delete_conversation(connection, answer.conversation_id, asked_by="ana"),
        lambda: answers.give_feedback(
            connection, answer.answer_id, FeedbackNote(feedback="helpful"), asked_by="ana"
        ),
        lambda: answers.require_conversation(connection, answer.conversation_id, asked_by="ana"),
    ):
        with pytest.raises(NotFoundError):
            act()
    assert answers.load(connection, answer.answer_id, asked_by=None).answer == answer


def test_lists_are_filtered_and_go_on(connection: Connection) -> None:
    made = [
        store(connection, at=NOON + timedelta(minutes=minute), refused=minute == 1)
        for minute in range(3)
    ]
    answers.give_feedback(
        connection, made[2].answer_id, FeedbackNote(feedback="unhelpful", note="no"), asked_by="uwe"
    )
    store(connection, asked_by="ana")

    def ids(which: AnswerFilter, before: tuple[datetime, str] | None = None) -> list[str]:
        return [
            each.answer.answer_id
            for each in answers.list_before(connection, which, before=before, limit=10)
        ]

    own = [answer.answer_id for answer in reversed(made)]
    assert ids(AnswerFilter(asked_by="uwe")) == own
    assert ids(AnswerFilter(asked_by="uwe"), (made[1].answered_at, made[1].answer_id)) == own[2:]
    assert ids(AnswerFilter(asked_by="uwe", refused=True)) == [made[1].answer_id]
    assert ids(AnswerFilter(asked_by="uwe", feedback="unhelpful")) == [made[2].answer_id]
    assert ids(
        AnswerFilter(asked_by="uwe", first=made[1].answered_at, end=made[2].answered_at)
    ) == [made[1].answer_id]


def test_old_answers_are_forgotten_and_with_the_last_its_conversation(
    connection: Connection,
) -> None:
    old = store(connection, at=NOON - timedelta(days=90))
    new = store(connection, conversation=old.conversation_id)
    gone = store(connection, at=NOON - timedelta(days=90))
    assert answers.forget_old(connection, before=NOON - timedelta(days=30)) == 2
    assert answers.read_conversation(connection, old.conversation_id, asked_by="uwe").answers == [
        new
    ]
    with pytest.raises(NotFoundError):
        answers.read_conversation(connection, gone.conversation_id, asked_by="uwe")


def test_answers_about_a_site_go_with_it(connection: Connection) -> None:
    site = store_site(connection, name=f"asked-{uuid.uuid4().hex[:8]}").name
    about = store(connection, site=site)
    other = store(connection)
    site_removal.remove(connection, site)
    with pytest.raises(NotFoundError):
        answers.load(connection, about.answer_id, asked_by=None)
    assert answers.load(connection, other.answer_id, asked_by=None).answer == other
