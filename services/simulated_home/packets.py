"""Encoding and decoding of MQTT 5 packets, as far as Luna's own clients need them.

Source: OASIS, MQTT Version 5.0; docstrings and comments give section numbers.
"""

import asyncio
from dataclasses import dataclass

CONNECT = 1
CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBSCRIBE = 8
SUBACK = 9
UNSUBSCRIBE = 10
UNSUBACK = 11
PINGREQ = 12
PINGRESP = 13
DISCONNECT = 14
VERSION = 5
LONGEST_BYTES = 1 << 18
# 2.2.2.2: length of a property's value in bytes; "text": length-prefixed, "pair": two of them,
# "number": a variable byte integer.
_PROPERTY = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), "text"),
    0x0B: "number",
    0x26: "pair",
}
_RECEIVE_MAXIMUM = 0x21
_MOST_UNDER_WAY = 65_535


class ProtocolError(Exception):
    """A malformed or unsupported packet."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A control packet: kind, flags (four bits), and all after the fixed header."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """A client's CONNECT.

    ``under_way``: its receive maximum, the number of messages that may be unacknowledged.
    """

    client: str
    keepalive_seconds: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Publication:
    """A published message; ``number``: packet identifier, 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    number: int = 0


class _Cursor:
    """Sequential reader of a packet's body."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.place = 0

    def take(self, count: int) -> bytes:
        if self.place + count > len(self.body):
            raise ProtocolError("the packet is cut off")
        self.place += count
        return self.body[self.place - count : self.place]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def text(self) -> str:
        try:
            return self.take(self.number(2)).decode()
        except UnicodeDecodeError as exc:
            raise ProtocolError("no UTF-8") from exc

    def length(self) -> int:
        value = 0
        for place in range(4):
            byte = self.number(1)
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise ProtocolError("no length")

    def properties(self) -> dict[int, int]:
        """Read all properties and return those of fixed length."""
        end = self.length() + self.place
        numbers: dict[int, int] = {}
        while self.place < end:
            name = self.length()
            form = _PROPERTY.get(name)
            if isinstance(form, int):
                numbers[name] = self.number(form)
            elif form == "number":
                self.length()
            elif form in {"text", "pair"}:
                for _ in range(2 if form == "pair" else 1):
                    self.take(self.number(2))
            else:
                raise ProtocolError(f"no such property: {name}")
        return numbers

    @property
    def rest(self) -> bytes:
        return self.body[self.place :]


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    """Return the next packet.

    Raises:
        ProtocolError: it is malformed, or too long.
        IncompleteReadError: the connection has ended.
    """
    first = (await reader.readexactly(1))[0]
    length = 0
    for place in range(4):
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    else:
        raise ProtocolError("no length")
    if length > LONGEST_BYTES:
        raise ProtocolError("the packet is too long")
    return Packet(first >> 4, first & 0x0F, await reader.readexactly(length))


def write_packet(kind: int, body: bytes = b"", *, flags: int = 0) -> bytes:
    """Return a packet's bytes."""
    length = bytearray([len(body) & 0x7F])
    rest = len(body) >> 7
    while rest:
        length[-1] |= 0x80
        length.append(rest & 0x7F)
        rest >>= 7
    return bytes([kind << 4 | flags]) + bytes(length) + body


def read_connect(body: bytes) -> Connect:
    """Decode a CONNECT; will, user name and password are ignored. 3.1."""
    cursor = _Cursor(body)
    name = cursor.text()
    version = cursor.number(1)
    if name != "MQTT" or version != VERSION:
        raise ProtocolError("another version of MQTT than 5")
    cursor.number(1)
    keepalive = cursor.number(2)
    properties = cursor.properties()
    return Connect(cursor.text(), keepalive, properties.get(_RECEIVE_MAXIMUM, _MOST_UNDER_WAY))


def read_publish(packet: Packet) -> Publication:
    """Decode a PUBLISH. 3.3."""
    cursor = _Cursor(packet.body)
    qos = packet.flags >> 1 & 3
    if qos > 1:
        raise ProtocolError("QoS 2 is not offered")
    topic = cursor.text()
    number = cursor.number(2) if qos else 0
    cursor.properties()
    return Publication(topic, cursor.rest, qos, bool(packet.flags & 1), number)


def write_publish(message: Publication) -> bytes:
    """Encode a PUBLISH. 3.3."""
    topic = message.topic.encode()
    number = message.number.to_bytes(2, "big") if message.qos else b""
    return write_packet(
        PUBLISH,
        len(topic).to_bytes(2, "big") + topic + number + b"\0" + message.payload,
        flags=message.qos << 1 | message.retain,
    )


def read_subscribe(body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """Decode a SUBSCRIBE: packet identifier, and each topic filter with its options. 3.8."""
    cursor = _Cursor(body)
    number = cursor.number(2)
    filters = []
    cursor.properties()
    while cursor.rest:
        filters.append((cursor.text(), cursor.number(1)))
    return number, filters


def read_unsubscribe(body: bytes) -> tuple[int, list[str]]:
    """Decode an UNSUBSCRIBE: packet identifier and topic filters. 3.10."""
    cursor = _Cursor(body)
    number = cursor.number(2)
    filters = []
    cursor.properties()
    while cursor.rest:
        filters.append(cursor.text())
    return number, filters


def read_number(body: bytes) -> int:
    """Decode a PUBACK: the acknowledged packet identifier. 3.4."""
    return _Cursor(body).number(2)
