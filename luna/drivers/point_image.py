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
        self.points = {
            name: point.at_unit(unit)
            for name, point in profile.points.items()
            if isinstance(point, JsonPoint)
        }
        self._values = {name: _first_value(point) for name, point in self.points.items()}
        self._values |= profile.simulated.values

    def value(self, name: str) -> float:
        """Return a point's value in its unit."""
        return self._values[name]

    def put(self, name: str, value: float) -> None:
        """Set a point in its unit; NaN: the device has no value."""
        self._values[name] = value

    def write(self, place: str, value: Any) -> bool:
        """Apply a document, or the text of a point with ``write_body``, sent to a topic.

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
    """Return what a point has at first: 0, or its first code."""
    return next(iter(point.codes.values()), 0.0)


class RequestImage(JsonImage):
    """Points in JSON documents that requests of HTTP write."""

    def __init__(self, profile: DeviceProfile) -> None:
        super().__init__(profile)
        self._requests = {
            name: _match_request(self.points[name])
            for name in self._written
            if self.points[name].write_to is not None
        }

    def write(self, place: str, value: str) -> bool:
        """Apply a request: its method and path, and its body.

        Return whether it writes a point.
        """
        for name, (written_place, written_body) in self._requests.items():
            in_place = written_place.fullmatch(place)
            in_body = written_body.fullmatch(value)
            if in_place is None or in_body is None:
                continue
            text = (in_place.groupdict() | in_body.groupdict())["value"]
            self._replace(name)
            self._values[name] = _read_text(self.points[name], text)
            return True
        return False

    def _replace(self, name: str) -> None:
        """Set to 0 what the device keeps at the same place: it has one value for them."""
        written = self.points[name]
        for other in self._requests:
            point = self.points[other]
            if (point.at, point.field_) == (written.at, written.field_):
                self._values[other] = 0.0


def _read_text(point: JsonPoint, text: str) -> float:
    """Return what a text that was written to a point stands for."""
    codes = point.written_codes
    return codes[text] if codes else float(text) * point.scale


def _read_body(point: JsonPoint, text: Any) -> float:
    """Return what a message of MQTT writes to a point, NaN where it is for another."""
    match = _match_text(point, point.write_body or "").fullmatch(str(text))
    return math.nan if match is None else _read_text(point, match["value"])


def _match_text(point: JsonPoint, template: str) -> re.Pattern[str]:
    """Return the pattern of a path or body, with the text that it carries as ``value``."""
    value = r"(?P<value>-?\d+(?:\.\d+)?)"
    if point.written_codes:
        value = f"(?P<value>{'|'.join(map(re.escape, point.written_codes))})"
    return re.compile(re.escape(template).replace(re.escape(VALUE_PART), value, 1))


def _match_request(point: JsonPoint) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns of the method with the path, and of the body, that write a point."""
    place = f"{point.write_method} {point.write_to}"
    return _match_text(point, place), _match_text(point, point.write_body or "")


class RegisterImage:
    """Points in registers by address."""

    def __init__(self, profile: DeviceProfile, transport: ModbusTransport) -> None:
        self.profile = profile
        self.transport = transport
        self._points = {
            name: point
            for name, point in profile.points.items()
            if isinstance(point, RegisterPoint)
        }
        self._bases = dict[int, int]()
        self.registers = dict[int, int]()
        # Tables of the registers that are not in the transport's default one.
        self.tables = dict[int, RegisterTable]()
        self._lay_out()

    def serves(self, address: int, table: RegisterTable) -> bool:
        """Return whether a register exists in a table."""
        return address in self.registers and self.tables.get(address, self.transport.table) == table

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
        """Show at its own register what was written to a point's other one."""
        as_written = point.model_copy(update={"type": point.write_type or point.type})
        if len(value) != width_of(as_written):
            return False
        self.put(name, decode_point(value, as_written) * self._factor(point) + point.offset)
        return True

    def value(self, name: str) -> float:
        """Return a point's value in its unit."""
        point = self._points[name]
        port_places = self._port_places(point)
        numbers = [[self.registers[place] for place in places] for places in port_places]
        value = math.fsum(decode_point(number, point) for number in numbers) * self._factor(point)
        value += point.offset
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
            sign_mask = 1 << bits.positive_bit
            sign = (value > 0) << bits.positive_bit
            if bits.negative_bit is not None:
                sign_mask |= 1 << bits.negative_bit
                sign |= (value < 0) << bits.negative_bit
            others = self.registers[bits.register_] & ~sign_mask
            self.registers[bits.register_] = others | sign
            value = abs(value)
        for places in ports:
            number = (value - point.offset) / self._factor(point)
            words = encode_point(number / len(ports), point)
            self.registers |= dict(zip(places, words, strict=True))
        status = point.while_bit
        if status is not None:
            others = self.registers[status.register_] & ~(1 << status.bit)
            self.registers[status.register_] = others | (value != 0) << status.bit

    def rescale(self, exponents: Mapping[str, float]) -> None:
        """Change exponents and keep the points' values.

        A NaN exponent is "not implemented", as in a device that sleeps.
        """
        for name, exponent in exponents.items():
            address = self._exponent_address(self._points[name])
            sharing = [
                other
                for other, point in self._points.items()
                if self._exponent_address(point) == address
            ]
            values = {other: self.value(other) for other in sharing}
            if address is not None:
                self.registers[address] = encode(exponent, "int16")[0]
            for other, value in values.items():
                self.put(other, value)

    def _lay_out(self) -> None:
        """Fill the registers: identity, exponents, then the profile's simulated values."""
        chain = self.registers
        self._lay_out_models()
        identified = self.profile.identified
        for rule in () if identified is None else identified.registers:
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
        places = [place for port in self._port_places(point) for place in port]
        status = point.sign_bits or point.while_bit
        if status is not None:
            places.append(status.register_)
        if point.write_register is not None:
            chain.setdefault(point.write_register, 0)
        chain |= {place: chain.get(place, 0) for place in places}
        if point.table is not None:
            self.tables |= dict.fromkeys(places, point.table)
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
        """Return the registers of a point's numbers, one span per port of the wanted types."""
        places = self._places(point)
        ports = point.ports
        if ports is None:
            return [places]
        base = self._base(point)
        length_of_model = 2 + self.registers[base + 1]
        end = length_of_model - ports.type_register - ports.length + 1
        types_from = base + ports.type_register
        shifts = range(0, end, ports.length)
        matching_shifts = [
            shift for shift in shifts if self.registers[types_from + shift] in ports.types
        ]
        return [range(places.start + shift, places.stop + shift) for shift in matching_shifts]

    def _exponent_address(self, point: RegisterPoint) -> int | None:
        if point.exponent_register is None:
            return None
        return point.exponent_register + self._base(point)

    def _base(self, point: RegisterPoint) -> int:
        return next((self._bases[model] for model in point.model if model in self._bases), 0)


def make_image(profile: DeviceProfile) -> PointImage:
    """Return the image for a profile's transport."""
    if isinstance(profile.transport, ModbusTransport):
        return RegisterImage(profile, profile.transport)
    if isinstance(profile.transport, HttpTransport):
        return RequestImage(profile)
    return JsonImage(profile)
