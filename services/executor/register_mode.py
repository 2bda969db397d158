"""Reads which mode of its profile a device holds in its registers, whoever wrote them."""

import math
from collections.abc import Mapping, Sequence

from luna.contracts.control import BatterySetpoint
from luna.energy.errors import LunaError
from luna.platform.drivers.profile import PointWrite
from luna.platform.drivers.profiled_device import ProfiledDevice

WATTS = 1000
# Registers round.
_SHARE = 1e-3


def read_register_mode(device: ProfiledDevice) -> BatterySetpoint | None:
    """Return the mode and the power that a device holds.

    None where they are of none of its profile's modes, or cannot be read.

    A profile that expresses a mode by the power on its AC side alone has registers that tell no
    mode.
    """
    modes = device.profile.modes
    writes = [write for each in modes.values() for write in each]
    names = dict.fromkeys(
        name for write in writes for name in (write.write, write.of) if name is not None
    )
    if any(device.profile.points[name].write_only for name in names) or any(
        write.put == "ac_power_w" for write in writes
    ):
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
    """Return the power that a mode's registers hold, 0 where it is none or the other direction's.

    None where the mode has no power.
    """
    powers = [
        _find_power_w(write, values)
        for write in writes
        if write.put in {"power_w", "power_percent"}
    ]
    if not powers:
        return None
    least_w = min(powers)
    return max(powers) / WATTS if least_w > 0 else 0.0


def _find_power_w(write: PointWrite, values: Mapping[str, float]) -> float:
    share = 1.0 if write.of is None else values[write.of] / 100
    return write.sign * values[write.write] * share


def _holds(writes: Sequence[PointWrite], values: Mapping[str, float]) -> bool:
    for write in writes:
        expected = (
            values[write.of] if write.put == "value" and write.of is not None else write.value
        )
        if expected is not None and not math.isclose(
            values[write.write], write.sign * expected, rel_tol=_SHARE
        ):
            return False
    return True
