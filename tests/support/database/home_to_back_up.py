"""A home with data whose backups are tested: its servers are its own, and stop at the end of the
block that uses them.
"""

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.context import ForkProcess
from pathlib import Path

from sqlalchemy import Engine, text

from luna.platform.database import engine, migrate
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.state import load_state, save_state
from luna.platform.embedded.supervisor import start
from luna.platform.objects import open_objects
from luna.platform.settings import Settings
from services.backup.create import BackupWork, create_backup, open_work
from services.backup.folder import NEWEST, Manifest
from services.backup.recovery import DATA
from services.backup.restore import RESTORING, restore
from tests.support.database.site import store_site

KEY = "a-key-that-only-this-test-knows-0123"
SEGMENT_BYTES = 16 * 2**20
# A backup waits twice until the receiver says what it has: five seconds at most in a home.
REPORT_SECONDS = 1
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
# It begins in segment 2 and has its own point in 3.
MANIFEST = Manifest(
    backup_id="20260501T000000Z",
    reason="asked",
    started_at=BEGIN,
    finished_at=BEGIN,
    luna_version="1",
    schema_revision=None,
    postgres_version=170_000,
    extensions={},
    system_identifier="1",
    timeline=1,
    segment_bytes=SEGMENT_BYTES,
    restore_point="point",
    restore_lsn=3 * SEGMENT_BYTES + 1,
    first_segment=f"{1:08X}{0:08X}{2:08X}",
    last_segment=f"{1:08X}{0:08X}{3:08X}",
    database_bytes=1,
    tables={},
    exact=True,
    files={},
    objects=(),
)


@dataclass(frozen=True)
class KeptHome:
    """A data folder with a site and an object; of its servers only the database is started.

    Args:
        settings: name the folder, and the key of the backups.
    """

    settings: Settings

    @contextmanager
    def open(self) -> Iterator[Engine]:
        """Yield the database, its server running."""
        with self._postgres() as address:
            database = engine.create(address, pool_size=1)
            try:
                yield database
            finally:
                database.dispose()

    @contextmanager
    def work(self) -> Iterator[BackupWork]:
        """Yield what makes backups, the server running."""
        with (
            self._postgres() as address,
            open_work(self.settings, address, report_seconds=REPORT_SECONDS) as work,
        ):
            yield work

    @contextmanager
    def _postgres(self) -> Iterator[str]:
        with start(self.settings.data_folder / "servers", services=("postgres",)) as servers:
            yield servers.database_url

    def copy(self, parent: Path) -> "KeptHome":
        """Return a home below ``parent`` that begins with what is in this one, whose servers are
        stopped.
        """
        home = kept_home(parent)
        # cp keeps the owner, which shutil does not: where root runs the tests, the cluster is
        # another account's.
        subprocess.run(
            ["cp", "-a", self.settings.data_folder, home.settings.data_folder], check=True
        )
        folder = home.settings.data_folder.resolve() / "servers"
        save_state(folder, replace(load_state(folder), home=str(folder), ports={}))
        return home

    def back_up(self) -> Manifest:
        with self.work() as work:
            return create_backup(work, "asked")

    def fill(self) -> None:
        """Make the tables, a site and an object."""
        with self.open() as database:
            migrate.upgrade(database.url.render_as_string(hide_password=False))
            with unit_of_work(database) as connection:
                store_site(connection)
        open_objects(self.settings).put("models/one", b"what was learned" * 1000)

    def observe(self, database: Engine, slot: int) -> None:
        """Store a quarter-hour."""
        with unit_of_work(database) as connection:
            connection.execute(
                text(
                    "INSERT INTO slot_observations (site_key, slot_start, load_kwh)"
                    " SELECT site_key, timestamptz '2024-01-01T00:00Z' + :slot * interval "
                    "'15 minutes', 1 FROM sites LIMIT 1"
                ),
                {"slot": slot},
            )

    def observed(self) -> int:
        """Return how many quarter-hours there are."""
        with self.open() as database, unit_of_work(database) as connection:
            return int(
                connection.execute(text("SELECT count(*) FROM slot_observations")).scalar_one()
            )


@dataclass(frozen=True)
class SegmentedHome:
    """A home whose log since its backup fills several segments.

    Args:
        home: with a quarter-hour in each of them.
        instants: some time after each quarter-hour and before the next.
        segments: the file in the folder of backups that holds each.
    """

    home: KeptHome
    instants: list[datetime]
    segments: list[Path]


def kept_home(parent: Path, **settings: object) -> KeptHome:
    """Return a new home below ``parent``."""
    return KeptHome(
        Settings(_env_file=None, data_folder=parent / "data", backup_key=KEY, **settings)
    )  # type: ignore[arg-type, call-arg]  # pydantic reads them


def wait_until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return once it holds; the test fails where it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def fork(work: Callable[[], object]) -> ForkProcess:
    """Start a process that does the work: a copy of this one, which has loaded everything."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def restore_until(home: KeptHome, step: str) -> None:
    """Restore the newest backup, and kill this process at a step: as it begins, and in
    ``recovering`` once the server runs.
    """
    server = home.settings.data_folder / "servers" / RESTORING / DATA / "postmaster.pid"

    def die() -> None:
        while step == "recovering" and not server.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

    def report(begun: str) -> None:
        if begun.startswith(step):
            death = threading.Thread(target=die, daemon=True)
            death.start()
            # The server starts after the report.
            death.join(timeout=0 if step == "recovering" else None)

    restore(home.settings, NEWEST, report=report)
