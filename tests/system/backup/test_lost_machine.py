"""A machine that is lost comes back on another one, with everything up to the last seconds."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from luna.platform.embedded.supervisor import start
from luna.platform.objects import open_objects
from luna.platform.settings.model import read_stored
from luna.platform.settings.stored import store_settings
from services.backup.create import SPOOL
from services.backup.folder import LATEST, NEWEST, open_folder, status_instant
from services.backup.restore import restore
from tests.support.database.home_to_back_up import KEY, KeptHome, kept_home, wait_until
from tests.support.database.server_folders import server_folder
from tests.support.worker.processes import luna_process

# Of the log, at most; the aim that the decision record states.
RPO_SECONDS = 60
OF_BOTH = "devices/secrets/cellar"
OF_DEVICES = {
    "devices/profiles/own.yaml": "profile: own",
    "devices/secrets/inverter": "owner:secret",
    OF_BOTH: "of the old machine",
}


@pytest.fixture
def lost(prepared: KeptHome) -> Iterator[KeptHome]:
    """A home whose backups lie elsewhere, and whose log is being shipped by the process that does
    so.
    """
    with server_folder() as parent:
        data = prepared.copy(parent).settings.data_folder
        backups = parent / "kept"
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
        wait_until(
            lambda: (
                (status_instant(folder.read_status(), "wal_at") or datetime.min.replace(tzinfo=UTC))
                > written
            ),
            seconds=RPO_SECONDS,
        )
        wait_until(
            lambda: len(list((folder.objects / "passes").iterdir())) > 1, seconds=RPO_SECONDS
        )

    other = kept_home(folder.root.parent / "new", backup_folder=folder.root)
    restore(other.settings, LATEST)
    assert other.observed() == 35
    assert open_objects(other.settings).get("models/two") == b"the newest"


def test_what_the_owner_had_set_comes_back_where_the_new_machine_has_nothing(
    prepared: KeptHome,
) -> None:
    with server_folder() as parent:
        home = prepared.copy(parent)
        store_settings(
            home.settings,
            {"home_assistant_url": "http://ha.test:8123", "home_assistant_token": "owners"},
        )
        for name, text in OF_DEVICES.items():
            path = home.settings.data_folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        home.back_up()
        other = kept_home(parent / "new", backup_folder=home.settings.data_folder / "backups")
        kept = other.settings.data_folder / OF_BOTH
        kept.parent.mkdir(parents=True)
        kept.write_text("of the new machine", encoding="utf-8")

        done = restore(other.settings, NEWEST)

        there = {name: other.settings.data_folder / name for name in OF_DEVICES}
        assert {
            name: path.read_text(encoding="utf-8") for name, path in there.items()
        } == OF_DEVICES | {OF_BOTH: "of the new machine"}
        assert {path.stat().st_mode & 0o777 for name, path in there.items() if name != OF_BOTH} == {
            0o600
        }
        assert set(done.put_back) == {"settings.json", *OF_DEVICES} - {OF_BOTH}
        assert read_stored(other.settings.data_folder) == {
            "home_assistant_url": "http://ha.test:8123",
            "home_assistant_token": "owners",
        }


def test_the_log_of_the_new_machine_is_no_part_of_the_lost_ones(prepared: KeptHome) -> None:
    with server_folder() as parent:
        home = prepared.copy(parent)
        folder = open_folder(home.settings)
        manifest = folder.choose(NEWEST)[0]
        other = kept_home(parent / "new", backup_folder=folder.root)
        other.fill()
        segment = f"{1:08X}{0:08X}{0x99:08X}"
        spool = other.settings.data_folder / SPOOL
        spool.mkdir(parents=True, exist_ok=True)
        (spool / segment).write_bytes(bytes(manifest.segment_bytes))

        restore(other.settings, NEWEST)

        assert [
            path.name
            for path in folder.wal(manifest.system_identifier).iterdir()
            if segment in path.name
        ] == []
        assert other.observed() == 10
