"""``luna db`` as an operator or a start-up job runs it."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from luna.platform.database import retention, revision, timescale
from tests.support.command_line.call import Luna
from tests.support.database.databases import own_database

pytestmark = pytest.mark.every_database


@pytest.fixture
def url(database_server: str, worker_id: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database without tables that the commands use."""
    with own_database(database_server, f"luna_{worker_id}_cli_{uuid.uuid4().hex[:8]}") as own:
        monkeypatch.setenv("LUNA_DATABASE_URL", own)
        monkeypatch.setenv("LUNA_REDIS_URL", "redis://127.0.0.1:1/0")
        yield own


def test_an_upgrade_says_what_the_database_can_and_what_is_in_force(luna: Luna, url: str) -> None:
    said = luna("db", "upgrade", "--json").document
    with create_engine(url, poolclass=NullPool).connect() as connection:
        edition = timescale.detect(connection)
        rollups = timescale.rollups(connection)
    assert said["revision"] == revision.head()
    assert said["timescaledb"] == {
        "version": edition.version,
        "licence": edition.licence,
        "toolkit": edition.toolkit,
    }
    assert said["rollups"] == rollups
    assert {policy["table"] for policy in said["policies"]} == set(retention.SEGMENTS)
    assert all(policy["in_force"] is (policy["refused"] is None) for policy in said["policies"])


def test_upgrading_again_says_the_same(luna: Luna, url: str) -> None:
    assert luna("db", "upgrade", "--json").out == luna("db", "upgrade", "--json").out


@pytest.mark.usefixtures("url")
def test_people_are_told_the_revision_and_the_rollups(luna: Luna) -> None:
    said = luna("db", "upgrade").out
    assert f"revision {revision.head()}" in said
    assert "slot_observations_daily is a" in said


def test_a_downgrade_keeps_data_unless_it_is_told_to_drop_them(luna: Luna, url: str) -> None:
    luna("db", "upgrade")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("INSERT INTO sites (name) VALUES ('home')"))
    refused = luna("db", "downgrade", "base", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert refused.problem["detail"].startswith(
        "revision: the downgrade would delete data of sites"
    )
    assert luna("db", "downgrade", "base", "--yes", "--json").document == {"revision": None}
