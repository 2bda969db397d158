"""The timer of a worker's event loop over thousands of tasks with time limits of hours."""

from datetime import timedelta

from kombu.asynchronous.timer import Timer

from luna.platform.queue.worker import forget_cancelled

HOURS = timedelta(hours=2).total_seconds()


def test_time_limits_of_ended_tasks_are_forgotten_and_all_others_are_kept_in_their_order() -> None:
    timer = Timer()
    called: list[str] = []
    late, soon = (
        timer.call_after(seconds, called.append, (name,))
        for seconds, name in ((HOURS, "late"), (0, "soon"))
    )
    for _ in range(1000):
        timer.call_after(HOURS, called.append, ("ended",)).cancel()
    forget_cancelled(timer)
    assert len(timer) == 2
    _, due = next(iter(timer))
    assert due is soon
    timer.apply_entry(due)
    assert (called, late.canceled) == (["soon"], False)
