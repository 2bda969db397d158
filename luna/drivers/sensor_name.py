"""Name a device's readings as sensors of a site.

An example is ``profile:sunspec_12x@192.168.1.20:502/1#charge_w``.
"""

import re
from dataclasses import dataclass
from typing import Self

from luna.energy.devices.commands import Via

SENSOR_PREFIX = "profile:"
_SENSOR = re.compile(
    SENSOR_PREFIX
    + r"(?P<profile>[a-z][a-z0-9_]*)@(?P<host>[A-Za-z0-9.:_-]+?)(?::(?P<port>\d{1,5}))?(?:/(?"
    r"P<unit>\d{1,3}))?"
    r"(?:\?prefix=(?P<prefix>[A-Za-z0-9_./:-]+))?(?:[?&]secret=(?"
    r"P<secret>[a-z][a-z0-9_-]*))?#(?P<reading>[a-z0-9_]+)"
)


@dataclass(frozen=True, slots=True)
class ProfiledSensor:
    """A reading of a device, parsed from a sensor's name."""

    name: str
    via: Via
    reading: str

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Parse a sensor's name; None where it names no reading of a device."""
        match = _SENSOR.fullmatch(name)
        if match is None:
            return None
        parts = {key: value for key, value in match.groupdict().items() if value is not None}
        return cls(
            name,
            Via.model_validate({key: value for key, value in parts.items() if key != "reading"}),
            parts["reading"],
        )


def name_sensor(via: Via, reading: str) -> str:
    """Return the sensor name of a reading, the inverse of ``ProfiledSensor.parse``."""
    port = "" if via.port is None else f":{via.port}"
    unit = "" if via.unit is None else f"/{via.unit}"
    parts = {"prefix": via.prefix, "secret": via.secret}
    query_parts = [f"{part}={value}" for part, value in parts.items() if value is not None]
    query = f"?{'&'.join(query_parts)}" if query_parts else ""
    return f"profile:{via.profile}@{via.host}{port}{unit}{query}#{reading}"
