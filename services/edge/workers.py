"""Parallel map over worker processes that share a lab's data: ordered, bounded in memory.

Items of a dead worker are done again.
"""

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from luna.energy.errors import MachineError
from luna.platform.child_processes import watch_parent
from services.edge.lab import Lab, keep_quiet

Item = TypeVar("Item")
Result = TypeVar("Result")
# Tolerated deaths of workers without a result in between.
MOST_DEATHS = 3
# Submitted items per worker.
_AHEAD = 2
# A worker process's function and lab.
_duty: tuple[Callable[[Lab, Any], Any], Lab] | None = None


def map_in_order(
    work: Callable[[Lab, Item], Result], items: Iterable[Item], lab: Lab
) -> Iterator[Result]:
    """Yield the result of ``work`` for each item, in order, from ``lab.workers`` processes.

    One worker is this process.

    ``work`` must be a deterministic function of a module: an item whose worker died is done again.

    Raises:
        MachineError: more than ``MOST_DEATHS`` workers died without a result in between.
    """
    if lab.workers == 1:
        yield from (work(lab, item) for item in items)
        return
    pending = iter(items)
    ahead = deque[tuple[Item, Future[Result] | None]]()
    deaths = 0
    pool = _open(work, lab)
    try:
        while True:
            room = _AHEAD * lab.workers - len(ahead)
            ahead.extend((item, None) for item in islice(pending, room))
            if not ahead:
                return
            try:
                ahead = deque((item, future or pool.submit(_do, item)) for item, future in ahead)
                future = ahead[0][1]
                assert future is not None  # noqa: S101 - all of them were handed out just now
                result = future.result()
            except BrokenProcessPool as error:
                deaths += 1
                if deaths > MOST_DEATHS:
                    raise MachineError(
                        f"workers died {deaths} times in a row",
                        field="global.workers",
                        value=lab.workers,
                        remedy=(
                            "Was there too little memory? Ask for fewer, and run it again: it "
                            "goes on."
                        ),
                    ) from error
                pool.shutdown(wait=False)
                pool = _open(work, lab)
                # Results that arrived before the death stay; all others are submitted again.
                resumed = deque[tuple[Item, Future[Result] | None]]()
                for item, future in ahead:
                    has_result = future is not None and _has_result(future)
                    resumed.append((item, future if has_result else None))
                ahead = resumed
                continue
            deaths = 0
            ahead.popleft()
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _has_result(future: Future[Any]) -> bool:
    return future.done() and not isinstance(future.exception(), BrokenProcessPool)


def _open(work: Callable[[Lab, Any], Any], lab: Lab) -> ProcessPoolExecutor:
    # Forked workers share the data, spawned ones get a copy; only this process reports progress.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    return ProcessPoolExecutor(
        lab.workers,
        mp_context=context,
        initializer=_begin,
        initargs=(work, replace(lab, progress=keep_quiet)),
    )


def _begin(work: Callable[[Lab, Any], Any], lab: Lab) -> None:
    global _duty  # noqa: PLW0603 - a worker has one
    _duty = (work, lab)
    watch_parent()


def _do(item: Any) -> Any:
    assert _duty is not None  # noqa: S101 - _begin came first
    work, lab = _duty
    return work(lab, item)
