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
from luna.platform.drivers.profile import DeviceProfile, Point, PointWrite, ReadingName, RegisterTable, split_sign, unit_factor
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.registers import decode, decode_point, encode_point, width
from luna.platform.drivers.sunspec import COMMON, DeviceIdentity, find_models, read_identity

WATTS = 1000
# Registers of a SunSpec model that nobody asked for are read as well where that spares a request; elsewhere a device refuses those that it does not have.
_GAP = 16


class RegisterSpan(NamedTuple):
    """Registers that follow each other."""

    table: RegisterTable
    first: int
    count: int


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
    # What was sent to points that cannot be read, while the connection lasts.
    _sent: dict[str, list[int]] = field(default_factory=dict)
    _sent_over: int = 0

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
        scaled = [write.write for write in writes if self.profile.points[write.write].exponent_register is not None]
        values, exponents = self._read_with_exponents(dict.fromkeys([*(write.of for write in writes if write.of), *self.profile.limits.values(), *scaled]))
        power_w = self._limit_w(setpoint, values)
        return [self._to_raw(write, power_w, values, exponents.get(write.write, 0.0)) for write in writes]

    def write(self, writes: Sequence[RawWrite], *, again: bool = False) -> None:
        """Write what does not hold yet, in order; ``again``: all of it but what wears out by writing.

        Raises:
            UnavailableError: nobody answers, or refuses.
        """
        held = self._read_held(writes)
        differs = [held.get(write.point) != write.registers for write in writes]
        # From the first difference on: what comes after it has to come after it. Nobody can see whether what is only written still holds: it is never left out.
        first = min((place for place, write in enumerate(writes) if differs[place] or self.profile.points[write.point].write_only), default=0)
        for place, write in enumerate(writes):
            if differs[place] or (self.profile.points[write.point].persistence != "flash" and (again or (any(differs) and place >= first))):
                self.link.write(write.address, write.registers)
                self._remember(write)

    def holds(self, writes: Sequence[RawWrite]) -> bool:
        """Return whether the device says that all of it holds.

        Raises:
            UnavailableError: nobody answers.
        """
        held = self._read_held(writes)
        return all(held.get(write.point) == write.registers for write in writes)

    def _sum(self, reading: str, entries: Iterable[str], values: Mapping[str, float]) -> float:
        return math.fsum(sign * values[point] * unit_factor(self.profile.points[point], reading) for sign, point in map(split_sign, entries))

    def _read_held(self, writes: Sequence[RawWrite]) -> dict[str, list[int]]:
        spans = {write.point: RegisterSpan(self._table(write.point), write.address, len(write.registers)) for write in writes}
        unreadable = {point for point in spans if self.profile.points[point].write_only}
        if not spans.keys() - unreadable:
            # Somebody has to be there all the same.
            self.read("soc")
        registers = self._read_registers(span for point, span in spans.items() if point not in unreadable)
        sent = self._sent if self._sent_over == self.link.opened else {}
        held = {point: registers[span] for point, span in spans.items() if point not in unreadable}
        return held | {point: sent[point] for point in unreadable & sent.keys()}

    def _remember(self, write: RawWrite) -> None:
        if self._sent_over != self.link.opened:
            self._sent, self._sent_over = {}, self.link.opened
        self._sent[write.point] = write.registers

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
            registers = encode_point(value / (point.scale * 10**exponent), point)
        except OverflowError as exc:
            raise refuse("device-value-unknown", field="via", value=self.link.place, point=write.write) from exc
        return RawWrite(write.write, self._address(point), registers)

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

    def _read_with_exponents(self, names: Iterable[str]) -> tuple[dict[str, float], dict[str, float]]:
        """Return points in their units, and the exponents by which they are written: a device may change these while it runs."""
        points = {name: self.profile.points[name] for name in names}
        registers = self._read_registers(span for name in points for span in self._spans(name))
        values, exponents = dict[str, float](), dict[str, float]()
        for name, point in points.items():
            number, *others = (registers[span] for span in self._spans(name))
            exponent = decode(others.pop(0), "int16") if point.exponent_register is not None else 0.0
            # An exponent beyond any device's is none.
            exponents[name] = exponent if abs(exponent) <= 10 else math.nan
            values[name] = decode_point(number, point) * point.scale * 10 ** exponents[name]
            if point.while_bit is not None and not others[0][0] >> point.while_bit.bit & 1:
                values[name] = 0.0
        return values, exponents

    def _spans(self, name: str) -> list[RegisterSpan]:
        """Return where a point lies: its number, its exponent where it has one, its bit where it has one."""
        point, table = self.profile.points[name], self._table(name)
        spans = [RegisterSpan(table, self._address(point), width(point.type))]
        if point.exponent_register is not None:
            spans.append(RegisterSpan(table, point.exponent_register + self._base(point), 1))
        if point.while_bit is not None:
            spans.append(RegisterSpan(table, point.while_bit.register_, 1))
        return spans

    def _read_registers(self, spans: Iterable[RegisterSpan]) -> dict[RegisterSpan, list[int]]:
        wanted, found = sorted(set(spans)), dict[tuple[RegisterTable, int], int]()
        for table, first, count in _join(wanted, gap=_GAP if self.profile.sunspec else 0):
            found |= {(table, first + place): register for place, register in enumerate(self.link.read(first, count, table))}
        return {span: [found[span.table, span.first + place] for place in range(span.count)] for span in wanted}

    def _table(self, name: str) -> RegisterTable:
        return self.profile.points[name].table or self.profile.transport.table

    def _address(self, point: Point) -> int:
        return point.register_ + self._base(point)

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


def _join(spans: Iterable[RegisterSpan], *, gap: int) -> Iterator[RegisterSpan]:
    """Yield stretches that hold these spans, sorted as they are, each short enough for one request."""
    joined: RegisterSpan | None = None
    for span in spans:
        if joined is not None and span.table == joined.table:
            end = joined.first + joined.count
            if span.first - end <= gap and span.first + span.count - joined.first <= MOST_REGISTERS:
                joined = joined._replace(count=max(end, span.first + span.count) - joined.first)
                continue
        if joined is not None:
            yield joined
        joined = span
    if joined is not None:
        yield joined
