"""Discover Home Assistants on the local network by multicast DNS.

One query is sent, and responses are awaited for a few seconds.

Source: RFC 6762 (one-shot queries, section 5.1), RFC 6763 (PTR, SRV and TXT of a service), RFC 1035
(messages); Home Assistant's ``zeroconf`` integration: its TXT record has location_name,
internal_url and base_url.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from luna.energy.errors import LunaError
from luna.platform import address_policy as policy
from luna.platform.address_policy import require_url_host
from services.api.pages.setup.server_access import HOME_ASSISTANT

SERVICE = "_home-assistant._tcp.local"
RESPONDERS = ("224.0.0.251", 5353)
# Responses come within a second, some after a random delay.
LOOK_SECONDS = 2.5
AFTER_FIRST_SECONDS = 0.7
MOST_SERVERS = 10
MOST_RECORDS = 200
LARGEST_PACKET = 9000
_A = 1
_PTR = 12
_TXT = 16
_SRV = 33
# Class IN with the bit that asks for a unicast response.
_CLASS = 0x8001


class HomeAssistantServer(NamedTuple):
    """A discovered Home Assistant: the name it announces, and its address."""

    name: str
    url: str


@dataclass
class _Records:
    """The records of a packet, by full name."""

    services: list[str] = field(default_factory=list)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    ports: dict[str, tuple[str, int]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)


def find_home_assistants(
    responders: tuple[str, int] = RESPONDERS, *, seconds: float = LOOK_SECONDS
) -> tuple[HomeAssistantServer, ...]:
    """Return the Home Assistants that respond.

    None where the network blocks multicast, as between containers.
    """
    servers: dict[str, HomeAssistantServer] = {}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        link.sendto(write_question(), responders)
        end = time.monotonic() + seconds
        while len(servers) < MOST_SERVERS:
            remaining = end - time.monotonic()
            if remaining <= 0:
                break
            link.settimeout(remaining)
            packet = link.recv(LARGEST_PACKET)
            # Ignore malformed and foreign packets.
            with suppress(ValueError):
                servers |= {server.url: server for server in read_servers(packet)}
            if servers:
                end = min(end, time.monotonic() + AFTER_FIRST_SECONDS)
    return tuple(sorted(servers.values()))


def write_question() -> bytes:
    """Encode the query for Home Assistants."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in SERVICE.split("."))
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + name + b"\0" + struct.pack("!2H", _PTR, _CLASS)


def read_servers(packet: bytes) -> list[HomeAssistantServer]:
    """Decode the Home Assistants of a response.

    Raises:
        ValueError: the packet is no DNS response, or is truncated.
    """
    try:
        records = _read_records(packet)
    except (struct.error, IndexError, UnicodeError) as exc:
        raise ValueError("no message of DNS, or it breaks off") from exc
    servers = []
    for name in dict.fromkeys(records.services):
        texts = records.texts.get(name, {})
        host, port = records.ports.get(name, ("", 0))
        own = f"http://{records.addresses[host]}:{port}" if host in records.addresses else ""
        url = (texts.get("internal_url") or texts.get("base_url") or own).rstrip("/")
        if HOME_ASSISTANT.is_address(url) and _may_be_reached(url):
            called = texts.get("location_name") or name.removesuffix(f".{SERVICE}")
            servers.append(HomeAssistantServer(called[:60], url))
    return servers


def _may_be_reached(url: str) -> bool:
    """Return whether an announced address may be connected to.

    Anybody in the network may announce one.
    """
    try:
        require_url_host(policy.HOME_ASSISTANT, url, field="url")
    except LunaError:
        return False
    return True


def _read_records(packet: bytes) -> _Records:
    _, flags, questions, *counts = struct.unpack_from("!6H", packet)
    if not flags & 0x8000 or sum(counts) > MOST_RECORDS or questions > MOST_RECORDS:
        raise ValueError("no answer")
    place = 12
    records = _Records()
    for _ in range(questions):
        place = _read_name(packet, place)[1] + 4
    for _ in range(sum(counts)):
        owner, place = _read_name(packet, place)
        kind, _, _, length = struct.unpack_from("!HHIH", packet, place)
        place += 10
        if kind == _PTR and owner.casefold() == SERVICE:
            records.services.append(_read_name(packet, place)[0])
        elif kind == _TXT:
            records.texts[owner] = dict(_read_texts(packet[place : place + length]))
        elif kind == _SRV:
            (port,) = struct.unpack_from("!H", packet, place + 4)
            records.ports[owner] = (_read_name(packet, place + 6)[0], port)
        elif kind == _A:
            records.addresses[owner] = socket.inet_ntoa(packet[place : place + 4].ljust(4, b"\0"))
        place += length
    return records


def _read_name(packet: bytes, place: int) -> tuple[str, int]:
    """Decode a name; return it and the offset of its end.

    A loop of compression pointers is cut off after ``MOST_RECORDS`` labels.
    """
    labels: list[str] = []
    end: int | None = None
    while (length := packet[place]) and len(labels) < MOST_RECORDS:
        if length >= 0xC0:
            end = place + 2 if end is None else end
            target = struct.unpack_from("!H", packet, place)[0] & 0x3FFF
            if target >= place:
                raise ValueError("a name that points ahead")
            place = target
            continue
        labels.append(packet[place + 1 : place + 1 + length].decode())
        place += 1 + length
    return ".".join(labels), place + 1 if end is None else end


def _read_texts(data: bytes) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(data):
        length = data[place]
        text = data[place + 1 : place + 1 + length].decode("utf-8", "replace")
        key, _, value = text.partition("=")
        yield key, value
        place += 1 + length
