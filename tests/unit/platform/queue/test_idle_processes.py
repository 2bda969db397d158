"""Which processes of a worker have rested long enough."""

from luna.platform.queue.idle_processes import MOST_TURN_SECONDS, IdleTimes, count_late

REST_SECONDS = 10.0
TASK_SECONDS = 5.0


def test_a_process_whose_tasks_all_end_between_two_looks_is_not_at_rest() -> None:
    times = IdleTimes()
    for second in range(60):
        if second % TASK_SECONDS == 0:
            times.end_task(7)
        assert times.list_rested([7, 8], float(second), rest_seconds=REST_SECONDS) == (
            {8} if second >= REST_SECONDS else set()
        )


def test_a_process_counts_from_when_it_is_idle_and_one_that_is_gone_is_forgotten() -> None:
    times = IdleTimes()
    assert times.list_rested([7], 0.0, rest_seconds=REST_SECONDS) == set()
    assert times.list_rested([], 5.0, rest_seconds=REST_SECONDS) == set()
    # It was busy at the look before, or is another one of the same number.
    assert times.list_rested([7], 12.0, rest_seconds=REST_SECONDS) == set()
    assert times.list_rested([7], 22.0, rest_seconds=REST_SECONDS) == {7}


def test_where_memory_is_short_what_is_late_waits_on() -> None:
    waited_seconds = [3.0, 8.0, 20.0, MOST_TURN_SECONDS]
    assert count_late(waited_seconds, turn_seconds=8.0, memory_is_short=lambda: False) == 3
    assert count_late(waited_seconds, turn_seconds=8.0, memory_is_short=lambda: True) == 1
