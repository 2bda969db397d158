"""What a site can have: one module per kind of device, each with what its owner says, its sensors, its commands and what is assumed of it."""

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

# In the order in which a site's devices are listed, which is part of every plan's id.
_FIRST: tuple[DeviceKind[Any], ...] = (BATTERY, PV, INVERTER, VEHICLE, APPLIANCE, HEAT_PUMP, GRID)


def _find_others() -> Iterator[DeviceKind[Any]]:
    """Yield the kinds that other modules of this package declare, by the modules' names."""
    for module in sorted(each.name for each in iter_modules(__path__)):
        declared = vars(import_module(f"{__name__}.{module}")).values()
        yield from (each for each in declared if isinstance(each, DeviceKind) and each not in _FIRST)


# A kind of which nobody but its own modules takes a class by its name needs no line here.
DEVICE_KINDS: tuple[DeviceKind[Any], ...] = (*_FIRST, *_find_others())
# Those that are switched on and off, and run from a start to a pause.
SWITCHED_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.commands is SWITCHED)
# Those whose devices use energy when it suits, apart from the house's habits.
FLEXIBLE_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.meter)
# Those of which each device is charged at a charger of its own, while it is there.
CHARGED_KINDS = tuple(kind for kind in FLEXIBLE_KINDS if kind.capacity_kwh)
# Those of which a plan says what each device does.
FLOW_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.flows)
# By the section of ``control``.
COMMANDS: dict[str, DeviceCommands] = {kind.commands.section: kind.commands for kind in DEVICE_KINDS if kind.commands}
_BY_PREFIX = {commands.prefix: commands for commands in COMMANDS.values()}


_OTHER_SENSORS = [kind.sensors for kind in DEVICE_KINDS[len(_FIRST) :] if kind.sensors]


# Its fields are those of the kinds from the last to the first, then those of the others; their order is part of every plan's id.
@with_sections({name: (field.annotation, field) for sensors in _OTHER_SENSORS for name, field in sensors.model_fields.items()})
class DeviceSensorRoles(VehicleSensorRoles, HeatPumpSensorRoles, ApplianceSensorRoles, BatterySensorRoles, GridSensorRoles, PvSensorRoles):
    """What is measured of devices."""


def find_commands(key: str) -> DeviceCommands:
    """Return how the device of a key, such as "vehicle:car", is controlled.

    Raises:
        KeyError: of a key that begins as none does.
    """
    return _BY_PREFIX[key.partition(":")[0]]
