"""What beat takes for due when its machine slept, or its clock was set."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from luna.contracts import ResendRequest
from luna.contracts.fleet import FollowChangesRequest
from luna.platform.queue.beat import Scheduler
from luna.platform.queue.client import Client

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVERY = timedelta(minutes=10)
TURN = timedelta(seconds=5)
DAYS = timedelta(days=3)


@dataclass
class SetClock:
    """A clock that somebody sets."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


def schedule(asked_at: datetime, clock: SetClock) -> Scheduler:
    # Nothing is sent: nobody is reached there.
    return Scheduler(
        Client("redis://127.0.0.1:9"),
        {ResendRequest: EVERY},
        {ResendRequest.task: asked_at},
        turn=TURN,
        clock=clock,
    )


class ServedClient(Client):
    """A queue whose workers serve everything."""

    def is_served(self, request: object, *, interactive: bool = False) -> bool:
        return True


class CountingClient(ServedClient):
    """A queue that counts what is sent."""

    sent = 0

    def submit(self, request: object, **_: object) -> str:
        self.sent += 1
        return ""


@pytest.mark.parametrize("moved", [timedelta(days=1), -timedelta(days=1)], ids=["ahead", "back"])
def test_a_clock_that_is_set_by_a_day_has_each_request_sent_once_and_then_in_time(
    moved: timedelta,
) -> None:
    clock = SetClock(NOW)
    client = CountingClient("redis://127.0.0.1:9")
    schedule = {ResendRequest: EVERY}

    def begin(asked_at: dict[str, datetime]) -> Scheduler:
        return Scheduler(client, schedule, asked_at, turn=TURN, clock=clock)

    scheduler = begin({ResendRequest.task: NOW})
    clock.instant += moved
    if scheduler.clock_went_back:
        # As a beat that leads does.
        scheduler = begin(scheduler.asked_at)
    scheduler.send_due()
    sent_at_once = client.sent
    for _ in range(int(timedelta(hours=1) / TURN)):
        clock.instant += TURN
        scheduler.send_due()
    # Every ten minutes of that hour.
    assert (sent_at_once, client.sent - sent_at_once) == (1, 6)


def test_a_change_that_comes_after_a_look_is_found_a_second_later() -> None:
    client = ServedClient("redis://127.0.0.1:9")
    requests = {FollowChangesRequest: timedelta(seconds=3), ResendRequest: EVERY}
    scheduler = Scheduler(
        client, requests, {}, turn=TURN, clock=SetClock(NOW), has_work=lambda _: False
    )
    looks = {name: scheduler.is_due(entry) for name, entry in scheduler.schedule.items()}
    assert looks == {
        FollowChangesRequest.task: (False, 1.0),
        ResendRequest.task: (False, TURN.total_seconds()),
    }


def is_due(scheduler: Scheduler) -> bool:
    (entry,) = scheduler.schedule.values()
    return bool(entry.is_due().is_due)


def test_what_was_asked_for_a_moment_ago_waits_also_by_another_machine_s_clock() -> None:
    for asked_at in (NOW - timedelta(minutes=5), NOW + timedelta(seconds=20)):
        assert not is_due(schedule(asked_at, SetClock(NOW)))


def test_what_was_asked_for_before_the_machine_slept_is_due_when_it_wakes() -> None:
    clock = SetClock(NOW)
    scheduler = schedule(NOW - timedelta(minutes=5), clock)
    clock.instant += DAYS
    assert is_due(scheduler)


def test_what_was_asked_for_by_a_clock_that_has_gone_back_since_is_due() -> None:
    assert is_due(schedule(NOW + DAYS, SetClock(NOW)))


def test_a_clock_that_goes_back_between_two_looks_is_noticed() -> None:
    clock = SetClock(NOW)
    scheduler = schedule(NOW, clock)
    scheduler.send_due()
    clock.instant -= timedelta(seconds=10)
    assert not scheduler.clock_went_back
    clock.instant -= DAYS
    assert scheduler.clock_went_back
