"""A device's points over whichever transport carries them: numbers in their units, by their names in the profile."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class DeviceIdentity(NamedTuple):
    """What a device says it is."""

    maker: str
    model: str
    version: str
    serial: str


class PointValue(NamedTuple):
    """A value of a point, in its unit, as a command wants it."""

    point: str
    value: float


class DevicePoints(Protocol):
    """The points of one device, connected to at first use and again after any failure. Not thread-safe."""

    @property
    def place(self) -> str:
        """Where the device is, as errors name it."""

    def identify(self) -> DeviceIdentity | None:
        """Return what the device says it is, None where its profile knows no way to ask.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the device knows none.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return of each value whether the device says that it holds, as exactly as its points can.

        Raises:
            UnavailableError: nobody answers, or a point cannot hold such a value.
        """

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order, and return once the device has taken everything.

        Raises:
            UnavailableError: nobody answers or it refuses; or a point cannot hold such a value, and nothing was written.
        """

    def close(self) -> None:
        """Close the connection."""
