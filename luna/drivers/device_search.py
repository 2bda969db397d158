"""Find devices in a network that the owner names, by reading their identity.

Nothing is written to a device or published to a broker.
"""

import re
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.document_formats import read_as
from luna.drivers.mqtt_points import TLS_PORT
from luna.drivers.networks import list_home_hosts, list_own_addresses
from luna.drivers.ocpp_points import choose_profile, identify, list_charge_points
from luna.drivers.points import DeviceIdentity
from luna.drivers.product_identity import IdentityField
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import PREFIX_PART
from luna.drivers.profiled_device import reach
from luna.drivers.sma_emeter import join_group, name_document, take_waiting
from luna.drivers.transports import (
    HttpTransport,
    ModbusTransport,
    MqttTransport,
    MulticastTransport,
    P1Transport,
)
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.addresses import Broker
from luna.platform.extras import MDNS, require_extra

if TYPE_CHECKING:
    import paho.mqtt.client as paho
    from zeroconf import ServiceStateChange, Zeroconf

# A device in a home network answers far sooner.
PATIENCE_S = 1.0
AT_ONCE = 64
# A product's identity is read before the owner names one of several parts of it.
_UNNAMED = "unnamed"


class FoundDevice(NamedTuple):
    """A device that answered.

    Attributes:
        host: its address, the broker's, or the name by which a charge point connects to Luna.
        port: None of a charge point that connects to Luna.
        unit: its number on the bus, None without a bus.
        profile: the one that fits its identity.
        prefix: its topic prefix at the broker.
    """

    host: str
    port: int | None
    unit: int | None
    identity: DeviceIdentity | None
    profile: DeviceProfile
    prefix: str | None = None


class NetworkSearch(NamedTuple):
    """The devices found, by address.

    ``missing_extra`` names an extra that is not installed and would find more, None where there is
    none.
    """

    devices: list[FoundDevice]
    missing_extra: str | None


