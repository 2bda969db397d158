"""What two processes write at the same moment is there once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from luna.energy.errors import ConflictError, InvalidInputError
from luna.platform.database import idempotency, notifications
from luna.platform.database.engine import unit_of_work
from luna.platform.database.idempotency import AnswerKey, StoredReply
from luna.platform.database.notifications import NewNotification
from tests.support.database.site import stored_site
from tests.support.worker.workers import wait_for

NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
NEWS = NewNotification(
    "plan",
    "no_plan",
    "1",
    "No plan",
    "There is none.",
    urgent=True,
    expires_at=NOON + timedelta(days=1),
)


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    with stored_site(database, name="twice") as site:
        yield site.name


def test_of_two_answers_of_a_key_the_first_stays_and_another_request_gets_none(
    database: Engine,
) -> None:
    key = AnswerKey("anna", "createBlock", "twice")
    with unit_of_work(database) as connection:
        idempotency.reserve(connection, key, digest="a", is_locked=True)
        idempotency.keep(connection, key, StoredReply(201, {}, "first"))
    with pytest.raises(ConflictError), unit_of_work(database) as connection:
        idempotency.keep(connection, key, StoredReply(201, {}, "second"))
    with unit_of_work(database) as connection:
        kept = idempotency.reserve(connection, key, digest="a", is_locked=True)
    assert isinstance(kept, StoredReply)
    assert kept.body == "first"
    with unit_of_work(database) as connection, pytest.raises(InvalidInputError) as refused:
        idempotency.reserve(connection, key, digest="b", is_locked=True)
    assert refused.value.reason == "key-of-other-request"


def test_a_message_that_two_processes_find_at_once_is_stored_once(
    database: Engine, site: str
) -> None:
    def add() -> bool:
        with unit_of_work(database) as connection:
            return notifications.add(connection, site, NEWS, targets=[], due_at=NOON)

    def is_waiting() -> bool:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
            "wait_event_type = 'Lock'"
        )
        with unit_of_work(database) as connection:
            return bool(connection.scalar(text(query)))

    with ThreadPoolExecutor(1) as other:
        with unit_of_work(database) as connection:
            first = notifications.add(connection, site, NEWS, targets=[], due_at=NOON)
            second = other.submit(add)
            wait_for(is_waiting)
        assert (first, second.result(timeout=30)) == (True, False)
