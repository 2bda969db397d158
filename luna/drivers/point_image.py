"""Hold the points of a simulated device as registers or JSON documents, by its transport."""

import math
import re
from collections.abc import Mapping
from typing import Any, Protocol

from luna.drivers.json_points import pick_point, place_point
from luna.drivers.json_values import place, put_at
from luna.drivers.product_identity import IdentityText
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_part import RegisterTable
from luna.drivers.profile_points import VALUE_PART, JsonPoint, Point, RegisterPoint
from luna.drivers.registers import (
    decode,
    decode_point,
    encode,
    encode_point,
    encode_text,
    turn_by_bits,
    width_of,
)
from luna.drivers.sunspec import COMMON, END, MARK
from luna.drivers.transports import HttpTransport, ModbusTransport


class PointImage(Protocol):
    """The current points of a simulated device."""

    def value(self, name: str) -> float:
        """Return a point's value in its unit."""

    def put(self, name: str, value: float) -> None:
        """Set a point in its unit; NaN: the device has no value."""

    def write(self, place: Any, value: Any) -> bool:
        """Apply a client's write, with address and value of the transport.

        Return whether the point is writable.
        """


class JsonImage:
    """Points in JSON documents by path or topic; ``{prefix}`` stays unexpanded."""

    def __init__(self, profile: DeviceProfile) -> None:
        self._written = profile.written_points
        self.identity = () if profile.identified is None else profile.identified.documents
        unit = profile.transport.unit if isinstance(profile.transport, HttpTransport) else 0
        self.points: dict[str, JsonPoint] = {}
        for name, point in profile.points.items():
            if isinstance(point, JsonPoint):
                self.points[name] = point.at_unit(unit)
        self._values = {name: _first_value(point) for name, point in self.points.items()}
        self._values |= profile.simulated.values

    def value(self, name: str) -> float:
        """Return a point's value in its unit."""
        return self._values[name]

    def put(self, name: str, value: float) -> None:
        """Set a point in its unit; NaN: the device has no value."""
        self._values[name] = value

    def write(self, place: str, value: Any) -> bool:
        """Apply a message to a topic: a document, or the text of a point with ``write_body``.

        Return whether its point is writable.
        """
        for name in self._written:
            point = self.points[name]
            if point.write_to != place:
                continue
            if point.write_body is None:
                number = pick_point(value, point, ())
            else:
                number = _read_body(point, value)
            if math.isnan(number):
                continue
            self._values[name] = number
            return True
        return False

    def documents(self) -> dict[str, Any]:
        """Return all documents by path or topic."""
        documents: dict[str, Any] = {}
        for name, point in self.points.items():
            value = self._values[name]
            document = documents.get(point.at)
            if math.isnan(value):
                documents[point.at] = place(document, point.field_, None)
            else:
                documents[point.at] = place_point(document, point, value)
        shown = {(point.at, point.field_) for point in self.points.values()}
        for rule in self.identity:
            # A point may identify a product as well.
            if (rule.at, rule.field_) in shown:
                continue
            documents[rule.at] = put_at(documents.get(rule.at), rule.field_, rule.example)
        return documents


def _first_value(point: Point) -> float:
    """Return a point's initial value: its first code, else 0."""
    return next(iter(point.codes.values()), 0.0)


class RequestImage(JsonImage):
    """Points in JSON documents that requests of HTTP write."""

    def __init__(self, profile: DeviceProfile) -> None:
        super().__init__(profile)
        # By point: patterns of method and path, and of the body.
        self._requests: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {}
        for name in self._written:
            point = self.points[name]
            if point.write_to is None:
                continue
            place = _match_text(point, f"{point.write_method} {point.write_to}")
            body = _match_text(point, point.write_body or "")
            self._requests[name] = place, body

    def write(self, place: str, value: str) -> bool:
        """Apply a request: its method and path, and its body.

        Return whether it writes a point.
        """
        for name, (place_pattern, body_pattern) in self._requests.items():
            in_place = place_pattern.fullmatch(place)
            in_body = body_pattern.fullmatch(value)
            if in_place is None or in_body is None:
                continue
            # Either the path or the body carries the value.
            groups = in_place.groupdict() | in_body.groupdict()
            self._clear_place_of(name)
            self._values[name] = _read_text(self.points[name], groups["value"])
            return True
        return False

    def _clear_place_of(self, name: str) -> None:
        """Set the points at the place of one to 0: the device has one value for them."""
        written = self.points[name]
        for requested in self._requests:
            point = self.points[requested]
            if (point.at, point.field_) == (written.at, written.field_):
                self._values[requested] = 0.0


