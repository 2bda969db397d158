"""Whether beat finds that there is something to do, also where the database does not say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from luna.contracts import RefreshRollupsRequest, ResendRequest, RetentionRequest
from luna.contracts.message import Request
from luna.platform.clock import SystemClock
from luna.platform.queue.beat import Look, PendingWork
from luna.platform.settings import Settings

NOWHERE = "postgresql://luna@127.0.0.1:9/none"
PATIENCE = timedelta(seconds=30)
Open = Callable[..., PendingWork]


def find(*, something: bool) -> Look:
    return lambda connection, _settings, _now: connection.closed or something


@pytest.fixture
def open_work(database_url: str) -> Iterator[Open]:
    """Makes one that asks the database, or another one, by looks of the test's own."""
    with ExitStack() as stack:

        def make(
            looks: dict[type[Request], Look],
            *,
            url: str = database_url,
            patience: timedelta = PATIENCE,
        ) -> PendingWork:
            made = PendingWork(Settings(), url, patience=patience, clock=SystemClock(), looks=looks)
            stack.callback(made.close)
            return made

        yield make


def test_there_is_work_where_the_look_finds_some_or_there_is_none(open_work: Open) -> None:
    work = open_work(
        {ResendRequest: find(something=True), RefreshRollupsRequest: find(something=False)}
    )
    found = {
        request: work.is_there(request)
        for request in (ResendRequest, RefreshRollupsRequest, RetentionRequest)
    }
    assert found == {ResendRequest: True, RefreshRollupsRequest: False, RetentionRequest: True}


def test_where_the_database_is_away_there_may_be_work(open_work: Open) -> None:
    assert open_work({ResendRequest: find(something=False)}, url=NOWHERE).is_there(ResendRequest)


def test_where_the_look_fails_there_may_be_work(open_work: Open) -> None:
    def read_what_is_not_there(connection: Connection, _settings: Settings, _now: datetime) -> bool:
        return bool(connection.execute(text("SELECT 1 FROM of_a_later_release")).scalar())

    work = open_work(
        {ResendRequest: read_what_is_not_there, RefreshRollupsRequest: find(something=False)}
    )
    assert work.is_there(ResendRequest)
    assert not work.is_there(RefreshRollupsRequest)


def test_an_answer_that_is_late_keeps_nobody_waiting_and_the_next_one_counts_again(
    open_work: Open,
) -> None:
    may_answer = threading.Event()
    answered = threading.Event()

    def answer_late(_connection: Connection, _settings: Settings, _now: datetime) -> bool:
        may_answer.wait()
        answered.set()
        return False

    work = open_work(
        {ResendRequest: answer_late, RefreshRollupsRequest: find(something=False)},
        patience=timedelta(milliseconds=50),
    )
    # Neither itself nor, while it is under way, any other look is waited for.
    assert work.is_there(ResendRequest)
    assert work.is_there(RefreshRollupsRequest)
    may_answer.set()
    assert answered.wait(60)
    deadline = threading.Event()
    while work.is_there(RefreshRollupsRequest):
        deadline.wait(0.01)
