"""Protocol of device connections, and the dry run that sends nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import structlog

from luna.contracts.device_template import Write
from luna.energy.errors import UnavailableError

# What a device says of a place where it took the command and does something else for minutes.
NOT_FOLLOWED = "not followed"

log = structlog.get_logger("luna.planner.execution")


class DeviceError(UnavailableError):
    """A command was not taken: nobody answers, or it is refused."""

    title, code = "The device does not follow", "device"

    @property
    def spent_until(self) -> datetime | None:
        """When it may be written again, where that was done as often as its memory bears in a day; else None."""
        return datetime.fromisoformat(self.parameters["until"]) if self.reason == "device-writes-spent" else None


class Device(Protocol):
    """Connection to a site's devices. Not thread-safe."""

    def apply(self, writes: Sequence[Write]) -> None:
        """Write in order and return when everything is acknowledged; no write is delivered later.

        Raises:
            DeviceError: something was not.
        """

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the current values by place; a place without a value is left out.

        Args:
            within: how long may be waited for it; None: as long as for anything else.

        Raises:
            DeviceError: nobody answers, or not in time.
        """

    def close(self) -> None:
        """Close the connections."""


@runtime_checkable
class WearingDevice(Protocol):
    """A connection that knows whether changes of mode wear out the memory of a device behind it, and how many more there may be today."""

    def read_spent(self) -> float | None:
        """Return the share of a day's writes that is used up; None where changes of mode wear out nothing.

        Raises:
            UnavailableError: nobody can count.
        """


class DryRun:
    """Sends nothing; logged writes count as the current values."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def apply(self, writes: Sequence[Write]) -> None:
        """Log the values that would be sent."""
        for write in writes:
            log.info("would be sent", to=write.to, value=write.value)
            self._values[write.read_back or write.to] = write.value

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the values logged last."""
        return {place: self._values[place] for place in places if place in self._values}

    def close(self) -> None:
        """Nothing is open."""
