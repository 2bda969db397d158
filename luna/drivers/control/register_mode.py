"""Read the mode of its profile that a device holds in its registers, whoever wrote them."""

import math
from collections.abc import Mapping, Sequence

from luna.contracts.control import BatterySetpoint
from luna.drivers.profile_points import PointWrite
from luna.drivers.profiled_device import ProfiledDevice
from luna.energy.errors import LunaError

WATTS = 1000
# Registers round.
_SHARE = 1e-3


def read_register_mode(device: ProfiledDevice) -> BatterySetpoint | None:
    """Return the mode and the power that a device holds.

    None where they are of none of its profile's modes, or cannot be read. The registers of a
    profile that expresses a mode by the power on its AC side alone tell no mode.
    """
    modes = device.profile.modes
    names: dict[str, None] = {}
    for writes in modes.values():
        for write in writes:
            if write.put == "ac_power_w":
                return None
            names[write.write] = None
            if write.of is not None:
                names[write.of] = None
    if any(device.profile.points[name].write_only for name in names):
        return None
    try:
        values = device.points.read(names)
    except LunaError:
        return None
    for mode, parts in modes.items():
        power_kw = find_power_kw(parts, values)
        if _holds(parts, values) and power_kw != 0:
            return BatterySetpoint(mode=mode, power_kw=power_kw)
    return None


def find_power_kw(writes: Sequence[PointWrite], values: Mapping[str, float]) -> float | None:
    """Return the power that a mode's registers hold, None where the mode has no power.

    It is 0 where the registers hold none or the other direction's.
    """
    power_writes = [write for write in writes if write.put in {"power_w", "power_percent"}]
    powers = [_find_power_w(write, values) for write in power_writes]
    if not powers:
        return None
    least_w = min(powers)
    return max(powers) / WATTS if least_w > 0 else 0.0


def _find_power_w(write: PointWrite, values: Mapping[str, float]) -> float:
    share = 1.0 if write.of is None else values[write.of] / 100
    return write.sign * values[write.write] * share


def _holds(writes: Sequence[PointWrite], values: Mapping[str, float]) -> bool:
    """Return whether registers hold the fixed values of a mode."""
    for write in writes:
        expected = write.value
        if write.put == "value" and write.of is not None:
            expected = values[write.of]
        if expected is None:
            continue
        if not math.isclose(values[write.write], write.sign * expected, rel_tol=_SHARE):
            return False
    return True
