"""What ``tests/system/test_jobs.py`` shows at length: no worker's death loses work or does it
twice.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.errand_tasks import ErrandReply, ErrandRequest
from tests.support.worker.environment import ERRANDS, Place, errands_table, open_place, second_queue
from tests.support.worker.task_starts import count_starts
from tests.support.worker.workers import kill, wait_for

# Who is killed is missed after five of them.
BEAT_SECONDS = 0.3


@pytest.fixture
def place(database_url: str, redis_url: str) -> Iterator[Place]:
    with (
        errands_table(database_url),
        open_place(database_url, second_queue(redis_url), ERRANDS) as there,
    ):
        there.empty_queue()
        yield there
        there.empty_queue()


def test_a_task_whose_worker_is_killed_in_the_middle_is_finished_exactly_once_by_another(
    place: Place, tmp_path: Path
) -> None:
    errand = ErrandRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    first = place.start_worker(beat_seconds=BEAT_SECONDS)
    job = place.submit(errand)
    wait_for(lambda: count_starts(errand.starts) == 1)
    kill(first)
    errand.gate.touch()
    place.start_worker(beat_seconds=BEAT_SECONDS)
    wait_for(place.has(job, "done"))
    ended = place.look_at(job)
    assert (ended.attempts, ended.reply) == (2, ErrandReply(value=1, starts=2).model_dump())
    assert place.values() == [1]
    assert place.client.tasks.waiting("errand") == 0
