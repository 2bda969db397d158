"""Sensor data from sources: single live readings, and samples of a sensor over a period."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray, InstantArray


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a sensor as received, NaN if it reported none ("unknown", "unavailable").

    ``power_kw`` is the power that the same device measured at that instant in the counter's
    direction, None where it is not known; it is not recorded.
    """

    sensor: str
    instant: datetime
    value: float
    unit: str | None = None
    power_kw: float | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one sensor as received: unordered, with repeats and NaN.

    ``instants`` (``datetime64[us]``, UTC) and ``values`` have the shape ``(samples,)``.

    Raises:
        InvalidInputError: arrays of different length.
    """

    sensor: str
    unit: str | None
    instants: InstantArray
    values: FloatArray

    def __post_init__(self) -> None:
        if self.instants.shape != self.values.shape:
            raise InvalidInputError(
                f"has {self.values.size} values and {self.instants.size} instants",
                field=self.sensor,
            )

    def __len__(self) -> int:
        return int(self.instants.size)

    @classmethod
    def empty(cls, sensor: str, unit: str | None = None) -> "Samples":
        return cls(
            sensor, unit, np.array([], dtype="datetime64[us]"), np.array([], dtype=np.float64)
        )
