"""Finds devices at addresses that their owner names, by asking them what they are; nothing is written, and to a broker nothing is published."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from ipaddress import ip_address
from typing import NamedTuple

from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.drivers.announcements import Announcements, listen_for_services
from luna.platform.drivers.device_secrets import DeviceSecret
from luna.platform.drivers.inverter import reach
from luna.platform.drivers.mqtt_search import list_announced
from luna.platform.drivers.networks import list_home_hosts
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


class NetworkSearch(NamedTuple):
    """What came of asking a network, by address; ``missing_extra``: what is not installed, with which more may be found."""

    devices: list[FoundDevice]
    missing_extra: str | None


def search_network(
    network: str,
    profiles: Sequence[DeviceProfile],
    *,
    port: int | None = None,
    secret: DeviceSecret | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> NetworkSearch:
    """Return the devices of a network that answer as a profile says they do; nothing is written to any of them.

    Args:
        network: as ``list_home_hosts`` takes it.
        profiles: of what is looked for.
        port: at which each address is asked; None: at those of the profiles, and where devices announce themselves.
        secret: what the one device or broker that is named wants to be shown, over HTTP or MQTT.
        progress: takes how many addresses of how many were asked.

    Raises:
        InvalidInputError: no network of a home; a secret, and more than one address.
        UnavailableError: the broker does not let in who shows this secret.
    """
    hosts = list_home_hosts(network)
    if secret is not None and len(hosts) > 1:
        raise refuse("network-secret-place", field="secret", value=network)
    devices = list[FoundDevice]()
    with listen_for_services(hosts) if port is None else nullcontext(Announcements()) as announcements:
        # One part of it after the other, so that whoever waits sees how far it is, and can stop it.
        for first in range(0, len(hosts), AT_ONCE):
            progress(first, len(hosts))
            devices += find_devices(hosts[first : first + AT_ONCE], profiles, port=port, secret=secret)
        candidates = _list_known(profiles)
        # Devices at announced ports that are the profiles' were asked.
        for service in announcements.wait():
            if service.port not in {profile.transport.port for profile in candidates}:
                fitting = [profile for profile in candidates if profile.transport.kind == service.kind]
                devices += _ask_port(service.host, service.port, fitting, secret)
    progress(len(hosts), len(hosts))
    return NetworkSearch(sorted(devices, key=lambda each: (ip_address(each.host).packed, each.port)), announcements.missing_extra)


def find_devices(
    hosts: Iterable[str], profiles: Iterable[DeviceProfile], *, port: int | None = None, secret: DeviceSecret | None = None
) -> Iterator[FoundDevice]:
    """Yield the devices that answer as one of the profiles says they do, as they are found."""
    candidates = _list_known(profiles)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for devices in pool.map(lambda host: _ask(host, candidates, port, secret), hosts):
            yield from devices


def _list_known(profiles: Iterable[DeviceProfile]) -> list[DeviceProfile]:
    # Modbus before the others, of which its devices understand nothing. There what is known by its own registers, then a product's own profile, before those
    # that any SunSpec device fits.
    return sorted((profile for profile in profiles if profile.sunspec or profile.identified), key=_generality)


def _ask(host: str, profiles: Iterable[DeviceProfile], port: int | None, secret: DeviceSecret | None) -> list[FoundDevice]:
    """Return what answers at an address, by port and number on the bus; where nobody answers at one, nobody else is asked for there."""
    ports = {number for number in {port or profile.transport.port for profile in profiles} if _listens(host, number)}
    at_ports = {number: [profile for profile in profiles if (port or profile.transport.port) == number] for number in ports}
    return [device for number, several in at_ports.items() for device in _ask_port(host, number, several, secret)]


def _ask_port(host: str, port: int, profiles: list[DeviceProfile], secret: DeviceSecret | None) -> list[FoundDevice]:
    settled = dict[tuple[str, int | None], FoundDevice | None]()
    for profile in profiles:
        if isinstance(profile.transport, MqttTransport):
            continue
        for unit in profile.units or (None,):
            place = (profile.transport.kind, unit)
            # At one port somebody speaks one language.
            if place in settled or any(found is not None and found.profile.transport.kind != profile.transport.kind for found in settled.values()):
                continue
            with closing(reach(profile, Via(profile=profile.profile, host=host, port=port, unit=unit), secret=secret)) as device:
                try:
                    settled[place] = FoundDevice(host, port, unit, device.identify(), profile)
                except LunaError as error:
                    if error.reason == "device-silent":
                        settled[place] = None
    # A device that says its serial number may answer at several numbers on the bus: it counts at the first.
    found_once = dict[object, FoundDevice]()
    for each in filter(None, settled.values()):
        serial = each.identity.serial if each.identity is not None else ""
        found_once.setdefault((each.profile.profile, serial) if serial else each.unit, each)
    if found_once:
        return list(found_once.values())
    announced = list_announced(host, port, [profile for profile in profiles if isinstance(profile.transport, MqttTransport)], secret=secret)
    return [FoundDevice(host, port, None, each.identity, each.profile, each.prefix) for each in announced]


def _generality(profile: DeviceProfile) -> tuple[bool, bool, bool]:
    return not profile.units, profile.identified is None, profile.sunspec is None or profile.sunspec.product is None


def _listens(host: str, port: int) -> bool:
    """Return whether anybody does: nearly all addresses of a network are nobody's."""
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return False
    return True
