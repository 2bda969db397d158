"""Work beside what is measured, in threads of its own."""

import threading
from collections.abc import Callable
from typing import Self


class BackgroundThreads:
    """Does each work in a thread of its own while a block runs, or several blocks one after the other; works end once ``_done`` is set, at a block's end."""

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
