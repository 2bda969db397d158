"""Load the planner's Numba kernels at start-up.

The common ones are always loaded, rare ones only from Numba's disk cache; the first plan that needs
one compiles it.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from services.planner import settlement
from services.planner.dp import envelopes, planner, value
from services.planner.linear import ranges, schedules
from services.planner.milp import supply

# Loops and loader for plans over scenarios, slots of non-convex cost, and schedules of loads.
_SELDOM: tuple[tuple[Sequence[Any], Callable[[], None]], ...] = (
    (value.SCENARIO_LOOPS, value.load_scenario_kernels),
    (envelopes.LOOPS, envelopes.load),
    (schedules.LOOPS, schedules.load_kernels),
    (ranges.LOOPS, ranges.load_kernels),
    (supply.LOOPS, supply.load_kernels),
)


@cache
def load_common_kernels() -> None:
    """Load the common kernels once per process, and the rare ones that are in the disk cache.

    Common ones that the cache lacks are compiled. A plan that compiles a rare one spends some
    seconds that do not count as planning time. Source: docs/decisions/0081.
    """
    value.load_kernels()
    planner.load_kernels()
    settlement.load_kernels()
    for loops, load in _SELDOM:
        # Numba has no public call for it: its cache index is empty unless file and compiler are of
        # the cached version.
        if all(loop._cache._cache_file._load_index() for loop in loops):  # noqa: SLF001
            load()


@cache
def load_kernels() -> None:
    """Load all kernels: for the build of a container image, and for benchmarks."""
    load_common_kernels()
    for _, load in _SELDOM:
        load()
