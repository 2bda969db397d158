"""Numbers in registers of 16 bits, the most significant first unless a point says otherwise; where a device knows none it says so, which is NaN.

Source: SunSpec Device Information Model Specification, section 4.3.
"""

import math
import struct
from collections.abc import Sequence

from luna.platform.drivers.profile import NumberType, RegisterPoint

_FORMATS: dict[NumberType, str] = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f", "acc32": ">I"}
_UNKNOWN: dict[NumberType, bytes] = {
    "int16": b"\x80\x00",
    "uint16": b"\xff\xff",
    "int32": b"\x80\x00\x00\x00",
    "uint32": b"\xff\xff\xff\xff",
    "float32": b"\x7f\xc0\x00\x00",
    # A counter that has counted nothing is one that there is not.
    "acc32": b"\x00\x00\x00\x00",
}


def width(kind: NumberType) -> int:
    """Return how many registers a number takes."""
    return struct.calcsize(_FORMATS[kind]) // 2


def decode_point(registers: Sequence[int], point: RegisterPoint) -> float:
    """Return the raw number of a point, NaN where the device knows none."""
    return decode(registers if point.word_order == "big" else registers[::-1], point.type)


def encode_point(number: float, point: RegisterPoint) -> list[int]:
    """Return the registers of a point's raw number, as ``encode`` does.

    Raises:
        OverflowError: they cannot hold it.
    """
    registers = encode(number, point.type)
    return registers if point.word_order == "big" else registers[::-1]


def decode_text(registers: Sequence[int]) -> str:
    """Return a text, two letters a register, without what fills it up."""
    return b"".join(register.to_bytes(2, "big") for register in registers).split(b"\0")[0].decode("utf-8", "replace").strip()


def encode_text(text: str, count: int) -> list[int]:
    """Return the registers of a text that fits in them."""
    packed = text.encode().ljust(2 * count, b"\0")
    return [int.from_bytes(packed[first : first + 2], "big") for first in range(0, len(packed), 2)]


def decode(registers: Sequence[int], kind: NumberType) -> float:
    """Return the raw number, NaN where the device knows none."""
    packed = b"".join(register.to_bytes(2, "big") for register in registers)
    number: float = struct.unpack(_FORMATS[kind], packed)[0]
    # A float may be infinite, or one of many that are no number.
    return math.nan if packed == _UNKNOWN[kind] or not math.isfinite(number) else float(number)


def encode(number: float, kind: NumberType) -> list[int]:
    """Return the registers of a raw number, rounded where they hold whole ones; NaN: those that say that it is not known.

    Raises:
        OverflowError: they cannot hold it.
    """
    try:
        packed = _UNKNOWN[kind] if math.isnan(number) else struct.pack(_FORMATS[kind], number if kind == "float32" else round(number))
    except struct.error as exc:
        raise OverflowError(f"{number:g} does not fit in {kind}") from exc
    return [int.from_bytes(packed[first : first + 2], "big") for first in range(0, len(packed), 2)]
