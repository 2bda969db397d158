"""Telegrams of P1 ports as meters of several countries send them, and what is none."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from luna.drivers.p1 import MOST_BYTES, TelegramBuffer, crc16, parse_telegram, read_key
from luna.energy.errors import InvalidInputError

DUTCH = """\
/ISK5\\2M550T-1012

1-3:0.2.8(50)
0-0:1.0.0(261130120102W)
0-0:96.1.1(4530303433303036)
1-0:1.8.1(004426.001*kWh)
1-0:1.8.2(002399.500*kWh)
1-0:2.8.1(002444.000*kWh)
1-0:2.8.2(000000.250*kWh)
0-0:96.14.0(0002)
1-0:1.7.0(00.244*kW)
1-0:2.7.0(00.000*kW)
1-0:99.97.0(0)(0-0:96.7.19)
1-0:32.7.0(230.0*V)
1-0:31.7.0(002*A)
1-0:21.7.0(00.344*kW)
1-0:22.7.0(00.000*kW)
1-0:41.7.0(00.000*kW)
1-0:42.7.0(00.100*kW)
0-1:24.1.0(003)
0-1:96.1.0(4730303339303031)
0-1:24.2.1(261130120000W)(16713.790*m3)
!"""
# With the capacity of the month, and the mean power of the quarter-hour.
BELGIAN = """\
/FLU5\\253769484_A

0-0:96.1.4(50217)
0-0:96.1.1(3153414733313031303231363035)
0-0:1.0.0(261130135409W)
1-0:1.8.1(000000.034*kWh)
1-0:1.8.2(000015.758*kWh)
1-0:2.8.1(000000.000*kWh)
1-0:2.8.2(000000.011*kWh)
1-0:1.4.0(02.351*kW)
1-0:1.6.0(261109134558W)(02.589*kW)
0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(261101000000W)(261101000000W)(06.134*kW)
0-0:96.14.0(0001)
1-0:1.7.0(00.000*kW)
1-0:2.7.0(01.034*kW)
0-1:24.2.3(261130134558W)(00112.384*m3)
!"""
# One counter, and no number of the meter.
SWEDISH = """\
/ELL5\\253833635_A

0-0:1.0.0(261130121523W)
1-0:1.8.0(00006678.394*kWh)
1-0:2.8.0(00000000.000*kWh)
1-0:3.8.0(00000021.988*kvarh)
1-0:1.7.0(0001.727*kW)
1-0:2.7.0(0000.000*kW)
1-0:21.7.0(0000.525*kW)
1-0:41.7.0(0000.607*kW)
1-0:61.7.0(0000.595*kW)
!"""
# A total beside its tariffs, as in Luxembourg and Hungary.
TOTAL_AND_TARIFFS = """\
/Lux5\\253663629_D

1-3:0.2.8(42)
1-0:1.8.0(001545.380*kWh)
1-0:1.8.1(000698.806*kWh)
1-0:1.8.2(000846.574*kWh)
1-0:2.8.0(000017.190*kWh)
1-0:1.7.0(00.300*kW)
1-0:2.7.0(00.000*kW)
!"""
IN_WATTS = """\
/KAM5

