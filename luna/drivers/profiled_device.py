"""Read and command a device by its profile.

Readings are sums of points, modes are writes that are read back.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_secrets import DeviceSecret, read_device_secret
from luna.drivers.http_points import HttpPoints
from luna.drivers.modbus import ModbusLink
from luna.drivers.modbus_points import ModbusPoints
from luna.drivers.mode_emulation import FULL_SOC, HouseFlows, ac_power_w, stand_in
from luna.drivers.mqtt_points import MqttPoints
from luna.drivers.ocpp_points import OcppPoints
from luna.drivers.p1 import P1SerialSource, P1TcpSource, read_key
from luna.drivers.plausibility import (
    BALANCE,
    MOST_CAPACITY_KWH,
    MOST_W,
    DeviceReadings,
    check_readings,
)
from luna.drivers.points import DeviceIdentity, DevicePoints, PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_part import PointName
from luna.drivers.profile_points import PartName, unit_factor
from luna.drivers.profiles import load_profile
from luna.drivers.readings import (
    FLOW_READINGS,
    SURPLUS_READINGS,
    LimitName,
    ReadingName,
    split_sign,
)
from luna.drivers.setpoint_parts import PARTS, WATTS, DeviceFacts, PartWrite, find_limit
from luna.drivers.sma_emeter import MulticastSource
from luna.drivers.telegram_points import TelegramPoints, TelegramSource
from luna.drivers.transports import (
    HttpTransport,
    ModbusTransport,
    MqttTransport,
    MulticastTransport,
    OcppTransport,
    P1Transport,
)
from luna.drivers.write_limits import RESERVED_WRITES, Uncounted, WriteCounter
from luna.energy.devices.battery import Mode
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

# A device that reports no limits, asleep or starting, is asked for them again.
LIMITS_AGAIN_S = 600.0
# What steering changes of a charge while it follows the meters.
_CHANGING: frozenset[PartName] = frozenset({"current_a", "power_w", "power_percent"})
_FLOWS: tuple[ReadingName, ...] = ("charge_w", "discharge_w")


class BatteryReading(NamedTuple):
    """State of charge, 0–1, and power into the battery, kW, negative while it discharges.

    NaN where the device has no value.
    """

    soc: float
    flow_kw: float


@dataclass(slots=True)
class ProfiledDevice:
    """A device, its profile and its points. Not thread-safe.

    Attributes:
        counter: limits its writes; ``Uncounted`` serves reads and manual trials.
        now: seconds of a monotonic clock.
        ratings: highest values of readings that the site allows for, in ``READING_UNITS``.
    """

    profile: DeviceProfile
    points: DevicePoints
    counter: WriteCounter = field(default_factory=Uncounted)
    now: Callable[[], float] = time.monotonic
    ratings: Mapping[ReadingName, float] = field(default_factory=dict)
    # The highest limits that the device reported, and when they were read last.
    _limits: dict[LimitName, float] = field(default_factory=dict)
    _limits_read_at: float = -math.inf
    # The device's own heartbeat: last count, and when that count was first seen.
    _beat: tuple[float, float] = (math.nan, math.nan)

    @property
    def place(self) -> str:
        """The device's address for error messages."""
        return self.points.place

    def identify(self) -> DeviceIdentity | None:
        """Return the device's identity, None where its profile declares no way to read it.

        Raises:
            UnavailableError: the device does not answer, or is another product.
        """
        return self.points.identify()

    def read(self, *names: ReadingName) -> dict[str, float]:
        """Return the values of ``measure``.

        Raises:
            UnavailableError: the device does not answer, is another product, or its own heartbeat
                stands still.
        """
        return self.measure(*names).values

    def measure(self, *names: ReadingName) -> DeviceReadings:
        """Return readings by name, all of them without ``names``.

        NaN where the device has no value or an implausible one, with the reason.

        Raises:
            UnavailableError: the device does not answer, is another product, or its own heartbeat
                stands still.
        """
        self._watch()
        requested = names or tuple(self.profile.reads)
        checked = list(requested)
        # Whether a power is plausible shows in the others of the same instant.
        if set(requested) & set(BALANCE) and set(BALANCE) <= self.profile.reads.keys():
            checked += BALANCE
        names_to_read = tuple(dict.fromkeys(checked))
        point_names: list[PointName] = []
        for name in names_to_read:
            point_names += [point for _, point in map(split_sign, self.profile.reads[name])]
        points = self.points.read(dict.fromkeys(point_names))
        measured = self._check(names_to_read, points)
        values: dict[str, float] = {name: measured.values[name] for name in requested}
        implausible = tuple(fault for fault in measured.implausible if fault.name in values)
        return DeviceReadings(values, implausible)

    def _check(self, names: tuple[ReadingName, ...], points: Mapping[str, float]) -> DeviceReadings:
        flows = set(names) & set(_FLOWS)
        lacks_limits = any(
            name in self.profile.limits and name not in self._limits for name in flows
        )
        if lacks_limits and self.now() - self._limits_read_at >= LIMITS_AGAIN_S:
            self._read_highest_limits()
        measured = check_readings(
            self.profile, names, points, limits=self._limits, ratings=self.ratings
        )
        exceeded = {fault.name for fault in measured.implausible if fault.cause == "beyond_rating"}
        if exceeded & flows:
            # Its limits may have been lower when they were read: a battery takes less while it is
            # full or cold.
            self._read_highest_limits()
            measured = check_readings(
                self.profile, names, points, limits=self._limits, ratings=self.ratings
            )
        return measured

    def _read_highest_limits(self) -> None:
        self._limits_read_at = self.now()
        for name, value in self.read_limits().items():
            self._limits[name] = max(value, self._limits.get(name, 0.0))

    def express(self, mode: Mode, soc: float) -> Mode:
        """Return the mode of the profile that makes the battery act as ``mode`` now.

        ``soc`` is its state of charge, 0–1.

        Raises:
            UnavailableError: the device does not answer.
        """
        modes = self.profile.modes
        writes = modes[mode] if mode in modes else modes["hold"]
        sets_ac_power = any(write.put == "ac_power_w" for write in writes)
        if sets_ac_power and mode != "export" and soc >= FULL_SOC:
            return "self_consumption"
        if mode in modes:
            return mode
        flows = self.read(*SURPLUS_READINGS)
        surplus_w = flows["charge_w"] - flows["discharge_w"] + flows["export_w"] - flows["import_w"]
        return stand_in(mode, surplus_w)

    def plan_writes(self, setpoint: BatterySetpoint) -> list[PointValue]:
        """Return the writes of a set-point in order, its power within the device's limit.

        Raises:
            UnavailableError: the device does not answer, or a value that the writes need is
                unknown.
        """
        writes = self.profile.modes[setpoint.mode]
        limit = find_limit(self.profile, setpoint)
        needed = [write.of for write in writes if write.of]
        if limit is not None:
            needed.append(limit)
        values = self.points.read(dict.fromkeys(needed))
        most_w = math.inf if limit is None else values[limit]
        ac_w = math.nan
        requested_w = math.inf if setpoint.power_kw is None else setpoint.power_kw * WATTS
        power_w = min(requested_w, most_w)
        if any(write.put == "ac_power_w" for write in writes):
            readings = self.read(*FLOW_READINGS)
            flows = HouseFlows(
                readings["ac_output_w"] - readings["ac_input_w"],
                readings["charge_w"] - readings["discharge_w"],
                readings["import_w"] - readings["export_w"],
            )
            ac_w = ac_power_w(setpoint.mode, power_w, most_w, flows)
        facts = DeviceFacts(values, power_w, ac_w)
        parts = [PartWrite(self.profile, setpoint, write) for write in writes]
        return [self._plan_write(part, facts) for part in parts]

    def write(
        self, writes: Sequence[PointValue], *, again: bool = False, hands_back: bool = False
    ) -> None:
        """Write the values that the device does not hold yet, in order.

        Args:
            writes: the values of a mode.
            again: write those that it holds as well, but points with a budget only where all
                points have one.
            hands_back: the writes that are reserved for self-consumption may be spent too.

        Raises:
            UnavailableError: the device does not answer or refuses; or a point's budget is spent,
                and nothing is written.
        """
        are_held = self._hold(writes)
        any_differs = not all(are_held)
        to_write: list[PointValue] = []
        is_behind_first = False
        for write, is_held in zip(writes, are_held, strict=True):
            point = self.profile.points[write.point]
            # Everything after the first difference is written, to keep the order. A write-only
            # point cannot be verified, so it counts as one where anything differs.
            if any_differs and (not is_held or point.write_only):
                is_behind_first = True
            repeats = again or is_behind_first
            if not is_held or (repeats and point.budget is None):
                to_write.append(write)
        # A command of budgeted points alone is still resent.
        if again and not to_write:
            to_write = list(writes)
        self._send(to_write, reserved_writes=0 if hands_back else RESERVED_WRITES)

    def beat(self) -> None:
        """Increment the heartbeat, where the profile declares one and the device has it.

        It counts against the budget like any write.

        Raises:
            UnavailableError: the device does not answer or refuses; or the point's budget is spent.
        """
        name = None if self.profile.reverts is None else self.profile.reverts.heartbeat
        if name is None:
            return
        count = self._read_where_there(name)
        if count is None:
            return
        count += 1
        highest = self.profile.points[name].high
        if math.isnan(count) or (highest is not None and count > highest):
            count = 0.0
        self._send([PointValue(name, count)], reserved_writes=RESERVED_WRITES)

    @property
    def has_heartbeat(self) -> bool:
        """Whether the profile declares a heartbeat that the client has to increment."""
        return self.profile.reverts is not None and self.profile.reverts.heartbeat is not None

    def _watch(self) -> None:
        """Raise where the device's own heartbeat stands still: its readings may be as old."""
        reverts = self.profile.reverts
        if reverts is None or reverts.device_heartbeat is None or reverts.after_s is None:
            return
        count = self._read_where_there(reverts.device_heartbeat)
        if count is None:
            return
        now = self.now()
        last_count, counted_at = self._beat
        # An unknown count cannot show that the device stands still.
        if math.isnan(count) or count != last_count:
            self._beat = (count, now)
            return
        still_s = now - counted_at
        if still_s >= reverts.after_s:
            raise refuse(
                "device-stands-still", field="via", value=self.place, seconds=round(still_s)
            )

    def _read_where_there(self, point: str) -> float | None:
        """Return a point, None where the device lacks its SunSpec model."""
        try:
            return self.points.read([point])[point]
        except LunaError as error:
            if error.reason == "device-model-missing":
                return None
            raise

    def _send(self, writes: Sequence[PointValue], *, reserved_writes: int) -> None:
        points = [write.point for write in writes]
        budgets = self._list_budgets(points, reserved_writes=reserved_writes)
        spent_until = self.counter.spend(budgets) if budgets else None
        if spent_until is not None:
            raise refuse("device-writes-spent", field="via", value=self.place, until=spent_until)
        self.points.write(writes)

    def _list_budgets(self, points: Iterable[str], *, reserved_writes: int) -> dict[str, int]:
        """Return each point's most writes within 24 hours, less the reserved ones.

        Points without a budget are left out.
        """
        budgets: dict[str, int] = {}
        for point in points:
            budget = self.profile.points[point].budget
            if budget is not None:
                budgets[point] = budget - reserved_writes
        return budgets

    def read_spent(self) -> float | None:
        """Return the used share of the day's writes for mode changes.

        Reserved writes do not count. None where self-consumption writes no point with a budget.

        Raises:
            UnavailableError: the counter's storage does not answer.
        """
        budgets = self._list_budgets(self.profile.written_points, reserved_writes=RESERVED_WRITES)
        own_writes = self.profile.modes.get(self.profile.own_mode, ())
        if any(write.write in budgets for write in own_writes):
            return self.counter.read_share(budgets)
        return None

    def read_writes_left(self) -> float:
        """Return the writes left for a charger's current or power within 24 hours.

        Infinite where such a write wears nothing out.

        Raises:
            UnavailableError: the counter's storage does not answer.
        """
        charge_writes = self.profile.modes.get("charge", ())
        changing = [write.write for write in charge_writes if write.put in _CHANGING]
        budgets = self._list_budgets(changing, reserved_writes=RESERVED_WRITES)
        left = math.inf
        for point, budget in budgets.items():
            unused_share = 1.0 - self.counter.read_share({point: budget})
            left = min(left, max(round(unused_share * budget), 0))
        return left

    def read_limits(self) -> dict[LimitName, float]:
        """Return the limits that the device reports, in the units of ``READING_UNITS``.

        Raises:
            UnavailableError: the device does not answer.
        """
        limits: dict[LimitName, float] = {}
        for name, point in self.profile.limits.items():
            factor = unit_factor(self.profile.points[point], name)
            try:
                value = factor * self.points.read([point])[point]
            except LunaError as error:
                # Products of one profile may lack some of these registers.
                if error.reason not in {"device-refuses", "device-model-missing"}:
                    raise
                continue
            highest = MOST_CAPACITY_KWH if name == "capacity_kwh" else MOST_W
            if 0 < value <= highest:
                limits[name] = value
        return limits

    def read_battery(self) -> BatteryReading:
        """Read state of charge and power of the battery.

        Raises:
            UnavailableError: the device does not answer.
        """
        knows_flow = {"charge_w", "discharge_w"} <= self.profile.reads.keys()
        readings = self.read("soc", *_FLOWS) if knows_flow else self.read("soc")
        soc = readings["soc"] / 100
        if not 0 <= soc <= 1:
            soc = math.nan
        flow_kw = math.nan
        if knows_flow:
            flow_kw = (readings["charge_w"] - readings["discharge_w"]) / WATTS
        return BatteryReading(soc, flow_kw)

    def holds(self, writes: Sequence[PointValue]) -> bool:
        """Return whether the device reads back all of the writes.

        Raises:
            UnavailableError: the device does not answer, or its own heartbeat stands still.
        """
        self._watch()
        return all(self._hold(writes))

    def close(self) -> None:
        self.points.close()

    def _hold(self, writes: Sequence[PointValue]) -> list[bool]:
        if all(self.profile.points[write.point].write_only for write in writes):
            # Nothing here is read back: a read proves that the device is reachable.
            readings = self.profile.reads
            self.read("soc" if "soc" in readings else next(iter(readings)))
        return self.points.hold(writes)

    def _plan_write(self, part: PartWrite, facts: DeviceFacts) -> PointValue:
        write = part.write
        point = self.profile.points[write.write]
        if write.put is not None:
            unsigned = PARTS[write.put].value(part, facts)
        else:
            unsigned = write.value or 0.0
        value = write.sign * unsigned
        low = -math.inf if point.low is None else point.low
        high = math.inf if point.high is None else point.high
        # NaN is within no bounds.
        if not low <= value <= high:
            raise refuse("device-value-unknown", field="via", value=self.place, point=write.write)
        return PointValue(write.write, value)


