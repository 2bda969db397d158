"""What a set-point writes to a device, as its owner reads it before anything is sent: the device is not asked."""

import math

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.platform.drivers.inverter import WATTS
from luna.platform.drivers.profile import PREFIX_PART, DeviceProfile, JsonPoint, PointWrite


def describe_writes(profile: DeviceProfile, via: Via, setpoint: BatterySetpoint) -> list[tuple[str, str]]:
    """Return place and value of each write in order; of a mode that the device does by two others, by what flows, none.

    A place is a topic, or a point with its register, in a SunSpec model counted from its begin. What follows from the device stands as the point's name.
    """
    return [(_name_place(profile, via, write), _name_value(profile, write, setpoint)) for write in profile.modes.get(setpoint.mode, ())]


def _name_place(profile: DeviceProfile, via: Via, write: PointWrite) -> str:
    point = profile.points[write.write]
    if isinstance(point, JsonPoint):
        return (point.write_to or "").replace(PREFIX_PART, via.prefix or PREFIX_PART)
    return f"{write.write} ({'/'.join(map(str, (*point.model[:1], point.register_)))})"


def _name_value(profile: DeviceProfile, write: PointWrite, setpoint: BatterySetpoint) -> str:
    if write.value is not None:
        return f"{write.sign * write.value:g}"
    sign = "-" if write.sign < 0 else ""
    after_s = 0 if profile.reverts is None else profile.reverts.after_s or 0
    most = profile.limits.get("discharge_w" if setpoint.mode == "export" else "charge_w", "")
    power = f"{sign}{most}" if setpoint.power_kw is None else f"{write.sign * setpoint.power_kw * WATTS:g} W"
    said = {
        "reversion_s": f"{after_s} s",
        "reversion_min": f"{math.ceil(after_s / 60)} min",
        "value": f"{sign}{write.of or ''}",
        "power_percent": f"{power} / {write.of}",
        "power_w": power,
        "ac_power_w": f"ac_power_w ({power if setpoint.mode in {'charge', 'export'} else 0})",
    }
    return said[write.put or "value"]