def _read_text(point: JsonPoint, text: str) -> float:
    """Return the value of a text that was written to a point."""
    codes = point.written_codes
    return codes[text] if codes else float(text) * point.scale


def _read_body(point: JsonPoint, text: Any) -> float:
    """Return the value that an MQTT message writes to a point; NaN: it is for another point."""
    match = _match_text(point, point.write_body or "").fullmatch(str(text))
    return math.nan if match is None else _read_text(point, match["value"])


def _match_text(point: JsonPoint, template: str) -> re.Pattern[str]:
    """Return the pattern of a path or body, with its group ``value``."""
    number = r"-?\d+(?:\.\d+)?"
    codes = "|".join(map(re.escape, point.written_codes))
    value_group = f"(?P<value>{codes or number})"
    return re.compile(re.escape(template).replace(re.escape(VALUE_PART), value_group, 1))


class RegisterImage:
    """Points in registers by address."""

    def __init__(self, profile: DeviceProfile, transport: ModbusTransport) -> None:
        self.profile = profile
        self.transport = transport
        self._points: dict[str, RegisterPoint] = {}
        for name, point in profile.points.items():
            if isinstance(point, RegisterPoint):
                self._points[name] = point
        self._bases = dict[int, int]()
        self.registers = dict[int, int]()
        # Tables of the registers that are not in the transport's default one.
        self.tables = dict[int, RegisterTable]()
        self._lay_out()

    def serves(self, address: int, table: RegisterTable) -> bool:
        """Return whether a register exists in a table."""
        if address not in self.registers:
            return False
        return self.tables.get(address, self.transport.table) == table

    def write(self, place: int, value: list[int]) -> bool:
        """Write registers from the address ``place`` on.

        Return whether all of them are writable.
        """
        writable = set[int]()
        for name in self.profile.written_points:
            point = self._points[name]
            if point.write_register is None:
                writable.update(self._places(point))
            elif point.write_register == place:
                return self._write_elsewhere(name, point, value)
        if not set(range(place, place + len(value))) <= writable:
            return False
        self.registers |= dict(enumerate(value, place))
        return True

    def _write_elsewhere(self, name: str, point: RegisterPoint, value: list[int]) -> bool:
        """Show a value at a point's own register that was written to its other one."""
        as_written = point.model_copy(update={"type": point.write_type or point.type})
        if len(value) != width_of(as_written):
            return False
        number = decode_point(value, as_written)
        self.put(name, number * self._factor(point) + point.offset)
        return True

    def value(self, name: str) -> float:
        """Return a point's value in its unit."""
        point = self._points[name]
        numbers = []
        for places in self._port_places(point):
            words = [self.registers[place] for place in places]
            numbers.append(decode_point(words, point))
        value = math.fsum(numbers) * self._factor(point) + point.offset
        if point.sign_bits is None:
            return value
        return turn_by_bits(value, self.registers[point.sign_bits.register_], point.sign_bits)

    def put(self, name: str, value: float) -> None:
        """Set a point in its unit; NaN: the device has no value."""
        point = self._points[name]
        ports = self._port_places(point)
        bits = point.sign_bits
        if bits is not None:
            # As firmware that reports the power without a sign.
            self._set_bit(bits.register_, bits.positive_bit, is_on=value > 0)
            if bits.negative_bit is not None:
                self._set_bit(bits.register_, bits.negative_bit, is_on=value < 0)
            value = abs(value)
        for places in ports:
            number = (value - point.offset) / self._factor(point)
            words = encode_point(number / len(ports), point)
            self.registers |= dict(zip(places, words, strict=True))
        status = point.while_bit
        if status is not None:
            self._set_bit(status.register_, status.bit, is_on=value != 0)

    def _set_bit(self, register: int, bit: int, *, is_on: bool) -> None:
        if is_on:
            self.registers[register] |= 1 << bit
        else:
            self.registers[register] &= ~(1 << bit)

    def rescale(self, exponents: Mapping[str, float]) -> None:
        """Change exponents and keep the points' values.

        A NaN exponent is "not implemented", as in a device that sleeps.
        """
        for name, exponent in exponents.items():
            address = self._exponent_address(self._points[name])
            if address is None:
                continue
            values = {}
            for sharing, point in self._points.items():
                if self._exponent_address(point) == address:
                    values[sharing] = self.value(sharing)
            self.registers[address] = encode(exponent, "int16")[0]
            for sharing, value in values.items():
                self.put(sharing, value)

    def _lay_out(self) -> None:
        """Fill the registers: identity, exponents, then the profile's simulated values."""
        chain = self.registers
        self._lay_out_models()
        identified = self.profile.identified
        rules = () if identified is None else identified.registers
        for rule in rules:
            if isinstance(rule, IdentityText):
                words = encode_text(rule.example, rule.count)
            else:
                words = encode(rule.ranges[0][0], rule.type)
            chain |= dict(enumerate(words, rule.register_))
            if rule.table is not None:
                addresses = range(rule.register_, rule.register_ + len(words))
                self.tables |= dict.fromkeys(addresses, rule.table)
        for name, point in self._points.items():
            self._lay_out_point(name, point)
        for name, point in self._points.items():
            address = self._exponent_address(point)
            if address is None:
                continue
            usual = decode([chain.get(address, 0)], "int16")
            exponent = self.profile.simulated.exponents.get(name, usual)
            chain[address] = encode(exponent, "int16")[0]
        for name, value in self.profile.simulated.values.items():
            self.put(name, value)

    def _lay_out_point(self, name: str, point: RegisterPoint) -> None:
        chain = self.registers
        addresses: list[int] = []
        for port in self._port_places(point):
            addresses += port
        status = point.sign_bits or point.while_bit
        if status is not None:
            addresses.append(status.register_)
        if point.write_register is not None:
            chain.setdefault(point.write_register, 0)
        for address in addresses:
            chain.setdefault(address, 0)
        if point.table is not None:
            self.tables |= dict.fromkeys(addresses, point.table)
        if point.codes:
            self.put(name, _first_value(point))

    def _lay_out_models(self) -> None:
        """Fill the chain of SunSpec models, marker and end included."""
        chain = self.registers
        sunspec = self.profile.sunspec
        if sunspec is None:
            return
        chain |= dict(enumerate(MARK, sunspec.base))
        address = sunspec.base + len(MARK)
        for model, length in sunspec.lengths.items():
            self._bases[model] = address
            chain |= dict.fromkeys(range(address, address + 2 + length), 0)
            chain[address] = model
            chain[address + 1] = length
            for offset, number in self.profile.simulated.registers.get(model, {}).items():
                chain[address + offset] = number
            address += 2 + length
        chain[address] = END
        chain[address + 1] = 0
        if COMMON in self._bases:
            maker = "Luna"
            model_text = f"simulated {self.profile.profile}"
            if sunspec.product is not None:
                maker = sunspec.product.maker
                model_text = f"{sunspec.product.models[0]} simulated"
            # Source for where: SunSpec model 1.
            for offset, text in ((2, maker), (18, model_text), (42, "1"), (50, "SIM-0001")):
                chain |= dict(enumerate(encode_text(text, 16), self._bases[COMMON] + offset))

    def _factor(self, point: RegisterPoint) -> float:
        address = self._exponent_address(point)
        if address is None:
            return point.scale
        power: float = 10.0 ** decode([self.registers[address]], "int16")
        return point.scale * power

    def _places(self, point: RegisterPoint) -> range:
        first = point.register_ + self._base(point)
        return range(first, first + width_of(point))

    def _port_places(self, point: RegisterPoint) -> list[range]:
        """Return the registers of a point's numbers, one range per port of its types."""
        places = self._places(point)
        ports = point.ports
        if ports is None:
            return [places]
        base = self._base(point)
        length_of_model = 2 + self.registers[base + 1]
        end = length_of_model - ports.type_register - ports.length + 1
        first_type = base + ports.type_register
        ranges = []
        for shift in range(0, end, ports.length):
            if self.registers[first_type + shift] in ports.types:
                ranges.append(range(places.start + shift, places.stop + shift))
        return ranges

    def _exponent_address(self, point: RegisterPoint) -> int | None:
        if point.exponent_register is None:
            return None
        return point.exponent_register + self._base(point)

    def _base(self, point: RegisterPoint) -> int:
        """Return the address of a point's SunSpec model, 0 without one."""
        for model in point.model:
            if model in self._bases:
                return self._bases[model]
        return 0


def make_image(profile: DeviceProfile) -> PointImage:
    """Return the image for a profile's transport."""
    if isinstance(profile.transport, ModbusTransport):
        return RegisterImage(profile, profile.transport)
    if isinstance(profile.transport, HttpTransport):
        return RequestImage(profile)
    return JsonImage(profile)
