"""Encodes and decodes numbers and texts in 16-bit Modbus registers.

A device's "not implemented" value is NaN.

The most significant register comes first unless the point says otherwise. Source: SunSpec Device
Information Model Specification, section 4.3.
"""

import math
import struct
from collections.abc import Sequence

from luna.drivers.profile_part import NumberType
from luna.drivers.profile_points import RegisterPoint, SignBits

_FORMATS: dict[NumberType, str] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
    "acc32": ">I",
}
_UNKNOWN: dict[NumberType, bytes] = {
    "int16": b"\x80\x00",
    "uint16": b"\xff\xff",
    "int32": b"\x80\x00\x00\x00",
    "uint32": b"\xff\xff\xff\xff",
    "uint64": b"\xff\xff\xff\xff\xff\xff\xff\xff",
    "float32": b"\x7f\xc0\x00\x00",
    "float64": b"\x7f\xf8\x00\x00\x00\x00\x00\x00",
    # SunSpec: an accumulator at 0 is not implemented.
    "acc32": b"\x00\x00\x00\x00",
}
# The largest single-precision number is 3.4028e38; -3.4e38 is what some inverters report without a
# battery.
_LARGEST_FLOAT = 3.39e38


def width(kind: NumberType) -> int:
    """Return the number of registers of a number."""
    return struct.calcsize(_FORMATS[kind]) // 2


def width_of(point: RegisterPoint) -> int:
    """Return the number of registers of a point."""
    return (point.count or 1) if point.type == "text" else width(point.type)


def decode_point(
    registers: Sequence[int], point: RegisterPoint, invalid: Sequence[float] = ()
) -> float:
    """Return a point's raw number, before scale and exponent, NaN where the device has no value.

    A text, or a number with codes, is what its code stands for.

    ``invalid`` are further numbers that mean no value: bits without a sign, or the number itself.
    """
    if point.type == "text":
        return point.codes.get(decode_text(registers), math.nan)
    number = _decode_number(registers, point, point.type, invalid)
    if not point.codes:
        return number
    return point.codes.get(f"{number:g}", math.nan)


def _decode_number(
    registers: Sequence[int], point: RegisterPoint, kind: NumberType, invalid: Sequence[float]
) -> float:
    ordered = registers if point.word_order == "big" else registers[::-1]
    number = decode(ordered, kind)
    if not invalid:
        return number
    bits = int.from_bytes(b"".join(register.to_bytes(2, "big") for register in ordered), "big")
    for code in invalid:
        if kind in {"float32", "float64"}:
            is_same = math.isclose(number, code, rel_tol=1e-6)
        else:
            is_same = code in (number, bits)
        if is_same:
            return math.nan
    return number


def turn_by_bits(value: float, status: int, bits: SignBits, *, noise: float = 0.0) -> float:
    """Return a power with the sign of its status register, NaN where they contradict.

    Below ``noise`` a minus is no contradiction.
    """
    is_positive = bool(status >> bits.positive_bit & 1)
    if bits.negative_bit is None:
        return abs(value) if is_positive else -abs(value)
    is_negative = bool(status >> bits.negative_bit & 1)
    if is_positive and is_negative:
        return math.nan
    if is_negative:
        return -abs(value)
    if is_positive and value < -noise:
        return math.nan
    return value


def encode_point(
    number: float, point: RegisterPoint, *, written_as: NumberType | None = None
) -> list[int]:
    """Return the registers of a point's raw number, rounded as ``encode`` does.

    A text, or a number with codes, is the first code that stands for it. ``written_as`` is the
    type of the register that takes it, where that is another.

    Raises:
        OverflowError: the number is out of the type's range, or no code stands for it.
    """
    if point.codes and not math.isnan(number):
        code = point.code_of(number)
        if code is None:
            raise OverflowError(f"no code stands for {number:g}")
        if point.type == "text":
            return encode_text(code, width_of(point))
        number = float(code)
    if point.type == "text":
        return encode_text("", width_of(point))
    registers = encode(number, written_as or point.type)
    return registers if point.word_order == "big" else registers[::-1]


def decode_text(registers: Sequence[int]) -> str:
    """Return the text in registers up to the first NUL, without surrounding spaces.

    Each register holds two bytes.
    """
    return (
        b"".join(register.to_bytes(2, "big") for register in registers)
        .split(b"\0")[0]
        .decode("utf-8", "replace")
        .strip()
    )


def encode_text(text: str, count: int) -> list[int]:
    """Return ``count`` registers with a text that fits, padded with NUL."""
    packed = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(packed[first : first + 2], "big") for first in range(0, len(packed), 2)]


def decode(registers: Sequence[int], kind: NumberType) -> float:
    """Return the raw number of registers in big-endian order, NaN where the device has no value."""
    packed = struct.pack(f">{len(registers)}H", *registers)
    number: float = struct.unpack(_FORMATS[kind], packed)[0]
    # NaN, infinity and the largest numbers of a float are no measurement; some makers mean "no
    # value" by the latter.
    is_unknown = (
        packed == _UNKNOWN[kind] or not math.isfinite(number) or abs(number) >= _LARGEST_FLOAT
    )
    return math.nan if is_unknown else float(number)


def encode(number: float, kind: NumberType) -> list[int]:
    """Return the registers of a raw number, rounded for integer types.

    NaN becomes the "not implemented" value.

    Raises:
        OverflowError: the number is out of the type's range.
    """
    try:
        if math.isnan(number):
            packed = _UNKNOWN[kind]
        else:
            is_float = kind in {"float32", "float64"}
            packed = struct.pack(_FORMATS[kind], number if is_float else round(number))
    except struct.error as exc:
        raise OverflowError(f"{number:g} does not fit in {kind}") from exc
    return [int.from_bytes(packed[first : first + 2], "big") for first in range(0, len(packed), 2)]
