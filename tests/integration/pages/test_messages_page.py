"""Where messages go: channels are added, switched and removed on the page, and a test says who took
it.
"""

from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine, text

from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.notifications.server import MessageServer, serve_messages
from tests.support.words.wording import wording
from tests.support.worker.workers import worker_process

PAGE = "/ui/admin/messages"
CHANNELS = "/v1/notifications/channels"


@pytest.fixture
def api(database_url: str, database: Engine, redis_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url, redis_url)) as client:
        yield client
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM notification_channels"))


@pytest.fixture
def house() -> Iterator[MessageServer]:
    with serve_messages() as house:
        yield house


def events_of(api: httpx.Client) -> dict[str, list[str]]:
    """Return what each channel is told of."""
    return {channel["name"]: channel["events"] for channel in api.get(CHANNELS).json()["channels"]}


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_the_page_says_that_nobody_is_told_anything(api: httpx.Client, language: str) -> None:
    page = unescape(api.get(PAGE, headers={"Accept-Language": language}).text)
    assert wording("admin", "empty_channels", language) in page
    assert wording("admin", "send_test", language) in page


def test_a_channel_is_added_switched_and_removed(api: httpx.Client) -> None:
    typed = {"name": "my phone", "address": "ntfys://token-of-nobody@ntfy.example/luna"}
    assert api.post(PAGE, data=typed).status_code == 303
    assert events_of(api) == {"my phone": ["plan", "device", "prices", "saving"]}
    assert "token-of-nobody" not in api.get(PAGE).text
    assert api.post(f"{PAGE}/my%20phone/events", data={"system": "on"}).status_code == 303
    assert events_of(api)["my phone"][-1] == "system"
    assert api.post(f"{PAGE}/my%20phone/events").status_code == 303
    assert "system" not in events_of(api)["my phone"]
    assert api.post(f"{PAGE}/my%20phone/remove").status_code == 303
    assert events_of(api) == {}


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"name": "", "address": "json://127.0.0.1:9"}, 422),
        ({"name": "phone", "address": "secret words"}, 422),
        ({"name": "../phone", "address": "json://127.0.0.1:9"}, 422),
    ],
    ids=["no name", "no address", "a name that is a path"],
)
def test_what_is_refused_is_said_and_nothing_is_stored(
    api: httpx.Client, typed: dict[str, str], status: int
) -> None:
    answer = api.post(PAGE, data=typed)
    assert (answer.status_code, events_of(api)) == (status, {})
    assert 'role="alert"' in answer.text
    assert "secret words" not in answer.text


def test_one_button_says_who_took_a_test(
    api: httpx.Client, house: MessageServer, database_url: str, redis_url: str
) -> None:
    for name in ("phone", "mail"):
        document = {
            "name": name,
            "address": f"json://127.0.0.1:{house.port}/{name}",
            "events": ["system"],
        }
        assert api.post(CHANNELS, json=document).status_code == 201
    # By name: mail comes first, and is refused.
    house.faults.append("500")
    with worker_process(redis_url, database_url, "services.notifier.tasks"):
        answer = api.post(f"{PAGE}/test")
    page = unescape(answer.text)
    assert answer.status_code == 200
    assert (page.count(wording("admin", "test_failed")), len(house.taken)) == (1, 1)
    assert house.taken[0][0] == "/phone"
