"""Give the parts of a set-point that a profile writes to points.

Each has a value for the device, and a text for the owner before anything is written.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from luna.contracts.control import BatterySetpoint
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_part import PointName
from luna.drivers.profile_points import PREFIX_PART, JsonPoint, PartName, PointWrite
from luna.drivers.transports import HttpTransport
from luna.energy.devices.commands import Via

WATTS = 1000


class DeviceFacts(NamedTuple):
    """Values read for a set-point.

    Attributes:
        values: points in their units.
        power_w: the set-point's power within the device's limit.
        ac_power_w: the AC power that follows from the flows.
    """

    values: Mapping[str, float]
    power_w: float
    ac_power_w: float


@dataclass(frozen=True, slots=True)
class PartWrite:
    """One write of a set-point by a profile."""

    profile: DeviceProfile
    setpoint: BatterySetpoint
    write: PointWrite

    @property
    def reversion_s(self) -> float:
        """Seconds until the device reverts without commands; 0: it does not."""
        reverts = self.profile.reverts
        if reverts is None or reverts.after_s is None:
            return 0
        return reverts.after_s

    @property
    def reversion_min(self) -> float:
        """``reversion_s`` in whole minutes, rounded up."""
        return math.ceil(self.reversion_s / 60)

    @property
    def power_text(self) -> str:
        """The set-point's power with its sign, else the name of its limiting point."""
        if self.setpoint.power_kw is not None:
            return f"{self.write.sign * self.setpoint.power_kw * WATTS:g} W"
        return f"{self._sign}{find_limit(self.profile, self.setpoint) or ''}"

    @property
    def of_text(self) -> str:
        """The name of the point whose value is copied, with its sign."""
        return f"{self._sign}{self.write.of or ''}"

    def whole(self, facts: DeviceFacts) -> float:
        """Return the value of the point ``of``, the 100 % of a share.

        NaN where it is not positive, which means unknown.
        """
        value = facts.values[self.write.of or ""]
        return value if value > 0 else math.nan

    @property
    def _sign(self) -> str:
        return "-" if self.write.sign < 0 else ""


class SetpointPart(NamedTuple):
    """A part of a set-point: its value, and its text for the owner.

    The value is in the point's unit before the write's sign, the text has the sign.
    """

    value: Callable[[PartWrite, DeviceFacts], float]
    text: Callable[[PartWrite], str]


def _percent_of_limit(part: PartWrite, facts: DeviceFacts) -> float:
    return 100.0 * facts.power_w / part.whole(facts)


def _describe_ac_power(part: PartWrite) -> str:
    # Modes without a power leave 0 W to the battery.
    power = part.power_text if part.setpoint.mode in {"charge", "export"} else 0
    return f"ac_power_w ({power})"


# Those of a battery; a charge point's are in ``command_writes.py``.
PARTS: Mapping[PartName, SetpointPart] = {
    "reversion_s": SetpointPart(
        lambda part, _: part.reversion_s, lambda part: f"{part.reversion_s:g} s"
    ),
    "reversion_min": SetpointPart(
        lambda part, _: part.reversion_min, lambda part: f"{part.reversion_min:g} min"
    ),
    "value": SetpointPart(PartWrite.whole, lambda part: part.of_text),
    "power_w": SetpointPart(lambda _, facts: facts.power_w, lambda part: part.power_text),
    "power_percent": SetpointPart(
        _percent_of_limit, lambda part: f"{part.power_text} / {part.write.of}"
    ),
    "ac_power_w": SetpointPart(lambda _, facts: facts.ac_power_w, _describe_ac_power),
}


def find_limit(profile: DeviceProfile, setpoint: BatterySetpoint) -> PointName | None:
    """Return the limiting point of a set-point's power, None without one."""
    if setpoint.mode == "export":
        return profile.limits.get("discharge_w")
    return profile.limits.get("charge_w")


def describe_writes(
    profile: DeviceProfile, via: Via, setpoint: BatterySetpoint
) -> list[tuple[str, str]]:
    """Return destination and value of each write in order.

    None for a mode that is emulated by two others.

    A destination is a topic, or a point and its request or register, in a SunSpec model counted
    from its ID. What depends on the device is shown as its point's name.
    """
    described: list[tuple[str, str]] = []
    for write in profile.modes.get(setpoint.mode, ()):
        point = profile.points[write.write]
        if isinstance(point, JsonPoint):
            place = (point.write_to or "").replace(PREFIX_PART, via.prefix or PREFIX_PART)
            if isinstance(profile.transport, HttpTransport):
                place = f"{write.write} ({point.write_method} {place})"
        else:
            register = "/".join(map(str, (*point.model[:1], point.register_)))
            place = f"{write.write} ({register})"
        if write.put is None:
            value = f"{write.sign * (write.value or 0.0):g}"
        else:
            value = PARTS[write.put].text(PartWrite(profile, setpoint, write))
        described.append((place, value))
    return described
