"""The agent's tasks; none yet."""

from services.planner.dp.value import load_kernels

NEEDS = ("database", "redis", "objects")


def prepare() -> None:
    """Load the planner's compiled loops before the worker's processes are forked: each would otherwise wait a second for them."""
    load_kernels()
