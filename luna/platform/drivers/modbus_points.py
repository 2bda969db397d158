"""Points in registers: where they lie, with their exponents and SunSpec models, read in few requests."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import MOST_REGISTERS, ModbusLink
from luna.platform.drivers.points import DeviceIdentity, PointValue
from luna.platform.drivers.profile import DeviceProfile, IdentityText, ProductIdentity, RegisterPoint, RegisterTable
from luna.platform.drivers.registers import decode, decode_point, decode_text, encode_point, width
from luna.platform.drivers.sunspec import COMMON, find_models, find_ports, read_identity

# Registers of a SunSpec model that nobody asked for are read as well where that spares a request; elsewhere a device refuses those that it does not have.
_GAP = 24
# What a device answers of a register that it does not have.
_NO_SUCH_REGISTER = 2
# Reads after which such a register is asked for again: some devices have fewer at night.
_READS_WITHOUT = 30


class RegisterSpan(NamedTuple):
    """Registers that follow each other."""

    table: RegisterTable
    first: int
    length: int


@dataclass(slots=True)
class ModbusPoints:
    """The points of a device behind its link."""

    profile: DeviceProfile
    link: ModbusLink
    _models: Mapping[int, int] = field(default_factory=dict)
    _opened: int = 0
    # How far from the first port's those registers lie that a point is the sum of.
    _ports: dict[str, list[int]] = field(default_factory=dict)
    # What was sent to points that cannot be read, while the connection lasts.
    _sent: dict[str, list[int]] = field(default_factory=dict)
    _sent_over: int = 0
    # How many more reads go without registers that the device said it lacks.
    _lacking: dict[RegisterSpan, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the device is, as errors name it."""
        return self.link.place

    def identify(self) -> DeviceIdentity | None:
        """Return what the device says it is, None where its profile knows no way to ask.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """
        if self.profile.identified is not None:
            return self._identify_by(self.profile.identified)
        models = self._find_models()
        identity = read_identity(self.link, models[COMMON]) if COMMON in models else None
        product = self.profile.sunspec.product if self.profile.sunspec is not None else None
        if product is not None and not (identity is not None and product.is_said_by(identity)):
            raise refuse("device-other-product", field="via", value=self.place, profile=self.profile.profile)
        return identity

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the device knows none.

        Raises:
            UnavailableError: nobody answers, or it is another product.
        """
        spans = {name: self._spans(name) for name in names}
        registers = self._read_known(span for several in spans.values() for span in several)
        known = {name for name, several in spans.items() if all(span in registers for span in several)}
        return {name: self._decode(name, [registers[span] for span in several]) if name in known else math.nan for name, several in spans.items()}

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return of each value whether the device says that it holds; of a point that is only written, whether it was the last one sent.

        Raises:
            UnavailableError: nobody answers, or a point cannot hold such a value.
        """
        readable = [point for point, _ in values if not self.profile.points[point].write_only]
        spans = {point: self._spans(point) for point in readable} | {point: self._exponent_spans(point) for point, _ in values if point not in readable}
        registers = self._read_registers(span for several in spans.values() for span in several)
        registers_by_point = dict(self._sent if self._sent_over == self.link.opened else {}) | {point: registers[spans[point][0]] for point in readable}
        return [registers_by_point.get(point) == self._encode(point, value, registers) for point, value in values]

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order, and return once the device has taken everything.

        Raises:
            UnavailableError: nobody answers or it refuses; or a point cannot hold such a value, and nothing was written.
        """
        # A device may change its exponents while it runs.
        exponents = self._read_registers(span for point, _ in values for span in self._exponent_spans(point))
        for point, registers in [(point, self._encode(point, value, exponents)) for point, value in values]:
            self.link.write(self._address(self._point(point)), registers)
            if self._sent_over != self.link.opened:
                self._sent, self._sent_over = {}, self.link.opened
            self._sent[point] = registers

    def close(self) -> None:
        """Close the connection."""
        self.link.close()

    def _identify_by(self, identity: ProductIdentity) -> DeviceIdentity:
        texts = dict[str, str]()
        for rule in identity.registers:
            count = rule.count if isinstance(rule, IdentityText) else width(rule.type)
            registers = self.link.read(rule.register_, count, rule.table)
            if isinstance(rule, IdentityText):
                texts[rule.names] = decode_text(registers)
                fits = rule.text.fullmatch(texts[rule.names]) is not None
            else:
                fits = any(low <= decode(registers, rule.type) <= high for low, high in rule.ranges)
            if not fits:
                raise refuse("device-other-product", field="via", value=self.place, profile=self.profile.profile)
        return DeviceIdentity(maker=self.profile.covers[0].brand, model=texts.get("model", ""), version="", serial=texts.get("serial", ""))

    def _decode(self, name: str, registers: list[list[int]]) -> float:
        point, count = self._point(name), len(self._number_spans(name))
        numbers, others = registers[:count], registers[count:]
        exponent = _exponent_of(others.pop(0)) if point.exponent_register is not None else 0.0
        if point.while_bit is not None and not others[0][0] >> point.while_bit.bit & 1:
            return 0.0
        return math.fsum(decode_point(number, point) for number in numbers) * point.scale * 10**exponent

    def _encode(self, name: str, value: float, registers: Mapping[RegisterSpan, list[int]]) -> list[int]:
        point = self._point(name)
        exponent = next((_exponent_of(registers[span]) for span in self._exponent_spans(name)), 0.0)
        number = value / (point.scale * 10**exponent)
        # Of a number that is not known a device's own word would be written: "not known" commands nobody knows what.
        if not math.isnan(number):
            with suppress(OverflowError):
                return encode_point(number, point)
        raise refuse("device-value-unknown", field="via", value=self.place, point=name)

    def _spans(self, name: str) -> list[RegisterSpan]:
        """Return where a point lies: its number, or that of each port; its exponent where it has one, its bit where it has one."""
        point, spans = self._point(name), [*self._number_spans(name), *self._exponent_spans(name)]
        if point.while_bit is not None:
            spans.append(RegisterSpan(self._table(name), point.while_bit.register_, 1))
        return spans

    def _number_spans(self, name: str) -> list[RegisterSpan]:
        point, table = self._point(name), self._table(name)
        address = self._address(point)
        if point.ports is not None and name not in self._ports:
            self._ports[name] = find_ports(self.link, self._base(point), point.ports)
        return [RegisterSpan(table, address + shift, width(point.type)) for shift in ([0] if point.ports is None else self._ports[name])]

    def _exponent_spans(self, name: str) -> list[RegisterSpan]:
        point = self._point(name)
        return [] if point.exponent_register is None else [RegisterSpan(self._table(name), point.exponent_register + self._base(point), 1)]

    def _read_known(self, spans: Iterable[RegisterSpan]) -> dict[RegisterSpan, list[int]]:
        """Return the registers that the device has: one that a sister of the product lacks makes nothing else unknown.

        Raises:
            UnavailableError: nobody answers, or the device has none of them.
        """
        every = sorted(set(spans))
        # Where nothing is left all are asked for: whoever asks gets the device's own refusal.
        wanted = [span for span in every if self._lacking.get(span, 0) == 0] or every
        self._lacking = {span: left - (span in every) for span, left in self._lacking.items() if left > 0}
        try:
            return self._read_registers(wanted)
        except LunaError as error:
            if not _lacks_register(error) or len(wanted) == 1:
                raise
            refusal = error
        registers = dict[RegisterSpan, list[int]]()
        for span in wanted:
            try:
                registers |= self._read_registers([span])
            except LunaError as error:
                if not _lacks_register(error):
                    raise
                self._lacking[span] = _READS_WITHOUT
        if not registers:
            raise refusal
        return registers

    def _read_registers(self, spans: Iterable[RegisterSpan]) -> dict[RegisterSpan, list[int]]:
        """Return registers, of SunSpec models where these still lie where they were found.

        Raises:
            UnavailableError: nobody answers, the device refuses, or its models have moved.
        """
        spans = list(spans)
        # The ID of each model that is read of comes along: after an update of its firmware, behind a dongle that stays connected, another may lie there.
        addresses = {max((address for address in self._models.values() if address <= span.first), default=None) for span in spans}
        marks = {RegisterSpan(self.link.transport.table, address, 1): model for model, address in self._models.items() if address in addresses}
        wanted, words = sorted({*spans, *marks}), dict[tuple[RegisterTable, int], int]()
        for table, first, count in _join(wanted, gap=_GAP if self.profile.sunspec else 0):
            words |= {(table, first + place): register for place, register in enumerate(self.link.read(first, count, table))}
        registers = {span: [words[span.table, span.first + place] for place in range(span.length)] for span in wanted}
        moved = next((model for mark, model in marks.items() if registers[mark] != [model]), None)
        if moved is not None:
            self._models = {}
            raise refuse("device-model-missing", field="via", value=self.place, model=moved, profile=self.profile.profile)
        return registers

    def _point(self, name: str) -> RegisterPoint:
        return cast("RegisterPoint", self.profile.points[name])

    def _table(self, name: str) -> RegisterTable:
        return self._point(name).table or self.link.transport.table

    def _address(self, point: RegisterPoint) -> int:
        return point.register_ + self._base(point)

    def _base(self, point: RegisterPoint) -> int:
        if not point.model:
            return 0
        models = self._find_models()
        model = next((model for model in point.model if model in models), None)
        if model is None:
            raise refuse("device-model-missing", field="via", value=self.place, model=point.model[0], profile=self.profile.profile)
        return models[model]

    def _find_models(self) -> Mapping[int, int]:
        if self.profile.sunspec is None:
            return {}
        # A device that was away may come back as another one, or with other models.
        if not self._models or self._opened != self.link.opened:
            models = find_models(self.link)
            if not set(self.profile.sunspec.identified_by) & set(models):
                model = self.profile.sunspec.identified_by[0]
                raise refuse("device-model-missing", field="via", value=self.place, model=model, profile=self.profile.profile)
            self._models, self._ports, self._opened = models, {}, self.link.opened
        return self._models


def _lacks_register(error: LunaError) -> bool:
    return error.reason == "device-refuses" and error.parameters["code"] == _NO_SUCH_REGISTER


def _exponent_of(registers: list[int]) -> float:
    exponent = decode(registers, "int16")
    # One beyond any device's is none.
    return exponent if abs(exponent) <= 10 else math.nan


def _join(spans: Iterable[RegisterSpan], *, gap: int) -> Iterator[RegisterSpan]:
    """Yield stretches that hold these spans, sorted as they are, each short enough for one request."""
    joined: RegisterSpan | None = None
    for span in spans:
        if joined is not None and span.table == joined.table:
            end = joined.first + joined.length
            if span.first - end <= gap and span.first + span.length - joined.first <= MOST_REGISTERS:
                joined = joined._replace(length=max(end, span.first + span.length) - joined.first)
                continue
        if joined is not None:
            yield joined
        joined = span
    if joined is not None:
        yield joined
