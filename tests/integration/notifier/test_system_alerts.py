"""Faults of the installation itself: taken from Alertmanager, kept, and told once by the channels
that want them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from luna.contracts.notification import Notification
from luna.platform.clock import FixedClock
from luna.platform.database import notifications
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from services.notifier import notification
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.server import serve
from tests.support.notifications.server import MessageServer, serve_messages

NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
MONITOR = "a-token-of-monitors" * 2
HOUR = timedelta(hours=1)
CHANNELS = "/v1/notifications/channels"


@pytest.fixture
def house() -> Iterator[MessageServer]:
    with serve_messages() as house:
        yield house


@pytest.fixture(scope="module")
def served(database_url: str, redis_url: str) -> Iterator[httpx.Client]:
    servers = Addresses(database_url, redis_url)
    with serve(servers, FixedClock(NOON), monitor_token=MONITOR) as client:
        yield client


@pytest.fixture
def gateway(served: httpx.Client, database: Engine) -> Iterator[httpx.Client]:
    yield served
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM notifications WHERE site_key IS NULL"))
        connection.execute(text("DELETE FROM notification_channels"))


def describe(status: str = "firing", *, start: datetime = NOON, **parts: Any) -> dict[str, Any]:
    """Return an alert in the form of Alertmanager's webhook."""
    return {
        "status": status,
        "labels": {"alertname": "DeadTasks", "severity": "ticket", "service": "api"},
        "annotations": {
            "summary": "Work is not tried again.",
            "runbook_url": "docs/runbooks/dead-tasks.md",
        },
        "startsAt": start.isoformat().replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "0f1e2d3c4b5a6978",
    } | parts


def post(gateway: httpx.Client, *alerts: dict[str, Any]) -> int:
    """Send alerts as Alertmanager does, and return how many are new."""
    batch = {
        "version": "4",
        "groupKey": "{}",
        "status": "firing",
        "receiver": "operator",
        "alerts": list(alerts),
    }
    answer = gateway.post("/v1/alerts", json=batch, headers={"Authorization": f"Bearer {MONITOR}"})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["stored"])


def add_channel(
    gateway: httpx.Client, house: MessageServer, name: str = "phone", **parts: Any
) -> None:
    document = {
        "name": name,
        "address": f"json://127.0.0.1:{house.port}/{name}",
        "events": ["system"],
    } | parts
    answer = gateway.post(CHANNELS, json=document)
    assert answer.status_code == 201, answer.text


def send(database: Engine, now: datetime = NOON) -> None:
    settings = Settings()
    notification.notify(database, notification.list_targets(database, settings), settings, now=now)


def stored(database: Engine) -> list[Notification]:
    with unit_of_work(database) as connection:
        listed = notifications.list_newest(connection, limit=100)
    return [each for each in listed if each.site is None]


def test_a_fault_is_told_once_and_its_end_once(
    gateway: httpx.Client, house: MessageServer, database: Engine
) -> None:
    add_channel(gateway, house)
    assert [post(gateway, describe()) for _ in range(3)] == [1, 0, 0]
    send(database)
    send(database)
    assert [post(gateway, describe("resolved")) for _ in range(2)] == [1, 0]
    send(database)
    assert [each.code for each in stored(database)] == ["system_recovered", "system_fault"]
    assert ["docs/runbooks/dead-tasks.md" in message for message in house.texts] == [True, False]
    # The same fault another day is another one.
    assert post(gateway, describe(start=NOON + HOUR)) == 1


def test_the_end_of_a_fault_that_nobody_was_told_of_is_no_news(gateway: httpx.Client) -> None:
    assert post(gateway, describe("resolved")) == 0


