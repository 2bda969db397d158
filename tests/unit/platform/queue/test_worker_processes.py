"""How many processes a worker has."""

from luna.platform.memory import affordable_processes
from luna.platform.queue.worker import count_processes
from luna.platform.settings import Settings


def test_what_somebody_set_holds_and_a_sparing_worker_has_no_more_by_default_than_there_is_memory_for() -> (
    None
):
    default = Settings().worker_processes
    assert count_processes(Settings(worker_processes=7), sparing=True) == 7
    assert count_processes(Settings(), sparing=False) == default
    assert count_processes(Settings(), sparing=True) == min(default, affordable_processes())
