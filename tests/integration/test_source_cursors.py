from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from luna.energy.errors import NotFoundError
from luna.platform.database import source_cursors
from tests.support.database.site import store_site

pytestmark = pytest.mark.every_database
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def site(connection: Connection) -> str:
    store_site(connection, name="cursors")
    return "cursors"


def test_a_cursor_goes_forward_and_never_back(connection: Connection, site: str) -> None:
    for days in (1, 3, 2):
        source_cursors.move(
            connection,
            site,
            "home_assistant",
            "sensor.a",
            complete_until=START + timedelta(days=days),
        )
    assert source_cursors.read(connection, site, "home_assistant") == {
        "sensor.a": START + timedelta(days=3)
    }


def test_sources_keep_cursors_of_their_own_and_forget_them_alone(
    connection: Connection, site: str
) -> None:
    for source in ("home_assistant", "mqtt"):
        source_cursors.move(connection, site, source, "sensor.a", complete_until=START)
    source_cursors.forget(connection, site, "mqtt")
    assert source_cursors.read(connection, site, "mqtt") == {}
    assert source_cursors.read(connection, site, "home_assistant") == {"sensor.a": START}


def test_an_unknown_site_is_named(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        source_cursors.read(connection, "nowhere", "mqtt")
