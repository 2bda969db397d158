"""An upgrade with the data in place, and the way back: by the backup that was made before it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from luna.energy.errors import ConflictError
from luna.platform.database import backups, engine, migrate
from luna.platform.database.backups import TableCount
from luna.platform.database.engine import unit_of_work
from luna.platform.health.probes import probe_database
from services.backup.folder import open_folder
from services.backup.restore import restore
from tests.folders import server_folder
from tests.kept import KeptHome, kept_home

# The newest schema of the release before this one; set anew with each release.
RELEASED = "9013"


@pytest.fixture(scope="module")
def released() -> Iterator[KeptHome]:
    """A home as the release before left it: its schema, with data of a site, and a backup of them; it is copied."""
    with server_folder() as parent:
        home = kept_home(parent)
        with home.open() as database:
            migrate.upgrade(address(database), RELEASED)
            with unit_of_work(database) as connection:
                connection.execute(text("INSERT INTO sites (name) VALUES ('home')"))
            for slot in range(50):
                home.observe(database, slot)
        home.back_up()
        yield home


@pytest.fixture
def old_home(released: KeptHome) -> Iterator[KeptHome]:
    """A copy of the home as the release before left it."""
    with server_folder() as parent:
        yield released.copy(parent)


def address(database: Engine) -> str:
    return database.url.render_as_string(hide_password=False)


def read(database: Engine) -> tuple[str | None, dict[str, TableCount]]:
    """Return the schema's revision, and what each table holds."""
    with engine.own_session(database) as connection:
        return migrate.current(connection), backups.count_tables(connection)


def kept_rows(before: dict[str, TableCount], after: dict[str, TableCount]) -> dict[str, tuple[int, int]]:
    return {name: (count.rows, after[name].rows) for name, count in before.items() if name in after and name != "alembic_version"}


def test_an_upgrade_keeps_every_row_and_its_backup_leads_back(old_home: KeptHome) -> None:
    [backup_id] = open_folder(old_home.settings).list_ids()
    with old_home.open() as database:
        revision, before = read(database)
        migrate.upgrade(address(database))
        upgraded, after = read(database)
    assert (revision, upgraded) == (RELEASED, migrate.head())
    assert before.keys() <= after.keys()
    assert all(was == now for was, now in kept_rows(before, after).values())

    restore(old_home.settings, backup_id, as_it_was=True)
    with old_home.open() as database:
        assert read(database) == (RELEASED, before)


def test_an_older_releases_backup_is_brought_up_to_date_when_it_is_restored(old_home: KeptHome) -> None:
    [backup_id] = open_folder(old_home.settings).list_ids()
    restore(old_home.settings, backup_id)
    with old_home.open() as database:
        assert read(database)[0] == migrate.head()
    assert old_home.observed() == 50


def test_the_release_before_does_not_touch_what_the_one_after_it_made(home: KeptHome, monkeypatch: pytest.MonkeyPatch) -> None:
    [backup_id] = open_folder(home.settings).list_ids()
    monkeypatch.setattr(migrate, "head", lambda: RELEASED)
    with pytest.raises(ConflictError, match="which is newer than this one"):
        restore(home.settings, backup_id)
    assert home.observed() == 10


def test_the_release_before_works_on_through_an_update_and_does_not_start_after_it(old_home: KeptHome) -> None:
    with old_home.open() as database:
        migrate.upgrade(address(database))
        with unit_of_work(database) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert probe_database(database) == "revision 9999"
        with pytest.raises(ConflictError, match="newer than"):
            migrate.upgrade(address(database))
