"""What a site did: measured energies per quarter-hour and the state of charge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from math import inf
from typing import Literal, NamedTuple, Self

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.site import SENSOR_ROLES, SUBMETERED
from luna.energy.timeline import FloatArray, InstantArray, Timeline, align


class SocReading(NamedTuple):
    """A state of charge and the instant at which it held."""

    soc: float
    at: datetime


# Between two readings of a counter that went on; or one that began anew between them: what it counted before that is lost.
Certainty = Literal["counted", "at_least"]


@dataclass(frozen=True, slots=True)
class EnergyInterval:
    """What a counter counted from one reading to the next while it was silent for longer than a gap is interpolated: its energy is known, its course is not.

    Args:
        series: the column that the sensor counts for.
        sensor: whose two readings it lies between.
        first: the instant of the first of them.
        end: that of the second.
        energy_kwh: what it adds to the series; below zero where the sensor is taken off.
        certainty: of the energy.
    """

    series: str
    sensor: str
    first: datetime
    end: datetime
    energy_kwh: float
    certainty: Certainty


SERIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "charge_kwh", "discharge_kwh", "soc")
# Columns whose bits, the first one's lowest, say which values of a quarter-hour are filled to a meter's total. Stored marks rest on the order: who comes
# later stands last.
_MARKS = {role.series: role.mark for role in SENSOR_ROLES.values()}
ESTIMABLE = (*SERIES, "residual_kwh", "beyond_house_kwh", *sorted(SUBMETERED, key=lambda name: _MARKS[name] or inf))


@dataclass(frozen=True, slots=True)
class Observations:
    """Measured slots of 15 minutes; every array of shape ``(slots,)``, NaN where nothing is known.

    ``starts`` is ``datetime64[s]`` in UTC. Energies are measured at the meter or the battery terminals, ``soc`` (0–1) at the end of the slot.

    Invariants: ``starts`` is strictly ascending; gaps in time are allowed.

    Raises:
        InvalidInputError: arrays of different length, unsorted or repeated starts.
    """

    starts: InstantArray
    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    soc: FloatArray

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name).shape != self.starts.shape:
                raise InvalidInputError(f"has another length than the {self.starts.size} slot starts", field=field.name, value=getattr(self, field.name).size)
        if self.starts.size > 1 and not (np.diff(self.starts) > np.timedelta64(0)).all():
            raise InvalidInputError("slots are not strictly ascending", field="starts", remedy="Sort them and drop duplicates.")

    @classmethod
    def of(cls, starts: InstantArray, series: Mapping[str, FloatArray]) -> Self:
        """Return observations of the named series; those not named are unknown."""
        strangers = sorted(set(series) - set(SERIES))
        if strangers:
            raise InvalidInputError("no such series", field="series", value=strangers[0], remedy=f"Known are {', '.join(SERIES)}.")
        unknown = np.full(starts.size, np.nan)
        return cls(starts.astype("datetime64[s]"), **{name: np.asarray(series.get(name, unknown), dtype=np.float64) for name in SERIES})

    def __len__(self) -> int:
        return int(self.starts.size)

    def on(self, timeline: Timeline) -> Self:
        """Return the same observations on every slot of ``timeline``; a slot without a value is NaN."""
        return type(self).of(timeline.starts, {name: align(self.starts, getattr(self, name), timeline) for name in SERIES})

    def without(self, windows: Iterable[tuple[datetime, datetime]]) -> Self:
        """Return the same observations, unknown in every slot that begins within one of the windows (first instant, instant after the last)."""
        valid = np.ones(self.starts.size, dtype=np.bool_)
        for window in windows:
            first, end = (np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "s") for instant in window)
            valid &= (self.starts < first) | (self.starts >= end)
        return type(self).of(self.starts, {name: np.where(valid, getattr(self, name), np.nan) for name in SERIES})
