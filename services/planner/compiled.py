"""The planner's compiled loops."""

from services.planner.dp import policy, value
from services.planner.milp import schedules


def load_kernels() -> None:
    """Load the compiled loops (compile them the first time): some seconds that should not count as planning."""
    value.load_kernels()
    policy.load_kernels()
    schedules.load_kernels()
