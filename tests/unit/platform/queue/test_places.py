"""Which queues a worker has room for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery.worker import state

from luna.platform.queue.consumption import Places

DATA = frozenset({"ingest", "notifier"})
ANSWERS = frozenset({"rag.interactive"})
PLACES = Places(("planner", "ingest", "notifier", "rag"), 2, {DATA: 1, ANSWERS: 2})


class Running:
    """A request that a process works on."""

    def __init__(self, queue: str) -> None:
        self.delivery_info = {"routing_key": queue}


@contextmanager
def running(*queues: str) -> Iterator[None]:
    held: list[Any] = [Running(queue) for queue in queues]
    state.reserved_requests.update(held)
    yield
    state.reserved_requests.difference_update(held)


@pytest.mark.parametrize(
    ("queues", "with_room"),
    [
        pytest.param((), {"planner", "ingest", "rag.interactive"}, id="all is free"),
        pytest.param(
            ("planner", "rag"),
            {"ingest", "rag.interactive"},
            id="jobs take what is shared, and no more",
        ),
        pytest.param(
            ("ingest", "planner"),
            {"planner", "ingest", "rag.interactive"},
            id="a file takes its own process first",
        ),
        pytest.param(
            ("notifier", "ingest", "ingest"),
            {"rag.interactive"},
            id="files help themselves to what is shared",
        ),
        pytest.param(
            ("rag.interactive",) * 2,
            {"planner", "ingest"},
            id="answers take none of what jobs share",
        ),
        pytest.param(
            ("rag.interactive",) * 3,
            {"planner", "ingest"},
            id="one that came back too early counts as a job",
        ),
    ],
)
def test_a_queue_has_room_while_a_process_is_left_that_works_for_it(
    queues: tuple[str, ...], with_room: set[str]
) -> None:
    with running(*queues):
        assert {
            queue for queue in ("planner", "ingest", "rag.interactive") if PLACES.has_room(queue)
        } == with_room
    assert PLACES.processes == 5
