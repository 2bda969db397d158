"""Where devices announce themselves by multicast DNS: at ports that nobody would guess. The network is asked which services it has, and no device anything."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from luna.energy.errors import LunaError
from luna.platform.drivers.networks import list_own_addresses
from luna.platform.extras import MDNS, require_extra

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf

# Who is there answers within a second (RFC 6762), and is asked where it is.
LISTENS_S = 2.0
RESOLVES_MS = 1500
# Source: IANA's service names, and what devices use; Shelly announces both of its own. By kind of transport.
_SERVICES: Mapping[str, tuple[str, ...]] = {
    "modbus_tcp": ("_modbus._tcp.local.",),
    "http": ("_http._tcp.local.", "_shelly._tcp.local."),
    "mqtt": ("_mqtt._tcp.local.", "_secure-mqtt._tcp.local."),
}
_KINDS = {service: kind for kind, services in _SERVICES.items() for service in services}


class AnnouncedService(NamedTuple):
    """Where somebody says that a kind of transport answers."""

    kind: str
    host: str
    port: int


@dataclass(slots=True)
class Announcements:
    """What is announced while somebody listens; ``missing_extra`` names what is not installed, without which nobody can."""

    missing_extra: str | None = None
    listens_until: float = 0.0
    heard: set[AnnouncedService] = field(default_factory=set)

    def wait(self) -> list[AnnouncedService]:
        """Return the services, once everybody had the time to answer."""
        time.sleep(max(0.0, self.listens_until - time.monotonic()))
        return sorted(self.heard)


@contextmanager
def listen_for_services(hosts: Collection[str]) -> Iterator[Announcements]:
    """Yield what hosts of the networks that this machine is in announce meanwhile; nothing where it is in none of theirs, or lacks the extra."""
    own = list_own_addresses(hosts)
    if not own:
        yield Announcements()
        return
    try:
        require_extra(MDNS)
    except LunaError:
        yield Announcements(missing_extra=MDNS.name)
        return
    from zeroconf import IPVersion, ServiceBrowser, Zeroconf

    heard = Announcements()
    try:
        zeroconf = Zeroconf(interfaces=own, ip_version=IPVersion.V4Only)
    except OSError:
        # A network without multicast.
        yield heard
        return

    def on_change(zeroconf: "Zeroconf", service_type: str, name: str, state_change: "ServiceStateChange") -> None:
        info = zeroconf.get_service_info(service_type, name, timeout=RESOLVES_MS) if state_change.name == "Added" else None
        if info is not None and info.port:
            heard.heard |= {AnnouncedService(_KINDS[service_type], host, info.port) for host in info.parsed_addresses() if host in hosts}

    try:
        ServiceBrowser(zeroconf, list(_KINDS), handlers=[on_change])
        heard.listens_until = time.monotonic() + LISTENS_S
        yield heard
    finally:
        zeroconf.close()
