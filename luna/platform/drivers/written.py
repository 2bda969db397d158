"""What a set-point writes to a device, as its owner reads it before anything is sent: the device is not asked."""

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.platform.drivers.profile import PREFIX_PART, DeviceProfile, JsonPoint
from luna.platform.drivers.setpoint_parts import PARTS, PartWrite


def describe_writes(profile: DeviceProfile, via: Via, setpoint: BatterySetpoint) -> list[tuple[str, str]]:
    """Return place and value of each write in order; of a mode that the device does by two others, by what flows, none.

    A place is a topic, or a point with its register, in a SunSpec model counted from its begin. What follows from the device stands as the point's name.
    """
    described = list[tuple[str, str]]()
    for write in profile.modes.get(setpoint.mode, ()):
        point = profile.points[write.write]
        if isinstance(point, JsonPoint):
            place = (point.write_to or "").replace(PREFIX_PART, via.prefix or PREFIX_PART)
        else:
            place = f"{write.write} ({'/'.join(map(str, (*point.model[:1], point.register_)))})"
        value = f"{write.sign * (write.value or 0.0):g}" if write.put is None else PARTS[write.put].text(PartWrite(profile, setpoint, write))
        described.append((place, value))
    return described
