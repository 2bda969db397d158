"""Signals and order: what a process started is stopped also when it is told to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn SIGTERM and a closed terminal into SystemExit, so that ``with`` blocks end; a handler of somebody else's stays."""
    replaced = [kind for kind in ENDING if _in_main_thread() and signal.getsignal(kind) is signal.SIG_DFL]
    for kind in replaced:
        signal.signal(kind, _leave)
    try:
        yield
    finally:
        for kind in replaced:
            signal.signal(kind, signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done: a second Ctrl-C must not leave half of the servers."""
    # A mask would not do: any other thread would still take the signal.
    arrived: list[int] = []
    kinds = (signal.SIGINT, *ENDING) if _in_main_thread() else ()
    before = {kind: signal.signal(kind, lambda number, _frame: arrived.append(number)) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    for number in arrived[:1]:
        signal.raise_signal(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
