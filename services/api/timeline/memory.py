"""Cache issued plans and their columns: a plan never changes, so it is read once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 600


class PlanMemory:
    """A thread-safe LRU cache of ``MOST`` entries."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the cached value of a key, else that of ``make``, which is cached."""
        return self.renew(key, None, lambda _: make())

    def renew(self, subject: Hashable, key: Hashable, make: Callable[[T | None], T]) -> T:
        """Return the cached value of a subject if it was made for this key.

        Else cache ``make(previous)``, with None for a new subject.
        """
        with self._lock:
            entry: tuple[T, Hashable] | None = self._entries.pop(subject, None)
            if entry is not None:
                self._entries[subject] = entry
        if entry is None or entry[1] != key:
            previous = None if entry is None else entry[0]
            entry = (make(previous), key)
            with self._lock:
                self._entries[subject] = entry
                while len(self._entries) > MOST:
                    self._entries.popitem(last=False)
        return entry[0]