def reach(
    profile: DeviceProfile,
    via: Via,
    *,
    secret: DeviceSecret | None = None,
    shared_in: Path | None = None,
) -> ProfiledDevice:
    """Return the device at an address, which connects at its first use.

    Args:
        profile: of the device.
        via: the address.
        secret: of the device or its broker; None: it needs none.
        shared_in: the data folder whose processes share one Modbus connection and serve charge
            points; None: its own, and no charge point.

    Raises:
        InvalidInputError: ``via`` lacks what the transport needs.
    """
    points: DevicePoints
    match profile.transport:
        case ModbusTransport() as transport:
            link = ModbusLink(
                via.host, transport, port=via.port, unit=via.unit, shared_in=shared_in
            )
            points = ModbusPoints(profile, link)
        case HttpTransport() as transport:
            points = HttpPoints(profile, transport, via, secret=secret)
        case MqttTransport() as transport:
            points = MqttPoints(profile, transport, via, secret=secret)
        case OcppTransport() as transport:
            points = OcppPoints(profile, transport, via, shared_in)
        case P1Transport() | MulticastTransport() as transport:
            source = _open_source(transport, via, secret)
            points = TelegramPoints(profile, transport, source, via)
    return ProfiledDevice(profile, points)


def _open_source(
    transport: P1Transport | MulticastTransport, via: Via, secret: DeviceSecret | None
) -> TelegramSource:
    port = via.port or transport.port
    if isinstance(transport, MulticastTransport):
        return MulticastSource(via.host, port, transport)
    key = None if secret is None else read_key(secret.password)
    if transport.kind == "p1_serial":
        return P1SerialSource(via.host, transport, key=key)
    return P1TcpSource(via.host, port, transport, key=key)


def reach_device(via: Via, data_folder: Path) -> ProfiledDevice:
    """Return the device of a ``via``, as ``reach`` does, with its profile and secret.

    Raises:
        InvalidInputError: the profile or the secret is missing, or its file is invalid.
    """
    secret = None if via.secret is None else read_device_secret(via.secret, data_folder)
    return reach(load_profile(via.profile, data_folder), via, secret=secret, shared_in=data_folder)
