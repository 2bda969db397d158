"""Answers to requests that carry an idempotency key, kept so that a second one is answered alike and does nothing.

Who answers holds the key by a lock of a database session, which ends with its process: after a death the next one goes on at once. What a request writes is
committed together with its answer, by whoever stores one first: of two who both believe that they hold a key, the second writes nothing.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.database.engine import translated
from luna.platform.database.schema.work import idempotent_answers

RETENTION = timedelta(hours=24)
# Shorter than outcomes of workers are kept: later nobody can tell whether one did what its gateway died over.
REPEATABLE = timedelta(minutes=55)
# The server notices within 25 s that the machine of a gateway is gone without a word; one that died closes its session by itself.
_KEEPALIVES = ("SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3", "SET tcp_user_timeout = 25000")


class AnswerKey(NamedTuple):
    """The key of a reply: the caller, the operation and the caller's key."""

    caller: str
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A reply as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: str


class LockedKeys:
    """The keys that this process holds, by locks of one database session; threads share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._locked: set[AnswerKey] = set()
        self._mutex = threading.Lock()
        self._session: Connection | None = None

    def take(self, key: AnswerKey) -> bool:
        """Lock the key; False: it is locked already, in this process or another one.

        Raises:
            UnavailableError: the database is away.
        """
        with self._mutex:
            if key in self._locked or not self._call_lock(func.pg_try_advisory_lock, key):
                return False
            self._locked.add(key)
            return True

    def give_back(self, key: AnswerKey) -> None:
        """Hold the key no longer."""
        with self._mutex:
            self._locked.discard(key)
            try:
                if self._session is not None:
                    self._call_lock(func.pg_advisory_unlock, key)
            except UnavailableError:
                # A session that is gone holds nothing.
                self._end_session()

    def close(self) -> None:
        """Hold nothing any more."""
        with self._mutex:
            self._end_session()

    def _call_lock(self, function: Callable[..., Any], key: AnswerKey) -> bool:
        query = select(function(func.hashtextextended(" ".join(("idempotency", *key)), 0)))
        with translated():
            if self._session is not None and self._is_alive(self._session):
                return bool(self._session.scalar(query))
            self._end_session()
            self._session = self._engine.connect()
            self._session.detach()
            for statement in _KEEPALIVES:
                self._session.execute(text(statement))
            return bool(self._session.scalar(query))

    def _is_alive(self, session: Connection) -> bool:
        try:
            return session.scalar(select(1)) == 1
        except DBAPIError:
            return False

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(DBAPIError):
                session.close()


def reserve(connection: Connection, key: AnswerKey, *, digest: str, is_locked: bool) -> StoredReply | datetime:
    """Return the answer that was given to this request; where it is the caller's to answer now, since when it has waited for one.

    Args:
        connection: of a unit of work.
        key: the caller's.
        digest: of the request.
        is_locked: whether this process holds the key.

    Raises:
        ConflictError: the first request is still being answered, or it began so long ago that nobody knows what became of it.
        InvalidInputError: the key came with another request.
    """
    table = idempotent_answers
    connection.execute(delete(table).where(*_own(key), table.c.asked_at < func.now() - RETENTION))
    if is_locked:
        connection.execute(insert(table).values({**key._asdict(), "digest": digest}).on_conflict_do_nothing())
    is_repeatable = (table.c.asked_at > func.now() - REPEATABLE).label("is_repeatable")
    stored = connection.execute(select(table, is_repeatable).where(*_own(key))).one_or_none()
    if stored is not None and stored.digest != digest:
        raise refuse("key-of-other-request", field="Idempotency-Key", value=key.key)
    if stored is not None and stored.status is not None:
        return StoredReply(stored.status, stored.headers, stored.body)
    if stored is None or not is_locked:
        raise refuse("request-still-answered", field="Idempotency-Key", value=key.key)
    if not stored.is_repeatable:
        raise refuse("key-never-answered", field="Idempotency-Key", value=key.key)
    asked_at: datetime = stored.asked_at
    return asked_at


def keep(connection: Connection, key: AnswerKey, answer: StoredReply) -> None:
    """Store the reply to the request of a locked key.

    Raises:
        ConflictError: somebody else answered it meanwhile; nothing of this answer may be committed.
    """
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    if not connection.execute(update(idempotent_answers).where(*_own(key), idempotent_answers.c.status.is_(None)).values(values)).rowcount:
        raise refuse("key-answered-meanwhile", field="Idempotency-Key", value=key.key)


def release(connection: Connection, key: AnswerKey) -> None:
    """Release a locked key: its request was refused and changed nothing, so that it may be corrected and sent again."""
    connection.execute(delete(idempotent_answers).where(*_own(key), idempotent_answers.c.status.is_(None)))


def forget_old(connection: Connection) -> int:
    """Delete what is older than ``RETENTION``; returns how many."""
    return connection.execute(delete(idempotent_answers).where(idempotent_answers.c.asked_at < func.now() - RETENTION)).rowcount


def _own(key: AnswerKey) -> tuple[ColumnElement[bool], ...]:
    table = idempotent_answers.c
    return table.caller == key.caller, table.operation == key.operation, table.key == key.key
