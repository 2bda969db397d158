"""Tell the schema's revision of a database from the one that this version works with.

Needs nothing of what migrates.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def current(connection: Connection) -> str | None:
    """Return the revision a database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@cache
def list_revisions() -> frozenset[str]:
    """Return every revision of this version.

    Their files are named ``rNNNN_<what>.py``, one after the other.
    """
    return frozenset(path.name[1:5] for path in _VERSIONS.glob("r[0-9]*_*.py"))


def head() -> str:
    """Return the newest revision."""
    return max(list_revisions())
