"""Simulate a device from its profile, with the physics of a battery.

The mode is derived from the points by the profile's own writes, the power by the battery of the
simulated home. A client written from the maker's documentation alone therefore tests whether the
profile agrees with it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, cast

from luna.drivers.mode_emulation import HouseFlows, mode_of_ac_power
from luna.drivers.profile_points import PointWrite, unit_factor
from luna.drivers.readings import SIGNED_READINGS, ReadingName, split_sign
from luna.drivers.simulated_battery import (
    SECONDS_PER_HOUR,
    WORDS,
    BatteryCharge,
    BatteryModel,
    Command,
    requested_power_kw,
    step_battery,
)
from luna.drivers.simulated_product import SimulatedProduct
from luna.energy.devices.battery import Mode

WATTS = 1000
# Luna's modes in the vocabulary of the simulated battery.
_COMMANDS: Mapping[Mode, str] = dict(
    zip(("self_consumption", "save", "supply", "hold", "charge", "export"), WORDS, strict=True)
)


# From seconds since the start to load and PV of a house, kW.
House: TypeAlias = Callable[[float], tuple[float, float]]


def steady_house(_: float) -> tuple[float, float]:
    """A house with a load of 0.5 kW and 2 kW of PV."""
    return 0.5, 2.0


@dataclass
class SimulatedInverter(SimulatedProduct):
    """A battery inverter, or a meter.

    Args:
        house: load and PV behind its meter.
        battery: the battery's model.
        soc: initial state of charge, 0–1.
    """

    house: House = steady_house
    battery: BatteryModel = field(default_factory=BatteryModel)
    soc: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self._charge = BatteryCharge(self.soc * self.battery.capacity_kwh)
        # A real meter does not start at 0.
        self._imported_kwh = 1000.0
        self._exported_kwh = 1000.0
        # PV curtailed because an AC power is set and the battery takes no more.
        self._throttled_kw = 0.0
        capacity_point = self.profile.limits.get("capacity_kwh")
        if capacity_point is not None:
            factor = unit_factor(self.profile.points[capacity_point], "capacity_kwh")
            self.image.put(capacity_point, self.battery.capacity_kwh / factor)
        self._show()

    @property
    def mode(self) -> Mode:
        """The mode that the points command."""
        return self._find_mode()[0]

    @property
    def command(self) -> Command:
        """The mode and its power as a command of the simulated battery."""
        if self.deaf:
            return Command(floor_soc=self.battery.min_soc)
        mode, power_kw = self._find_mode()
        return Command(_COMMANDS[mode], power_kw=power_kw, floor_soc=self.battery.min_soc)

    @property
    def power_kw(self) -> float:
        """Power into the battery, kW; negative while it discharges."""
        return self._charge.power_kw

    def _step(self, seconds: float) -> None:
        load_kw, pv_kw = self.house(self._stepped_at - self._begun_at)
        ac_kw = self._find_ac_power_kw()
        if ac_kw is None or self.deaf:
            soc = self._charge.stored_kwh / self.battery.capacity_kwh
            requested_kw = requested_power_kw(self.command, soc, pv_kw - load_kw)
        else:
            requested_kw = pv_kw - ac_kw
        self._charge, _ = step_battery(self.battery, self._charge, requested_kw, seconds=seconds)
        self._throttled_kw = 0.0
        if ac_kw is not None:
            surplus_kw = pv_kw - self._charge.power_kw - ac_kw
            self._throttled_kw = min(max(surplus_kw, 0.0), pv_kw)
        grid_kw = load_kw - pv_kw + self._throttled_kw + self._charge.power_kw
        grid_kwh = grid_kw * seconds / SECONDS_PER_HOUR
        self._imported_kwh += max(grid_kwh, 0.0)
        self._exported_kwh += max(-grid_kwh, 0.0)

    def _find_mode(self) -> tuple[Mode, float]:
        """Return the mode whose writes the points hold, and its power, kW."""
        ac_kw = self._find_ac_power_kw()
        if ac_kw is not None:
            load_kw, pv_kw = self.house(self.now() - self._begun_at)
            flows = HouseFlows(pv_kw * WATTS, 0.0, (load_kw - pv_kw) * WATTS)
            return mode_of_ac_power(ac_kw * WATTS, flows), abs(ac_kw)
        for mode, writes in self.profile.modes.items():
            if not all(self._has_constant(write) for write in writes):
                continue
            powers = []
            for write in writes:
                if write.put in {"power_w", "power_percent"}:
                    powers.append(self._read_power(write))
            if all(power > 0 for power in powers):
                return cast("Mode", mode), max(powers, default=0.0) / WATTS
        return "self_consumption", 0.0

    def _read_power(self, write: PointWrite) -> float:
        share = 1.0 if write.of is None else self.image.value(write.of) / 100
        return write.sign * self.image.value(write.write) * share

    def _find_ac_power_kw(self) -> float | None:
        """Return the AC power that the points command, kW; None: none."""
        for writes in self.profile.modes.values():
            powers = [write for write in writes if write.put == "ac_power_w"]
            if not powers:
                continue
            fixed = [(write.write, write.value) for write in writes if write.value is not None]
            if all(math.isclose(self.image.value(name), value) for name, value in fixed):
                return powers[0].sign * self.image.value(powers[0].write) / WATTS
        return None

    @cached_property
    def _single_points(self) -> frozenset[str]:
        """The points that are a reading by themselves."""
        point_sets = self._points_by_reading.values()
        return frozenset[str]().union(*(points for points in point_sets if len(points) == 1))

    @cached_property
    def _derived_readings(self) -> frozenset[str]:
        """The readings whose points are all in shorter ones."""
        point_sets = self._points_by_reading.values()
        derived = set()
        for reading, points in self._points_by_reading.items():
            shorter = [shown for shown in point_sets if len(shown) < len(points)]
            if points <= set().union(*shorter):
                derived.add(reading)
        return frozenset(derived)

    @cached_property
    def _points_by_reading(self) -> dict[str, set[str]]:
        points_by_reading: dict[str, set[str]] = {}
        for reading, signed_points in self.profile.reads.items():
            points_by_reading[reading] = {point for _, point in map(split_sign, signed_points)}
        return points_by_reading

    def _measure(self) -> dict[str, float]:
        """Return all readings of the house that this device is in."""
        load_kw, pv_kw = self.house(self.now() - self._begun_at)
        flows = {
            "load_kw": load_kw,
            "pv_kw": max(pv_kw - self._throttled_kw, 0.0),
            "import_kwh": self._imported_kwh,
            "export_kwh": self._exported_kwh,
        }
        return measure_house(self.battery, self._charge, **flows)

    def _show(self) -> None:
        shown = self._measure()
        values: dict[str, float] = {}
        single = []
        sums = []
        for reading, signed_points in self.profile.reads.items():
            if len(signed_points) == 1:
                single.append(reading)
            elif reading not in self._derived_readings:
                sums.append(reading)
        # Points with a reading of their own first: a sum has the others show the rest of it.
        for reading in (*single, *sums):
            self._split(reading, shown.get(reading, 0.0), values)
        reverts = self.profile.reverts
        if reverts is not None and reverts.device_heartbeat is not None:
            values[reverts.device_heartbeat] = math.floor(self.now() - self._begun_at)
        values |= self.stuck
        # Zeros first: both directions may share a register and a sign bit.
        zeros = {point: value for point, value in values.items() if value == 0}
        for point, value in (zeros | values).items():
            self.image.put(point, value)

    def _split(self, reading: ReadingName, value: float, values: dict[str, float]) -> None:
        """Add a reading's value to its points; those with a reading of their own stay."""
        terms = list(map(split_sign, self.profile.reads[reading]))
        open_terms = terms
        if len(terms) > 1:
            open_terms = []
            for sign, point in terms:
                if point not in self._single_points:
                    open_terms.append((sign, point))
                    continue
                value -= sign * values[point] * unit_factor(self.profile.points[point], reading)
        carrying = _list_carrying(reading, value, open_terms)
        for sign, point in open_terms:
            part = 0.0
            if (sign, point) in carrying:
                # A sum is split equally among its points; a signed power is one direction minus
                # the other.
                factor = unit_factor(self.profile.points[point], reading)
                part = sign * value / factor / len(carrying)
            values[point] = values.get(point, 0.0) + part


