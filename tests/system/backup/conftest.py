"""A home with a backup, prepared once for all workers of a run; tests work on copies of it."""

import fcntl
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from luna.platform.database.engine import own_session
from services.backup.create import BackupWork, receiving
from services.backup.folder import open_folder
from services.backup.retention import prune
from services.backup.wal import SUFFIX, note_reach
from tests.conftest import FOLDER
from tests.support.database.home_to_back_up import KeptHome, SegmentedHome, kept_home, wait_until
from tests.support.database.server_folders import server_folder


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> KeptHome:
    """A home with ten quarter-hours, an object, and a backup of them.

    It is copied, and its servers are never started.
    """
    folder = request.config.stash[FOLDER]
    finished = folder / "kept"
    with (folder / "kept.lock").open("w", encoding="utf-8") as lock:
        # The other workers wait for the first one that needs it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            unfinished = folder / "kept.new"
            unfinished.mkdir()
            with server_folder() as parent:
                prepare(kept_home(parent)).copy(unfinished)
            unfinished.rename(finished)
    return kept_home(finished)


def prepare(home: KeptHome) -> KeptHome:
    """Fill a new home and make a backup of it."""
    home.fill()
    with home.open() as database:
        for slot in range(10):
            home.observe(database, slot)
    home.back_up()
    return home


@pytest.fixture(scope="module")
def home(prepared: KeptHome) -> Iterator[KeptHome]:
    """A copy for the tests of a module that leave it as it is."""
    with server_folder() as parent:
        yield prepared.copy(parent)


@pytest.fixture
def own_home(prepared: KeptHome) -> Iterator[KeptHome]:
    """A copy for a test that changes it."""
    with server_folder() as parent:
        yield prepared.copy(parent)


@pytest.fixture(scope="session")
def segmented(prepared: KeptHome) -> Iterator[SegmentedHome]:
    """A home whose log since its backup fills four segments, received after the last was written.

    It is copied.
    """
    with server_folder() as parent:
        home = prepared.copy(parent)
        instants = []
        names = []
        with home.work() as work:
            for slot in range(400, 404):
                home.observe(work.database, slot)
                with own_session(work.database) as connection:
                    # The server tells when it wrote a segment in whole seconds.
                    connection.execute(
                        text(
                            "SELECT pg_sleep(1 - extract(microseconds FROM "
                            "clock_timestamp())::bigint % 1000000 / 1e6)"
                        )
                    )
                    instants.append(
                        connection.execute(text("SELECT clock_timestamp()")).scalar_one()
                    )
                    names.append(
                        connection.execute(
                            text("SELECT pg_walfile_name(pg_switch_wal())")
                        ).scalar_one()
                    )
            # All of it is received at once, long after it was written, as where nobody kept a
            # backup for a while.
            with receiving(work):
                wait_until(lambda: _is_shipped(work, names))
        prune(open_folder(home.settings), home.settings)
        place = open_folder(home.settings).wal(work.identity.system_identifier)
        yield SegmentedHome(home, instants, [place / f"{name}{SUFFIX}" for name in names])


def _is_shipped(work: BackupWork, names: list[str]) -> bool:
    note_reach(work.folder, work.database, work.shipper, work.clock)
    return all((work.shipper.place / f"{name}{SUFFIX}").exists() for name in names)
