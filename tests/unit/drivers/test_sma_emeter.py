"""Datagrams of SMA's meters, and what is none."""

import struct

import pytest

from luna.drivers.sma_emeter import encode_datagram, parse_datagram

# By the table of SMA's technical information: the head, SUSy-ID 270, serial 1900194282.
HEAD = bytes.fromhex("534d4100000402a000000001024400106069010e7142a9eaaf2a4e1c")
# 1.4.0 with 12,345 tenths of a watt, 1.8.0 with 3,600,000,000 watt-seconds, the firmware, the end.
NUMBERS = (
    bytes.fromhex("00010400")
    + struct.pack(">I", 12345)
    + bytes.fromhex("00010800")
    + struct.pack(">Q", 3_600_000_000)
)
FIRMWARE = bytes.fromhex("9000000001020452")


def build_datagram() -> bytes:
    """Return a datagram as the table lays it out."""
    data = HEAD[16:] + NUMBERS + FIRMWARE
    return HEAD[:12] + struct.pack(">H", len(data)) + HEAD[14:16] + data + bytes(4)


def test_a_datagram_is_read_as_the_maker_lays_it_out() -> None:
    assert parse_datagram(build_datagram()) == {
        "serial": "1900194282",
        "model": "Energy Meter 1.0",
        "obis_1_4_0": 12345,
        "obis_1_8_0": 3_600_000_000,
    }


def test_what_is_encoded_is_read_back() -> None:
    document = parse_datagram(build_datagram())
    assert parse_datagram(encode_datagram(document, milliseconds=2**40)) == document


def test_half_a_datagram_or_another_protocol_is_refused() -> None:
    whole = build_datagram()
    # All but the end mark is needed.
    cut = [whole[:length] for length in range(len(whole) - 4)]
    another = [
        whole.replace(b"SMA\0", b"SMB\0"),
        # As inverters send.
        whole.replace(b"\x60\x69", b"\x60\x65"),
        whole[:12] + b"\xff\xff" + whole[14:],
        b"\xff" * 600,
        whole.replace(bytes.fromhex("00010400"), bytes.fromhex("00010900")),
    ]
    for datagram in (*cut, *another):
        with pytest.raises(ValueError, match=r"incomplete|protocol"):
            parse_datagram(datagram)
