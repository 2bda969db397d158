"""Options with which the planner's loops are compiled.

They keep compiling short: it happens while an owner waits for a first plan.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {
    # Kept on the disk.
    "cache": True,
    # Other threads run meanwhile.
    "nogil": True,
    # Nothing in C calls a loop. Numba's stubs do not know the option.
    "no_cfunc_wrapper": True,
    # Loops never divide by zero: the checks would be a sixth of the compiled code.
    "error_model": "numpy",
}
_NOT_FROM_PYTHON: dict[str, Any] = {"no_cpython_wrapper": True}


def loop(work: Loop) -> Loop:
    """Return a loop that Python calls, compiled when it is called first."""
    compiled: Loop = njit(**_OPTIONS)(work)
    return compiled


def loop_part(work: Loop) -> Loop:
    """Return a part of loops, which Python cannot call.

    A wrapper for Python takes as long to compile as a short loop.
    """
    compiled: Loop = njit(**_OPTIONS, **_NOT_FROM_PYTHON)(work)
    return compiled


def uncached_part(work: Loop) -> Loop:
    """Return a part of one loop that takes named tuples.

    It is kept on the disk within that loop.

    Numba's cache refers to classes of arguments by name and fails where a later version has
    renamed one. So a loop itself takes arrays and plain tuples of them alone.
    """
    compiled: Loop = njit(**(_OPTIONS | {"cache": False}), **_NOT_FROM_PYTHON)(work)
    return compiled
