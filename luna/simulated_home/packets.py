"""Encoding and decoding of MQTT 5 packets, as far as Luna's own clients need them.

Source: OASIS, MQTT Version 5.0; docstrings and comments give section numbers.
"""

import asyncio
import struct
from dataclasses import dataclass

from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

VERSION = 5
LONGEST_BYTES = 1 << 18
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

    def properties(self, kind: int) -> Properties:
        """Read the properties of a packet of this kind."""
        properties = Properties(kind)  # type: ignore[no-untyped-call]
        try:
            _, length = properties.unpack(self.rest)  # type: ignore[no-untyped-call]
        except (MQTTException, LookupError, ValueError, struct.error) as exc:
            raise ProtocolError("its properties cannot be read") from exc
        self.take(length)
        return properties

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
    length: bytes = VariableByteIntegers.encode(len(body))  # type: ignore[no-untyped-call]
    return bytes([kind << 4 | flags]) + length + body


def read_connect(body: bytes) -> Connect:
    """Decode a CONNECT; will, user name and password are ignored. 3.1."""
    cursor = _Cursor(body)
    name = cursor.text()
    version = cursor.number(1)
    if name != "MQTT" or version != VERSION:
        raise ProtocolError("another version of MQTT than 5")
    cursor.number(1)
    keepalive = cursor.number(2)
    properties = cursor.properties(PacketTypes.CONNECT)
    most = getattr(properties, "ReceiveMaximum", _MOST_UNDER_WAY)
    return Connect(cursor.text(), keepalive, most)


def read_publish(packet: Packet) -> Publication:
    """Decode a PUBLISH. 3.3."""
    cursor = _Cursor(packet.body)
    qos = packet.flags >> 1 & 3
    if qos > 1:
        raise ProtocolError("QoS 2 is not offered")
    topic = cursor.text()
    number = cursor.number(2) if qos else 0
    cursor.properties(PacketTypes.PUBLISH)
    return Publication(topic, cursor.rest, qos, bool(packet.flags & 1), number)


def write_publish(message: Publication) -> bytes:
    """Encode a PUBLISH. 3.3."""
    topic = message.topic.encode()
    number = message.number.to_bytes(2, "big") if message.qos else b""
    return write_packet(
        PacketTypes.PUBLISH,
        len(topic).to_bytes(2, "big") + topic + number + b"\0" + message.payload,
        flags=message.qos << 1 | message.retain,
    )


def read_subscribe(body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """Decode a SUBSCRIBE: packet identifier, and each topic filter with its options. 3.8."""
    cursor = _Cursor(body)
    number = cursor.number(2)
    filters = []
    cursor.properties(PacketTypes.SUBSCRIBE)
    while cursor.rest:
        filters.append((cursor.text(), cursor.number(1)))
    return number, filters


def read_unsubscribe(body: bytes) -> tuple[int, list[str]]:
    """Decode an UNSUBSCRIBE: packet identifier and topic filters. 3.10."""
    cursor = _Cursor(body)
    number = cursor.number(2)
    filters = []
    cursor.properties(PacketTypes.UNSUBSCRIBE)
    while cursor.rest:
        filters.append(cursor.text())
    return number, filters


def read_number(body: bytes) -> int:
    """Decode a PUBACK: the acknowledged packet identifier. 3.4."""
    return _Cursor(body).number(2)
