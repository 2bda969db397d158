"""Store replies by idempotency key.

A repeated request gets the same reply and does nothing.

A key is locked by an advisory lock of a database session, which ends with its process: after a
crash the next request proceeds at once. The writes of a request are committed together with its
reply; of two processes that both believe they hold the key, the second commits nothing.
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
# Shorter than the retention of workers' results: later the outcome of a gateway's crash cannot be
# determined.
REPEATABLE = timedelta(minutes=55)
# The server detects a vanished gateway within 25 s; a killed one closes its session itself.
_KEEPALIVES = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 25000",
)


class AnswerKey(NamedTuple):
    """The key of a reply: the caller, the operation and the caller's idempotency key."""

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
    """The keys that this process has locked in one database session; thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._locked: set[AnswerKey] = set()
        self._mutex = threading.Lock()
        self._session: Connection | None = None

    def take(self, key: AnswerKey) -> bool:
        """Lock the key; return False where it is locked, in this process or another one.

        Raises:
            UnavailableError: the database is away.
        """
        with self._mutex:
            if key in self._locked or not self._call_lock(func.pg_try_advisory_lock, key):
                return False
            self._locked.add(key)
            return True

    def give_back(self, key: AnswerKey) -> None:
        """Unlock the key."""
        with self._mutex:
            self._locked.discard(key)
            try:
                if self._session is not None:
                    self._call_lock(func.pg_advisory_unlock, key)
            except UnavailableError:
                # A lost session has no locks.
                self._end_session()

    def close(self) -> None:
        """Release all locks."""
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
        session = self._session
        self._session = None
        if session is not None:
            with suppress(DBAPIError):
                session.close()


def reserve(
    connection: Connection, key: AnswerKey, *, digest: str, is_locked: bool
) -> StoredReply | datetime:
    """Return the stored reply to this request.

    The time of its first receipt if the caller has to answer it.

    Args:
        connection: of a unit of work.
        key: the caller's.
        digest: of the request.
        is_locked: whether this process holds the key.

    Raises:
        ConflictError: the first request is still in progress, or it is so old that its outcome is
            unknown.
        InvalidInputError: the key was used with another request.
    """
    table = idempotent_answers
    connection.execute(delete(table).where(*_own(key), table.c.asked_at < func.now() - RETENTION))
    if is_locked:
        connection.execute(
            insert(table).values({**key._asdict(), "digest": digest}).on_conflict_do_nothing()
        )
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
        ConflictError: another process answered it meanwhile; nothing of this reply may be
            committed.
    """
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    if not connection.execute(
        update(idempotent_answers)
        .where(*_own(key), idempotent_answers.c.status.is_(None))
        .values(values)
    ).rowcount:
        raise refuse("key-answered-meanwhile", field="Idempotency-Key", value=key.key)


def release(connection: Connection, key: AnswerKey) -> None:
    """Delete a locked key without a reply.

    Its request was refused and changed nothing, so that it may be corrected and sent again.
    """
    connection.execute(
        delete(idempotent_answers).where(*_own(key), idempotent_answers.c.status.is_(None))
    )


def forget_old(connection: Connection) -> int:
    """Delete keys older than ``RETENTION``; return how many."""
    return connection.execute(
        delete(idempotent_answers).where(idempotent_answers.c.asked_at < func.now() - RETENTION)
    ).rowcount


def _own(key: AnswerKey) -> tuple[ColumnElement[bool], ...]:
    table = idempotent_answers.c
    return table.caller == key.caller, table.operation == key.operation, table.key == key.key