def search_network(
    network: str,
    profiles: Sequence[DeviceProfile],
    *,
    port: int | None = None,
    secret: DeviceSecret | None = None,
    data_folder: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> NetworkSearch:
    """Return the devices of a network whose identity fits a profile.

    With them the charge points that are connected to Luna, wherever they are.

    Nothing is written to any of them.

    Args:
        network: as for ``list_home_hosts``.
        profiles: of the products to look for.
        port: to try at each address; None: the profiles' ports, and those that devices announce.
        secret: credentials of the one named device or broker, over HTTP or MQTT.
        data_folder: whose process charge points connect to; None: they are not looked for.
        progress: takes the number of addresses tried, and of all.

    Raises:
        InvalidInputError: it is no home network, or there is a secret for more than one address.
        UnavailableError: the broker refuses the credentials.
    """
    hosts = list_home_hosts(network)
    if secret is not None and len(hosts) > 1:
        raise refuse("network-secret-place", field="secret", value=network)
    listening: AbstractContextManager[Announcements] = nullcontext(Announcements())
    if port is None:
        listening = listen_for_services(hosts)
    devices: list[FoundDevice] = []
    with listening as announcements, listen_for_datagrams(hosts, profiles, port) as datagrams:
        # In batches, so that a caller can show the progress and stop the search.
        for first in range(0, len(hosts), AT_ONCE):
            progress(first, len(hosts))
            batch = hosts[first : first + AT_ONCE]
            devices += find_devices(batch, profiles, port=port, secret=secret)
        candidates = _list_identifiable(profiles)
        own_ports = {profile.port for profile in candidates}
        for service in announcements.wait():
            # The profiles' own ports were tried above.
            if service.port in own_ports:
                continue
            fitting = [profile for profile in candidates if profile.transport.kind == service.kind]
            devices += _ask_port(service.host, service.port, fitting, secret)
        # A meter that only sends takes no credentials, and does not answer at a port.
        is_answered = port is not None and {device.host for device in devices}.issuperset(hosts)
        if secret is None and not is_answered:
            devices += datagrams.wait()
    progress(len(hosts), len(hosts))
    devices.sort(key=lambda device: (ip_address(device.host).packed, device.port or 0))
    if data_folder is not None:
        devices += find_charge_points(data_folder, profiles)
    return NetworkSearch(devices, announcements.missing_extra)


def find_charge_points(
    data_folder: Path, profiles: Iterable[DeviceProfile]
) -> Iterator[FoundDevice]:
    """Yield the charge points that are connected to Luna; this accepts none of them."""
    candidates = list(profiles)
    for charge_point in list_charge_points(data_folder):
        if not charge_point.connected:
            continue
        profile = choose_profile(candidates, charge_point)
        if profile is not None:
            identity = identify(profile, charge_point)
            yield FoundDevice(charge_point.identity, None, None, identity, profile)


def find_devices(
    hosts: Iterable[str],
    profiles: Iterable[DeviceProfile],
    *,
    port: int | None = None,
    secret: DeviceSecret | None = None,
) -> Iterator[FoundDevice]:
    """Yield the devices whose identity fits one of the profiles, as they are found."""
    candidates = _list_identifiable(profiles)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ask = partial(_ask, profiles=candidates, port=port, secret=secret)
        for devices in pool.map(ask, hosts):
            yield from devices


def _list_identifiable(profiles: Iterable[DeviceProfile]) -> list[DeviceProfile]:
    """Return the profiles whose devices can be identified, in the order to try them."""
    identifiable = []
    for profile in profiles:
        has_identity = profile.sunspec is not None or profile.identified is not None
        if has_identity and answers_at_port(profile):
            identifiable.append(profile)
    return sorted(identifiable, key=_generality)


def _protocol(profile: DeviceProfile) -> str:
    """Return what is spoken at a port: of one port it is the same for all."""
    transport = profile.transport
    is_encrypted = isinstance(transport, HttpTransport) and transport.pinned
    return "https" if is_encrypted else transport.kind


def _generality(profile: DeviceProfile) -> tuple[bool, bool, bool, bool]:
    # Modbus first, since its devices understand nothing else. Within it the most specific profile
    # first: known by its own registers, then a SunSpec product, then any SunSpec device.
    return (
        not profile.units,
        profile.identified is None,
        profile.sunspec is None or profile.sunspec.product is None,
        _protocol(profile) == "https",
    )


def answers_at_port(profile: DeviceProfile) -> bool:
    """Return whether devices of a profile are found by connecting to their port."""
    match profile.transport:
        case ModbusTransport() | HttpTransport() | MqttTransport():
            return True
        case P1Transport() as transport:
            return transport.kind == "p1_tcp"
    return False


def _ask(
    host: str, profiles: Iterable[DeviceProfile], port: int | None, secret: DeviceSecret | None
) -> list[FoundDevice]:
    """Return an address's devices: the first fitting profile per open port and bus number."""
    ports = {port or profile.port for profile in profiles}
    open_ports = {number for number in ports if number is not None and _listens(host, number)}
    devices: list[FoundDevice] = []
    for number in open_ports:
        fitting = [profile for profile in profiles if (port or profile.port) == number]
        devices += _ask_port(host, number, fitting, secret)
    return devices


def _ask_port(
    host: str, port: int, profiles: list[DeviceProfile], secret: DeviceSecret | None
) -> list[FoundDevice]:
    """Return the devices at an open port."""
    devices: list[FoundDevice] = []
    # Kind of transport and number on the bus of devices, and of silence.
    settled: set[tuple[str, int | None]] = set()
    is_understood = False
    for profile in profiles:
        kind = _protocol(profile)
        if isinstance(profile.transport, MqttTransport | P1Transport):
            continue
        prefix = _UNNAMED if profile.needs_prefix else None
        for unit in profile.units or (None,):
            # One port has one protocol.
            has_other_protocol = any(_protocol(found.profile) != kind for found in devices)
            if has_other_protocol or (kind, unit) in settled:
                continue
            via = Via(profile=profile.profile, host=host, port=port, unit=unit, prefix=prefix)
            with closing(reach(profile, via, secret=secret)) as device:
                try:
                    identity = device.identify()
                except LunaError as error:
                    if error.reason == "device-silent":
                        settled.add((kind, unit))
                    else:
                        is_understood = True
                    continue
            settled.add((kind, unit))
            devices.append(FoundDevice(host, port, unit, identity, profile))
    # Another product is no broker: its protocol is known by now.
    if devices or is_understood:
        return _drop_repeated(devices)
    over_mqtt = [profile for profile in profiles if isinstance(profile.transport, MqttTransport)]
    announced = list_announced(host, port, over_mqtt, secret=secret)
    if announced is not None:
        return [
            FoundDevice(host, port, None, device.identity, device.profile, device.prefix)
            for device in announced
        ]
    # Last: a port that sends nothing has to be listened to for as long as a slow meter may take.
    return _listen_at_port(host, port, profiles)


def _drop_repeated(devices: Iterable[FoundDevice]) -> list[FoundDevice]:
    """Return each device once, at the first number that answers.

    A device may answer at several numbers on the bus; it is known by its serial number.
    """
    found_once: dict[object, FoundDevice] = {}
    for device in devices:
        serial = device.identity.serial if device.identity is not None else ""
        key = (device.profile.profile, serial) if serial else device.unit
        found_once.setdefault(key, device)
    return list(found_once.values())


def _listen_at_port(host: str, port: int, profiles: Iterable[DeviceProfile]) -> list[FoundDevice]:
    """Return the meter that sends telegrams at a port, if there is one."""
    for profile in profiles:
        if not isinstance(profile.transport, P1Transport):
            continue
        via = Via(profile=profile.profile, host=host, port=port)
        with closing(reach(profile, via)) as device, suppress(LunaError):
            return [FoundDevice(host, port, None, device.identify(), profile)]
    return []


def _listens(host: str, port: int) -> bool:
    """Return whether a TCP connection succeeds."""
    # Nearly all addresses of a network are unused: this is the quickest way to pass them.
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return False
    return True


# Services answer within a second (RFC 6762); then their addresses are resolved.
LISTENS_S = 2.0
RESOLVES_MS = 1500
# However many there are.
MOST_LISTENS_S = 10.0
# Announced service → kind of transport. Source: IANA's service names, and what devices use; Shelly
# announces both of its own.
_KINDS = {
    "_modbus._tcp.local.": "modbus_tcp",
    "_http._tcp.local.": "http",
    "_shelly._tcp.local.": "http",
    "_mqtt._tcp.local.": "mqtt",
    "_secure-mqtt._tcp.local.": "mqtt",
}


class AnnouncedService(NamedTuple):
    """A service announced by multicast DNS, by kind of transport."""

    kind: str
    host: str
    port: int


@dataclass(slots=True)
class Announcements:
    """Services announced so far.

    ``missing_extra`` names the extra without which there is no listening.
    """

    missing_extra: str | None = None
    listens_until: float = 0.0
    services: set[AnnouncedService] = field(default_factory=set)

    def hear(self) -> None:
        """Listen on for as long as resolving a service takes."""
        # Others may be waiting for their turn.
        self.listens_until = max(self.listens_until, time.monotonic() + RESOLVES_MS / 1000)

    def wait(self) -> list[AnnouncedService]:
        """Return the services once the time to answer has passed."""
        latest = time.monotonic() + MOST_LISTENS_S
        # Meanwhile the time may be extended by ``hear``.
        while True:
            left_s = min(self.listens_until, latest) - time.monotonic()
            if left_s <= 0:
                return sorted(self.services)
            time.sleep(left_s)


@contextmanager
def listen_for_services(hosts: Collection[str]) -> Iterator[Announcements]:
    """Yield the services that ``hosts`` announce by multicast DNS while the block runs.

    Empty where this machine is in none of the hosts' networks, or lacks the extra.
    """
    own_addresses = list_own_addresses(hosts)
    if not own_addresses:
        yield Announcements()
        return
    try:
        require_extra(MDNS)
    except LunaError:
        yield Announcements(missing_extra=MDNS.name)
        return
    from zeroconf import IPVersion, ServiceBrowser, Zeroconf

    announcements = Announcements()
    try:
        zeroconf = Zeroconf(interfaces=own_addresses, ip_version=IPVersion.V4Only)
    except OSError:
        # A network without multicast.
        yield announcements
        return

    def on_change(
        zeroconf: "Zeroconf", service_type: str, name: str, state_change: "ServiceStateChange"
    ) -> None:
        if state_change.name != "Added":
            return
        announcements.hear()
        info = zeroconf.get_service_info(service_type, name, timeout=RESOLVES_MS)
        if info is None or not info.port:
            return
        for host in info.parsed_addresses():
            if host in hosts:
                announcements.services.add(AnnouncedService(_KINDS[service_type], host, info.port))

    try:
        ServiceBrowser(zeroconf, list(_KINDS), handlers=[on_change])
        announcements.listens_until = time.monotonic() + LISTENS_S
        yield announcements
    finally:
        zeroconf.close()


@dataclass(slots=True)
class DatagramListeners:
    """Sockets that receive the datagrams of meters.

    Attributes:
        hosts: whose datagrams count.
        sockets: each with the profile and port that it listens for.
        listens_until: seconds of the monotonic clock.
    """

    hosts: Collection[str]
    sockets: list[tuple[socket.socket, DeviceProfile, int]] = field(default_factory=list)
    listens_until: float = 0.0

    def wait(self) -> list[FoundDevice]:
        """Return the meters once the time to send has passed."""
        if self.sockets:
            time.sleep(max(0.0, self.listens_until - time.monotonic()))
        devices: dict[str, FoundDevice] = {}
        for link, profile, port in self.sockets:
            identified = profile.identified
            if identified is None:
                continue
            for meter in take_waiting(link):
                if meter.host not in self.hosts:
                    continue
                serial = str(meter.document["serial"])
                documents = {name_document(PREFIX_PART): meter.document}
                identity = identified.read_documents(documents, profile.covers[0].brand)
                if identity is not None:
                    devices[serial] = FoundDevice(meter.host, port, None, identity, profile, serial)
        return list(devices.values())


@contextmanager
def listen_for_datagrams(
    hosts: Collection[str], profiles: Iterable[DeviceProfile], port: int | None
) -> Iterator[DatagramListeners]:
    """Yield listeners for the datagrams of meters among ``hosts`` while the block runs.

    Empty where this machine is in none of the hosts' networks.
    """
    listeners = DatagramListeners(hosts)
    with ExitStack() as opened:
        for profile in profiles:
            transport = profile.transport
            if not isinstance(transport, MulticastTransport):
                continue
            own_port = port or transport.port
            for address in list_own_addresses(hosts):
                try:
                    link = opened.enter_context(join_group(transport, own_port, address))
                except OSError:
                    # A network without multicast.
                    continue
                listeners.sockets.append((link, profile, own_port))
        listeners.listens_until = time.monotonic() + LISTENS_S
        yield listeners


BROKER_PATIENCE_S = 3.0
# Retained messages come at once, periodic ones within this time.
BROKER_LISTENS_S = 2.0


class AnnouncedDevice(NamedTuple):
    """A device at a broker, with its topic prefix and the profile that fits."""

    prefix: str
    identity: DeviceIdentity
    profile: DeviceProfile


def list_announced(
    host: str, port: int, profiles: Sequence[DeviceProfile], *, secret: DeviceSecret | None = None
) -> list[AnnouncedDevice] | None:
    """Return a broker's devices of these profiles, None where no broker is.

    Empty where the broker needs credentials and there are none.

    Raises:
        UnavailableError: the broker refuses the credentials.
    """
    rules: list[IdentityField] = []
    for profile in profiles:
        if profile.identified is not None:
            rules += profile.identified.documents
    if not rules:
        return None
    from luna.platform.mqtt import BrokerError, BrokerLink

    messages: dict[str, bytes] = {}

    def on_message(message: "paho.MQTTMessage") -> None:
        messages[message.topic] = bytes(message.payload)

    topics = tuple(dict.fromkeys(rule.at.replace(PREFIX_PART, "+") for rule in rules))
    user = None
    password = None
    if secret is not None:
        user = secret.user
        password = SecretStr(secret.password)
    broker = Broker(host, port, user, password, tls=port == TLS_PORT)
    with closing(BrokerLink(broker, topics, on_message, patience_s=BROKER_PATIENCE_S)) as link:
        try:
            link.open()
        except BrokerError as error:
            if error.fault != "refused":
                return None
            if secret is not None:
                raise refuse(
                    "broker-refuses-login", field="secret", value=f"{host}:{port}"
                ) from error
            return []
        time.sleep(BROKER_LISTENS_S)
    devices: list[AnnouncedDevice] = []
    for profile in profiles:
        devices += _match_devices(profile, dict(messages))
    return devices


def _match_devices(profile: DeviceProfile, messages: Mapping[str, bytes]) -> list[AnnouncedDevice]:
    """Return the devices of a profile among the messages, by topic."""
    identified = profile.identified
    if identified is None or not isinstance(profile.transport, MqttTransport):
        return []
    documents_by_prefix: dict[str, dict[str, Any]] = {}
    for rule in identified.documents:
        before, _, after = rule.at.partition(PREFIX_PART)
        pattern = re.compile(f"{re.escape(before)}([^/]+){re.escape(after)}")
        for topic, payload in messages.items():
            match = pattern.fullmatch(topic)
            if match is None:
                continue
            prefix = match[1]
            if identified.prefix is not None and not identified.prefix.fullmatch(prefix):
                continue
            with suppress(ValueError):
                document = read_as(payload, profile.transport.documents)
                documents_by_prefix.setdefault(prefix, {})[rule.at] = document
    devices: list[AnnouncedDevice] = []
    for prefix in sorted(documents_by_prefix):
        documents = documents_by_prefix[prefix]
        identity = identified.read_documents(documents, profile.covers[0].brand)
        if identity is not None:
            devices.append(AnnouncedDevice(prefix, identity, profile))
    return devices
