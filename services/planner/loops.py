"""How the planner's loops are compiled: soon, because a machine does it while its owner waits for a first plan; and in nobody's time for a plan."""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from numba import njit
from numba.core import event

Loop = TypeVar("Loop", bound=Callable[..., Any])
# How C, and how Python would call a loop: each is compiled besides it. Numba's stubs know neither.
_NOT_FROM_C: dict[str, Any] = {"no_cfunc_wrapper": True}
_NOT_FROM_PYTHON: dict[str, Any] = {"no_cpython_wrapper": True}
# No division of theirs is by zero: what would raise that error at each of them is a sixth of all that is compiled.
_NO_ZERO_DIVISION: dict[str, Any] = {"error_model": "numpy"}


def loop(work: Loop) -> Loop:
    """Return a loop that Python calls, compiled when it is called first, and kept on the disk."""
    compiled: Loop = njit(cache=True, **_NOT_FROM_C, **_NO_ZERO_DIVISION)(work)
    return compiled


def loop_part(work: Loop) -> Loop:
    """Return a part of loops that only they call: without what Python would call it by, which takes as long to compile as a short loop does."""
    compiled: Loop = njit(cache=True, **_NOT_FROM_C, **_NOT_FROM_PYTHON, **_NO_ZERO_DIVISION)(work)
    return compiled


class _Compilations(event.Listener):
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
event.register("numba:compile", _compilations)  # type: ignore[no-untyped-call]


def planning_clock_s() -> float:
    """Return the seconds of a clock that never goes back, and stands still while a loop is compiled: that leaves a plan its time."""
    return monotonic() - _compilations.seconds
