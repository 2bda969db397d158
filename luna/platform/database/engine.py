"""Connections: one pool per process, one unit of work per request or task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from select import POLLIN, poll
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, InternalError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

ResultT = TypeVar("ResultT")

# A statement that runs longer has gone wrong; bulk writes go in chunks that stay far below.
STATEMENT_TIMEOUT = timedelta(seconds=120)
LOCK_TIMEOUT = timedelta(seconds=10)
IDLE_LIMIT = timedelta(minutes=10)
# Either side notices within a minute that the other's machine is gone: by signs of life where nothing is under way, by what nobody acknowledges where
# something is. By themselves, sockets would wait for two hours, and for a quarter of one.
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_UNACKNOWLEDGED = timedelta(minutes=1)
# A database made without an encoding (SQL_ASCII) hands over bytes unless it is told one.
CONNECT_ARGS = {"client_encoding": "utf8", "connect_timeout": 10, "tcp_user_timeout": int(_UNACKNOWLEDGED / timedelta(milliseconds=1)), **_KEEPALIVES}

# What passes: a server that is away or starts anew, and one that takes no writes, as a replica does until it is the primary.
_PASSING = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
_AWAY = "database-away"
_REASONS: dict[type[Exception], str] = {
    psycopg.errors.DiskFull: "database-full",
    psycopg.errors.OutOfMemory: "database-without-memory",
    psycopg.errors.ReadOnlySqlTransaction: "database-read-only",
}


def create(url: str, *, application_name: str = "luna", pool_size: int = 5, idle_limit: timedelta = IDLE_LIMIT) -> Engine:
    """Return an engine for ``url``; nothing is opened before the first unit of work.

    Args:
        url: of a PostgreSQL.
        application_name: what the server calls these connections.
        pool_size: connections kept.
        idle_limit: how long a unit of work may compute between two statements.

    Raises:
        InvalidInputError: no address of a PostgreSQL.
    """
    options = {
        "timezone": "UTC",
        "statement_timeout": _milliseconds(STATEMENT_TIMEOUT),
        "lock_timeout": _milliseconds(LOCK_TIMEOUT),
        "idle_in_transaction_session_timeout": _milliseconds(idle_limit),
        # A client whose machine is gone must not hold its locks for hours; that of a killed one closes by itself.
        **{f"tcp_{name}": seconds for name, seconds in _KEEPALIVES.items()},
        "tcp_user_timeout": _milliseconds(_UNACKNOWLEDGED),
        # Queries here take milliseconds; compiling them takes hundreds.
        "jit": "off",
        # Loading a year again may change more rows in compressed chunks than TimescaleDB allows by itself; elsewhere nobody reads this.
        "timescaledb.max_tuples_decompressed_per_dml_transaction": 0,
    }
    connect_args = {"options": " ".join(f"-c {name}={value}" for name, value in options.items()), "application_name": application_name, **CONNECT_ARGS}
    engine = create_engine(parse_address(url), connect_args=connect_args, pool_size=pool_size, max_overflow=pool_size, pool_recycle=1800)
    event.listen(engine, "checkout", _require_open)
    return engine


def _require_open(session: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """Have the pool connect anew where the server has closed a session meanwhile: to look costs microseconds, to ask the server a turn with it.

    A server whose machine is gone says nothing; it would answer nothing either.
    """
    look = poll()
    if not session.closed:
        look.register(session.fileno(), POLLIN)
    # Of a session in which nothing is under way only its end is to be read.
    if session.closed or look.poll(0):
        raise InvalidatePoolError


def parse_address(url: str) -> URL:
    """Return a PostgreSQL's address (``postgresql://…``), spoken to through psycopg.

    Raises:
        InvalidInputError: no address of a PostgreSQL; its value stays unsaid, for it may hold a password.
    """
    try:
        address = make_url(url)
    except ArgumentError as exc:
        raise _no_address() from exc
    if address.get_backend_name() not in ("postgresql", "postgres"):
        raise _no_address()
    return address.set(drivername="postgresql+psycopg")


def _no_address() -> LunaError:
    return refuse("no-database-address", field="LUNA_DATABASE_URL")


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose writes are committed together at the end, or not at all.

    Raises:
        UnavailableError: the database cannot be reached, takes no writes for now, or a lock or statement took too long.
        FullError: its disk is full.
    """
    whole = _WHOLE.get()
    with translated(), engine.begin() if whole is None or whole.engine is not engine else whole.part() as connection:
        yield connection


def do_in_unit(engine: Engine, work: Callable[[Connection], ResultT]) -> ResultT:
    """Return what ``work`` returns of one unit of work."""
    with unit_of_work(engine) as connection:
        return work(connection)


class WholeUnit:
    """One transaction for the units of work of one request: what they write is committed with ``store``, or not at all. Its parts follow one another."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.afterwards: list[Callable[[], object]] = []
        self._connection: Connection | None = None
        self._open_parts = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let units of work on this engine be parts of this one, in this thread and in those that it asks."""
        token = _WHOLE.set(self)
        try:
            yield
        finally:
            _WHOLE.reset(token)

    @contextmanager
    def part(self) -> Iterator[Connection]:
        """Yield the connection for one unit of work, which is taken back alone where it raises."""
        connection = self._connection = self._connection or self.engine.connect()
        self._open_parts += 1
        try:
            with connection.begin_nested():
                yield connection
        finally:
            self._open_parts -= 1
        if not self._open_parts and connection.scalar(select(func.pg_current_xact_id_if_assigned())) is None:
            # It has only read: nothing to keep, and no connection to hold while a worker is waited for.
            self.close()

    def store(self, write: Callable[[Connection], None]) -> None:
        """Commit all that was written, with what ``write`` adds, then do what was to be done afterwards.

        Raises:
            UnavailableError: as ``unit_of_work``.
        """
        with translated():
            connection = self._connection = self._connection or self.engine.connect()
            write(connection)
            connection.commit()
            self.close()
        token = _WHOLE.set(None)
        try:
            for step in self.afterwards:
                step()
        finally:
            _WHOLE.reset(token)

    def close(self) -> None:
        """Take back what was not stored."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


_WHOLE: ContextVar[WholeUnit | None] = ContextVar("whole_unit", default=None)


def after_commit(engine: Engine, step: Callable[[], object]) -> None:
    """Do ``step`` once what was written just now is committed: at once, or with the whole of which it is a part."""
    whole = _WHOLE.get()
    if whole is None or whole.engine is not engine:
        step()
    else:
        whole.afterwards.append(step)


@contextmanager
def own_session(engine: Engine) -> Iterator[Connection]:
    """Yield a connection outside pool and transactions, closed at the end: what its session holds, such as a lock, ends with it.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    with translated(), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.detach()
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Let what passes leave the block as an UnavailableError."""
    try:
        yield
    except (OperationalError, InternalError) as exc:
        if not isinstance(exc.orig, _PASSING):
            raise
        raise _translate(exc.orig) from exc
    except _PASSING as exc:
        raise _translate(exc) from exc
    except NoneFreeError as exc:
        raise refuse("database-busy", field="database_url") from exc


def _translate(error: BaseException) -> LunaError:
    reason = next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), _AWAY)
    return refuse(reason, field="database_url", why=str(error).strip().partition("\n")[0])


def _milliseconds(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))
