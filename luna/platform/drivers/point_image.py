"""What a simulated device serves, as its transport lays points out."""

from typing import Any, Protocol

from luna.platform.drivers.profile import DeviceProfile, RegisterPoint, RegisterTable
from luna.platform.drivers.registers import decode, decode_point, encode, encode_point, width
from luna.platform.drivers.sunspec import COMMON, END, MARK

# What a simulated device says it is; Source for where: SunSpec model 1.
_IDENTITY = {2: "Luna", 18: "simulated {profile}", 42: "1", 50: "SIM-0001"}


class PointImage(Protocol):
    """Points as they are now."""

    def value(self, name: str) -> float:
        """Return a point in its unit."""

    def put(self, name: str, value: float) -> None:
        """Have a point say this, in its unit; NaN: that the device knows none."""

    def write(self, place: Any, value: Any) -> bool:
        """Take a value in as the transport names place and value, and return whether it may be written."""


class RegisterImage:
    """Points in registers by their addresses."""

    def __init__(self, profile: DeviceProfile) -> None:
        self.profile = profile
        self._bases = dict[int, int]()
        self.registers = dict[int, int]()
        # Of registers that are not in the transport's table.
        self.tables = dict[int, RegisterTable]()
        self._lay_out()

    def serves(self, address: int, table: RegisterTable) -> bool:
        """Return whether a register is read in this table."""
        return address in self.registers and self.tables.get(address, self.profile.transport.table) == table

    def write(self, place: int, value: list[int]) -> bool:
        """Take registers in from an address on and return whether they may be written."""
        writable = {address for name in self.profile.written_points for address in self._places(self.profile.points[name])}
        if not set(range(place, place + len(value))) <= writable:
            return False
        self.registers |= dict(enumerate(value, place))
        return True

    def value(self, name: str) -> float:
        """Return a point in its unit."""
        point = self.profile.points[name]
        return decode_point([self.registers[place] for place in self._places(point)], point) * self._factor(point)

    def put(self, name: str, value: float) -> None:
        """Have a point say this, in its unit; NaN: that the device knows none."""
        point = self.profile.points[name]
        self.registers |= dict(zip(self._places(point), encode_point(value / self._factor(point), point), strict=True))
        if (status := point.while_bit) is not None:
            others = self.registers[status.register_] & ~(1 << status.bit)
            self.registers[status.register_] = others | (value != 0) << status.bit

    def _lay_out(self) -> None:
        """Fill the registers: the chain of models with its ends, the exponents, then what the profile says they hold."""
        chain = self.registers
        if (sunspec := self.profile.sunspec) is not None:
            chain |= dict(enumerate(MARK, sunspec.base))
            address = sunspec.base + len(MARK)
            for model, length in sunspec.lengths.items():
                self._bases[model] = address
                chain |= dict.fromkeys(range(address, address + 2 + length), 0) | {address: model, address + 1: length}
                address += 2 + length
            chain |= {address: END, address + 1: 0}
            if COMMON in self._bases:
                for offset, text in _IDENTITY.items():
                    packed = text.format(profile=self.profile.profile).encode().ljust(32, b"\0")
                    words = [int.from_bytes(packed[first : first + 2], "big") for first in range(0, 32, 2)]
                    chain |= dict(enumerate(words, self._bases[COMMON] + offset))
        for point in self.profile.points.values():
            places = [*self._places(point), *([] if point.while_bit is None else [point.while_bit.register_])]
            chain |= {place: chain.get(place, 0) for place in places}
            if point.table is not None:
                self.tables |= dict.fromkeys(places, point.table)
        for name, point in self.profile.points.items():
            if (place := self._exponent_address(point)) is not None:
                chain[place] = encode(self.profile.simulated.exponents.get(name, decode([chain.get(place, 0)], "int16")), "int16")[0]
        for name, value in self.profile.simulated.values.items():
            self.put(name, value)

    def _factor(self, point: RegisterPoint) -> float:
        address = self._exponent_address(point)
        return point.scale * (1.0 if address is None else 10.0 ** decode([self.registers[address]], "int16"))

    def _places(self, point: RegisterPoint) -> range:
        first = point.register_ + self._base(point)
        return range(first, first + width(point.type))

    def _exponent_address(self, point: RegisterPoint) -> int | None:
        return None if point.exponent_register is None else point.exponent_register + self._base(point)

    def _base(self, point: RegisterPoint) -> int:
        return next((self._bases[model] for model in point.model if model in self._bases), 0)
