"""Values that are not believed, with the reason; those released by hand are believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.metering.spans import Spans, runs_of
from services.ingest.reading import Samples

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Neighbouring readings of a sensor that were refused for one fault.

    Args:
        first: instant of the first of them, UTC.
        last: of the last; the same where it is a single one.
        readings: how many there are.
        value: the first one's, in the sensor's own unit.
    """

    sensor: str
    unit: str | None
    first: np.datetime64
    last: np.datetime64
    readings: int
    value: float
    fault: RowFault


@dataclass(slots=True)
class Refusals:
    """Collects what is refused; ``released`` are stretches of a sensor in which a person said that its values are right."""

    released: Mapping[str, Spans] = field(default_factory=dict)
    rejected: dict[tuple[str, np.datetime64, RowFault], Rejected] = field(default_factory=dict)

    def refuse(self, readings: "Readings", wrong: Mask, fault: RowFault) -> Mask:
        """Note the ``wrong`` readings, each run of neighbours once, and return which of them are refused."""
        if not wrong.any():
            return wrong
        if readings.sensor in self.released:
            wrong = wrong & ~self.released[readings.sensor].cover(readings.instants)
        for first, end in runs_of(wrong):
            instants = readings.instants
            raw = round(float(readings.values[first]) / readings.factor, 9)
            refused = Rejected(readings.sensor, readings.unit, instants[first], instants[end - 1], end - first, raw, fault)
            # A sensor may stand in two roles, as a power with a sign does: what is wrong with it is said once.
            self.rejected[readings.sensor, instants[first], fault] = refused
        return wrong


@dataclass(frozen=True, slots=True)
class Readings:
    """A sensor's readings, in order of time, each instant once; ``values`` are in kW, kWh or as a fraction, NaN where it knew none.

    ``factor`` is what one of its own units is in those.
    """

    sensor: str
    unit: str | None
    factor: float
    instants: InstantArray
    values: FloatArray

    def without(self, refused: Mask) -> "Readings":
        """Return the others."""
        if not refused.any():
            return self
        return Readings(self.sensor, self.unit, self.factor, self.instants[~refused], self.values[~refused])

    def turned(self) -> "Readings":
        """Return what the sensor counts in the other direction."""
        return Readings(self.sensor, self.unit, -self.factor, self.instants, -self.values)

    def __len__(self) -> int:
        return int(self.instants.size)


# Before this no meter of today was read: a device whose clock was never set says 1970 or its year of manufacture.
EARLIEST = np.datetime64("2000-01-01", "us")
# Clocks of devices that set themselves over the network agree within seconds.
CLOCK_TOLERANCE = timedelta(minutes=5)

UNSET = RowFault("unset")
FUTURE = RowFault("future")
CONTRADICTS = RowFault("contradicts")
NO_NUMBER = RowFault("no_finite_number")


def put_in_order(samples: Samples, factor: float, refusals: Refusals, *, now: datetime | None) -> Readings:
    """Return the samples in order of time, times ``factor``; of several at one instant the highest, as a counter only rises.

    Invariants: the order of the samples, and repeating them, change nothing.
    """
    instants, values = samples.instants.astype("datetime64[us]"), samples.values.astype(np.float64) * factor
    if not (np.diff(instants) > np.timedelta64(0)).all():
        order = np.lexsort([np.where(np.isnan(values), -np.inf, values), instants])
        instants, values = instants[order], values[order]
    readings = Readings(samples.sensor, samples.unit, factor, instants, values)
    readings = readings.without(refusals.refuse(readings, np.isinf(readings.values), NO_NUMBER))
    readings = readings.without(refusals.refuse(readings, readings.instants < EARLIEST, UNSET))
    if now is not None:
        latest = np.datetime64((now + CLOCK_TOLERANCE).astimezone(UTC).replace(tzinfo=None), "us")
        readings = readings.without(refusals.refuse(readings, readings.instants > latest, FUTURE))
    same = np.diff(readings.instants) == np.timedelta64(0)
    repeated = np.append(same, np.zeros(min(1, len(readings)), dtype=np.bool_))
    if not repeated.any():
        return readings
    following = np.append(readings.values[1:], np.nan)
    refusals.refuse(readings, repeated & ~np.isnan(readings.values) & (readings.values != following), CONTRADICTS)
    return readings.without(repeated)
