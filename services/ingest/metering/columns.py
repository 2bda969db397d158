"""Which sensors hold which column of ``slot_observations``."""

from dataclasses import dataclass

from luna.errors import InvalidInputError
from luna.site import APPLIANCES, LEVELS, SENSOR_ROLES, Site, measured_series

_NAMES = {role.series: name for name, role in SENSOR_ROLES.items() if role.series}
# Column → role: the house's energies, its appliances, then levels.
ROLES = {series: _NAMES[series] for series in (*measured_series("consumption", "source", "sink"), *APPLIANCES, *LEVELS)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its sensors, each with +1 or −1.

    Where every sensor has a minus, what it counts in the other direction is meant: the feed-in of a power with a sign. Otherwise a minus takes off.
    """

    name: str
    sensors: tuple[tuple[str, int], ...]

    @property
    def is_level(self) -> bool:
        """Whether it is a level at the end of each slot, no energy."""
        return SENSOR_ROLES[ROLES[self.name]].kind == "level"

    @property
    def taken_off(self) -> "Column | None":
        """What its sensors with a minus take off, as a column; None where none does."""
        sensors = tuple((name, 1) for name, sign in self.sensors if sign < 0)
        return Column(self.name, sensors) if sensors and not self.reversed else None

    @property
    def reversed(self) -> bool:
        """Whether the column is what its sensors count in the other direction."""
        return all(sign < 0 for _, sign in self.sensors)


def measured_columns(site: Site) -> list[Column]:
    """Return the columns for which the site names sensors.

    Raises:
        InvalidInputError: a state of charge is to be taken off.
    """
    named = {column: getattr(site.input_sensors, role) for column, role in ROLES.items()}
    columns = [Column(column, tuple(_signed(sensor) for sensor in sensors)) for column, sensors in named.items() if sensors]
    for column in columns:
        if column.is_level and any(sign < 0 for _, sign in column.sensors):
            raise InvalidInputError("a state of charge cannot be taken off", field=f"site.input_sensors.{ROLES[column.name]}", remedy="Remove the minus.")
    return columns


def outside_columns(site: Site) -> list[Column]:
    """Return the devices' columns with those of their sensors that the house's meter does not count."""
    outside = set(site.input_sensors.outside_house_meter)
    devices = [column for column in measured_columns(site) if column.name in APPLIANCES]
    columns = [Column(column.name, tuple(sensor for sensor in column.sensors if sensor[0] in outside)) for column in devices]
    return [column for column in columns if column.sensors]


def _signed(sensor: str) -> tuple[str, int]:
    return (sensor[1:].strip(), -1) if sensor.startswith("-") else (sensor, 1)


def sensor_names(site: Site) -> set[str]:
    """Return the sensors that any column needs."""
    return {name for column in measured_columns(site) for name, _ in column.sensors}
