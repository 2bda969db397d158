"""Read and write points in Modbus registers.

Joins them into few requests, applies exponents and follows SunSpec models.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, cast

from luna.drivers.modbus import MOST_REGISTERS, ModbusLink
from luna.drivers.points import DeviceIdentity, PointValue
from luna.drivers.product_identity import IdentityText, ProductIdentity
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_part import RegisterTable
from luna.drivers.profile_points import RegisterPoint, StatusBit
from luna.drivers.registers import (
    decode,
    decode_point,
    decode_text,
    encode_point,
    turn_by_bits,
    width,
    width_of,
)
from luna.drivers.sunspec import COMMON, find_models, find_ports, read_identity
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

# Largest gap that one request reads across in SunSpec models; other devices refuse a request that
# touches a register they lack.
_GAP = 24
# Modbus exception "illegal data address".
_NO_SUCH_REGISTER = 2
# Below this, in the point's unit, a number without a direction, or with one against its bit, is
# noise.
_NOISE = 50.0
# Reads until a missing register is tried again: some devices have fewer registers at night.
_READS_WITHOUT = 30


class RegisterSpan(NamedTuple):
    """Consecutive registers of a table."""

    table: RegisterTable
    first: int
    length: int


class WriteRequest(NamedTuple):
    """Registers that one request writes, and the points that they are."""

    address: int
    registers: list[int]
    sent: dict[str, list[int]]


@dataclass(slots=True)
class ModbusPoints:
    """The points of a device in the registers behind its link."""

    profile: DeviceProfile
    link: ModbusLink
    _models: Mapping[int, int] = field(default_factory=dict)
    _opened: int = 0
    # Per point with ports: offsets of the ports it sums, from the first port.
    _ports: dict[str, list[int]] = field(default_factory=dict)
    # Last values sent to write-only points; valid for the connection ``_sent_over`` alone.
    _sent: dict[str, list[int]] = field(default_factory=dict)
    _sent_over: int = 0
    # Reads left during which registers are skipped, because the device reported them missing.
    _lacking: dict[RegisterSpan, int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The device's address for error messages."""
        return self.link.place

    def identify(self) -> DeviceIdentity | None:
        """Return the device's identity, None where its profile declares no way to read it.

        Raises:
            UnavailableError: the device does not answer, or is another product.
        """
        if self.profile.identified is not None:
            return self._identify_by(self.profile.identified)
        models = self._find_models()
        identity = read_identity(self.link, models[COMMON]) if COMMON in models else None
        product = self.profile.sunspec.product if self.profile.sunspec is not None else None
        if product is None:
            return identity
        if identity is None or not product.matches_identity(identity):
            raise refuse(
                "device-other-product", field="via", value=self.place, profile=self.profile.profile
            )
        return identity

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name, NaN where the device has no value or lacks the register.

        Raises:
            UnavailableError: the device does not answer, or is another product.
        """
        spans = {name: self._spans(name) for name in names}
        registers = self._read_known(chain.from_iterable(spans.values()))
        values: dict[str, float] = {}
        for name, point_spans in spans.items():
            if all(span in registers for span in point_spans):
                values[name] = self._decode(name, [registers[span] for span in point_spans])
            else:
                values[name] = self._value_without(name)
        return values

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return for each value whether the device reads it back.

        For a write-only point, whether it was the last one sent over this connection.

        Raises:
            UnavailableError: the device does not answer, or a point cannot represent such a value.
        """
        readable = [point for point, _ in values if not self.profile.points[point].write_only]
        spans = {point: self._spans(point) for point in readable}
        for point, _ in values:
            if point not in readable:
                spans[point] = self._exponent_spans(point)
        registers = self._read_registers(chain.from_iterable(spans.values()))
        registers_by_point: dict[str, list[int]] = {}
        if self._sent_over == self.link.opened:
            registers_by_point |= self._sent
        for point in readable:
            registers_by_point[point] = registers[spans[point][0]]
        matches: list[bool] = []
        for point, value in values:
            expected = self._encode(point, value, registers, as_sent=point not in readable)
            matches.append(registers_by_point.get(point) == expected)
        return matches

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order; return once the device has acknowledged every write.

        Raises:
            UnavailableError: the device does not answer or refuses; or a point cannot represent
                such a value, and nothing was written.
        """
        # Read anew: a device may change its exponents at run time.
        exponents = self._read_registers(
            chain.from_iterable(self._exponent_spans(point) for point, _ in values)
        )
        # All are encoded before the first is written.
        encoded = [
            (point, self._encode(point, value, exponents, as_sent=True)) for point, value in values
        ]
        for request in self._list_requests(encoded):
            # A device that refuses a value may hold another one by now.
            for point in request.sent:
                self._sent.pop(point, None)
            self.link.write(request.address, request.registers)
            if self._sent_over != self.link.opened:
                self._sent = {}
                self._sent_over = self.link.opened
            self._sent |= request.sent

    def _list_requests(self, encoded: Iterable[tuple[str, list[int]]]) -> list[WriteRequest]:
        """Return the requests that write points, one for all if the device wants that."""
        requests: list[WriteRequest] = []
        for point, registers in encoded:
            address = self._write_address(self._point(point))
            if requests and self.link.transport.writes_together:
                last = requests[-1]
                if address == last.address + len(last.registers):
                    last.registers.extend(registers)
                    last.sent[point] = registers
                    continue
            requests.append(WriteRequest(address, list(registers), {point: registers}))
        return requests

    def close(self) -> None:
        self.link.close()

    def _identify_by(self, identity: ProductIdentity) -> DeviceIdentity:
        texts: dict[str, str] = {}
        for rule in identity.registers:
            count = rule.count if isinstance(rule, IdentityText) else width(rule.type)
            registers = self.link.read(rule.register_, count, rule.table)
            if isinstance(rule, IdentityText):
                text = decode_text(registers)
                fits = rule.text.fullmatch(text) is not None
                if rule.names is not None:
                    texts[rule.names] = text
            else:
                fits = any(low <= decode(registers, rule.type) <= high for low, high in rule.ranges)
            if not fits:
                raise refuse(
                    "device-other-product",
                    field="via",
                    value=self.place,
                    profile=self.profile.profile,
                )
        return DeviceIdentity(
            maker=self.profile.covers[0].brand,
            model=texts.get("model", ""),
            version="",
            serial=texts.get("serial", ""),
        )

    def _value_without(self, name: str) -> float:
        """Return what a point counts as whose register the device lacks."""
        point = self._point(name)
        return math.nan if point.absent is None else point.absent * point.scale + point.offset

    def _decode(self, name: str, registers: list[list[int]]) -> float:
        point = self._point(name)
        count = len(self.number_spans(name))
        numbers = registers[:count]
        others = registers[count:]
        exponent = _exponent_of(others.pop(0)) if point.exponent_register is not None else 0.0
        invalid = self.profile.invalid_of(point)
        power = 10**exponent
        raw_numbers = [decode_point(number, point, invalid) for number in numbers]
        if point.absent is not None:
            raw_numbers = [point.absent if math.isnan(raw) else raw for raw in raw_numbers]
        terms = [raw * point.scale * power + point.offset for raw in raw_numbers]
        if min(terms, default=0.0) < -_NOISE and max(terms, default=0.0) > _NOISE:
            # Ports of one kind flow the same way: a sign of one of them is wrong, or one battery
            # charges another.
            return math.nan
        value = math.fsum(terms)
        if point.sign_bits is not None:
            return turn_by_bits(value, others[0][0], point.sign_bits, noise=_NOISE)
        if point.while_bit is None:
            return value
        status = others[0][0]
        if status & (1 << point.while_bit.bit):
            return value
        is_zero = abs(value) < _NOISE or self._is_claimed_by_another(point, status)
        return 0.0 if is_zero else math.nan

    def _is_claimed_by_another(self, point: RegisterPoint, status: int) -> bool:
        """Return whether a number counts for another point by that point's status bit.

        True as well where no other point has such a bit.
        """
        sharing: list[StatusBit] = []
        for candidate in self.profile.points.values():
            if not isinstance(candidate, RegisterPoint) or candidate is point:
                continue
            if candidate.register_ == point.register_ and candidate.while_bit is not None:
                sharing.append(candidate.while_bit)
        return not sharing or any(status & (1 << bit.bit) for bit in sharing)

    def _encode(
        self,
        name: str,
        value: float,
        registers: Mapping[RegisterSpan, list[int]],
        *,
        as_sent: bool = False,
    ) -> list[int]:
        """Return the registers of a value as the device reads it back, or as it is sent."""
        point = self._point(name)
        exponent = next((_exponent_of(registers[span]) for span in self._exponent_spans(name)), 0.0)
        number = (value - point.offset) / (point.scale * 10**exponent)
        # NaN would be encoded as "not implemented", and a device's reaction to that command is
        # undefined.
        if not math.isnan(number):
            with suppress(OverflowError):
                written_as = point.write_type if as_sent else None
                return encode_point(number, point, written_as=written_as)
        raise refuse("device-value-unknown", field="via", value=self.place, point=name)

    def _spans(self, name: str) -> list[RegisterSpan]:
        """Return a point's registers: numbers (one per port), exponent, status bit."""
        point = self._point(name)
        spans = [*self.number_spans(name), *self._exponent_spans(name)]
        status = point.sign_bits or point.while_bit
        if status is not None:
            spans.append(RegisterSpan(self._table(name), status.register_, 1))
        return spans

    def number_spans(self, name: str) -> list[RegisterSpan]:
        """Return the registers of a point's number, one span per port."""
        point = self._point(name)
        table = self._table(name)
        address = self._address(point)
        if point.ports is not None and name not in self._ports:
            self._ports[name] = find_ports(self.link, self._base(point), point.ports)
        shifts = [0] if point.ports is None else self._ports[name]
        length = width_of(point)
        return [RegisterSpan(table, address + shift, length) for shift in shifts]

    def _exponent_spans(self, name: str) -> list[RegisterSpan]:
        point = self._point(name)
        if point.exponent_register is None:
            return []
        address = point.exponent_register + self._base(point)
        return [RegisterSpan(self._table(name), address, 1)]

    def _read_known(self, spans: Iterable[RegisterSpan]) -> dict[RegisterSpan, list[int]]:
        """Return the registers that the device has; related products may lack some of them.

        Raises:
            UnavailableError: the device does not answer, or has none of the registers.
        """
        distinct_spans = sorted(set(spans))
        requested = [span for span in distinct_spans if self._lacking.get(span, 0) == 0]
        if not requested:
            # With all of them skipped, ask for all: the caller gets the device's own refusal.
            requested = distinct_spans
        still_lacking: dict[RegisterSpan, int] = {}
        for span, reads_left in self._lacking.items():
            if reads_left > 0:
                is_skipped = span in distinct_spans
                still_lacking[span] = reads_left - 1 if is_skipped else reads_left
        self._lacking = still_lacking
        try:
            return self._read_registers(requested)
        except LunaError as error:
            if not _lacks_register(error) or len(requested) == 1:
                raise
            refusal = error
        registers: dict[RegisterSpan, list[int]] = {}
        for span in requested:
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
        """Return registers, and verify in the same requests that no SunSpec model has moved.

        Raises:
            UnavailableError: the device does not answer or refuses, or its models have moved.
        """
        spans = list(spans)
        # Read each model's ID as well: a firmware update behind a dongle that stays connected may
        # move the models.
        addresses = {self._model_address(span) for span in spans}
        id_spans = {}
        for model, address in self._models.items():
            if address in addresses:
                id_spans[RegisterSpan(self.link.transport.table, address, 1)] = model
        requested = sorted({*spans, *id_spans})
        words: dict[tuple[RegisterTable, int], int] = {}
        gap = _GAP if self.profile.sunspec else 0
        for table, first, count in _join(requested, gap=gap, apart=self._list_apart()):
            for address, register in enumerate(self.link.read(first, count, table), first):
                words[table, address] = register
        registers: dict[RegisterSpan, list[int]] = {}
        for span in requested:
            last = span.first + span.length
            registers[span] = [words[span.table, address] for address in range(span.first, last)]
        for id_span, model in id_spans.items():
            has_moved = registers[id_span] != [model]
            if has_moved:
                self._models = {}
                raise self._refuse_model(model)
        return registers

    def _refuse_model(self, model: int) -> LunaError:
        return refuse(
            "device-model-missing",
            field="via",
            value=self.place,
            model=model,
            profile=self.profile.profile,
        )

    def _list_apart(self) -> set[int]:
        """Return the registers outside of any model: the device may lack those before them."""
        points = map(self._point, self.profile.points)
        return {point.register_ for point in points if not point.model}

    def _point(self, name: str) -> RegisterPoint:
        return cast("RegisterPoint", self.profile.points[name])

    def _table(self, name: str) -> RegisterTable:
        return self._point(name).table or self.link.transport.table

    def _address(self, point: RegisterPoint) -> int:
        return point.register_ + self._base(point)

    def _write_address(self, point: RegisterPoint) -> int:
        return self._address(point) if point.write_register is None else point.write_register

    def _base(self, point: RegisterPoint) -> int:
        if not point.model:
            return 0
        models = self._find_models()
        for model in point.model:
            if model in models:
                return models[model]
        raise self._refuse_model(point.model[0])

    def _model_address(self, span: RegisterSpan) -> int | None:
        """Return the address of the model that holds a span."""
        before = [address for address in self._models.values() if address <= span.first]
        return max(before, default=None)

    def _find_models(self) -> Mapping[int, int]:
        if self.profile.sunspec is None:
            return {}
        # After a reconnect it may be another device, or have other models.
        if not self._models or self._opened != self.link.opened:
            models = find_models(self.link)
            identifying = self.profile.sunspec.identified_by
            if not set(identifying) & set(models):
                raise self._refuse_model(identifying[0])
            self._models = models
            self._ports = {}
            self._opened = self.link.opened
        return self._models


def _lacks_register(error: LunaError) -> bool:
    return error.reason == "device-refuses" and error.parameters["code"] == _NO_SUCH_REGISTER


def _exponent_of(registers: list[int]) -> float:
    exponent = decode(registers, "int16")
    # No device has a larger exponent; the value is garbage.
    return exponent if abs(exponent) <= 10 else math.nan


def _join(
    spans: Iterable[RegisterSpan], *, gap: int, apart: Collection[int]
) -> Iterator[RegisterSpan]:
    """Yield the requests that cover the sorted ``spans``.

    Each is within one request's length and spans gaps of at most ``gap`` registers, none before
    those of ``apart``.
    """
    joined: RegisterSpan | None = None
    for span in spans:
        if joined is None:
            joined = span
            continue
        end = joined.first + joined.length
        span_end = span.first + span.length
        most_gap = 0 if span.first in apart else gap
        is_near = span.table == joined.table and span.first - end <= most_gap
        if is_near and span_end - joined.first <= MOST_REGISTERS:
            joined = joined._replace(length=max(end, span_end) - joined.first)
            continue
        yield joined
        joined = span
    if joined is not None:
        yield joined
