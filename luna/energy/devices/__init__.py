"""Registry of device kinds, one module per kind.

A module holds its kind's model, sensor roles, commands and assumptions.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from luna.energy.devices.appliance import APPLIANCE, ApplianceSensorRoles
from luna.energy.devices.battery import BATTERY, BatterySensorRoles
from luna.energy.devices.grid import GRID, GridSensorRoles
from luna.energy.devices.heat_pump import HEAT_PUMP, HeatPumpSensorRoles
from luna.energy.devices.inverter import INVERTER
from luna.energy.devices.kind import DeviceCommands, DeviceKind
from luna.energy.devices.pv import PV, PvSensorRoles
from luna.energy.devices.switched import SWITCHED
from luna.energy.devices.vehicle import VEHICLE, VehicleSensorRoles
from luna.energy.part import with_sections

# The order of a site's devices in lists; it is part of every plan's id.
_FIRST: tuple[DeviceKind[Any], ...] = (BATTERY, PV, INVERTER, VEHICLE, APPLIANCE, HEAT_PUMP, GRID)


def _find_others() -> Iterator[DeviceKind[Any]]:
    """Yield the kinds that the other modules of this package declare, sorted by module."""
    for module in sorted(each.name for each in iter_modules(__path__)):
        declared = vars(import_module(f"{__name__}.{module}")).values()
        yield from (
            each for each in declared if isinstance(each, DeviceKind) and each not in _FIRST
        )


# A kind whose classes only its own modules import is found without a line here.
DEVICE_KINDS: tuple[DeviceKind[Any], ...] = (*_FIRST, *_find_others())
# Kinds that are switched on and off, and run from a start to a pause.
SWITCHED_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.commands is SWITCHED)
# Flexible loads: kinds with energy use that can be scheduled, metered apart from the house.
FLEXIBLE_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.meter)
# Kinds whose devices store energy and are charged at a charger of their own, while connected.
CHARGED_KINDS = tuple(kind for kind in FLEXIBLE_KINDS if kind.capacity_kwh)
# Kinds with flows per device in a plan.
FLOW_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.flows)
# Section of ``control`` → commands.
COMMANDS: dict[str, DeviceCommands] = {
    kind.commands.section: kind.commands for kind in DEVICE_KINDS if kind.commands
}
_BY_PREFIX = {commands.prefix: commands for commands in COMMANDS.values()}


_OTHER_SENSORS = [kind.sensors for kind in DEVICE_KINDS[len(_FIRST) :] if kind.sensors]


# Field order is part of every plan's id: the bases below from last to first, then the other kinds.
@with_sections(
    {
        name: (field.annotation, field)
        for sensors in _OTHER_SENSORS
        for name, field in sensors.model_fields.items()
    }
)
class DeviceSensorRoles(
    VehicleSensorRoles,
    HeatPumpSensorRoles,
    ApplianceSensorRoles,
    BatterySensorRoles,
    GridSensorRoles,
    PvSensorRoles,
):
    """What is measured of devices."""


def find_commands(key: str) -> DeviceCommands:
    """Return the commands of a device's kind by its key, such as "vehicle:car".

    Raises:
        KeyError: no kind has the key's prefix.
    """
    return _BY_PREFIX[key.partition(":")[0]]
