"""Finds devices at addresses that their owner names, by asking them what they are; nothing is written."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.drivers.inverter import reach
from luna.platform.drivers.points import DeviceIdentity
from luna.platform.drivers.profile import DeviceProfile

# A home's network has 254 addresses; a device in it answers within a blink.
MOST_ADDRESSES = 1024
PATIENCE_S = 1.0
AT_ONCE = 64


class FoundDevice(NamedTuple):
    """A device that answered: where, what it says it is, and the profile that fits; None: Luna has none for it."""

    host: str
    port: int
    unit: int
    identity: DeviceIdentity | None
    profile: DeviceProfile | None


def list_hosts(network: str) -> list[str]:
    """Return the addresses of ``192.168.1.0/24``, or a single name or address as it is.

    Raises:
        InvalidInputError: no such network, or one of too many addresses.
    """
    if "/" not in network:
        return [network]
    try:
        parsed = ipaddress.ip_network(network, strict=False)
    except ValueError as exc:
        raise refuse("network-unreadable", field="network", value=network) from exc
    if parsed.num_addresses > MOST_ADDRESSES + 2:
        raise refuse("network-too-large", field="network", value=network, most=MOST_ADDRESSES)
    return [str(host) for host in parsed.hosts()]


def find_devices(hosts: Iterable[str], profiles: Iterable[DeviceProfile], *, port: int | None = None) -> Iterator[FoundDevice]:
    """Yield the devices that answer as one of the profiles says they do, as they are found."""
    # What is known by its own registers, then a product's own profile, before those that any SunSpec device fits.
    known = sorted((profile for profile in profiles if profile.sunspec or profile.identified), key=_generality)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda host: _ask(host, known, port), hosts):
            yield from found


def _ask(host: str, profiles: Iterable[DeviceProfile], port: int | None) -> list[FoundDevice]:
    """Return what answers at an address, by port and number on the bus; where nobody answers at one, nobody else is asked for there."""
    places = [(profile, port or profile.transport.port, unit) for profile in profiles for unit in profile.units]
    open_ports = {number for number in {number for _, number, _ in places} if _listens(host, number)}
    settled = dict[tuple[str, int, int], FoundDevice | None]()
    for profile, number, unit in places:
        place = (profile.transport.kind, number, unit)
        if number not in open_ports or place in settled:
            continue
        with closing(reach(profile, Via(profile=profile.profile, host=host, port=number, unit=unit))) as device:
            try:
                settled[place] = FoundDevice(host, number, unit, device.identify(), profile)
            except LunaError as error:
                if error.reason == "device-silent":
                    settled[place] = None
    return [found for found in settled.values() if found is not None]


def _generality(profile: DeviceProfile) -> tuple[bool, bool]:
    return profile.identified is None, profile.sunspec is None or profile.sunspec.product is None


def _listens(host: str, port: int) -> bool:
    """Return whether anybody does: nearly all addresses of a network are nobody's."""
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return False
    return True
