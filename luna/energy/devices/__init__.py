"""What a site can have: one module per kind of device, each with what its owner says, its sensors, its commands and what is assumed of it."""

from typing import Any

from luna.energy.devices.appliance import APPLIANCE, SWITCHED, ComfortWindow, DeferrableLoad, LoadControl, LoadMode
from luna.energy.devices.battery import BATTERIES, BATTERY, MOST_C_RATE, Battery, BatteryControl, DepthWear, Mode
from luna.energy.devices.commands import DeviceControl, DeviceWrite
from luna.energy.devices.grid import GRID, GridConnection
from luna.energy.devices.heat_pump import HEAT_PUMP, ComfortBand, CopPoint, HeatPump, HeatStore
from luna.energy.devices.inverter import INVERTER, Inverter
from luna.energy.devices.kind import DeviceAssumption, DeviceCommands, DeviceKind, DeviceUseKind, NamedDevice
from luna.energy.devices.pv import PV, PvArray, PvControl, PvMode
from luna.energy.devices.vehicle import VEHICLE, Charger, ElectricVehicle, VehicleControl, VehicleMode

__all__ = [
    "APPLIANCE",
    "BATTERIES",
    "BATTERY",
    "COMMANDS",
    "DEVICE_KINDS",
    "GRID",
    "HEAT_PUMP",
    "INVERTER",
    "MOST_C_RATE",
    "PLANNED_KINDS",
    "PV",
    "SWITCHED_KINDS",
    "VEHICLE",
    "Battery",
    "BatteryControl",
    "Charger",
    "ComfortBand",
    "ComfortWindow",
    "CopPoint",
    "DeferrableLoad",
    "DepthWear",
    "DeviceAssumption",
    "DeviceCommands",
    "DeviceControl",
    "DeviceKind",
    "DeviceUseKind",
    "DeviceWrite",
    "ElectricVehicle",
    "GridConnection",
    "HeatPump",
    "HeatStore",
    "Inverter",
    "LoadControl",
    "LoadMode",
    "Mode",
    "NamedDevice",
    "PvArray",
    "PvControl",
    "PvMode",
    "VehicleControl",
    "VehicleMode",
    "find_commands",
]

# In the order in which a site's devices are listed.
DEVICE_KINDS: tuple[DeviceKind[Any], ...] = (BATTERY, PV, INVERTER, VEHICLE, APPLIANCE, HEAT_PUMP, GRID)
# Those that are switched on and off, and run from a start to a pause.
SWITCHED_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.commands is SWITCHED)
# Those of which a plan says what each device does.
PLANNED_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.flows)
# By the section of ``control``.
COMMANDS: dict[str, DeviceCommands] = {kind.commands.section: kind.commands for kind in DEVICE_KINDS if kind.commands}
_BY_PREFIX = {commands.prefix: commands for commands in COMMANDS.values()}


def find_commands(key: str) -> DeviceCommands:
    """Return how the device of a key, such as "vehicle:car", is controlled.

    Raises:
        KeyError: of a key that begins as none does.
    """
    return _BY_PREFIX[key.partition(":")[0]]
