"""The pulse of a process: its loop beats it, everybody else reads it."""

import time
from datetime import timedelta
from pathlib import Path

import structlog

from luna.contracts.health import SIGNS_MISSED
from luna.errors import MachineError, UnavailableError

# The check of a process that it turns itself.
ALIVE = "heartbeat"

log = structlog.get_logger("luna.health")


class Pulse:
    """Beaten from the loop that must not stand still; fresh while the last beat is younger than three.

    Args:
        every: time between two beats.
        file: touched with every beat, for those outside who look at its age; None: nobody does.

    Raises:
        MachineError: ``file`` cannot be written.
    """

    def __init__(self, every: timedelta, file: Path | None = None) -> None:
        self.every = every
        self._file = file
        try:
            self._beat()
        except OSError as exc:
            remedy = "Name a file in a folder that Luna can write."
            raise MachineError(f"the heartbeat cannot be written: {exc.strerror}", field="LUNA_HEARTBEAT_FILE", value=str(file), remedy=remedy) from exc

    def beat(self) -> None:
        """Note that the loop turns."""
        try:
            self._beat()
        except OSError as exc:
            log.warning("heartbeat cannot be written", file=str(self._file), error=str(exc))

    @property
    def age_seconds(self) -> float:
        """How long ago the last beat was."""
        return time.monotonic() - self._beaten_at

    def probe(self) -> str:
        """Return how long ago the last beat was, in words.

        Raises:
            UnavailableError: too long.
        """
        said = f"last beat {self.age_seconds:.1f} s ago"
        if self.age_seconds > SIGNS_MISSED * self.every.total_seconds():
            raise UnavailableError(f"the loop stands still, {said}", remedy="Restart it if this lasts; what it holds goes to another.")
        return said

    def _beat(self) -> None:
        self._beaten_at = time.monotonic()
        if self._file is not None:
            self._file.touch()
