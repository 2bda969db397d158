"""The parts of a set-point that a profile puts into points: what a device is sent, and what its owner reads of that before the device is asked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from luna.contracts.control import BatterySetpoint
from luna.energy.devices.commands import Via
from luna.platform.drivers.profile import PREFIX_PART, DeviceProfile, JsonPoint, PartName, PointName, PointWrite

WATTS = 1000


class DeviceFacts(NamedTuple):
    """What a device was asked for a set-point: the values of its points, the power within its limit, and the AC power that follows from what flows, W."""

    values: Mapping[str, float]
    power_w: float
    ac_power_w: float


@dataclass(frozen=True, slots=True)
class PartWrite:
    """A write of a set-point to a product."""

    profile: DeviceProfile
    setpoint: BatterySetpoint
    write: PointWrite

    @property
    def reversion_s(self) -> float:
        """After how long the device reverts, s."""
        return 0 if self.profile.reverts is None else self.profile.reverts.after_s or 0

    @property
    def reversion_min(self) -> float:
        """The same in whole minutes."""
        return math.ceil(self.reversion_s / 60)

    @property
    def power_text(self) -> str:
        """Its power, or the point that says the most."""
        if self.setpoint.power_kw is not None:
            return f"{self.write.sign * self.setpoint.power_kw * WATTS:g} W"
        return f"{self._sign}{find_limit(self.profile, self.setpoint) or ''}"

    @property
    def of_text(self) -> str:
        """The point that it copies."""
        return f"{self._sign}{self.write.of or ''}"

    def whole(self, facts: DeviceFacts) -> float:
        """Return what the other point says; one that is nothing is not known."""
        value = facts.values[self.write.of or ""]
        return value if value > 0 else math.nan

    @property
    def _sign(self) -> str:
        return "-" if self.write.sign < 0 else ""


class SetpointPart(NamedTuple):
    """A part: its value, in the point's unit and before the write's sign, and its text, with the sign."""

    value: Callable[[PartWrite, DeviceFacts], float]
    text: Callable[[PartWrite], str]


PARTS: Mapping[PartName, SetpointPart] = {
    "reversion_s": SetpointPart(lambda part, _: part.reversion_s, lambda part: f"{part.reversion_s:g} s"),
    "reversion_min": SetpointPart(lambda part, _: part.reversion_min, lambda part: f"{part.reversion_min:g} min"),
    "value": SetpointPart(PartWrite.whole, lambda part: part.of_text),
    "power_w": SetpointPart(lambda _, facts: facts.power_w, lambda part: part.power_text),
    "power_percent": SetpointPart(
        lambda part, facts: 100.0 * facts.power_w / part.whole(facts),
        lambda part: f"{part.power_text} / {part.write.of}",
    ),
    # Of the other modes the battery's own share of it is nothing.
    "ac_power_w": SetpointPart(
        lambda _, facts: facts.ac_power_w,
        lambda part: f"ac_power_w ({part.power_text if part.setpoint.mode in {'charge', 'export'} else 0})",
    ),
}


def find_limit(profile: DeviceProfile, setpoint: BatterySetpoint) -> PointName | None:
    """Return the point that says the most of what a set-point asks for, None where the device says none."""
    return profile.limits.get("discharge_w" if setpoint.mode == "export" else "charge_w")


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
