"""Measured energies and states of charge of a site per quarter-hour.

Energies that are known only over longer intervals stand here as well.
"""

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
    """A state of charge (0–1) and the instant it was measured at."""

    soc: float
    at: datetime


# at_least: the counter was reset between its two readings, so what it counted before the reset is
# lost.
Certainty = Literal["counted", "at_least"]


@dataclass(frozen=True, slots=True)
class EnergyInterval:
    """A counter's increase over a gap too long to be interpolated.

    Its energy is known, its distribution over the slots is not.

    Args:
        series: the column that the sensor contributes to.
        sensor: name of the counter.
        first: the last reading before the gap.
        end: the first reading after it.
        energy_kwh: contribution to the series; negative where the sensor is subtracted.
        certainty: of the energy.
    """

    series: str
    sensor: str
    first: datetime
    end: datetime
    energy_kwh: float
    certainty: Certainty


SERIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "charge_kwh", "discharge_kwh", "soc")
# Columns in the order of their bits in the stored mask of estimated values (filled to a meter's
# total), lowest bit first: only ever append.
_MARKS = {role.series: role.mark for role in SENSOR_ROLES.values()}
ESTIMABLE = (
    *SERIES,
    "residual_kwh",
    "beyond_house_kwh",
    *sorted(SUBMETERED, key=lambda name: _MARKS[name] or inf),
)


@dataclass(frozen=True, slots=True)
class Observations:
    """Measured slots of 15 minutes; every array of shape ``(slots,)``, NaN where nothing is known.

    ``starts`` is ``datetime64[s]`` in UTC. Energies (kWh) are measured at the meter or the battery
    terminals, ``soc`` (0–1) at the end of the slot.

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
                raise InvalidInputError(
                    f"has another length than the {self.starts.size} slot starts",
                    field=field.name,
                    value=getattr(self, field.name).size,
                )
        if self.starts.size > 1 and not (np.diff(self.starts) > np.timedelta64(0)).all():
            raise InvalidInputError(
                "slots are not strictly ascending",
                field="starts",
                remedy="Sort them and drop duplicates.",
            )

    @classmethod
    def of(cls, starts: InstantArray, series: Mapping[str, FloatArray]) -> Self:
        """Return observations of the named series; the others are NaN."""
        strangers = sorted(set(series) - set(SERIES))
        if strangers:
            raise InvalidInputError(
                "no such series",
                field="series",
                value=strangers[0],
                remedy=f"Known are {', '.join(SERIES)}.",
            )
        unknown = np.full(starts.size, np.nan)
        return cls(
            starts.astype("datetime64[s]"),
            **{name: np.asarray(series.get(name, unknown), dtype=np.float64) for name in SERIES},
        )

    def __len__(self) -> int:
        return int(self.starts.size)

    def on(self, timeline: Timeline) -> Self:
        """Return the same observations on every slot of ``timeline``.

        A slot without a value is NaN.
        """
        return type(self).of(
            timeline.starts,
            {name: align(self.starts, getattr(self, name), timeline) for name in SERIES},
        )

    def without(self, windows: Iterable[tuple[datetime, datetime]]) -> Self:
        """Return the observations with NaN in the slots of some windows.

        A slot belongs to the window ``[first, end)`` that it begins in.
        """
        valid = np.ones(self.starts.size, dtype=np.bool_)
        for window in windows:
            first, end = map(_second, window)
            valid &= (self.starts < first) | (self.starts >= end)
        series = {name: np.where(valid, getattr(self, name), np.nan) for name in SERIES}
        return type(self).of(self.starts, series)


def _second(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "s")
