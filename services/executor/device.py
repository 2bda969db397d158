"""What tells inverters what to do: a few lines of protocol, and the one that tells nobody."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from luna.contracts.device_template import Write
from luna.energy.errors import UnavailableError

log = structlog.get_logger("luna.planner.execution")


class DeviceError(UnavailableError):
    """A command was not taken: nobody answers, or it is refused."""

    title, code = "The device does not follow", "device"


class Device(Protocol):
    """Threads do not share one."""

    def apply(self, writes: Sequence[Write]) -> None:
        """Write in order and return when everything was acknowledged; nothing of it comes later by itself.

        Raises:
            DeviceError: something was not.
        """

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return what holds; a place of which nothing is known is left out.

        Args:
            within: how long may be waited for it; None: as long as for anything else.

        Raises:
            DeviceError: nobody answers, or not in time.
        """

    def close(self) -> None:
        """Let go of connections."""


class DryRun:
    """Sends nothing; what would have been written counts as what holds."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def apply(self, writes: Sequence[Write]) -> None:
        """Say in the log what would be sent."""
        for write in writes:
            log.info("would be sent", to=write.to, value=write.value)
            self._said[write.read_back or write.to] = write.value

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return what would hold."""
        return {place: self._said[place] for place in places if place in self._said}

    def close(self) -> None:
        """Nothing is open."""
