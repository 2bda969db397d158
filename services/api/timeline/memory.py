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
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returned for a key, making it where it is not kept."""
        known: tuple[T] | None = self._find(key)
        if known is None:
            known = self._keep(key, (make(),))
        return known[0]

    def renew(self, subject: Hashable, key: Hashable, make: Callable[[T | None], T]) -> T:
        """Return what was made of a subject last where that was for this key; else what ``make`` makes of it, None where there is nothing yet."""
        known: tuple[T, Hashable] | None = self._find(subject)
        if known is None or known[1] != key:
            known = self._keep(subject, (make(known and known[0]), key))
        return known[0]

    def _find(self, key: Hashable) -> Any:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def _keep(self, key: Hashable, made: T) -> T:
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made
