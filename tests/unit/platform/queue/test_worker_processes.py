"""How many processes a worker has."""

from luna.platform.memory import affordable_processes
from luna.platform.queue.worker import count_processes
from luna.platform.settings import Settings


def test_a_set_number_of_processes_holds_and_a_sparing_default_fits_into_memory() -> None:
    default = Settings().worker_processes
    assert count_processes(Settings(worker_processes=7), sparing=True) == 7
    assert count_processes(Settings(), sparing=False) == default
    assert count_processes(Settings(), sparing=True) == min(default, affordable_processes())
