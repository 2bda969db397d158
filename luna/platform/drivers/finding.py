"""Finds devices at addresses that their owner names, by asking them what they are; nothing is written."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
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
    known = [profile for profile in profiles if profile.sunspec is not None]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda host: _ask(host, known, port), hosts):
            if found is not None:
                yield found


def _ask(host: str, profiles: Iterable[DeviceProfile], port: int | None) -> FoundDevice | None:
    ports = [(profile, port or profile.transport.port) for profile in profiles]
    open_ports = {number for number in {number for _, number in ports} if _listens(host, number)}
    for profile, number in ports:
        if number in open_ports:
            with closing(reach(profile, Via(profile=profile.profile, host=host, port=number))) as device, suppress(LunaError):
                return FoundDevice(host, number, device.identify(), profile)
    return None


def _listens(host: str, port: int) -> bool:
    """Return whether anybody does: nearly all addresses of a network are nobody's."""
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return False
    return True
