"""How the planner's loops are compiled: soon, because a machine does it while its owner waits for a
first plan.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])
# How C, and how Python would call a loop: each is compiled besides it. Numba's stubs know neither.
_NOT_FROM_C: dict[str, Any] = {"no_cfunc_wrapper": True}
_NOT_FROM_PYTHON: dict[str, Any] = {"no_cpython_wrapper": True}
# No division of theirs is by zero: what would raise that error at each of them is a sixth of all
# that is compiled.
_NO_ZERO_DIVISION: dict[str, Any] = {"error_model": "numpy"}


def loop(work: Loop) -> Loop:
    """Return a loop that Python calls, compiled when it is called first, and kept on the disk."""
    compiled: Loop = njit(cache=True, **_NOT_FROM_C, **_NO_ZERO_DIVISION)(work)
    return compiled


def loop_part(work: Loop) -> Loop:
    """Return a part of loops that only they call: without what Python would call it by, which takes
    as long to compile as a short loop does.
    """
    compiled: Loop = njit(cache=True, **_NOT_FROM_C, **_NOT_FROM_PYTHON, **_NO_ZERO_DIVISION)(work)
    return compiled
