"""When a worker counts as one that takes no messages."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from celery import signals
from celery.worker import state

from luna.energy.errors import UnavailableError
from luna.platform.queue.consumption import LOOKS_UNREADY, Consumption, Places

NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture
def consumption() -> Iterator[Consumption]:
    before = signals.task_received.receivers[:]
    yield Consumption(
        NO_REDIS,
        ("planner.interactive",),
        has_room=Places(("planner.interactive",), 1, {}).has_room,
    )
    signals.task_received.receivers = before


class Held:
    """A request that a process works on."""

    delivery_info: ClassVar[dict[str, str]] = {"routing_key": "planner.interactive"}


def test_messages_that_wait_beside_a_free_process_look_after_look_are_not_taken(
    consumption: Consumption,
) -> None:
    # The first look knows of no look before.
    for waiting in [3] * (LOOKS_UNREADY + 1):
        consumption.note({"planner.interactive": waiting})
    with pytest.raises(UnavailableError, match="3 messages wait"):
        consumption.probe()


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param([0] * 9, id="nothing waits"),
        pytest.param([9, 8, 7, 6, 5, 4], id="what waits becomes less"),
    ],
)
def test_a_worker_without_work_or_that_drops_what_has_expired_is_well(
    consumption: Consumption, waiting: list[int]
) -> None:
    for count in waiting:
        consumption.note({"planner.interactive": count})
    assert consumption.probe() == "0 messages taken"


def test_a_worker_that_takes_some_is_well_however_many_wait(consumption: Consumption) -> None:
    for _ in range(9):
        signals.task_received.send(sender=None)
        consumption.note({"planner.interactive": 100})
    assert consumption.probe() == "9 messages taken"


def test_a_worker_whose_processes_are_all_at_work_takes_none_for_a_reason(
    consumption: Consumption,
) -> None:
    held: Any = Held()
    state.reserved_requests.add(held)
    for _ in range(9):
        consumption.note({"planner.interactive": 100})
    assert consumption.probe() == "0 messages taken"
    state.reserved_requests.discard(held)


def test_without_redis_nobody_starves(consumption: Consumption) -> None:
    consumption.look()
    assert (consumption.starved_looks, state.should_stop) == (0, None)
