"""`luna notify` and the routes of notifications: the same rows, and a test message that a worker
sends.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.database import notifications
from luna.platform.database.engine import unit_of_work
from luna.platform.database.notifications import NewNotification
from luna.platform.embedded.supervisor import Addresses
from tests.support.command_line.call import Luna
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.notifications.server import MessageServer, serve_messages

NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def house() -> Iterator[MessageServer]:
    with serve_messages() as house:
        yield house


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    """A stored site with three notifications, the last of which went to a phone."""
    with stored_site(database, name="heard") as site:
        for number in range(3):
            new = NewNotification(
                "plan",
                "no_plan",
                str(number),
                "No plan",
                f"Message {number}.",
                urgent=True,
                expires_at=NOON + timedelta(days=1),
            )
            with unit_of_work(database) as connection:
                notifications.add(
                    connection,
                    "heard",
                    new,
                    targets=[("digest", "notify.phone")] if number == 2 else [],
                    due_at=NOON,
                )
        yield site.name


@pytest.fixture
def gateway(database_url: str, redis_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url, redis_url)) as client:
        yield client


def test_both_list_the_latest_first_page_by_page(
    luna_on_servers: Luna, gateway: httpx.Client, site: str
) -> None:
    first = gateway.get("/v1/notifications", params={"site_id": site, "limit": 2}).json()
    second = gateway.get(
        "/v1/notifications", params={"site_id": site, "limit": 2, "cursor": first["cursor"]}
    ).json()
    listed = first["notifications"] + second["notifications"]
    assert [each["text"] for each in listed] == ["Message 2.", "Message 1.", "Message 0."]
    assert (
        listed[0]["deliveries"][0]["target"],
        listed[0]["deliveries"][0]["status"],
        second["cursor"],
    ) == ("notify.phone", "waiting", None)
    said = luna_on_servers("notify", "list", "--site", site, "--json")
    assert [each["notification_id"] for each in json.loads(said.out)["notifications"]] == [
        each["notification_id"] for each in listed
    ]


def test_an_unknown_site_has_none(gateway: httpx.Client) -> None:
    assert gateway.get("/v1/notifications", params={"site_id": "nowhere"}).status_code == 404


def test_luna_notify_test_says_who_took_it(
    luna: Luna, house: MessageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_NOTIFY_URLS", f"json://127.0.0.1:{house.port}/apprise")
    said = luna("notify", "test", "--json")
    assert (said.code, [target["sent"] for target in json.loads(said.out)["targets"]]) == (
        0,
        [True],
    )
    house.faults.append("500")
    assert luna("notify", "test").code == 1


def test_without_a_target_a_test_is_refused_with_what_to_set(luna: Luna) -> None:
    said = luna("notify", "test")
    assert said.code == 2
    assert "LUNA_NOTIFY_URLS" in said.err
