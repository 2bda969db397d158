"""Registry of device kinds, one module per kind.

A module holds its kind's model, sensor roles, commands and assumptions.
"""

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

# The order of a site's devices in lists, which is part of every plan's id: a new kind comes last.
DEVICE_KINDS: tuple[DeviceKind[Any], ...] = (
    BATTERY,
    PV,
    INVERTER,
    VEHICLE,
    APPLIANCE,
    HEAT_PUMP,
    GRID,
)
# Kinds that are switched on and off, and run from a start to a pause.
SWITCHED_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.commands is SWITCHED)
# Flexible loads: kinds with energy use that can be scheduled, metered apart from the house.
FLEXIBLE_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.consumption.meter)
# Kinds whose devices store energy and are charged at a charger of their own, while connected.
CHARGED_KINDS = tuple(kind for kind in FLEXIBLE_KINDS if kind.capacity_kwh)
# Kinds with flows per device in a plan.
FLOW_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.plan.flows)
# Section of ``control`` → commands.
COMMANDS: dict[str, DeviceCommands] = {
    kind.commands.section: kind.commands for kind in DEVICE_KINDS if kind.commands
}
_BY_PREFIX = {commands.prefix: commands for commands in COMMANDS.values()}


# Field order is part of every plan's id: from the last base to the first. A new kind's come first.
class DeviceSensorRoles(
    VehicleSensorRoles,
    HeatPumpSensorRoles,
    ApplianceSensorRoles,
    BatterySensorRoles,
    GridSensorRoles,
    PvSensorRoles,
):
    """Sensor roles of all devices."""


def find_commands(key: str) -> DeviceCommands:
    """Return the commands of a device's kind by its key, such as "vehicle:car".

    Raises:
        KeyError: no kind has the key's prefix.
    """
    return _BY_PREFIX[key.partition(":")[0]]
