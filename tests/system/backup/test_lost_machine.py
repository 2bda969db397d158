"""A machine that is lost comes back on another one, with everything up to the last seconds."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from luna.platform.embedded import start
from luna.platform.objects import open_objects
from services.backup.folder import LATEST, open_folder
from services.backup.restore import restore
from services.backup.wal import last_instant
from tests.folders import server_folder
from tests.kept import KEY, KeptHome, kept_home, wait_until
from tests.processes import luna_process

# Of the log, at most; the aim that the decision record states.
RPO_SECONDS = 60


@pytest.fixture
def lost(prepared: KeptHome) -> Iterator[KeptHome]:
    """A home whose backups lie elsewhere, and whose log is being shipped by the process that does so."""
    with server_folder() as parent:
        data, backups = prepared.copy(parent).settings.data_folder, parent / "kept"
        (data / "backups").rename(backups)
        home = kept_home(parent, backup_folder=backups)
        settings = {"data_folder": str(data), "backup_folder": str(backups), "backup_key": KEY}
        with luna_process("services.backup", **settings) as process:
            yield home
            process.send_signal(signal.SIGKILL)
        # The queue's server that it leaves running ends with the last one that uses it.
        with start(data / "servers", services=("redis",)):
            pass


def test_what_was_written_a_minute_ago_survives_the_loss_of_the_machine(lost: KeptHome) -> None:
    folder = open_folder(lost.settings)
    with lost.open() as database:
        for slot in range(10, 35):
            lost.observe(database, slot)
        open_objects(lost.settings).put("models/two", b"the newest")
        written = datetime.now(UTC)
        wait_until(lambda: (last_instant(folder.read_status()) or datetime.min.replace(tzinfo=UTC)) > written, seconds=RPO_SECONDS)
        wait_until(lambda: len(list((folder.objects / "passes").iterdir())) > 1, seconds=RPO_SECONDS)

    other = kept_home(folder.root.parent / "new", backup_folder=folder.root)
    restore(other.settings, LATEST)
    assert other.observed() == 35
    assert open_objects(other.settings).get("models/two") == b"the newest"
