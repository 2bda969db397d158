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
    in_main_thread = threading.current_thread() is threading.main_thread()
    replaced = [kind for kind in ENDING if in_main_thread and signal.getsignal(kind) is signal.SIG_DFL]
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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDING})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
