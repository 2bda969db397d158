"""The clock of planning stands while Numba compiles or loads loops."""

from time import monotonic, sleep

from numba.core.compiler_lock import global_compiler_lock

from services.planner.problem.problem import planning_clock_s

LOADED_S = 0.02


def test_loading_a_compiled_loop_takes_no_planning_time() -> None:
    begun = monotonic()
    planning_begun = planning_clock_s()
    # Numba holds its lock while it compiles a loop, and while it loads or stores a compiled one.
    with global_compiler_lock:
        sleep(LOADED_S)
    planned = planning_clock_s() - planning_begun
    assert monotonic() - begun - planned >= LOADED_S
