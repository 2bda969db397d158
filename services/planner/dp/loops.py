"""How the planner's loops are compiled: soon, because a machine does it while its owner waits for a first plan; and in nobody's time for a plan."""

from time import monotonic

from numba import njit
from numba.core import event

# One that Python calls.
loop = njit(cache=True, no_cfunc_wrapper=True)
# A part of loops that only they call: without what Python would call it by, which takes as long to compile as a short loop does.
loop_part = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


class _Compilations(event.Listener):  # type: ignore[misc]
    """How long loops were compiled in this process, seconds; a loop that is compiled for another counts with that. Numba compiles one at a time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun: list[float] = []

    def on_start(self, event: event.Event) -> None:
        self._begun.append(monotonic())

    def on_end(self, event: event.Event) -> None:
        begun = self._begun.pop()
        if not self._begun:
            self.seconds += monotonic() - begun


_compilations = _Compilations()
event.register("numba:compile", _compilations)


def planning_clock_s() -> float:
    """Return the seconds of a clock that never goes back, and stands still while a loop is compiled: that leaves a plan its time."""
    return monotonic() - _compilations.seconds
