"""A device by its profile: its readings are sums of points, its modes are writes that are read back."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from luna.contracts.control import BatterySetpoint
from luna.energy.devices.battery import Mode
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.drivers.budget import RESERVED_WRITES, Uncounted, WriteCounter
from luna.platform.drivers.device_secrets import DeviceSecret, read_device_secret
from luna.platform.drivers.following import FULL_SOC, HouseFlows, ac_power_w, stand_in
from luna.platform.drivers.http_points import HttpPoints
from luna.platform.drivers.modbus import ModbusLink
from luna.platform.drivers.modbus_points import ModbusPoints
from luna.platform.drivers.mqtt_points import MqttPoints
from luna.platform.drivers.points import DeviceIdentity, DevicePoints, PointValue
from luna.platform.drivers.profile import (
    FLOW_READINGS,
    SURPLUS_READINGS,
    DeviceProfile,
    HttpTransport,
    LimitName,
    ModbusTransport,
    MqttTransport,
    ReadingName,
    split_sign,
    unit_factor,
)
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.setpoint_parts import PARTS, WATTS, DeviceFacts, PartWrite, find_limit

_FLOWS: tuple[ReadingName, ...] = ("charge_w", "discharge_w")


class BatteryReading(NamedTuple):
    """How full a battery is, a share of 1, and what flows into it, kW, out of it below zero; NaN where the device does not know."""

    soc: float
    flow_kw: float


@dataclass(slots=True)
class ProfiledDevice:
    """A device and its points. Not thread-safe.

    ``counter``: of its writes; nobody counts those of a device that is only read, or tried by hand. ``now`` tells seconds of a clock that is never set.
    """

    profile: DeviceProfile
    points: DevicePoints
    counter: WriteCounter = field(default_factory=Uncounted)
    now: Callable[[], float] = time.monotonic
    # What the device's own heartbeat said last, and when it was first seen to say so.
    _beat: tuple[float, float] = (math.nan, math.nan)

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
            UnavailableError: nobody answers, it is another product, or its own heartbeat stands still.
        """
        self._watch()
        reads = {name: self.profile.reads[name] for name in names or self.profile.reads}
        values = self.points.read(dict.fromkeys(point for entries in reads.values() for _, point in map(split_sign, entries)))
        sums = {
            reading: math.fsum(sign * values[point] * unit_factor(self.profile.points[point], reading) for sign, point in map(split_sign, entries))
            for reading, entries in reads.items()
        }
        # Of what flows the other way this direction is nothing; a sum with an unknown in it is unknown.
        return {reading: 0.0 if value < 0 else value for reading, value in sums.items()}

    def express(self, mode: Mode, soc: float) -> Mode:
        """Return the mode of the profile that does what a battery is to do now; ``soc`` is how full it is, a share of 1.

        Raises:
            UnavailableError: nobody answers.
        """
        follows = any(write.put == "ac_power_w" for write in self.profile.modes[mode if mode in self.profile.modes else "hold"])
        if follows and mode != "export" and soc >= FULL_SOC:
            return "self_consumption"
        if mode in self.profile.modes:
            return mode
        flows = self.read(*SURPLUS_READINGS)
        return stand_in(mode, flows["charge_w"] - flows["discharge_w"] + flows["export_w"] - flows["import_w"])

    def plan_writes(self, setpoint: BatterySetpoint) -> list[PointValue]:
        """Return the writes of a set-point in order, its power within what the device says it can.

        Raises:
            UnavailableError: nobody answers, or what has to be known for it is not known.
        """
        writes = self.profile.modes[setpoint.mode]
        limit = find_limit(self.profile, setpoint)
        values = self.points.read(dict.fromkeys([*(write.of for write in writes if write.of), *([] if limit is None else [limit])]))
        most_w, ac_w = math.inf if limit is None else values[limit], math.nan
        power_w = min(math.inf if setpoint.power_kw is None else setpoint.power_kw * WATTS, most_w)
        if any(write.put == "ac_power_w" for write in writes):
            read = self.read(*FLOW_READINGS)
            flows = HouseFlows(read["ac_output_w"] - read["ac_input_w"], read["charge_w"] - read["discharge_w"], read["import_w"] - read["export_w"])
            ac_w = ac_power_w(setpoint.mode, power_w, most_w, flows)
        facts = DeviceFacts(values, power_w, ac_w)
        return [self._plan_write(PartWrite(self.profile, setpoint, write), facts) for write in writes]

    def write(self, writes: Sequence[PointValue], *, again: bool = False, hands_back: bool = False) -> None:
        """Write what does not hold yet, in order; ``again``: all of it but what wears out by writing. ``hands_back``: also by what is kept for that.

        Raises:
            UnavailableError: nobody answers, or refuses; or a point was written as often as it may be, and then nothing is.
        """
        points = [self.profile.points[write.point] for write in writes]
        differs = [not held for held in self._hold(writes)]
        # From the first difference on: what comes after it has to come after it. Nobody can see whether what is only written still holds: it is never left out.
        first = next((place for place, point in enumerate(points) if differs[place] or point.write_only), len(writes))
        follows = [again or (any(differs) and place >= first) for place in range(len(writes))]
        due = [write for write, point, changed, also in zip(writes, points, differs, follows, strict=True) if changed or (also and point.budget is None)]
        # Where all of it wears out, a command that has to be said again is.
        due = list(writes) if again and not due else due
        self._send(due, kept=0 if hands_back else RESERVED_WRITES)

    def beat(self) -> None:
        """Count the heartbeat on, where the profile declares one and the device has it; in budget as every write.

        Raises:
            UnavailableError: nobody answers, or refuses; or the point was written as often as it may be.
        """
        name = None if self.profile.reverts is None else self.profile.reverts.heartbeat
        if name is None or (count := self._read_where_there(name)) is None:
            return
        count += 1
        most = self.profile.points[name].high
        begins = math.isnan(count) or (most is not None and count > most)
        self._send([PointValue(name, 0.0 if begins else count)], kept=RESERVED_WRITES)

    @property
    def has_heartbeat(self) -> bool:
        """Whether its profile declares one that has to be counted on."""
        return self.profile.reverts is not None and self.profile.reverts.heartbeat is not None

    def _watch(self) -> None:
        """Refuse what a device says whose own heartbeat stands still: its numbers may be as old."""
        reverts = self.profile.reverts
        if (
            reverts is None
            or reverts.device_heartbeat is None
            or reverts.after_s is None
            or (count := self._read_where_there(reverts.device_heartbeat)) is None
        ):
            return
        now = self.now()
        # What is not known counts nothing.
        if math.isnan(count) or count != self._beat[0]:
            self._beat = (count, now)
        elif now - self._beat[1] >= reverts.after_s:
            raise refuse("device-stands-still", field="via", value=self.place, seconds=round(now - self._beat[1]))

    def _read_where_there(self, point: str) -> float | None:
        """Return a point, None where the device lacks its model."""
        try:
            return self.points.read([point])[point]
        except LunaError as error:
            if error.reason == "device-model-missing":
                return None
            raise

    def _send(self, due: Sequence[PointValue], *, kept: int) -> None:
        most = self._list_budgets((write.point for write in due), kept=kept)
        if most and (until := self.counter.spend(most)) is not None:
            raise refuse("device-writes-spent", field="via", value=self.place, until=until)
        self.points.write(due)

    def _list_budgets(self, points: Iterable[str], *, kept: int) -> dict[str, int]:
        """Return how often each of the points that wear out by writing, or may, is written in 24 hours at most; ``kept`` writes are left out."""
        return {point: budget - kept for point in points if (budget := self.profile.points[point].budget) is not None}

    def read_spent(self) -> float | None:
        """Return which share of a day's writes changes of its mode have used up, those kept to hand it back left out; None where they wear out nothing.

        Where nobody knows where a point is kept it may wear out.

        Raises:
            UnavailableError: nobody can count.
        """
        most = self._list_budgets(self.profile.written_points, kept=RESERVED_WRITES)
        return self.counter.read_share(most) if any(write.write in most for write in self.profile.modes["self_consumption"]) else None

    def read_limits(self) -> dict[LimitName, float]:
        """Return the most that the device says it can, in the units of ``READING_UNITS``; what it does not say is left out.

        Raises:
            UnavailableError: nobody answers.
        """
        limits = dict[LimitName, float]()
        for name, point in self.profile.limits.items():
            try:
                value = self.points.read([point])[point] * unit_factor(self.profile.points[point], name)
            except LunaError as error:
                # One product has a register that its sister does not.
                if error.reason not in {"device-refuses", "device-model-missing"}:
                    raise
                continue
            if math.isfinite(value) and value > 0:
                limits[name] = value
        return limits

    def read_battery(self) -> BatteryReading:
        """Return how the battery is, asked for at once.

        Raises:
            UnavailableError: nobody answers.
        """
        knows_flow = {"charge_w", "discharge_w"} <= self.profile.reads.keys()
        read = self.read("soc", *_FLOWS) if knows_flow else self.read("soc")
        soc = read["soc"] / 100
        return BatteryReading(soc if 0 <= soc <= 1 else math.nan, (read["charge_w"] - read["discharge_w"]) / WATTS if knows_flow else math.nan)

    def holds(self, writes: Sequence[PointValue]) -> bool:
        """Return whether the device says that all of it holds.

        Raises:
            UnavailableError: nobody answers, or the device's own heartbeat stands still.
        """
        self._watch()
        return all(self._hold(writes))

    def close(self) -> None:
        """Close the connection."""
        self.points.close()

    def _hold(self, writes: Sequence[PointValue]) -> list[bool]:
        if all(self.profile.points[write.point].write_only for write in writes):
            # Somebody has to be there all the same.
            self.read("soc")
        return self.points.hold(writes)

    def _plan_write(self, part: PartWrite, facts: DeviceFacts) -> PointValue:
        write = part.write
        point = self.profile.points[write.write]
        value = write.sign * (PARTS[write.put].value(part, facts) if write.put is not None else write.value or 0.0)
        low, high = -math.inf if point.low is None else point.low, math.inf if point.high is None else point.high
        if not low <= value <= high:
            raise refuse("device-value-unknown", field="via", value=self.place, point=write.write)
        return PointValue(write.write, value)


def reach(profile: DeviceProfile, via: Via, *, secret: DeviceSecret | None = None, shared_in: Path | None = None) -> ProfiledDevice:
    """Return a device at its place; it is connected to at first use, over Modbus by the connection that the processes of a data folder share.

    Raises:
        InvalidInputError: ``via`` does not say what its transport needs.
    """
    points: DevicePoints
    match profile.transport:
        case ModbusTransport() as transport:
            points = ModbusPoints(profile, ModbusLink(via.host, transport, port=via.port, unit=via.unit, shared_in=shared_in))
        case HttpTransport() as transport:
            points = HttpPoints(profile, transport, via, secret=secret)
        case MqttTransport() as transport:
            points = MqttPoints(profile, transport, via, secret=secret)
    return ProfiledDevice(profile, points)


def reach_device(via: Via, data_folder: Path) -> ProfiledDevice:
    """Return the device that a site or a command names, as ``reach`` does.

    Raises:
        InvalidInputError: there is no such profile or secret, or its file is none.
    """
    secret = None if via.secret is None else read_device_secret(via.secret, data_folder)
    return reach(load_profile(via.profile, data_folder), via, secret=secret, shared_in=data_folder)