def test_a_fault_that_cannot_be_delivered_is_kept_and_told_later(
    gateway: httpx.Client, house: MessageServer, database: Engine
) -> None:
    add_channel(gateway, house)
    post(gateway, describe())
    # More often than other messages are tried.
    house.faults.extend(["500", "hang_up"] * 6)
    looks = [NOON + number * 4 * HOUR for number in range(14)]
    for now in looks:
        send(database, now)
    (fault,) = stored(database)
    assert (fault.deliveries[0].status, fault.deliveries[0].tries, len(house.taken)) == (
        "sent",
        13,
        1,
    )


def test_a_fault_waits_for_the_first_channel_that_wants_it(
    gateway: httpx.Client, house: MessageServer, database: Engine
) -> None:
    post(gateway, describe())
    add_channel(gateway, house, "deaf", address="json://127.0.0.1:9/away")
    send(database)
    assert gateway.delete(f"{CHANNELS}/deaf").status_code == 204
    add_channel(gateway, house, "plans", events=["plan"])
    send(database, NOON + HOUR)
    assert house.taken == []
    assert gateway.put(f"{CHANNELS}/plans", json={"events": ["plan", "system"]}).status_code == 200
    send(database, NOON + 2 * HOUR)
    send(database, NOON + 30 * HOUR)
    assert [path for path, _ in house.taken] == ["/plans"]


def test_a_channel_that_leads_nowhere_stops_no_other(
    gateway: httpx.Client, house: MessageServer, database: Engine
) -> None:
    add_channel(gateway, house, "nowhere", address="nonsense://secret-of-nowhere")
    add_channel(gateway, house)
    post(gateway, describe())
    send(database)
    outcomes = {each.target: each.status for each in stored(database)[0].deliveries}
    assert outcomes == {"nowhere": "waiting", "phone": "sent"}
    test = notification.send_test(notification.list_targets(database, Settings()), Settings())
    assert {target.target: target.sent for target in test.targets} == {
        "nowhere": False,
        "phone": True,
    }
    assert "secret-of-nowhere" not in test.model_dump_json()


def test_no_reply_holds_an_address_and_a_name_stands_once(
    gateway: httpx.Client, house: MessageServer
) -> None:
    add_channel(gateway, house, address="mailtos://anna:hunter22@127.0.0.1:9")
    listed = gateway.get(CHANNELS)
    assert listed.json()["channels"] == [{"name": "phone", "kind": "mailtos", "events": ["system"]}]
    again = gateway.post(CHANNELS, json={"name": "phone", "address": "json://127.0.0.1:9"})
    assert again.status_code == 409
    assert (
        gateway.post(CHANNELS, json={"name": "other", "address": "no address"}).status_code == 422
    )
    assert gateway.put(f"{CHANNELS}/none", json={"events": ["plan"]}).status_code == 404
    assert "hunter22" not in listed.text + again.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": ""},
        {"Origin": "http://elsewhere.example"},
    ],
)
def test_alerts_are_taken_from_who_has_the_token_alone(
    gateway: httpx.Client, headers: dict[str, str]
) -> None:
    with httpx.Client(base_url=gateway.base_url, verify=NO_CERTIFICATES) as anybody:
        answer = anybody.post("/v1/alerts", json={"alerts": [describe()]}, headers=headers)
    assert answer.status_code in {401, 403}


def test_nothing_in_an_alert_stops_it(gateway: httpx.Client, database: Engine) -> None:
    long = {"summary": "x" * 100_000}
    assert post(gateway, describe(annotations=long, fingerprint="")) == 1
    assert post(gateway, describe(annotations=long, fingerprint="")) == 0
    assert post(gateway, describe(annotations={}, labels={}, fingerprint="another")) == 1
    assert all(len(each.text) < 4000 for each in stored(database))


def test_without_the_database_alertmanager_is_told_to_try_again(redis_url: str) -> None:
    away = Addresses("postgresql://luna@127.0.0.1:9/none", redis_url)
    with serve(away, monitor_token=MONITOR) as gateway:
        answer = gateway.post(
            "/v1/alerts",
            json={"alerts": [describe()]},
            headers={"Authorization": f"Bearer {MONITOR}"},
        )
    assert answer.status_code == 503
