"""How many processors this process may use: what the machine lets it run on, and what a container's quota leaves of that."""

import os
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")


def count_processors(groups: Path = CONTROL_GROUPS) -> int:
    """Return how many threads can compute at once, at least one; a quota of one and a half processors makes one."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = read_quota(groups)
    return there if quota is None else max(1, min(there, int(quota)))


def read_quota(groups: Path) -> float | None:
    """Return how many processors' worth of time the container may use; None where nothing limits it.

    Source: Linux, control groups v2 (``cpu.max``: quota and period, or ``max``) and v1 (``cpu.cfs_quota_us``, -1 for none, and ``cpu.cfs_period_us``).
    """
    words = _read_words(groups / "cpu.max") or [word for name in ("quota", "period") for word in _read_words(groups / "cpu" / f"cpu.cfs_{name}_us")]
    if len(words) != 2 or not all(word.isdigit() and int(word) for word in words):
        return None
    return int(words[0]) / int(words[1])


def _read_words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
