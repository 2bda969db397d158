"""Connections: one pool per process, one unit of work per request or task."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from luna.errors import FullError, InvalidInputError, UnavailableError

# A statement that runs longer has gone wrong; bulk writes go in chunks that stay far below.
STATEMENT_TIMEOUT = timedelta(seconds=120)
LOCK_TIMEOUT = timedelta(seconds=10)
IDLE_LIMIT = timedelta(minutes=10)
# Either side notices within a minute that the other's machine is gone; by themselves, sockets would wait for two hours.
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# A database made without an encoding (SQL_ASCII) hands over bytes unless it is told one.
CONNECT_ARGS = {"client_encoding": "utf8", "connect_timeout": 10, "tcp_user_timeout": 60_000, **_KEEPALIVES}

# What passes: a server that is away or starts anew, and one that takes no writes, as a replica does until it is the primary.
_PASSING = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
_AWAY = "the database does not answer", "Check that it runs"
_SAID: dict[type[Exception], tuple[str, str]] = {
    psycopg.errors.OutOfMemory: ("the database has no memory left", "Free some memory where PostgreSQL runs"),
    psycopg.errors.ReadOnlySqlTransaction: ("the database takes no writes", "Wait until the fail-over has ended, or name the server that takes them"),
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
        # Queries here take milliseconds; compiling them takes hundreds.
        "jit": "off",
        # Loading a year again may change more rows in compressed chunks than TimescaleDB allows by itself; elsewhere nobody reads this.
        "timescaledb.max_tuples_decompressed_per_dml_transaction": 0,
    }
    connect_args = {"options": " ".join(f"-c {name}={value}" for name, value in options.items()), "application_name": application_name, **CONNECT_ARGS}
    return create_engine(parse_address(url), connect_args=connect_args, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, pool_recycle=1800)


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


def _no_address() -> InvalidInputError:
    return InvalidInputError("no address of a PostgreSQL", field="LUNA_DATABASE_URL", remedy="Write postgresql://user:password@host:5432/database.")


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose writes are committed together at the end, or not at all.

    Raises:
        UnavailableError: the database cannot be reached, takes no writes for now, or a lock or statement took too long.
        FullError: its disk is full.
    """
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def own_session(engine: Engine) -> Iterator[Connection]:
    """Yield a connection outside pool and transactions, closed at the end: what its session holds, such as a lock, ends with it.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    with _translated(), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.detach()
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InternalError) as exc:
        if not isinstance(exc.orig, _PASSING):
            raise
        raise _translate(exc.orig) from exc
    except _PASSING as exc:
        raise _translate(exc) from exc
    except NoneFreeError as exc:
        raise UnavailableError("all connections to the database are in use", field="database_url", remedy="Try again shortly; nothing was changed.") from exc


def _translate(error: BaseException) -> UnavailableError:
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, psycopg.errors.DiskFull):
        remedy = "Free some space where PostgreSQL keeps its data, then try again; nothing was changed."
        return FullError(f"the database's disk is full: {reason}", field="database_url", remedy=remedy)
    said, remedy = next((words for kind, words in _SAID.items() if isinstance(error, kind)), _AWAY)
    return UnavailableError(f"{said}: {reason}", field="database_url", remedy=f"{remedy}, then try again; nothing was changed.")


def _milliseconds(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))
