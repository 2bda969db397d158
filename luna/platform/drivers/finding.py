"""Finds devices at addresses that their owner names, by asking them what they are; nothing is written, and to a broker nothing is published."""

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.platform.drivers.inverter import reach
from luna.platform.drivers.mqtt_search import list_announced
from luna.platform.drivers.points import DeviceIdentity
from luna.platform.drivers.profile import DeviceProfile, MqttTransport

# A device in a home's network answers within a blink.
PATIENCE_S = 1.0
AT_ONCE = 64


class FoundDevice(NamedTuple):
    """A device that answered: where, what it says it is, and the profile that fits.

    ``unit`` is its number on the bus, None where there is no bus; ``prefix`` how its topics begin at the broker that is its host.
    """

    host: str
    port: int
    unit: int | None
    identity: DeviceIdentity | None
    profile: DeviceProfile
    prefix: str | None = None


def find_devices(hosts: Iterable[str], profiles: Iterable[DeviceProfile], *, port: int | None = None) -> Iterator[FoundDevice]:
    """Yield the devices that answer as one of the profiles says they do, as they are found."""
    # Modbus before the others, of which its devices understand nothing. There what is known by its own registers, then a product's own profile, before those
    # that any SunSpec device fits.
    known = sorted((profile for profile in profiles if profile.sunspec or profile.identified), key=_generality)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda host: _ask(host, known, port), hosts):
            yield from found


def _ask(host: str, profiles: Iterable[DeviceProfile], port: int | None) -> list[FoundDevice]:
    """Return what answers at an address, by port and number on the bus; where nobody answers at one, nobody else is asked for there."""
    ports = {number for number in {port or profile.transport.port for profile in profiles} if _listens(host, number)}
    at_ports = {number: [profile for profile in profiles if (port or profile.transport.port) == number] for number in ports}
    return [found for number, several in at_ports.items() for found in _ask_port(host, number, several)]


def _ask_port(host: str, port: int, profiles: list[DeviceProfile]) -> list[FoundDevice]:
    settled = dict[tuple[str, int | None], FoundDevice | None]()
    for profile in profiles:
        if isinstance(profile.transport, MqttTransport):
            continue
        for unit in profile.units or (None,):
            place = (profile.transport.kind, unit)
            # At one port somebody speaks one language.
            if place in settled or any(found is not None and found.profile.transport.kind != profile.transport.kind for found in settled.values()):
                continue
            with closing(reach(profile, Via(profile=profile.profile, host=host, port=port, unit=unit))) as device:
                try:
                    settled[place] = FoundDevice(host, port, unit, device.identify(), profile)
                except LunaError as error:
                    if error.reason == "device-silent":
                        settled[place] = None
    if found := _once_each(each for each in settled.values() if each is not None):
        return found
    announced = list_announced(host, port, [profile for profile in profiles if isinstance(profile.transport, MqttTransport)])
    return [FoundDevice(host, port, None, each.identity, each.profile, each.prefix) for each in announced]


def _once_each(found: Iterable[FoundDevice]) -> list[FoundDevice]:
    """Return each device at the first of its numbers on the bus: one that says its serial number may answer at several."""
    devices = dict[object, FoundDevice]()
    for each in found:
        serial = each.identity.serial if each.identity is not None else ""
        devices.setdefault((each.profile.profile, serial) if serial else each.unit, each)
    return list(devices.values())


def _generality(profile: DeviceProfile) -> tuple[bool, bool, bool]:
    return not profile.units, profile.identified is None, profile.sunspec is None or profile.sunspec.product is None


def _listens(host: str, port: int) -> bool:
    """Return whether anybody does: nearly all addresses of a network are nobody's."""
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return False
    return True
