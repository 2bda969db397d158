"""Bring a database to a revision of the schema, safely while others do the same."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from luna.database.engine import parse_address
from luna.errors import InvalidInputError, UnavailableError

# Any number will do, as long as every Luna uses the same one.
ADVISORY_LOCK = 5_862_411
WAIT_FOR_OTHERS = "60s"
WAIT_FOR_TABLES = "5s"
FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` up to ``revision``; one that is already there is left alone.

    Raises:
        InvalidInputError: no such revision, or no address of a PostgreSQL.
        UnavailableError: the database does not answer, or another process holds it too long.
    """
    _run(url, revision, command.upgrade)


def downgrade(url: str, revision: str = "base") -> None:
    """Take the database at ``url`` back to ``revision``; ``base`` drops every table with its data."""
    _run(url, revision, command.downgrade)


def current(connection: Connection) -> str | None:
    """Return the revision a database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def head() -> str:
    """Return the newest revision."""
    return ScriptDirectory(str(FOLDER)).get_heads()[0]


def _run(url: str, revision: str, step: Callable[[Config, str], None]) -> None:
    engine = create_engine(parse_address(url), poolclass=NullPool, connect_args={"application_name": "luna-migrate", "connect_timeout": 10})
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_OTHERS}'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_TABLES}'"))
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
            step(config, revision)
    except CommandError as exc:
        raise InvalidInputError("the schema has no such revision", field="revision", value=revision, remedy=f"The newest is {head()}, or head.") from exc
    except OperationalError as exc:
        raise UnavailableError(f"the schema cannot be changed now: {str(exc.orig).strip()}", field="database_url", remedy="Try again shortly.") from exc
