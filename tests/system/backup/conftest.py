"""A home with a backup, prepared once for all workers of a run; tests work on copies of it."""

import fcntl
from collections.abc import Iterator

import pytest

from tests.conftest import FOLDER
from tests.folders import server_folder
from tests.kept import KeptHome, kept_home


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> KeptHome:
    """A home with ten quarter-hours, an object, and a backup of them; it is copied, and its servers are never started."""
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
