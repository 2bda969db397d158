"""A device by its profile: its points are read in few requests, its modes are writes that are read back."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from luna.contracts.control import BatterySetpoint
from luna.energy.devices import Via
from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import MOST_REGISTERS, ModbusLink
from luna.platform.drivers.profile import DeviceProfile, Point, PointWrite, ReadingName, split_sign, unit_factor
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.registers import decode, encode, width
from luna.platform.drivers.sunspec import COMMON, DeviceIdentity, find_models, read_identity

WATTS = 1000
# Registers that nobody asked for are read as well where that spares a request.
_GAP = 16


class RawWrite(NamedTuple):
    """Registers of a point, as a command wants them."""

    point: str
    address: int
    registers: list[int]


@dataclass(slots=True)
class ProfiledDevice:
    """A device behind its link. Not thread-safe."""

    profile: DeviceProfile
    link: ModbusLink
    _models: Mapping[int, int] = field(default_factory=dict)
    _opened: int = 0

    def identify(self) -> DeviceIdentity | None:
        """Return what the device says it is, None where its profile knows no way to ask.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """
        models = self._find_models()
        return read_identity(self.link, models[COMMON]) if COMMON in models else None

    def read(self, *names: ReadingName) -> dict[str, float]:
        """Return readings by name, in the units of ``READING_UNITS``, all where none is named; NaN where the device knows none.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """
        reads = {name: self.profile.reads[name] for name in names or self.profile.reads}
        values = self._read_with_exponents(point for entries in reads.values() for _, point in map(split_sign, entries))[0]
        sums = {reading: self._sum(reading, entries, values) for reading, entries in reads.items()}
        # Of what flows the other way this direction is nothing; a sum with an unknown in it is unknown.
        return {reading: 0.0 if value < 0 else value for reading, value in sums.items()}

    def plan_writes(self, setpoint: BatterySetpoint) -> list[RawWrite]:
        """Return the writes of a set-point in order, its power within what the device says it can.

        Raises:
            UnavailableError: nobody answers, or what has to be known for it is not known.
        """
        writes = self.profile.modes[setpoint.mode]
        needed = dict.fromkeys([*(write.of for write in writes if write.of), *self.profile.limits.values(), *(write.write for write in writes)])
        values, raw = self._read_with_exponents(needed)
        power_w = self._limit_w(setpoint, values)
        return [self._to_raw(write, power_w, values, raw[write.write]) for write in writes]

    def write(self, writes: Sequence[RawWrite], *, again: bool = False) -> None:
        """Write what does not hold yet, in order; ``again``: all of it.

        Raises:
            UnavailableError: nobody answers, or refuses.
        """
        held = {} if again else self._read_held(writes)
        # From the first difference on: what comes after it has to come after it.
        first = next((place for place, write in enumerate(writes) if held.get(write.point) != write.registers), len(writes))
        for write in writes[first:]:
            self.link.write(write.address, write.registers)

    def holds(self, writes: Sequence[RawWrite]) -> bool:
        """Return whether the device says that all of it holds.

        Raises:
            UnavailableError: nobody answers.
        """
        held = self._read_held(writes)
        return all(held[write.point] == write.registers for write in writes)

    def _sum(self, reading: str, entries: Iterable[str], values: Mapping[str, float]) -> float:
        return math.fsum(sign * values[point] * unit_factor(self.profile.points[point], reading) for sign, point in map(split_sign, entries))

    def _read_held(self, writes: Sequence[RawWrite]) -> dict[str, list[int]]:
        registers = self._read_registers((write.address, len(write.registers)) for write in writes)
        return {write.point: [registers[write.address + place] for place in range(len(write.registers))] for write in writes}

    def _limit_w(self, setpoint: BatterySetpoint, values: Mapping[str, float]) -> float:
        point = self.profile.limits.get("discharge_w" if setpoint.mode == "export" else "charge_w")
        most_w = math.inf if point is None else values[point]
        asked_w = math.inf if setpoint.power_kw is None else setpoint.power_kw * WATTS
        return min(asked_w, most_w)

    def _to_raw(self, write: PointWrite, power_w: float, values: Mapping[str, float], exponent: float) -> RawWrite:
        point = self.profile.points[write.write]
        value = write.sign * self._value_of(write, power_w, values)
        low, high = -math.inf if point.low is None else point.low, math.inf if point.high is None else point.high
        if not low <= value <= high:
            raise refuse("device-value-unknown", field="via", value=self.link.place, point=write.write)
        try:
            registers = encode(value / (point.scale * 10**exponent), point.type)
        except OverflowError as exc:
            raise refuse("device-value-unknown", field="via", value=self.link.place, point=write.write) from exc
        return RawWrite(write.write, self._address(point), registers)

    def _value_of(self, write: PointWrite, power_w: float, values: Mapping[str, float]) -> float:
        if write.value is not None:
            return write.value
        if write.put == "reversion_s":
            return float(self.profile.reverts.after_s or 0) if self.profile.reverts else 0.0
        if write.of is None:
            return power_w
        whole = values[write.of]
        return 100.0 * power_w / whole if whole > 0 else math.nan

    def _read_with_exponents(self, names: Iterable[str]) -> tuple[dict[str, float], dict[str, float]]:
        """Return points in their units, and the exponents by which they are written: a device may change these while it runs."""
        points = {name: self.profile.points[name] for name in names}
        places = [(self._address(point), width(point.type)) for point in points.values()]
        places += [(self._exponent_address(point), 1) for point in points.values() if point.exponent_register is not None]
        registers = self._read_registers(places)
        values, exponents = dict[str, float](), dict[str, float]()
        for name, point in points.items():
            address = self._address(point)
            exponent = 0.0 if point.exponent_register is None else decode([registers[self._exponent_address(point)]], "int16")
            raw = decode([registers[address + place] for place in range(width(point.type))], point.type)
            # An exponent beyond any device's is none.
            exponents[name] = exponent if abs(exponent) <= 10 else math.nan
            values[name] = raw * point.scale * 10 ** exponents[name]
        return values, exponents

    def _read_registers(self, places: Iterable[tuple[int, int]]) -> dict[int, int]:
        found = dict[int, int]()
        for first, count in _join(sorted(set(places))):
            found |= dict(enumerate(self.link.read(first, count), first))
        return found

    def _address(self, point: Point) -> int:
        return point.register_ + self._base(point)

    def _exponent_address(self, point: Point) -> int:
        return (point.exponent_register or 0) + self._base(point)

    def _base(self, point: Point) -> int:
        if not point.model:
            return 0
        models = self._find_models()
        model = next((model for model in point.model if model in models), None)
        if model is None:
            raise refuse("device-model-missing", field="via", value=self.link.place, model=point.model[0], profile=self.profile.profile)
        return models[model]

    def _find_models(self) -> Mapping[int, int]:
        if self.profile.sunspec is None:
            return {}
        # A device that was away may come back as another one, or with other models.
        if not self._models or self._opened != self.link.opened:
            models = find_models(self.link)
            if not set(self.profile.sunspec.identified_by) & set(models):
                model = self.profile.sunspec.identified_by[0]
                raise refuse("device-model-missing", field="via", value=self.link.place, model=model, profile=self.profile.profile)
            self._models, self._opened = models, self.link.opened
        return self._models


def reach_device(via: Via, data_folder: Path) -> ProfiledDevice:
    """Return the device that a site or a command names; it is connected to at first use.

    Raises:
        InvalidInputError: there is no such profile, or its file is none.
    """
    profile = load_profile(via.profile, data_folder)
    return ProfiledDevice(profile, ModbusLink(via.host, profile.transport, port=via.port, unit=via.unit))


def _join(places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield stretches of registers that hold these places, each short enough for one request."""
    first = end = -1
    for address, count in places:
        if first >= 0 and address - end <= _GAP and address + count - first <= MOST_REGISTERS:
            end = max(end, address + count)
            continue
        if first >= 0:
            yield first, end - first
        first, end = address, address + count
    if first >= 0:
        yield first, end - first