1-0:1.8.0(6678394*Wh)
1-0:2.8.0(0*Wh)
1-0:1.7.0(1727*W)
1-0:2.7.0(0*W)
!"""


def close_telegram(text: str) -> bytes:
    """Return a telegram with its CRC."""
    body = text.replace("\n", "\r\n").encode()
    return body + f"{crc16(body):04X}\r\n".encode()


def test_the_crc_is_that_of_the_standard() -> None:
    # Check value of CRC-16/ARC, which DSMR describes.
    assert crc16(b"123456789") == 0xBB3D


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (
            DUTCH,
            {
                "obis_1_8_0": 6825.501,
                "obis_2_8_0": 2444.25,
                "obis_1_7_0": 0.244,
                "obis_21_7_0": 0.344,
                "obis_42_7_0": 0.1,
                "serial": "E0043006",
                "meter": "ISK5\\2M550T-1012",
            },
        ),
        (
            BELGIAN,
            {"obis_1_8_0": 15.792, "obis_2_7_0": 1.034, "serial": "1SAG3101021605"},
        ),
        (SWEDISH, {"obis_1_8_0": 6678.394, "obis_61_7_0": 0.595, "serial": ""}),
        (TOTAL_AND_TARIFFS, {"obis_1_8_0": 1545.38, "obis_2_8_0": 17.19}),
        (IN_WATTS, {"obis_1_8_0": 6678.394, "obis_1_7_0": 1.727}),
    ],
    ids=["Dutch", "Belgian", "Swedish", "total and tariffs", "in watts"],
)
def test_telegrams_of_several_countries_are_read(text: str, numbers: dict[str, object]) -> None:
    document = parse_telegram(close_telegram(text))
    assert {name: document[name] for name in numbers} == pytest.approx(numbers)
    # Nothing of the gas meter behind it.
    assert not [name for name in document if name.startswith("obis_24")]


@pytest.mark.parametrize(
    "telegram",
    [
        b"",
        b"!0000\r\n",
        DUTCH.replace("\n", "\r\n").encode() + b"\r\n",
        close_telegram(DUTCH).replace(b"00.244", b"90.244"),
        close_telegram(DUTCH)[200:],
        b"\x00\xff" * 500,
    ],
    ids=["nothing", "no head", "no CRC", "another CRC", "half", "garbage"],
)
def test_what_is_no_whole_telegram_is_refused(telegram: bytes) -> None:
    with pytest.raises(ValueError, match=r"telegram|CRC"):
        parse_telegram(telegram)


def test_telegrams_are_found_wherever_the_stream_is_cut() -> None:
    whole = close_telegram(DUTCH)
    stream = whole[300:] + whole + whole[:100] + close_telegram(SWEDISH)
    for length in (1, 7, 1000, len(stream)):
        buffer = TelegramBuffer()
        pieces = [stream[first : first + length] for first in range(0, len(stream), length)]
        documents = list(filter(None, map(buffer.feed, pieces)))
        # The first is half; of what comes at once the last counts.
        assert documents[-1]["obis_1_8_0"] == 6678.394
        assert buffer.dropped == 1


def test_an_endless_stream_is_dropped() -> None:
    buffer = TelegramBuffer()
    for _ in range(3 * MOST_BYTES // 1000):
        assert buffer.feed(b"/" + b"x" * 999) is None
        assert len(buffer._rest) <= MOST_BYTES + 1000
    assert buffer.dropped == 2
    assert buffer.feed(close_telegram(DUTCH)) is not None


KEY = "000102030405060708090A0B0C0D0E0F"


def encrypt(telegram: bytes, counter: int) -> bytes:
    """Return a frame as Luxmetering's paper describes it; its tag is cut to twelve bytes."""
    title = b"SAGgp\x00\x00\x01"
    nonce = title + counter.to_bytes(4)
    authenticated = bytes.fromhex("30" + "00112233445566778899AABBCCDDEEFF")
    sealed = AESGCM(bytes.fromhex(KEY)).encrypt(nonce, telegram, authenticated)[:-4]
    body = b"\x30" + counter.to_bytes(4) + sealed
    return b"\xdb\x08" + title + b"\x82" + len(body).to_bytes(2) + body


def test_an_encrypted_telegram_is_read_with_its_meter_s_key_alone() -> None:
    telegram = close_telegram(TOTAL_AND_TARIFFS)
    # A frame begins within another, and one has a byte of noise.
    garbled = bytearray(encrypt(telegram, 2))
    garbled[40] ^= 1
    stream = b"noise\xdb\x08" + encrypt(telegram, 1)[:50] + encrypt(telegram, 1) + bytes(garbled)
    stream += encrypt(telegram, 3)
    for size in (1, 7, len(stream)):
        buffer = TelegramBuffer(read_key(KEY))
        pieces = (stream[begin : begin + size] for begin in range(0, len(stream), size))
        found = [document for piece in pieces if (document := buffer.feed(piece)) is not None]
        assert found[-1] == parse_telegram(telegram)
        assert buffer.dropped > 0
    other = TelegramBuffer(read_key("f" * 32))
    assert other.feed(encrypt(telegram, 1)) is None
    assert other.dropped == 1
    with pytest.raises(InvalidInputError) as refused:
        read_key("00112233")
    assert refused.value.reason == "device-key-malformed"
