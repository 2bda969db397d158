"""Define the interface of a device's transport.

Points are numbers in their units, by their names in the profile.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class DeviceIdentity(NamedTuple):
    """The identity that a device reports; empty where it reports none."""

    maker: str
    model: str
    version: str
    serial: str


class PointValue(NamedTuple):
    """A value to write to a point, in the point's unit."""

    point: str
    value: float


class DevicePoints(Protocol):
    """The points of one device.

    Connects at first use and again after any failure. Not thread-safe.
    """

    @property
    def place(self) -> str:
        """The device's address for error messages."""

    def identify(self) -> DeviceIdentity | None:
        """Return the device's identity, None where its profile declares no way to read it.

        Raises:
            UnavailableError: the device does not answer, or is another product.
        """

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the device has no value.

        Raises:
            UnavailableError: the device does not answer, or is another product.
        """

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return for each value whether the device reads it back, at the point's resolution.

        Raises:
            UnavailableError: the device does not answer, or a point cannot represent such a value.
        """

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order; return once the device has acknowledged every write.

        Raises:
            UnavailableError: the device does not answer or refuses; or a point cannot represent
                such a value, and nothing was written.
        """

    def close(self) -> None:
        """Close the connection."""
