"""Answers to requests that carry an idempotency key, kept so that a second one is answered alike and does nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from luna.database.schema.work import idempotent_answers
from luna.errors import ConflictError, InvalidInputError

KEPT = timedelta(hours=24)
# Longer than anything is answered in: what is still open then lost its gateway.
ABANDONED_AFTER = timedelta(minutes=15)


class AnswerKey(NamedTuple):
    """What one answer belongs to: who asked for which operation, by which key."""

    caller: str
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given."""

    status: int
    headers: Mapping[str, str]
    body: str


def reserve(connection: Connection, key: AnswerKey, *, digest: str) -> KeptAnswer | None:
    """Return the answer that was given to this request, None where it is the caller's to answer now: then the key is held for him.

    Raises:
        ConflictError: the first request is still being answered.
        InvalidInputError: the key came with another request.
    """
    table = idempotent_answers
    connection.execute(delete(table).where(*_own(key), table.c.asked_at < func.now() - KEPT))
    connection.execute(delete(table).where(*_own(key), table.c.status.is_(None), table.c.asked_at < func.now() - ABANDONED_AFTER))
    row = {**key._asdict(), "digest": digest}
    if connection.scalar(insert(table).values(row).on_conflict_do_nothing().returning(table.c.digest)) is not None:
        return None
    stored = connection.execute(select(table.c.digest, table.c.status, table.c.headers, table.c.body).where(*_own(key))).one()
    if stored.digest != digest:
        remedy = "Send a new key with every new request; the same one only with the same address and body."
        raise InvalidInputError("the key came with another request", field="Idempotency-Key", value=key.key, remedy=remedy)
    if stored.status is None:
        raise ConflictError("the first request of this key is still being answered", field="Idempotency-Key", value=key.key, remedy="Ask again in a moment.")
    return KeptAnswer(stored.status, stored.headers, stored.body)


def keep(connection: Connection, key: AnswerKey, answer: KeptAnswer) -> None:
    """Store what the request of a held key was answered."""
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    connection.execute(update(idempotent_answers).where(*_own(key)).values(values))


def release(connection: Connection, key: AnswerKey) -> None:
    """Let go of a held key: its request was refused and changed nothing, so that it may be corrected and sent again."""
    connection.execute(delete(idempotent_answers).where(*_own(key), idempotent_answers.c.status.is_(None)))


def forget_old(connection: Connection) -> int:
    """Delete what is older than ``KEPT``; returns how many."""
    return connection.execute(delete(idempotent_answers).where(idempotent_answers.c.asked_at < func.now() - KEPT)).rowcount


def _own(key: AnswerKey) -> tuple[ColumnElement[bool], ...]:
    table = idempotent_answers.c
    return table.caller == key.caller, table.operation == key.operation, table.key == key.key
