"""The planner's compiled loops: those of nearly every plan are there before the first; others are compiled by the first plan that needs them."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from services.planner.dp import envelopes, plan, planner, value
from services.planner.linear import schedules

# Plans over several courses, slots whose cost is not convex, and loads that run: each its loops, and what loads them.
_SELDOM: tuple[tuple[Sequence[Any], Callable[[], None]], ...] = (
    (value.COURSE_LOOPS, value.load_course_kernels),
    (envelopes.LOOPS, envelopes.load),
    (schedules.LOOPS, schedules.load_kernels),
)


@cache
def load_common_kernels() -> None:
    """Load once in a process what nearly every plan needs (compile it the first time), and of the rest what this machine has compiled before.

    A plan that is the first on its machine to need more compiles it, some seconds that do not count as planning. Source: docs/decisions/0081.
    """
    value.load_kernels()
    planner.load_kernels()
    plan.load_kernels()
    for loops, load in _SELDOM:
        # The index of Numba's cache on the disk is that of one version of file and compiler, and empty for every other; it shows it nowhere else.
        if all(loop._cache._cache_file._load_index() for loop in loops):  # noqa: SLF001
            load()


@cache
def load_kernels() -> None:
    """Load all of them: for an image that is made once, and for what is measured."""
    load_common_kernels()
    for _, load in _SELDOM:
        load()
