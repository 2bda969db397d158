"""What a battery, an inverter and the grid connection can do; ``clamp`` is the safety layer.

Everything is vectorised: the leading axis counts batteries, the trailing axis sites (or whatever else runs side by side).
Energies are kWh within one slot, measured at the battery's terminals; stored energy is kWh inside the battery.
"""

from luna.energy.physics.heat import Warming, heat_per_kwh
from luna.energy.physics.inverters import Conversion, InverterLimits
from luna.energy.physics.limits import BatteryLimits, SiteLimits, charge_limit_kw
from luna.energy.physics.mode import (
    CHARGE,
    EXPORT,
    HOLD,
    SAVE,
    SELF_CONSUMPTION,
    SERVES,
    STORES,
    SUPPLY,
    BoolArray,
    Curtailment,
    IntArray,
    Mode,
    SetPoint,
)
from luna.energy.physics.safety import clamp, clamp_charging, clamp_giving, find_corrected
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot

__all__ = [
    "CHARGE",
    "EXPORT",
    "HOLD",
    "SAVE",
    "SELF_CONSUMPTION",
    "SERVES",
    "STORES",
    "SUPPLY",
    "BatteryLimits",
    "BoolArray",
    "Conversion",
    "Curtailment",
    "Flows",
    "IntArray",
    "InverterLimits",
    "Mode",
    "SetPoint",
    "SiteLimits",
    "SlotActuals",
    "Warming",
    "charge_limit_kw",
    "clamp",
    "clamp_charging",
    "clamp_giving",
    "find_corrected",
    "heat_per_kwh",
    "simulate_slot",
]
