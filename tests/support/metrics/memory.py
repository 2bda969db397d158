"""The memory that some work holds at most."""

import tracemalloc
from collections.abc import Callable


def measure_peak_mb(work: Callable[[], object]) -> float:
    """Return the most memory that some work held at once, arrays included."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
