"""Roles of sensors, and the entries that assign sensors to them.

Entries hold signs, units, and dates of validity.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from luna.energy.part import Part

# ``energy``: counters (Wh, kWh, …) that only rise, or powers (W, kW, …), never below zero in a
# slot; the unit comes with the value, a minus subtracts. ``level``: a state of charge, a fraction
# or per cent, at the end of a slot. ``state``: recorded unchanged, on or off, or any number.
Kind = Literal["energy", "level", "state"]
# Place of an energy in the house's balance: total use, a source, a sink, or a submetered load,
# which is no part of ``load_kwh``.
Flow = Literal["consumption", "source", "sink", "submetered"]


@dataclass(frozen=True, slots=True)
class SensorRole:
    """A role of ``input_sensors``.

    Args:
        kind: quantity and units of its sensors.
        series: the column of ``slot_observations`` that they fill; None: they are only recorded,
            for their last value.
        flow: place of an energy in the house's balance; None: it has none.
        limit_kw: highest power of an energy from all devices of the kind at a site, 0 where they
            have no rating; None: the house's own limit.
        mark: bit of an estimated value in the stored mask, fixed for the older roles; None: the
            next free one.
        comment: comment of the database column, where it is a submetered load.
    """

    kind: Kind
    series: str | None = None
    flow: Flow | None = None
    limit_kw: Callable[[Any], float] | None = None
    mark: int | None = None
    comment: str = "no part of load_kwh"


def roles_of(sensors: type[Part]) -> dict[str, SensorRole]:
    """Return the roles that a class of ``input_sensors`` declares, by name."""
    roles: dict[str, SensorRole] = {}
    for name, field_info in sensors.model_fields.items():
        for metadata in field_info.metadata:
            if isinstance(metadata, SensorRole):
                roles[name] = metadata
    return roles


def as_entries(value: Any) -> Any:
    return (value,) if isinstance(value, str | Mapping) else value


def _as_text(value: Any) -> Any:
    # YAML parses a day into a date.
    return value.isoformat() if isinstance(value, date) else value


def _tag_of(value: Any) -> str:
    return DATED_SENSOR if isinstance(value, Mapping | DatedSensor) else SENSOR_NAME


# Prefix of a sensor named by its topic, such as `mqtt:path/to/topic [kWh]` or
# `mqtt:path/to/topic#path.into.json [W]`.
OWN_TOPIC = "mqtt:"
_OWN_UNIT = re.compile(r"\s+\[([^\[\]]+)\]$")


def split_unit(sensor: str) -> tuple[str, str | None]:
    """Split a sensor's name into name and unit.

    Only a sensor named by its topic has a unit.
    """
    unit = _OWN_UNIT.search(sensor) if sensor.startswith(OWN_TOPIC) else None
    return (sensor, None) if unit is None else (sensor[: unit.start()], unit[1].strip())


# Tags of the union, which pydantic puts into its paths; no document contains them.
SENSOR_NAME = "sensor name"
DATED_SENSOR = "dated sensor"
SensorName = Annotated[str, Field(min_length=1, max_length=255)]
LocalTime = Annotated[str, Field(max_length=64), BeforeValidator(_as_text)]


class DatedSensor(Part):
    """Sensor used for a part of the time, because its meter was exchanged or it was renamed."""

    sensor: Annotated[
        SensorName,
        Field(description="as its home automation or its file names it; a leading minus takes off"),
    ]
    from_: Annotated[
        LocalTime | None,
        Field(
            alias="from",
            description="it holds from this local day, or instant, on; empty: it always did",
        ),
    ] = None
    until: Annotated[
        LocalTime | None,
        Field(description="it holds before this local day, or instant; empty: for good"),
    ] = None


SensorEntry = Annotated[
    Annotated[SensorName, Tag(SENSOR_NAME)] | Annotated[DatedSensor, Tag(DATED_SENSOR)],
    Discriminator(_tag_of),
]
Sensors = Annotated[tuple[SensorEntry, ...], Field(max_length=16), BeforeValidator(as_entries)]
