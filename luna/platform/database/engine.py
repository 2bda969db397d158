"""Connect to PostgreSQL: a connection pool per process, a transaction per request or task."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from select import POLLIN, poll
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

ResultT = TypeVar("ResultT")

# No correct statement runs this long: bulk writes are split into chunks far below it.
STATEMENT_TIMEOUT = timedelta(seconds=120)
LOCK_TIMEOUT = timedelta(seconds=10)
IDLE_LIMIT = timedelta(minutes=10)
# Both sides detect a vanished peer within a minute, by keep-alives on an idle connection and by the
# time-out for unacknowledged data on a busy one; the defaults are two hours and a quarter of one.
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_UNACKNOWLEDGED = timedelta(minutes=1)
# A database with SQL_ASCII returns bytes unless the client sets an encoding.
CONNECT_ARGS = {
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "tcp_user_timeout": int(_UNACKNOWLEDGED / timedelta(milliseconds=1)),
    **_KEEPALIVES,
}

# Temporary: a server that is away or restarts, or refuses writes, as a replica does until its
# promotion.
_PASSING = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
# Tables of another revision than this version's, as during an update.
_OTHER_REVISION = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
# Of a prepared statement whose columns have changed; the next one is prepared anew.
_CHANGED_COLUMNS = "cached plan must not change result type"
_AWAY = "database-away"
_REASONS: dict[type[Exception], str] = {
    psycopg.errors.DiskFull: "database-full",
    psycopg.errors.OutOfMemory: "database-without-memory",
    psycopg.errors.ReadOnlySqlTransaction: "database-read-only",
}


def create(
    url: str,
    *,
    application_name: str = "luna",
    pool_size: int = 5,
    idle_limit: timedelta = IDLE_LIMIT,
) -> Engine:
    """Return an engine for ``url``; it connects at the first unit of work.

    Args:
        url: of a PostgreSQL.
        application_name: of the connections, as the server shows it.
        pool_size: connections kept open.
        idle_limit: how long a unit of work may compute between two statements.

    Raises:
        InvalidInputError: no address of a PostgreSQL.
    """
    options = {
        "timezone": "UTC",
        "statement_timeout": _milliseconds(STATEMENT_TIMEOUT),
        "lock_timeout": _milliseconds(LOCK_TIMEOUT),
        "idle_in_transaction_session_timeout": _milliseconds(idle_limit),
        # A vanished client must not hold its locks for hours; a killed one closes its connection
        # itself.
        **{f"tcp_{name}": seconds for name, seconds in _KEEPALIVES.items()},
        "tcp_user_timeout": _milliseconds(_UNACKNOWLEDGED),
        # Queries here take milliseconds; compiling them takes hundreds.
        "jit": "off",
        # Loading a year again may exceed TimescaleDB's default limit for compressed chunks;
        # PostgreSQL alone ignores this.
        "timescaledb.max_tuples_decompressed_per_dml_transaction": 0,
    }
    connect_args = {
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        "application_name": application_name,
        **CONNECT_ARGS,
    }
    engine = create_engine(
        parse_address(url),
        connect_args=connect_args,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_recycle=1800,
    )
    event.listen(engine, "checkout", _require_open)
    return engine


def _require_open(session: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """Discard a pooled connection that the server has closed.

    Polling the socket takes microseconds, a query a round trip.
    """
    if session.closed:
        raise InvalidatePoolError
    # An idle connection becomes readable only when the server closes it.
    readable = poll()
    readable.register(session.fileno(), POLLIN)
    if readable.poll(0):
        raise InvalidatePoolError


def parse_address(url: str) -> URL:
    """Parse a PostgreSQL URL (``postgresql://…``) and select psycopg as its driver.

    Raises:
        InvalidInputError: no address of a PostgreSQL; the value is not shown, for it may hold a
            password.
    """
    try:
        address = make_url(url)
    except ArgumentError as exc:
        raise _no_address() from exc
    if address.get_backend_name() not in ("postgresql", "postgres"):
        raise _no_address()
    return address.set(drivername="postgresql+psycopg")


def _no_address() -> LunaError:
    return refuse(
        "not-the-address",
        field="LUNA_DATABASE_URL",
        server="PostgreSQL",
        form="postgresql://user:password@host:5432/database",
    )


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction: all writes are committed together, or none.

    Raises:
        UnavailableError: the database cannot be reached or refuses writes, or a lock or statement
            timed out.
        FullError: its disk is full.
    """
    whole = _WHOLE.get()
    is_part = whole is not None and whole.engine is engine
    transaction = whole.part() if whole is not None and is_part else engine.begin()
    with translated(), transaction as connection:
        yield connection


def do_in_unit(engine: Engine, work: Callable[[Connection], ResultT]) -> ResultT:
    """Run ``work`` in a unit of work and return its result."""
    with unit_of_work(engine) as connection:
        return work(connection)


class WholeUnit:
    """One transaction for all units of work of a request.

    Their writes are committed by ``store``, or not at all. Parts run one after the other.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.afterwards: list[Callable[[], object]] = []
        self._connection: Connection | None = None
        self._open_parts = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Make units of work on this engine parts of this one, in all threads of this context."""
        token = _WHOLE.set(self)
        try:
            yield
        finally:
            _WHOLE.reset(token)

    @contextmanager
    def part(self) -> Iterator[Connection]:
        """Yield the connection for one unit of work; an error rolls back its writes alone."""
        connection = self._connect()
        self._open_parts += 1
        try:
            with connection.begin_nested():
                yield connection
        finally:
            self._open_parts -= 1
        if self._open_parts:
            return
        if connection.scalar(select(func.pg_current_xact_id_if_assigned())) is None:
            # Nothing was written: release the connection while the request may wait for a worker.
            self.close()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self.engine.connect()
        return self._connection

    def store(self, write: Callable[[Connection], None]) -> None:
        """Commit all writes together with those of ``write``, then run the ``after_commit`` steps.

        Raises:
            UnavailableError: as ``unit_of_work``.
        """
        with translated():
            connection = self._connect()
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
        """Roll back what was not committed."""
        connection = self._connection
        self._connection = None
        if connection is not None:
            connection.close()


_WHOLE: ContextVar[WholeUnit | None] = ContextVar("whole_unit", default=None)


def after_commit(engine: Engine, step: Callable[[], object]) -> None:
    """Run ``step`` now, just after a commit; within a ``WholeUnit`` after that one's commit."""
    whole = _WHOLE.get()
    if whole is None or whole.engine is not engine:
        step()
    else:
        whole.afterwards.append(step)


@contextmanager
def own_session(engine: Engine) -> Iterator[Connection]:
    """Yield an autocommit connection outside the pool, closed at the end.

    Session state such as an advisory lock ends with it.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    with (
        translated(),
        engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
    ):
        connection.detach()
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Convert temporary database errors of the block to UnavailableError."""
    try:
        yield
    except DBAPIError as exc:
        reason = None if exc.orig is None else _reason_of(exc.orig)
        if exc.orig is None or reason is None:
            raise
        raise _refusal(reason, exc.orig) from exc
    except psycopg.Error as exc:
        reason = _reason_of(exc)
        if reason is None:
            raise
        raise _refusal(reason, exc) from exc
    except NoneFreeError as exc:
        raise refuse("database-busy", field="database_url") from exc


def _reason_of(error: BaseException) -> str | None:
    """Return the reason of a temporary error, None for any other error."""
    if isinstance(error, _PASSING):
        return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), _AWAY)
    if isinstance(error, _OTHER_REVISION) or _CHANGED_COLUMNS in str(error):
        return "tables-of-other-revision"
    return None


def _refusal(reason: str, error: BaseException) -> LunaError:
    return refuse(reason, field="database_url", why=str(error).strip().partition("\n")[0])


def _milliseconds(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))
