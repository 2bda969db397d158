"""Messages to owners about an operator's limit: its begin and its end, once each."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from luna.contracts.notification import Notification
from luna.platform.database import notifications, operator_limits
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.notifier import notification
from tests.support.control.dimmed_evening import (
    BEGIN,
    END,
    HOME,
    demand_limit,
    follow_limit,
    plan_charging,
)
from tests.support.database.site import stored_site
from tests.support.words.wording import plain

_NUMBERS = itertools.count()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    name = f"limited-{next(_NUMBERS)}-{time.time_ns()}"
    with stored_site(database, name=name, **HOME) as site:
        with unit_of_work(database) as connection:
            plan_charging(connection, name)
        yield site.name


@pytest.fixture
def look(database: Engine, site: str) -> Callable[..., list[Notification]]:
    """Looks for what is new, and returns the site's messages, the first one first."""

    def run(now: datetime, **settings: str) -> list[Notification]:
        notification.notify(database, [], Settings(**settings), now=now)
        with unit_of_work(database) as connection:
            newest = notifications.list_newest(connection, site_id=site, limit=100)
        return [each for each in reversed(newest) if each.code.startswith("limit_")]

    return run


def test_the_begin_and_the_end_of_a_limit_are_messages_of_their_own(
    look: Callable[..., list[Notification]], database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        demand_limit(connection, site)
        follow_limit(connection, site)
    (began,) = look(BEGIN + MINUTE)
    assert (began.code, began.event, began.urgent) == ("limit_began", "device", False)
    assert plain(began.text) == (
        f"{site}: The grid operator limits your battery and your car to 4.2 kW until 18:30. "
        "It came through the operator's relay."
    )
    assert len(look(BEGIN + 6 * MINUTE)) == 1
    _, ended = look(END + MINUTE)
    assert ended.code == "limit_ended"
    assert plain(ended.text) == (
        f"{site}: The grid operator limited your battery and your car to 4.2 kW from 16:35 to "
        "18:30. At most 4.6 kW came from the grid. Car: 4.2 kW instead of 11.0 kW. "
        "6.2 kWh less than planned."
    )
    assert len(look(END + timedelta(hours=2))) == 2


def test_what_was_done_stays_with_the_limit_once_it_is_told(
    look: Callable[..., list[Notification]], database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        demand_limit(connection, site)
        follow_limit(connection, site)
    look(END + timedelta(hours=2))
    with unit_of_work(database) as connection:
        (stored,) = operator_limits.read_history(connection, site)
    assert stored.summary is not None
    assert stored.summary.highest_import_kw == 4.6


def test_a_limit_that_is_changed_while_it_holds_is_news_and_a_longer_one_is_not(
    look: Callable[..., list[Notification]], database: Engine, site: str
) -> None:
    for changes in (
        {"limit_id": "relay"},
        {"limit_id": "relay", "end": END + timedelta(hours=1)},
        {"limit_id": "relay", "import_kw": 8.4},
    ):
        with unit_of_work(database) as connection:
            demand_limit(connection, site, **changes)
        messages = look(BEGIN + MINUTE, message_language="de")
    assert [each.code for each in messages] == ["limit_began", "limit_began"]
    assert "auf 8,4 kW" in plain(messages[1].text)


def test_a_limit_that_is_withdrawn_before_it_begins_is_no_news(
    look: Callable[..., list[Notification]], database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        ahead = demand_limit(connection, site, start=BEGIN + timedelta(hours=1))
        operator_limits.release(connection, site, ahead.limit_id, now=BEGIN)
    assert look(END + MINUTE) == []
