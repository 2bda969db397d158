"""Messages of German meters: numbers by OBIS code, and what is no message."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.drivers.sml import crc16_kermit, crc16_x25, encode_sml, parse_sml

SERVER = "0a01454d480000bc614e"
# A list with one value, as BSI TR-03109-1 lays it out: transaction, group, abort, then the list's
# client, server, name, time, values, signature and gateway time.
ENTRY = bytes.fromhex("77070100100700ff0101621b52ff55fffffe0c01")
LIST = bytes.fromhex("77010b" + SERVER + "010171") + ENTRY + bytes.fromhex("0101")
MESSAGE = bytes.fromhex("7602016200620072630701") + LIST + bytes.fromhex("63000000")
BEGIN = bytes.fromhex("1b1b1b1b01010101")


def wrap(content: bytes, *, kermit: bool = False) -> bytes:
    """Return a file of the transport protocol."""
    padding = -len(content) % 4
    covered = BEGIN + content + bytes(padding) + bytes.fromhex("1b1b1b1b1a") + bytes((padding,))
    crc = crc16_kermit(covered) if kermit else crc16_x25(covered)
    return covered + crc.to_bytes(2, "little")


def test_the_crcs_are_those_of_the_standards() -> None:
    # Check values of CRC-16/X-25 and CRC-16/KERMIT.
    assert crc16_x25(b"123456789") == 0x906E
    assert crc16_kermit(b"123456789") == 0x2189


@pytest.mark.parametrize("kermit", [False, True], ids=["X-25", "Kermit"])
def test_a_message_is_read_as_the_standard_lays_it_out(kermit: bool) -> None:
    # 0xFFFFFE0C is -500, in tenths of a watt.
    expected = {"server": SERVER, "obis_16_7_0": -50.0}
    assert parse_sml(wrap(MESSAGE, kermit=kermit)) == expected


def test_the_last_whole_message_counts_whatever_stands_around_it() -> None:
    first = encode_sml({"server": SERVER, "obis_16_7_0": 1.0})
    second = encode_sml({"server": SERVER, "obis_16_7_0": 2.0})
    content = b"\x0a\x07header" + first + second + second[:40]
    assert parse_sml(content)["obis_16_7_0"] == 2.0


@given(
    st.dictionaries(
        st.sampled_from([f"obis_{code}" for code in ("1_8_0", "2_8_0", "16_7_0", "36_7_0")]),
        st.integers(-(2**40), 2**40),
    )
)
def test_what_is_encoded_is_read_back(tenths: dict[str, int]) -> None:
    document = {"server": SERVER} | {name: number / 10 for name, number in tenths.items()}
    assert parse_sml(encode_sml(document)) == document


def test_bytes_like_the_escape_are_read_back() -> None:
    document = {"server": "1b1b1b1b1b1b1b1b01", "obis_1_8_0": 0x1B1B1B1B / 10}
    assert parse_sml(encode_sml(document)) == document


@pytest.mark.parametrize("length", range(0, len(wrap(MESSAGE)), 3))
def test_half_a_message_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"message|CRC|end"):
        parse_sml(wrap(MESSAGE)[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"power": 5}',
        b"\xff" * 5000,
        wrap(MESSAGE).replace(b"\x55\xff\xff\xfe\x0c", b"\x55\xff\xff\xfe\x0d"),
        wrap(b"\x7f" * 400),
        wrap(b"\xff" * 400),
        wrap(b"\x71" * 400),
        wrap(MESSAGE.replace(bytes.fromhex("630701"), bytes.fromhex("630101"))),
        wrap(MESSAGE.replace(ENTRY, bytes.fromhex("7101"))),
    ],
    ids=[
        "nothing",
        "JSON",
        "ones",
        "another CRC",
        "endless lists",
        "lengths",
        "nested",
        "no list",
        "no value",
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_sml(content)


@given(st.binary(max_size=300))
def test_what_is_wrapped_at_random_is_no_message(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_sml(wrap(content))


@pytest.mark.parametrize("scaler", ["52ff", "5209"])
def test_an_integer_that_no_meter_sends_is_refused(scaler: str) -> None:
    # 140 bytes, which no float holds.
    number = bytes.fromhex("d80e") + b"\x7f" * 140
    entry = ENTRY.replace(bytes.fromhex("52ff55fffffe0c"), bytes.fromhex(scaler) + number)
    with pytest.raises(ValueError, match="no known type"):
        parse_sml(wrap(MESSAGE.replace(ENTRY, entry)))


def test_a_megabyte_of_beginnings_is_refused_at_once() -> None:
    content = BEGIN * 100_000 + bytes.fromhex("1b1b1b1b1a000000")
    begun = time.process_time()
    with pytest.raises(ValueError, match=r"another CRC|no end|no message"):
        parse_sml(content)
    assert time.process_time() - begun < 1
