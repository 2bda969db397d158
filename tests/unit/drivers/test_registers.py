"""Numbers in registers: what is none is unknown, however a device says so."""

import math
from pathlib import Path

import pytest

from luna.drivers.profile_points import RegisterPoint
from luna.drivers.profiles import load_profile
from luna.drivers.registers import decode, decode_point


@pytest.mark.parametrize(
    "registers",
    [
        [0x7FC0, 0x0000],
        [0xFFC0, 0x0000],
        [0x7F80, 0x0001],
        [0xFFFF, 0xFFFF],
        [0x7F80, 0x0000],
        [0xFF80, 0x0000],
        [0x7F7F, 0xFFFF],
        [0xFF7F, 0xFFFF],
        [0xFF7F, 0xC99E],
    ],
    ids=[
        "SunSpec",
        "below zero",
        "signalling",
        "all ones",
        "infinite",
        "infinite below zero",
        "largest",
        "lowest",
        "-3.4e38",
    ],
)
def test_a_float_that_is_no_number_is_unknown(registers: list[int]) -> None:
    assert math.isnan(decode(registers, "float32"))


@pytest.mark.parametrize(
    ("type_", "word_order", "registers", "code"),
    [
        ("int32", "big", [0x7FFF, 0xFFFF], 0x7FFFFFFF),
        ("int32", "little", [0xFFFF, 0x7FFF], 0x7FFFFFFF),
        ("int32", "big", [0x8000, 0x0001], 0x80000001),
        ("int16", "big", [0x7FFF], 0x7FFF),
        ("int16", "big", [0x8001], -32767),
        ("uint16", "big", [0xFFFE], 0xFFFE),
        ("uint32", "big", [0x00FF, 0xFFFD], 0xFFFFFD),
        ("float32", "big", [0xC61C, 0x3C00], -9999.0),
    ],
)
def test_a_code_is_compared_before_scale_as_bits_or_as_the_number(
    type_: str, word_order: str, registers: list[int], code: float
) -> None:
    point = RegisterPoint.model_validate(
        {"register": 0, "type": type_, "word_order": word_order, "scale": 0.1}
    )
    assert math.isnan(decode_point(registers, point, [code]))
    assert math.isfinite(decode_point(registers, point, [code - 1]))


def test_each_state_of_an_abb_terra_is_known_also_while_another_limits_it() -> None:
    point = load_profile("abb_terra_ac", Path("/nonexistent")).points["state"]
    assert isinstance(point, RegisterPoint)
    # Its states 0 to 5 stand in the upper byte; its highest bit says that another limits it.
    expected = [0, 1, 1, 1, 2, 1]
    for limited in (0, 0x80):
        states = [decode_point([(limited | state) << 8], point) for state in range(6)]
        assert states == expected
