"""Timing of alternatives in turns: on a shared machine only figures measured side by side
compare.
"""

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from luna.energy.timeline import FloatArray

Item = TypeVar("Item")


def processor_s() -> float:
    """Return the CPU seconds of this process and of its ended children, which do not depend on
    other load.
    """
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def race(
    works: Mapping[str, Callable[[Item], Any]],
    items: Sequence[Item],
    *,
    rounds: int,
    clock_s: Callable[[], float] = time.perf_counter,
) -> dict[str, FloatArray]:
    """Return the milliseconds of every work on every item, shape ``(rounds, items)``, after a
    warm-up round.

    The works take turns on each item; garbage is collected before each call, so that none pays for
    another's.
    """
    times = {name: np.empty((rounds + 1, len(items))) for name in works}
    for index in range(rounds + 1):
        for place, item in enumerate(items):
            for name, work in works.items():
                times[name][index, place] = time_call(work, item, clock_s=clock_s)
    return {name: taken[1:] for name, taken in times.items()}


def time_call(
    work: Callable[[Item], Any], item: Item, *, clock_s: Callable[[], float] = time.perf_counter
) -> float:
    """Return the milliseconds of one call."""
    gc.collect(1)
    begun = clock_s()
    work(item)
    return (clock_s() - begun) * 1e3


def compare(times: FloatArray, floor: FloatArray) -> float:
    """Return the median ratio of paired calls, which other load slows equally."""
    return float(np.median(times / floor))


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core of this machine busy within the block."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def describe(times: FloatArray, *, prefix: str = "") -> dict[str, float]:
    """Return the median and 95th percentile of all times."""
    return {
        f"{prefix}p50_ms": float(np.median(times)),
        f"{prefix}p95_ms": float(np.percentile(times, 95)),
    }
