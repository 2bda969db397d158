"""A home with data whose backups are tried: its servers are its own, and end with the block that uses them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from luna.database import engine, migrate
from luna.database.engine import unit_of_work
from luna.embedded import running
from luna.objects import open_objects
from luna.settings import Settings
from services.backup.create import BackupWork, create_backup, open_work
from services.backup.folder import Manifest
from tests.stored import store_site

KEY = "a-key-that-only-this-test-knows-0123"


@dataclass(frozen=True)
class KeptHome:
    """A data folder with a site and an object.

    Args:
        settings: name the folder, and the key of the backups.
    """

    settings: Settings

    @contextmanager
    def open(self) -> Iterator[Engine]:
        """Yield the database, its server running."""
        with running(self.settings) as addresses:
            database = engine.create(addresses.database_url, pool_size=1)
            try:
                yield database
            finally:
                database.dispose()

    @contextmanager
    def work(self) -> Iterator[BackupWork]:
        """Yield what makes backups, the server running."""
        with running(self.settings) as addresses, open_work(self.settings, addresses.database_url) as work:
            yield work

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
                    " SELECT site_key, timestamptz '2024-01-01T00:00Z' + :slot * interval '15 minutes', 1 FROM sites LIMIT 1"
                ),
                {"slot": slot},
            )

    def observed(self) -> int:
        """Return how many quarter-hours there are."""
        with self.open() as database, unit_of_work(database) as connection:
            return int(connection.execute(text("SELECT count(*) FROM slot_observations")).scalar_one())


def kept_home(parent: Path, **settings: object) -> KeptHome:
    """Return a new home below ``parent``."""
    return KeptHome(Settings(_env_file=None, data_folder=parent / "data", backup_key=KEY, **settings))  # type: ignore[arg-type, call-arg]  # pydantic reads them


def wait_until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return once it holds; the test fails where it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def start_luna(home: KeptHome, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command of Luna's on a home."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
    environment = plain | {"LUNA_DATA_FOLDER": str(home.settings.data_folder), "LUNA_BACKUP_KEY": KEY, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
    return subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=home.settings.data_folder)
