"""Background threads beside a measurement."""

import threading
from collections.abc import Callable
from typing import Self


class BackgroundThreads:
    """Runs functions in a thread each while a block runs, also for several blocks in sequence.

    They have to return once ``_done`` is set at its end.
    """

    def __init__(self, *works: Callable[[], None]) -> None:
        self._works, self._threads = works, list[threading.Thread]()
        self._done = threading.Event()

    def __enter__(self) -> Self:
        self._done.clear()
        self._threads = [threading.Thread(target=work) for work in self._works]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
