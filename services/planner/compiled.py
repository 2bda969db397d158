"""The planner's compiled loops."""

from functools import cache

from services.planner.dp import policy, value
from services.planner.milp import schedules


@cache
def load_kernels() -> None:
    """Load the compiled loops once in a process (compile them the first time): some seconds that should not count as planning."""
    value.load_kernels()
    policy.load_kernels()
    schedules.load_kernels()
