"""Rejection of implausible readings, and the ordering of samples.

A rejected reading has a fault code. Readings that a person released are not rejected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.row_fault import RowFault
from luna.energy.timeline import FloatArray, InstantArray, to_instant
from luna.energy.units import read_measure
from services.ingest.metering.spans import Spans, runs_of
from services.ingest.source_readings import Samples

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A run of a sensor's readings rejected for one fault.

    Args:
        first: instant of the first reading, UTC.
        last: of the last reading.
        readings: number of readings.
        value: of the first reading, in the sensor's unit.
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
    """Collects rejected readings.

    ``released`` holds by sensor the spans whose values a person has confirmed.
    """

    released: Mapping[str, Spans] = field(default_factory=dict)
    rejected: dict[tuple[str, np.datetime64, RowFault], Rejected] = field(default_factory=dict)

    def refuse(self, readings: "Readings", wrong: Mask, fault: RowFault) -> Mask:
        """Record each run of ``wrong`` readings, and return the mask of the rejected ones.

        Readings in released spans are not rejected.
        """
        if not wrong.any():
            return wrong
        if readings.sensor in self.released:
            wrong = wrong & ~self.released[readings.sensor].cover(readings.instants)
        for first, end in runs_of(wrong):
            first_instant = readings.instants[first]
            # Keyed because a sensor may have two roles, such as a signed power: each fault is
            # reported once.
            self.rejected[readings.sensor, first_instant, fault] = Rejected(
                sensor=readings.sensor,
                unit=readings.unit,
                first=first_instant,
                last=readings.instants[end - 1],
                readings=end - first,
                value=round(float(readings.values[first]) / readings.factor, 9),
                fault=fault,
            )
        return wrong


@dataclass(frozen=True, slots=True)
class Readings:
    """A sensor's readings in order of time, each instant once.

    ``values`` are in kW, kWh or a fraction, NaN where the sensor reported none; ``factor`` converts
    the sensor's unit into these.
    """

    sensor: str
    unit: str | None
    factor: float
    instants: InstantArray
    values: FloatArray

    @property
    def is_power(self) -> bool:
        measure = read_measure(self.unit)
        return measure is not None and measure.kind == "power"

    def without(self, refused: Mask) -> "Readings":
        if not refused.any():
            return self
        return Readings(
            sensor=self.sensor,
            unit=self.unit,
            factor=self.factor,
            instants=self.instants[~refused],
            values=self.values[~refused],
        )

    def turned(self) -> "Readings":
        """Return the readings with the opposite sign."""
        return Readings(
            sensor=self.sensor,
            unit=self.unit,
            factor=-self.factor,
            instants=self.instants,
            values=-self.values,
        )

    def __len__(self) -> int:
        return int(self.instants.size)


# A device whose clock was never set reports 1970 or its year of manufacture.
EARLIEST = np.datetime64("2000-01-01", "us")
# Clocks of devices that set themselves over the network agree within seconds.
CLOCK_TOLERANCE = timedelta(minutes=5)

UNSET = RowFault("unset")
FUTURE = RowFault("future")
CONTRADICTS = RowFault("contradicts")
NO_NUMBER = RowFault("no_finite_number")
WRONG_SIGN = RowFault("wrong_sign")


def put_in_order(
    samples: Samples, factor: float, refusals: Refusals, *, now: datetime | None
) -> Readings:
    """Return the samples in order of time, converted by ``factor``.

    Of several at one instant the highest counts, because a counter only rises.

    Invariants: reordering or repeating samples changes nothing.
    """
    instants = samples.instants.astype("datetime64[us]")
    values = samples.values.astype(np.float64) * factor
    if not (np.diff(instants) > np.timedelta64(0)).all():
        order = np.lexsort([np.where(np.isnan(values), -np.inf, values), instants])
        instants = instants[order]
        values = values[order]
    readings = Readings(
        sensor=samples.sensor, unit=samples.unit, factor=factor, instants=instants, values=values
    )
    readings = readings.without(refusals.refuse(readings, np.isinf(readings.values), NO_NUMBER))
    readings = readings.without(refusals.refuse(readings, readings.instants < EARLIEST, UNSET))
    if now is not None:
        latest = to_instant(now + CLOCK_TOLERANCE)
        readings = readings.without(refusals.refuse(readings, readings.instants > latest, FUTURE))
    same = np.diff(readings.instants) == np.timedelta64(0)
    repeated = np.append(same, np.zeros(min(1, len(readings)), dtype=np.bool_))
    if not repeated.any():
        return readings
    following = np.append(readings.values[1:], np.nan)
    contradicting = repeated & ~np.isnan(readings.values) & (readings.values != following)
    refusals.refuse(readings, contradicting, CONTRADICTS)
    return readings.without(repeated)
