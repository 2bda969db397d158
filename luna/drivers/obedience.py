"""Judge whether a device follows its command, by what it does for minutes."""

from collections.abc import Callable

# How long a device may contradict its command. Source: docs/decisions/0099.
OBEYS_WITHIN_S = 180.0


class Obedience:
    """Clock of a device that contradicts its command; ``now``: seconds of a monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._contradicts_since: float | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the device has contradicted its command for ``OBEYS_WITHIN_S``."""
        if self._contradicts_since is None:
            return False
        return self._now() - self._contradicts_since >= OBEYS_WITHIN_S

    def note(self, *, contradicts: bool) -> None:
        """Note whether the device contradicts its command now."""
        if not contradicts:
            self._contradicts_since = None
        elif self._contradicts_since is None:
            self._contradicts_since = self._now()

    def forget(self) -> None:
        """Begin anew, as with another command."""
        self._contradicts_since = None
