"""Work beside what is measured, in threads of its own."""

import threading
from collections.abc import Callable
from typing import Self


class BackgroundThreads:
    """Does each work in a thread of its own while a block runs; works end once ``_done`` is set, at the block's end."""

    def __init__(self, *works: Callable[[], None]) -> None:
        self._done = threading.Event()
        self._threads = [threading.Thread(target=work) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
