"""Read the datagrams of SMA's energy meters, which they send to all of their network.

Source: SMA, EMETER protocol, technical information 1.0. Nothing is sent.
"""

import re
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

from luna.drivers.transports import MulticastTransport
from luna.platform.address_policy import DEVICE, reachable_addresses

_MAGIC = b"SMA\0"
# Length 4 and tag 0x02A0, group 1, then the length of what follows and tag 0x0010.
_HEAD = struct.Struct(">4sHHIHH")
_TAG_GROUP = (4, 0x02A0, 1)
_TAG_DATA = 0x0010
# Protocol, SUSy-ID, serial number, milliseconds.
_SENDER = struct.Struct(">HHII")
_PROTOCOL = 0x6069
# Channel, index, kind, tariff.
_CODE = struct.Struct(">BBBB")
_POWER = 4
_COUNTER = 8
_FORMATS = {_POWER: struct.Struct(">I"), _COUNTER: struct.Struct(">Q")}
# Channel of the firmware's version, which has four bytes.
_VERSION_CHANNEL = 144
_VERSION_BYTES = 4
# By SUSy-ID; others are named by their number.
MODELS: Mapping[int, str] = {
    270: "Energy Meter 1.0",
    349: "Energy Meter 2.0",
    372: "Sunny Home Manager 2.0",
}
_OTHER_MODEL = "SUSy-ID {number}"
MOST_BYTES = 2048
_OBIS = re.compile(r"obis_(\d{1,3})_(4|8)_(\d{1,3})")


def name_document(serial: object) -> str:
    """Return the place in a profile of the datagrams of a meter."""
    return f"emeter/{serial}"


def parse_datagram(datagram: bytes) -> dict[str, Any]:
    """Return a datagram's numbers by OBIS code, such as ``obis_1_4_0``, and who sent it.

    Powers are tenths of a watt, counters watt-seconds.

    Raises:
        ValueError: it is of another protocol, or incomplete.
    """
    try:
        magic, length_1, tag_1, group, length, tag_2 = _HEAD.unpack_from(datagram)
        end = _HEAD.size + length
        if magic != _MAGIC or (length_1, tag_1, group) != _TAG_GROUP or tag_2 != _TAG_DATA:
            raise ValueError("another protocol")
        if end > len(datagram):
            raise ValueError("incomplete")
        protocol, susy_id, serial, _ = _SENDER.unpack_from(datagram, _HEAD.size)
        if protocol != _PROTOCOL:
            raise ValueError("another protocol")
        document: dict[str, Any] = {
            "serial": str(serial),
            "model": MODELS.get(susy_id, _OTHER_MODEL.format(number=susy_id)),
        }
        place = _HEAD.size + _SENDER.size
        while place + _CODE.size <= end:
            channel, index, kind, tariff = _CODE.unpack_from(datagram, place)
            place += _CODE.size
            if channel == _VERSION_CHANNEL:
                place += _VERSION_BYTES
                continue
            number_format = _FORMATS.get(kind)
            if number_format is None or place + number_format.size > end:
                raise ValueError("incomplete")
            [document[f"obis_{index}_{kind}_{tariff}"]] = number_format.unpack_from(datagram, place)
            place += number_format.size
    except struct.error as exc:
        raise ValueError("incomplete") from exc
    return document


def encode_datagram(document: Mapping[str, Any], *, milliseconds: int) -> bytes:
    """Return the datagram of a document, the inverse of ``parse_datagram``."""
    susy_id = next((key for key, name in MODELS.items() if name == document["model"]), 0)
    data = _SENDER.pack(_PROTOCOL, susy_id, int(document["serial"]), milliseconds & 0xFFFFFFFF)
    for name, value in document.items():
        code = _OBIS.fullmatch(name)
        if code is None or value is None:
            continue
        index, kind, tariff = map(int, code.groups())
        number_format = _FORMATS[kind]
        most = 256**number_format.size - 1
        data += _CODE.pack(0, index, kind, tariff)
        data += number_format.pack(min(max(round(value), 0), most))
    data += _CODE.pack(_VERSION_CHANNEL, 0, 0, 0) + bytes((2, 3, 4, ord("R")))
    return _HEAD.pack(_MAGIC, *_TAG_GROUP, len(data), _TAG_DATA) + data + bytes(4)


def join_group(transport: MulticastTransport, port: int, interface: str) -> socket.socket:
    """Return a socket that receives the group's datagrams at an address of this machine.

    Raises:
        OSError: this machine or its network has no multicast.
    """
    with ExitStack() as opened:
        link = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        # Several processes, and other programs, listen at once.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link.bind((transport.group, port))
        membership = socket.inet_aton(transport.group) + socket.inet_aton(interface)
        link.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        opened.pop_all()
    return link


class MulticastSource:
    """The datagrams of all of SMA's meters in the network of a host."""

    def __init__(self, host: str, port: int, transport: MulticastTransport) -> None:
        self.place = f"{host}:{port}"
        # Other devices of SMA send other protocols to the same group.
        self.dropped = 0
        self._host = host
        self._port = port
        self._transport = transport
        self._link: socket.socket | None = None

    def open(self) -> None:
        # SMA's group is one of IPv4.
        addresses = reachable_addresses(DEVICE, self._host, self._port)
        address = min(addresses, key=lambda text: ":" in text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            # Sends nothing: it tells by which of this machine's addresses the host is reached.
            route.connect((address, self._port))
            interface = route.getsockname()[0]
        self._link = join_group(self._transport, self._port, interface)

    def receive(self, wait_s: float) -> Mapping[str, Any]:
        if self._link is None:
            raise OSError("not open")
        self._link.settimeout(wait_s)
        try:
            datagram = self._link.recv(MOST_BYTES)
        except TimeoutError:
            return {}
        try:
            document = parse_datagram(datagram)
        except ValueError:
            return {}
        return {name_document(document["serial"]): document}

    def close(self) -> None:
        link = self._link
        self._link = None
        if link is not None:
            link.close()


class SendingMeter(NamedTuple):
    """A meter that sent a datagram: its address and the datagram's document."""

    host: str
    document: Mapping[str, Any]


def take_waiting(link: socket.socket) -> Iterator[SendingMeter]:
    """Yield the datagrams of meters that a socket has received and nobody has read."""
    link.settimeout(0)
    with suppress(BlockingIOError):
        while True:
            datagram, (host, _) = link.recvfrom(MOST_BYTES)
            with suppress(ValueError):
                yield SendingMeter(host, parse_datagram(datagram))