def _list_carrying(
    reading: str, value: float, terms: list[tuple[int, str]]
) -> list[tuple[int, str]]:
    """Return the points of a reading that carry its value.

    Of a signed reading with a point for each direction, those of the present one.
    """
    signs = {sign for sign, _ in terms}
    if reading not in SIGNED_READINGS or len(signs) == 1:
        return terms
    direction = 1 if value >= 0 else -1
    return [(sign, point) for sign, point in terms if sign == direction]


def measure_house(
    battery: BatteryModel,
    charge: BatteryCharge,
    *,
    load_kw: float,
    pv_kw: float,
    import_kwh: float,
    export_kwh: float,
) -> dict[str, float]:
    """Return all readings of a house with these flows, in the units of ``READING_UNITS``."""
    battery_kw = charge.power_kw
    ac_kw = pv_kw - battery_kw
    grid_kw = load_kw - pv_kw + battery_kw
    readings = {
        "soc": 100 * charge.stored_kwh / battery.capacity_kwh,
        "min_soc": 100 * battery.min_soc,
        "charge_w": max(battery_kw, 0.0) * WATTS,
        "discharge_w": max(-battery_kw, 0.0) * WATTS,
        "pv_w": pv_kw * WATTS,
        "ac_output_w": max(ac_kw, 0.0) * WATTS,
        "ac_input_w": max(-ac_kw, 0.0) * WATTS,
        "load_w": load_kw * WATTS,
        "import_w": max(grid_kw, 0.0) * WATTS,
        "export_w": max(-grid_kw, 0.0) * WATTS,
        "import_kwh": import_kwh,
        "export_kwh": export_kwh,
    }
    for phase in SIGNED_READINGS:
        readings[phase] = grid_kw * WATTS / len(SIGNED_READINGS)
    return readings
