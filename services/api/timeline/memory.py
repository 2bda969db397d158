"""What was read of issued plans, kept: a plan never changes, so each is read and put into columns once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 600


class PlanMemory:
    """The last ``most`` things that were made, by key; what is used stays."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returned for a key, making it where it is not kept."""
        entry: tuple[T] | None = self._find(key)
        if entry is None:
            entry = self._keep(key, (make(),))
        return entry[0]

    def renew(self, subject: Hashable, key: Hashable, make: Callable[[T | None], T]) -> T:
        """Return what was made of a subject last where that was for this key; else what ``make`` makes of it, None where there is nothing yet."""
        entry: tuple[T, Hashable] | None = self._find(subject)
        if entry is None or entry[1] != key:
            entry = self._keep(subject, (make(entry and entry[0]), key))
        return entry[0]

    def _find(self, key: Hashable) -> Any:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def _keep(self, key: Hashable, value: T) -> T:
        with self._lock:
            self._entries[key] = value
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return value
