"""Real-time control of a site between two plans: what its devices do now.

The plan says what energy is worth and what is allowed in a slot; ``steer`` applies it to what the
meters read now. Pure: the caller gives the time and keeps the memory.
"""

from luna.energy.steering.decision import steer
from luna.energy.steering.devices import (
    SteeredBattery,
    SteeredDevices,
    SteeredLoad,
    SteeredVehicle,
    describe_devices,
)
from luna.energy.steering.rooms import exceeds_limit
from luna.energy.steering.state import (
    BatteryCommand,
    BatteryPower,
    BatteryTarget,
    LiveCommands,
    LiveLimits,
    LiveMeasurement,
    LoadCommand,
    LoadTarget,
    LoopMemory,
    PvCommand,
    SlotTargets,
    SteeringReason,
    UnitMemory,
    VehicleCommand,
    VehiclePower,
    VehicleTarget,
)
from luna.energy.steering.worth import LITTLE_KWH, ExpectedSlot, price_stored_kwh

__all__ = [
    "LITTLE_KWH",
    "BatteryCommand",
    "BatteryPower",
    "BatteryTarget",
    "ExpectedSlot",
    "LiveCommands",
    "LiveLimits",
    "LiveMeasurement",
    "LoadCommand",
    "LoadTarget",
    "LoopMemory",
    "PvCommand",
    "SlotTargets",
    "SteeredBattery",
    "SteeredDevices",
    "SteeredLoad",
    "SteeredVehicle",
    "SteeringReason",
    "UnitMemory",
    "VehicleCommand",
    "VehiclePower",
    "VehicleTarget",
    "describe_devices",
    "exceeds_limit",
    "price_stored_kwh",
    "steer",
]
