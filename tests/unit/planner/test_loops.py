"""What is compiled while a plan is made takes none of its time."""

from time import monotonic

from numba import njit

from services.planner.problem.problem import Deadline


def test_a_deadline_waits_while_a_loop_is_compiled() -> None:
    # With the first one Numba gets ready, as a worker has it do before it takes a plan.
    assert njit(lambda number: number - 1)(1) == 0
    compiled = njit(lambda number: number + 1)
    deadline = Deadline.within(60.0)
    begun = monotonic()
    assert compiled(1) == 2
    passed_s = monotonic() - begun
    assert 60.0 - deadline.left_s < passed_s / 2
