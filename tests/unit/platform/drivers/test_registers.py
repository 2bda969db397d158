"""Numbers in registers: what is none is unknown, however a device says so."""

import math

import pytest

from luna.platform.drivers.registers import decode


@pytest.mark.parametrize(
    "registers",
    [[0x7FC0, 0x0000], [0xFFC0, 0x0000], [0x7F80, 0x0001], [0xFFFF, 0xFFFF], [0x7F80, 0x0000], [0xFF80, 0x0000]],
    ids=["SunSpec", "below zero", "signalling", "all ones", "infinite", "infinite below zero"],
)
def test_a_float_that_is_no_number_is_unknown(registers: list[int]) -> None:
    assert math.isnan(decode(registers, "float32"))
