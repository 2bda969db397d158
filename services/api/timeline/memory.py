"""What was read of issued plans, kept: a plan never changes, so each is read and put into columns once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 600


class PlanMemory:
    """The last things that were made, by key; what is used stays."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returned for a key, making it where it is not kept."""
        return self.renew(key, None, lambda _: make())

    def renew(self, subject: Hashable, key: Hashable, make: Callable[[T | None], T]) -> T:
        """Return what was made of a subject last where that was for this key; else what ``make`` makes of it, None where there is nothing yet."""
        with self._lock:
            entry: tuple[T, Hashable] | None = self._entries.pop(subject, None)
            if entry is not None:
                self._entries[subject] = entry
        if entry is None or entry[1] != key:
            entry = (make(entry and entry[0]), key)
            with self._lock:
                self._entries[subject] = entry
                while len(self._entries) > MOST:
                    self._entries.popitem(last=False)
        return entry[0]
