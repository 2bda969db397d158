"""Turn a command for a charge point, switched load or solar inverter into writes."""

import math
from collections.abc import Mapping

from luna.contracts.device_command import DeviceCommand
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile, ProfileMode
from luna.drivers.profile_points import PartName, Point, PointWrite, RegisterPoint, unit_factor
from luna.drivers.profiled_device import ProfiledDevice
from luna.energy.refusals import refuse

_ROUNDING = 1e-6
_SECONDS_PER_MINUTE = 60


def express_command(profile: DeviceProfile, command: DeviceCommand) -> ProfileMode:
    """Return the mode of the profile that carries out a command.

    A charge below the charger's least current is stopped: the charger would round it up.
    """
    mode: ProfileMode = command.mode
    if mode not in profile.modes and command.stand_in is not None:
        mode = command.stand_in
    traits = profile.charger
    if mode != "charge" or traits is None or command.current_a is None:
        return mode
    return "charge" if _find_current(profile, command) >= traits.least_a else "stop"


def _find_current(profile: DeviceProfile, command: DeviceCommand) -> float:
    """Return a command's current per phase, NaN without one.

    A charger that cannot switch would put the current of one phase on all of its own.
    """
    current_a = math.nan if command.current_a is None else command.current_a
    traits = profile.charger
    if traits is None or command.phases is None or profile.switches_phases:
        return current_a
    return current_a * min(command.phases / max(traits.phases), 1.0)


def plan_command(device: ProfiledDevice, command: DeviceCommand) -> list[PointValue]:
    """Return the writes of a command in order, each rounded down to what its point can hold.

    Raises:
        UnavailableError: the device does not answer.
    """
    profile = device.profile
    writes = profile.modes.get(express_command(profile, command), ())
    needed = [write.of for write in writes if write.of is not None]
    limit = profile.limits.get("most_a")
    if limit is not None:
        needed.append(limit)
    values = device.points.read(dict.fromkeys(needed)) if needed else {}
    most_a = math.inf if profile.charger is None else profile.charger.most_a
    if limit is not None:
        # An unknown limit leaves the profile's.
        most_a = min(most_a, _know(values[limit] * unit_factor(profile.points[limit], "most_a")))
    planned: list[PointValue] = []
    for write in writes:
        value = _find_value(profile, write, command, values, most_a=most_a)
        if value is not None:
            planned.append(PointValue(write.write, value))
    return planned


def _find_value(
    profile: DeviceProfile,
    write: PointWrite,
    command: DeviceCommand,
    values: Mapping[str, float],
    *,
    most_a: float,
) -> float | None:
    """Return the value of a write, None where the command leaves it as it is.

    Raises:
        UnavailableError: the command lacks it.
    """
    if write.put is None:
        return write.sign * (write.value or 0.0)
    if write.put == "phases":
        # None: the charger keeps its own number.
        return None if command.known_phases is None else float(command.known_phases)
    if write.put == "value":
        return write.sign * values[write.of or ""]
    if write.put == "power_percent":
        return _find_percent(profile, write, command, values[write.of or ""])
    point = profile.points[write.write]
    after_s = 0.0 if profile.reverts is None else float(profile.reverts.after_s or 0)
    # Not the other way round: what is unknown stays unknown.
    current_a = min(_find_current(profile, command), most_a)
    power_w = math.nan if command.power_w is None else command.power_w
    parts: Mapping[PartName, float] = {
        "current_a": _round_down(current_a, point),
        "power_w": _round_down(power_w / (unit_factor(point, "heater_w") or 1.0), point),
        "reversion_s": after_s,
        "reversion_min": math.ceil(after_s / _SECONDS_PER_MINUTE),
    }
    value = parts[write.put]
    if math.isnan(value):
        raise refuse("device-value-unknown", field="via", value=profile.profile, point=write.write)
    return write.sign * (value if point.high is None else min(value, point.high))


def _find_percent(
    profile: DeviceProfile, write: PointWrite, command: DeviceCommand, whole: float
) -> float:
    """Return a command's power as a share of a point, whole percents and never beyond it.

    Raises:
        UnavailableError: the device does not tell what 100 % is.
    """
    power_w = math.nan if command.power_w is None else command.power_w
    percent = 100 * power_w / whole if whole > 0 else math.nan
    if math.isnan(percent):
        raise refuse("device-value-unknown", field="via", value=profile.profile, point=write.write)
    return float(math.floor(min(percent, 100.0) + _ROUNDING))


def _know(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _round_down(value: float, point: Point) -> float:
    """Return the highest value that a point can hold and that is not above one."""
    is_float = isinstance(point, RegisterPoint) and point.type in {"float32", "float64"}
    if is_float or math.isnan(value):
        return value
    return math.floor(value / point.scale + _ROUNDING) * point.scale
