"""A process whose loop stands still ends; one that only was stopped for a while does not."""

from datetime import timedelta

from luna.platform.health.stall_watch import EXIT_STALLED, LOOKS, StallWatch


class Loops:
    """Two loops with ages that a test sets, and the exit codes of their process."""

    def __init__(self) -> None:
        self.main = 0.0
        self.health = 0.0
        self.ends: list[int] = []
        self.watch = StallWatch(stalled_after=timedelta(seconds=120), end=self.ends.append)
        self.watch.add("main", lambda: self.main)
        self.watch.add("health", lambda: self.health)

    def look(self, times: int) -> None:
        for _ in range(times):
            self.watch.look()


def test_a_loop_that_turns_is_left_alone() -> None:
    loops = Loops()
    loops.main = 119.0
    loops.look(5 * LOOKS)
    assert loops.ends == []


def test_any_loop_that_stands_still_ends_the_process() -> None:
    loops = Loops()
    loops.health = 121.0
    loops.look(LOOKS)
    assert loops.ends == [EXIT_STALLED]


def test_a_process_that_was_stopped_and_goes_on_has_time_for_a_turn() -> None:
    loops = Loops()
    for _ in range(5):
        loops.main = 3600.0
        loops.look(LOOKS - 1)
        loops.main = 0.1
        loops.look(1)
    assert loops.ends == []
