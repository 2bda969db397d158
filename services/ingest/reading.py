"""What sources deliver: single readings as they happen, and samples of one sensor over a stretch of time."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray, InstantArray


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a sensor as received. ``value`` is NaN where the sensor said that it knows none ("unknown", "unavailable")."""

    sensor: str
    instant: datetime
    value: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one sensor: ``instants`` (``datetime64[us]``, UTC) and ``values`` of shape ``(samples,)``, as received: in any order, repeated, with NaN.

    Raises:
        InvalidInputError: arrays of different length.
    """

    sensor: str
    unit: str | None
    instants: InstantArray
    values: FloatArray

    def __post_init__(self) -> None:
        if self.instants.shape != self.values.shape:
            raise InvalidInputError(f"has {self.values.size} values and {self.instants.size} instants", field=self.sensor)

    def __len__(self) -> int:
        return int(self.instants.size)

    @classmethod
    def empty(cls, sensor: str, unit: str | None = None) -> "Samples":
        """Return no readings of a sensor."""
        return cls(sensor, unit, np.array([], dtype="datetime64[us]"), np.array([], dtype=np.float64))
