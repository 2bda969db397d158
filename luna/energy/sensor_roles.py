"""What a sensor can say of a site, and how an owner names it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from luna.energy.part import Part

# ``energy``: counters (Wh, kWh, …) that only rise, or powers (W, kW, …), never below zero in a slot; the unit is read with the value, a minus takes off.
# ``level``: a state of charge, a fraction or per cent, at the end of a slot. ``state``: recorded as it is said, on or off, or any number.
Kind = Literal["energy", "level", "state"]
# What an energy is to the house: all it uses, what supplies it, what takes from it, or a load with a meter of its own, which is no part of ``load_kwh``.
Flow = Literal["consumption", "source", "sink", "submetered"]


@dataclass(frozen=True, slots=True)
class SensorRole:
    """A role of ``input_sensors``.

    Args:
        kind: what its sensors say, and in which units.
        series: the column of ``slot_observations`` that they hold; None: they are recorded, and asked for what they said last.
        flow: what an energy is to the house; None: it is none.
        mark: the bit that says of a stored value that it is estimated, of one that was there before others; None: the next one that is free.
        comment: what the database says of that column, where it is a load with a meter of its own.
        limit_kw: the highest power of an energy, of all devices of its kind that a site has, 0 where they say nothing; None: whatever the house may take.
    """

    kind: Kind
    series: str | None = None
    flow: Flow | None = None
    limit_kw: Callable[[Any], float] | None = None
    mark: int | None = None
    comment: str = "no part of load_kwh"


def roles_of(sensors: type[Part]) -> dict[str, SensorRole]:
    """Return the roles that a class of ``input_sensors`` declares, by their names."""
    return {name: role for name, described in sensors.model_fields.items() for role in described.metadata if isinstance(role, SensorRole)}


def as_entries(value: Any) -> Any:
    return (value,) if isinstance(value, str | Mapping) else value


def _as_text(value: Any) -> Any:
    # YAML reads a day as a date.
    return value.isoformat() if isinstance(value, date) else value


def _tag_of(value: Any) -> str:
    return DATED_SENSOR if isinstance(value, Mapping | DatedSensor) else SENSOR_NAME


# A sensor that names its topic: mqtt:path/to/topic [kWh], or mqtt:path/to/topic#path.into.json [W].
OWN_TOPIC = "mqtt:"
_OWN_UNIT = re.compile(r"\s+\[([^\[\]]+)\]$")


def split_unit(sensor: str) -> tuple[str, str | None]:
    """Return a sensor's name without the unit that it says, and that unit; only one that names its topic says one."""
    unit = _OWN_UNIT.search(sensor) if sensor.startswith(OWN_TOPIC) else None
    return (sensor, None) if unit is None else (sensor[: unit.start()], unit[1].strip())


# They stand in pydantic's paths alone; nobody wrote them.
SENSOR_NAME, DATED_SENSOR = "sensor name", "dated sensor"
SensorName = Annotated[str, Field(min_length=1, max_length=255)]
LocalTime = Annotated[str, Field(max_length=64), BeforeValidator(_as_text)]


class DatedSensor(Part):
    """A sensor that counts for a part of the time: its meter was exchanged, or it was renamed."""

    sensor: Annotated[SensorName, Field(description="as its home automation or its file names it; a leading minus takes off")]
    from_: Annotated[LocalTime | None, Field(alias="from", description="it holds from this local day, or instant, on; empty: it always did")] = None
    until: Annotated[LocalTime | None, Field(description="it holds before this local day, or instant; empty: for good")] = None


SensorEntry = Annotated[Annotated[SensorName, Tag(SENSOR_NAME)] | Annotated[DatedSensor, Tag(DATED_SENSOR)], Discriminator(_tag_of)]
Sensors = Annotated[tuple[SensorEntry, ...], Field(max_length=16), BeforeValidator(as_entries)]
