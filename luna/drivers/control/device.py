"""Define the connection to devices: its protocol, its errors, and the dry run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import structlog

from luna.contracts.device_template import Write
from luna.energy.errors import UnavailableError

# Read-back value of a device that acknowledged its command and has done something else for minutes.
NOT_FOLLOWED = "not followed"

log = structlog.get_logger("luna.executor")


class DeviceError(UnavailableError):
    """A command failed: the device does not answer, or refuses it."""

    title = "The device does not follow"
    code = "device"

    @property
    def spent_until(self) -> datetime | None:
        """The end of a spent daily write budget, None for any other failure."""
        if self.reason != "device-writes-spent":
            return None
        return datetime.fromisoformat(self.parameters["until"])


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
            within: timeout; None: the connection's own.

        Raises:
            DeviceError: no answer, or not in time.
        """

    def close(self) -> None:
        """Close the connections."""


@runtime_checkable
class WearingDevice(Protocol):
    """A connection with a daily write budget: each mode change wears the devices' memory."""

    def read_spent(self) -> float | None:
        """Return the used share of the day's write budget, 0 to 1.

        None where mode changes wear out nothing.

        Raises:
            UnavailableError: the count cannot be read.
        """


@runtime_checkable
class RationedDevice(Protocol):
    """A connection to chargers whose current may be written so often a day."""

    def read_writes_left(self, place: str) -> float:
        """Return how often the current at a place may still be changed within 24 hours.

        Infinite where no change wears anything out.

        Raises:
            UnavailableError: the count cannot be read.
        """


@runtime_checkable
class PhasedDevice(Protocol):
    """A connection to chargers that may refuse their number of phases."""

    def keeps_phases(self, place: str) -> bool | None:
        """Return whether a charger refused its number of phases; None: it was not sent yet."""


class DryRun:
    """Device that sends nothing: it logs writes and reads them back."""

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
