"""A machine that is lost comes back on another one, with everything up to the last seconds."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from luna.objects import open_objects
from luna.settings import Settings
from services.backup.folder import LATEST, open_folder
from services.backup.restore import restore
from services.backup.wal import last_instant
from tests.kept import KEY, KeptHome, kept_home, wait_until
from tests.processes import luna_process

# Of the log, at most; the aim that the decision record states.
RPO_SECONDS = 60


@pytest.fixture
def lost(servers_folder: Path) -> Iterator[KeptHome]:
    """A home with a backup, whose log is being shipped by the process that does so."""
    home = kept_home(servers_folder.parent, backup_folder=servers_folder.parent / "kept")
    home.fill()
    home.back_up()
    settings = {"data_folder": str(home.settings.data_folder), "backup_folder": str(home.settings.backup_folder), "backup_key": KEY}
    with luna_process("services.backup", **settings) as process:
        yield home
        process.send_signal(signal.SIGKILL)


def test_what_was_written_a_minute_ago_survives_the_loss_of_the_machine(lost: KeptHome, servers_folder: Path) -> None:
    folder = open_folder(lost.settings)
    with lost.open() as database:
        for slot in range(25):
            lost.observe(database, slot)
        open_objects(lost.settings).put("models/two", b"the newest")
        written = datetime.now(UTC)
        wait_until(lambda: (last_instant(folder.read_status()) or datetime.min.replace(tzinfo=UTC)) > written, seconds=RPO_SECONDS)
        wait_until(lambda: len(list((folder.objects / "passes").iterdir())) > 1, seconds=RPO_SECONDS)

    other = KeptHome(Settings(_env_file=None, data_folder=servers_folder.parent / "new", backup_folder=lost.settings.backup_folder, backup_key=KEY))  # type: ignore[call-arg, arg-type]  # pydantic reads them
    restore(other.settings, LATEST)
    assert other.observed() == 25
    assert open_objects(other.settings).get("models/two") == b"the newest"
