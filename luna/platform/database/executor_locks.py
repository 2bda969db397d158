"""Lock a site for the one executor that drives it.

The locks belong to a database session and end with the process that has it, on whatever machine.

An executor holds one session with its shared lock ``PRESENCE`` and one lock per site; ``pg_locks``
shows the executor's session.
"""

import os
import platform
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, Engine, text

from luna.energy.errors import UnavailableError
from luna.platform.database.engine import own_session, translated

# The first half of the locks' keys; the second is the site's key, or 0 for the presence of an
# executor.
LOCK_CLASS = 5_862_412
PRESENCE = 0
# PostgreSQL cuts longer names.
_LONGEST_NAME = 63
_PREFIX = "luna-executor "

# A session whose machine is gone ends within half a minute instead of hours.
_SESSION = f"""
    SELECT set_config('application_name', :name, false),
        set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '4', false),
        pg_advisory_lock_shared({LOCK_CLASS}, {PRESENCE})
"""
_TAKE = f"""
    SELECT name, pg_try_advisory_lock({LOCK_CLASS}, site_key) AS held
    FROM sites WHERE name = ANY(:names)
"""  # noqa: S608 - a constant
_LEAVE = f"""
    SELECT pg_advisory_unlock({LOCK_CLASS}, site_key) FROM sites WHERE name = ANY(:names)
"""  # noqa: S608 - a constant
_HOLDERS = f"""
    SELECT held.objid::bigint AS site_key, activity.application_name AS name,
        activity.backend_start AS since
    FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.locktype = 'advisory' AND held.granted
        AND held.classid = {LOCK_CLASS} AND held.objsubid = 2
        AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND held.objid IN ({PRESENCE}, (SELECT site_key FROM sites WHERE name = :site)::oid)
    ORDER BY activity.backend_start
"""  # noqa: S608 - constants

log = structlog.get_logger("luna.executor")


class ExecutorHolder(NamedTuple):
    """An executor by its machine and process, and since when it has been connected."""

    name: str
    since: datetime | None


class SiteExecutors(NamedTuple):
    """The executor that drives a site, None: none does; and whether any executor runs."""

    holder: ExecutorHolder | None
    runs: bool


def read_executors(connection: Connection, site_id: str) -> SiteExecutors:
    """Return which executor drives a site, and whether any runs."""
    rows = connection.execute(text(_HOLDERS), {"site": site_id}).all()
    of_site = [row for row in rows if row.site_key != PRESENCE]
    holder = None
    if of_site:
        name = (of_site[0].name or "").removeprefix(_PREFIX)
        holder = ExecutorHolder(name, of_site[0].since)
    return SiteExecutors(holder, bool(rows))


class SiteLocks:
    """The locks of one executor, on one session.

    It is opened at the first use, and again after it broke. Not thread-safe.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session = ExitStack()
        self._connection: Connection | None = None
        self._locked: set[str] = set()
        self._elsewhere: set[str] = set()

    def hold(self, names: Collection[str]) -> frozenset[str]:
        """Return those of the sites that this executor drives from now on.

        The others have an executor already.

        Raises:
            UnavailableError: the database is away; this executor then drives no site.
        """
        try:
            with translated():
                self._update(self._open(), set(names))
        except UnavailableError:
            self.close()
            raise
        return frozenset(self._locked)

    def close(self) -> None:
        """Give every site up."""
        self._locked.clear()
        session = self._session
        self._session = ExitStack()
        connection = self._connection
        self._connection = None
        try:
            with translated(), session:
                if connection is not None and not connection.invalidated:
                    # The session's end frees them as well, a moment later.
                    connection.execute(text("SELECT pg_advisory_unlock_all()"))
        except UnavailableError as error:
            log.info("the session of the locks had ended", error=str(error))

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._session.enter_context(own_session(self._engine))
            self._connection.execute(text(_SESSION), {"name": name_executor()})
        return self._connection

    def _update(self, connection: Connection, names: set[str]) -> None:
        removed = self._locked - names
        if removed:
            connection.execute(text(_LEAVE), {"names": sorted(removed)})
        new_names = names - self._locked
        # Also without any, as a look whether the session still lives.
        rows = connection.execute(text(_TAKE), {"names": sorted(new_names)}).all()
        locked = {row.name for row in rows if row.held}
        self._locked = (self._locked & names) | locked
        elsewhere = new_names - locked
        for name in sorted(elsewhere - self._elsewhere):
            log.warning(
                "another executor drives the site; this one waits until that ends", site_id=name
            )
        self._elsewhere = elsewhere


def name_executor() -> str:
    """Return this process's name in the database: machine and process id."""
    return f"{_PREFIX}{platform.node()}:{os.getpid()}"[:_LONGEST_NAME]


@contextmanager
def site_locks(engine: Engine) -> Iterator[SiteLocks]:
    """Yield the locks of an executor; given up at the end."""
    locks = SiteLocks(engine)
    try:
        yield locks
    finally:
        locks.close()
