"""A device by its profile: its readings are sums of points, its modes are writes that are read back."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import ModbusLink
from luna.platform.drivers.modbus_points import ModbusPoints
from luna.platform.drivers.points import DeviceIdentity, DevicePoints, PointValue
from luna.platform.drivers.profile import DeviceProfile, PointWrite, ReadingName, split_sign, unit_factor
from luna.platform.drivers.profiles import load_profile

WATTS = 1000


@dataclass(slots=True)
class ProfiledDevice:
    """A device and its points. Not thread-safe."""

    profile: DeviceProfile
    points: DevicePoints

    @property
    def place(self) -> str:
        """Where the device is, as errors name it."""
        return self.points.place

    def identify(self) -> DeviceIdentity | None:
        """Return what the device says it is, None where its profile knows no way to ask.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """
        return self.points.identify()

    def read(self, *names: ReadingName) -> dict[str, float]:
        """Return readings by name, in the units of ``READING_UNITS``, all where none is named; NaN where the device knows none.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """
        reads = {name: self.profile.reads[name] for name in names or self.profile.reads}
        values = self.points.read(dict.fromkeys(point for entries in reads.values() for _, point in map(split_sign, entries)))
        sums = {reading: self._sum(reading, entries, values) for reading, entries in reads.items()}
        # Of what flows the other way this direction is nothing; a sum with an unknown in it is unknown.
        return {reading: 0.0 if value < 0 else value for reading, value in sums.items()}

    def plan_writes(self, setpoint: BatterySetpoint) -> list[PointValue]:
        """Return the writes of a set-point in order, its power within what the device says it can.

        Raises:
            UnavailableError: nobody answers, or what has to be known for it is not known.
        """
        writes = self.profile.modes[setpoint.mode]
        values = self.points.read(dict.fromkeys([*(write.of for write in writes if write.of), *self.profile.limits.values()]))
        power_w = self._limit_w(setpoint, values)
        return [self._plan_write(write, power_w, values) for write in writes]

    def write(self, writes: Sequence[PointValue], *, again: bool = False) -> None:
        """Write what does not hold yet, in order; ``again``: all of it but what wears out by writing.

        Raises:
            UnavailableError: nobody answers, or refuses.
        """
        points = [self.profile.points[write.point] for write in writes]
        differs = [not held for held in self._hold(writes)]
        # From the first difference on: what comes after it has to come after it. Nobody can see whether what is only written still holds: it is never left out.
        first = next((place for place, point in enumerate(points) if differs[place] or point.write_only), len(writes))
        follows = [again or (any(differs) and place >= first) for place in range(len(writes))]
        self.points.write(
            [write for write, point, changed, also in zip(writes, points, differs, follows, strict=True) if changed or (also and point.persistence != "flash")]
        )

    def holds(self, writes: Sequence[PointValue]) -> bool:
        """Return whether the device says that all of it holds.

        Raises:
            UnavailableError: nobody answers.
        """
        return all(self._hold(writes))

    def close(self) -> None:
        """Close the connection."""
        self.points.close()

    def _hold(self, writes: Sequence[PointValue]) -> list[bool]:
        if all(self.profile.points[write.point].write_only for write in writes):
            # Somebody has to be there all the same.
            self.read("soc")
        return self.points.hold(writes)

    def _sum(self, reading: str, entries: Iterable[str], values: Mapping[str, float]) -> float:
        return math.fsum(sign * values[point] * unit_factor(self.profile.points[point], reading) for sign, point in map(split_sign, entries))

    def _limit_w(self, setpoint: BatterySetpoint, values: Mapping[str, float]) -> float:
        point = self.profile.limits.get("discharge_w" if setpoint.mode == "export" else "charge_w")
        most_w = math.inf if point is None else values[point]
        asked_w = math.inf if setpoint.power_kw is None else setpoint.power_kw * WATTS
        return min(asked_w, most_w)

    def _plan_write(self, write: PointWrite, power_w: float, values: Mapping[str, float]) -> PointValue:
        point = self.profile.points[write.write]
        value = write.sign * self._value_of(write, power_w, values)
        low, high = -math.inf if point.low is None else point.low, math.inf if point.high is None else point.high
        if not low <= value <= high:
            raise refuse("device-value-unknown", field="via", value=self.place, point=write.write)
        return PointValue(write.write, value)

    def _value_of(self, write: PointWrite, power_w: float, values: Mapping[str, float]) -> float:
        if write.value is not None:
            return write.value
        if write.put == "reversion_s":
            return float(self.profile.reverts.after_s or 0) if self.profile.reverts else 0.0
        if write.put == "reversion_min":
            return math.ceil((self.profile.reverts.after_s or 0) / 60) if self.profile.reverts else 0.0
        if write.of is None:
            return power_w
        whole = values[write.of] if values[write.of] > 0 else math.nan
        return whole if write.put == "value" else 100.0 * power_w / whole


def reach(profile: DeviceProfile, via: Via) -> ProfiledDevice:
    """Return a device at its place; it is connected to at first use."""
    return ProfiledDevice(profile, ModbusPoints(profile, ModbusLink(via.host, profile.transport, port=via.port, unit=via.unit)))


def reach_device(via: Via, data_folder: Path) -> ProfiledDevice:
    """Return the device that a site or a command names, as ``reach`` does.

    Raises:
        InvalidInputError: there is no such profile, or its file is none.
    """
    return reach(load_profile(via.profile, data_folder), via)
