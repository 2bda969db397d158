"""A device made of its profile: points that a client reads and writes, and the physics of a battery behind them.

What the points command is found by the profile's own writes; what follows from that, by the battery of the simulated home. So a client that was written from
the maker's document alone sees whether the profile means what the document says.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from luna.energy.devices.battery import Mode
from luna.platform.drivers.following import HouseFlows, mode_of_ac_power
from luna.platform.drivers.point_image import PointImage, make_image
from luna.platform.drivers.profile import DeviceProfile, PointWrite, split_sign, unit_factor
from luna.platform.simulated_home.battery import SECONDS_PER_HOUR, WORDS, BatteryCharge, BatteryModel, Command, requested_power_kw, step_battery

WATTS = 1000
STEP_SECONDS = 5.0
# Luna's modes, in the words of the simulated battery.
_COMMANDS: Mapping[Mode, str] = dict(zip(("self_consumption", "save", "supply", "hold", "charge", "export"), WORDS, strict=True))


# Returns load and PV of a house some seconds after the beginning, kW.
House: TypeAlias = Callable[[float], tuple[float, float]]


def steady_house(_: float) -> tuple[float, float]:
    """A house that uses half a kilowatt of the two that its roof gives."""
    return 0.5, 2.0


@dataclass
class SimulatedInverter:
    """Points of a battery's inverter, thread-safe; they are as they are when somebody looks.

    Args:
        profile: of the device.
        house: what goes on behind its meter.
        battery: what it is.
        soc: how full it is at first, a share of 1.
        now: seconds of a clock.
    """

    profile: DeviceProfile
    house: House = steady_house
    battery: BatteryModel = field(default_factory=BatteryModel)
    soc: float = 0.5
    now: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._begun_at = self._stepped_at = self._commanded_at = self.now()
        self._charge = BatteryCharge(self.soc * self.battery.capacity_kwh)
        # A meter has counted before anybody looked.
        self._imported_kwh = self._exported_kwh = 1000.0
        # What the roof could give and does not, because an AC power is set and the battery takes no more.
        self._throttled_kw = 0.0
        self.image: PointImage = make_image(self.profile)
        if (point := self.profile.limits.get("capacity_kwh")) is not None:
            self.image.put(point, self.battery.capacity_kwh / unit_factor(self.profile.points[point], "capacity_kwh"))
        # Points that say this whatever goes on, in their units; NaN: that the device knows none.
        self.stuck: dict[str, float] = {}
        # Whether it takes commands and does what it does by itself.
        self.deaf = False
        # What was written, and where, in order.
        self.written: list[tuple[Any, Any]] = []
        self._show()

    @property
    def mode(self) -> Mode:
        """What the points command."""
        return self._find_mode()[0]

    @property
    def command(self) -> Command:
        """The same as the simulated battery takes it."""
        if self.deaf:
            return Command(floor_soc=self.battery.min_soc)
        mode, power_kw = self._find_mode()
        return Command(_COMMANDS[mode], power_kw=power_kw, floor_soc=self.battery.min_soc)

    @property
    def power_kw(self) -> float:
        """What flows into the battery, kW; out of it below zero."""
        return self._charge.power_kw

    def write(self, place: Any, value: Any) -> bool:
        """Take a value in as the transport names place and value, and return whether it may be written."""
        with self._lock:
            self._advance()
            before = self._heartbeat
            if not self.image.write(place, value):
                return False
            self.written.append((place, value))
            # One that wants a heartbeat counts nothing else as a sign of life.
            if before is None or before != self._heartbeat:
                self._commanded_at = self.now()
            return True

    def look(self) -> PointImage:
        """Return all points, as they are now."""
        with self._lock:
            self._advance()
            return self.image

    def reboot(self) -> None:
        """Forget every command, as after a loss of power."""
        with self._lock:
            self._advance()
            self._revert()

    def _advance(self) -> None:
        now = self.now()
        while self._stepped_at < now:
            seconds = min(STEP_SECONDS, now - self._stepped_at)
            if self._stepped_at - self._commanded_at >= self._reverts_after_s():
                self._revert()
            self._step(seconds)
            self._stepped_at += seconds
        if now - self._commanded_at >= self._reverts_after_s():
            self._revert()
        self._show()

    @property
    def _heartbeat(self) -> float | None:
        """What the heartbeat has counted to, None where the device wants none."""
        reverts = self.profile.reverts
        return None if reverts is None or reverts.heartbeat is None else self.image.value(reverts.heartbeat)

    def _reverts_after_s(self) -> float:
        """Return how long what it does now outlasts its command: as the command says where it does, else as its kind."""
        mode, reverts = self.mode, self.profile.reverts
        if reverts is None or reverts.after_s is None or mode in reverts.stays_in:
            return math.inf
        units = {"reversion_s": 1, "reversion_min": 60}
        said = [self.image.value(write.write) * units[write.put] for write in self.profile.modes.get(mode, ()) if write.put in units]
        # Of a period of nothing there is no end.
        return (said[0] or math.inf) if said else reverts.after_s

    def _step(self, seconds: float) -> None:
        load_kw, pv_kw = self.house(self._stepped_at - self._begun_at)
        ac_kw = self._find_ac_power_kw()
        if ac_kw is None or self.deaf:
            requested_kw = requested_power_kw(self.command, self._charge.stored_kwh / self.battery.capacity_kwh, pv_kw - load_kw)
        else:
            requested_kw = pv_kw - ac_kw
        self._charge, _ = step_battery(self.battery, self._charge, requested_kw, seconds=seconds)
        self._throttled_kw = 0.0 if ac_kw is None else min(max(pv_kw - self._charge.power_kw - ac_kw, 0.0), pv_kw)
        grid_kwh = (load_kw - pv_kw + self._throttled_kw + self._charge.power_kw) * seconds / SECONDS_PER_HOUR
        self._imported_kwh += max(grid_kwh, 0.0)
        self._exported_kwh += max(-grid_kwh, 0.0)

    def _find_mode(self) -> tuple[Mode, float]:
        """Return the mode whose writes the points hold, and its power, kW."""
        ac_kw = self._find_ac_power_kw()
        if ac_kw is not None:
            load_kw, pv_kw = self.house(self.now() - self._begun_at)
            return mode_of_ac_power(ac_kw * WATTS, HouseFlows(pv_kw * WATTS, 0.0, (load_kw - pv_kw) * WATTS)), abs(ac_kw)
        for mode, writes in self.profile.modes.items():
            powers = [
                write.sign * self.image.value(write.write) * (1.0 if write.of is None else self.image.value(write.of) / 100)
                for write in writes
                if write.put in {"power_w", "power_percent"}
            ]
            constant = all(math.isclose(self.image.value(write.write), value) for write in writes if (value := self._constant(write)) is not None)
            if constant and all(power > 0 for power in powers):
                return mode, max(powers, default=0.0) / WATTS
        return "self_consumption", 0.0

    def _find_ac_power_kw(self) -> float | None:
        """Return the AC power that the points set, None where they set none."""
        for writes in self.profile.modes.values():
            powers = [write for write in writes if write.put == "ac_power_w"]
            if powers and all(math.isclose(self.image.value(write.write), write.value) for write in writes if write.value is not None):
                return powers[0].sign * self.image.value(powers[0].write) / WATTS
        return None

    def _constant(self, write: PointWrite) -> float | None:
        """Return what a mode always writes, None of what its set-point says."""
        return self.image.value(write.of) if write.put == "value" and write.of is not None else write.value

    def _revert(self) -> None:
        for write in self.profile.modes.get("self_consumption", ()):
            if (value := self._constant(write)) is not None:
                self.image.put(write.write, value)

    def _measure(self) -> dict[str, float]:
        """Return every reading of what flows; a device that lives in another house measures that one."""
        load_kw, pv_kw = self.house(self.now() - self._begun_at)
        flows = {"load_kw": load_kw, "pv_kw": max(pv_kw - self._throttled_kw, 0.0), "import_kwh": self._imported_kwh, "export_kwh": self._exported_kwh}
        return measure_house(self.battery, self._charge, **flows)

    def _show(self) -> None:
        shown = self._measure()
        values = dict[str, float]()
        for reading, entries in self.profile.reads.items():
            for sign, point in map(split_sign, entries):
                # What is a sum is shared out in equal parts; a power with a sign is one direction less the other.
                values[point] = values.get(point, 0.0) + sign * shown.get(reading, 0.0) / unit_factor(self.profile.points[point], reading) / len(entries)
        if self.profile.reverts is not None and (counted := self.profile.reverts.device_heartbeat) is not None:
            values[counted] = math.floor(self.now() - self._begun_at)
        # What is nothing first: both directions may share a register, of which a bit says which.
        for point, value in sorted((values | self.stuck).items(), key=lambda entry: entry[1] != 0):
            self.image.put(point, value)


def measure_house(battery: BatteryModel, charge: BatteryCharge, *, load_kw: float, pv_kw: float, import_kwh: float, export_kwh: float) -> dict[str, float]:
    """Return every reading of a house in which this flows, in the units of ``READING_UNITS``."""
    power_kw = charge.power_kw
    grid_kw = load_kw - pv_kw + power_kw
    return {
        "soc": 100 * charge.stored_kwh / battery.capacity_kwh,
        "min_soc": 100 * battery.min_soc,
        "charge_w": max(power_kw, 0.0) * WATTS,
        "discharge_w": max(-power_kw, 0.0) * WATTS,
        "pv_w": pv_kw * WATTS,
        "ac_output_w": max(pv_kw - power_kw, 0.0) * WATTS,
        "ac_input_w": max(power_kw - pv_kw, 0.0) * WATTS,
        "load_w": load_kw * WATTS,
        "import_w": max(grid_kw, 0.0) * WATTS,
        "export_w": max(-grid_kw, 0.0) * WATTS,
        "import_kwh": import_kwh,
        "export_kwh": export_kwh,
    }
