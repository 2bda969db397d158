"""What a set-point writes to a device, as its owner reads it before anything is sent: the device is not asked."""

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.platform.drivers.profile import PREFIX_PART, DeviceProfile, JsonPoint, PointWrite
from luna.platform.drivers.setpoint_parts import PARTS, PartWrite


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
    if write.put is None:
        return f"{write.sign * (write.value or 0.0):g}"
    return PARTS[write.put].text(PartWrite(profile, setpoint, write))
