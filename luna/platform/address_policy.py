"""Decide which addresses Luna connects to, by purpose.

It connects only to the address that was checked.

A name is resolved once, at the time of connecting; the connection goes to one of those addresses,
so that a second answer of the resolver changes nothing. Decision:
docs/decisions/0107-one-address-policy.md.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]


class AddressKind(Enum):
    LOOPBACK = "loopback"
    HOME = "home"
    # Source: RFC 6598. Overlay networks such as Tailscale use it, and providers behind their own
    # NAT.
    SHARED = "shared"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class OutgoingPurpose:
    """A purpose of connections, and the kinds of addresses that they may reach."""

    name: str
    reaches: frozenset[AddressKind]


_OWN = frozenset({AddressKind.LOOPBACK, AddressKind.HOME, AddressKind.SHARED})
_ANYWHERE = _OWN | {AddressKind.PUBLIC}

# Loopback is a simulated device, or one behind a converter on this machine.
DEVICE_SEARCH = OutgoingPurpose(
    "device_search", frozenset({AddressKind.LOOPBACK, AddressKind.HOME})
)
DEVICE = OutgoingPurpose("device", _OWN)
# Both may be a service on the internet: Nabu Casa, a rented broker.
HOME_ASSISTANT = OutgoingPurpose("home_assistant", _ANYWHERE)
BROKER = OutgoingPurpose("broker", _ANYWHERE)
# A gateway of messages or a mail server may stand at home.
NOTIFICATION = OutgoingPurpose("notification", _ANYWHERE)
# Servers of backups and other objects, in the house or rented.
OBJECTS = OutgoingPurpose("objects", _ANYWHERE)
# The servers of this installation, whose addresses are settings of the machine.
OWN_SERVER = OutgoingPurpose("own_server", _ANYWHERE)
# Prices, weather.
DATA_SERVICE = OutgoingPurpose("data_service", frozenset({AddressKind.PUBLIC}))
DOCUMENT = OutgoingPurpose("document", frozenset({AddressKind.PUBLIC}))
PURPOSES = (
    DEVICE_SEARCH,
    DEVICE,
    HOME_ASSISTANT,
    BROKER,
    NOTIFICATION,
    OBJECTS,
    OWN_SERVER,
    DATA_SERVICE,
    DOCUMENT,
)

_LOOPBACK_4 = IPv4Network("127.0.0.0/8")
_HOME_4 = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
_SHARED_4 = IPv4Network("100.64.0.0/10")
# Source: IANA's special-purpose address registries (RFC 6890), beside what ipaddress knows, which
# differs between versions of Python. 168.63.129.16 answers machines in Azure, 100.100.100.200 those
# in Alibaba's cloud.
_NEVER_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
# Source: RFC 5737.
_EXAMPLES = tuple(
    IPv4Network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
# Source: RFC 4193 (unique local), RFC 4291: global unicast is 2000::/3 alone. Addresses that carry
# another one inside (IPv4-mapped, NAT64, 6to4, Teredo) lie outside of these or are refused,
# whatever they carry.
_LOOPBACK_6 = IPv6Address("::1")
_HOME_6 = IPv6Network("fc00::/7")
_GLOBAL_6 = IPv6Network("2000::/3")
# fd00:ec2::254 answers machines in Amazon's cloud, fd20:ce::254 those in Google's.
_NEVER_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "fd00:ec2::/32",
        "fd20:ce::/32",
    )
)
# 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are loopback to many a resolver.
_NUMERIC = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|\d+)\.?$", re.IGNORECASE)


def classify_address(address: Address) -> AddressKind | None:
    """Return the kind of an address; None for one that nothing may ever connect to."""
    if isinstance(address, IPv4Address):
        return _classify_4(address)
    if address.scope_id is not None or any(address in network for network in _NEVER_6):
        return None
    if address == _LOOPBACK_6:
        return AddressKind.LOOPBACK
    if address in _HOME_6:
        return AddressKind.HOME
    return AddressKind.PUBLIC if address in _GLOBAL_6 else None


def _classify_4(address: IPv4Address) -> AddressKind | None:
    if any(address in network for network in _NEVER_4):
        return None
    if address in _LOOPBACK_4:
        return AddressKind.LOOPBACK
    if any(address in network for network in _HOME_4):
        return AddressKind.HOME
    return AddressKind.SHARED if address in _SHARED_4 else AddressKind.PUBLIC


def is_home_network(network: IPv4Network | IPv6Network) -> bool:
    """Return whether all addresses of a network are a home's, or all this machine's own."""
    if isinstance(network, IPv4Network):
        return any(network.subnet_of(home) for home in (*_HOME_4, _LOOPBACK_4))
    is_never = any(network.overlaps(never) for never in _NEVER_6)
    is_loopback = network.num_addresses == 1 and network.network_address == _LOOPBACK_6
    return is_loopback or (network.subnet_of(_HOME_6) and not is_never)


def may_reach(purpose: OutgoingPurpose, address: str) -> bool:
    """Return whether a numeric address may be connected to for a purpose."""
    try:
        return classify_address(ip_address(address)) in purpose.reaches
    except ValueError:
        return False


def is_odd_number(host: str) -> bool:
    """Return whether a host is a number that resolvers read differently, or carries a zone."""
    return "%" in host or (bool(_NUMERIC.search(host)) and not is_plain_address(host))


def is_plain_address(host: str) -> bool:
    """Return whether a host is an address in its canonical form."""
    return _is_address(host) and str(ip_address(host)) == host


def is_example(host: str) -> bool:
    """Return whether a host is an example address of documents, which nothing connects to."""
    return is_plain_address(host) and any(ip_address(host) in network for network in _EXAMPLES)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def require_host(purpose: OutgoingPurpose, host: str, *, field: str) -> None:
    """Check a named host without resolving it; its addresses are checked on connecting.

    Raises:
        InvalidInputError: it is an address that the purpose may not reach, or a number in an
            unusual form.
    """
    bare = host.strip("[]")
    if is_odd_number(bare):
        raise refuse("host-unreadable", field=field, value=host)
    # Any spelling of an IPv6 address is one, not only the canonical one.
    if _is_address(bare) and not may_reach(purpose, bare):
        raise refuse("host-refused", field=field, value=host)


def require_url_host(purpose: OutgoingPurpose, url: str, *, field: str) -> SplitResult:
    """Check the host of a URL as ``require_host`` does, and return the URL's parts.

    Raises:
        InvalidInputError: the URL cannot be read, or its host may not be reached.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as exc:
        raise refuse("host-unreadable", field=field) from exc
    require_host(purpose, host, field=field)
    return parts


def resolve_name(host: str, port: int) -> list[str]:
    """Return a host's addresses, by the system's resolver.

    Raises:
        OSError: the host cannot be resolved now.
    """
    try:
        entries = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError as exc:
        raise OSError(f"{host!r} is no name of a host") from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class AddressRefusedError(OSError):
    """A host has no address that may be reached for a purpose; callers see a failed connection."""

    def __init__(self, purpose: OutgoingPurpose, host: str) -> None:
        super().__init__(
            f"no connection to {host}: none of its addresses is allowed for this purpose "
            f"({purpose.name})"
        )
        self.purpose = purpose
        self.host = host

    def refusal(self, field: str) -> LunaError:
        """Return the error for whoever named the host."""
        return refuse("host-refused", field=field, value=self.host)


def reachable_addresses(
    purpose: OutgoingPurpose, host: str, port: int, *, resolve: Resolve = resolve_name
) -> list[str]:
    """Resolve a host and return those of its addresses that may be connected to.

    Raises:
        AddressRefusedError: it has addresses, and none of them is allowed.
        OSError: it cannot be resolved.
    """
    allowed = [address for address in resolve(host, port) if may_reach(purpose, address)]
    if not allowed:
        raise AddressRefusedError(purpose, host)
    return allowed


def open_connection(
    purpose: OutgoingPurpose,
    host: str,
    port: int,
    timeout_s: float | None,
    *,
    resolve: Resolve = resolve_name,
) -> socket.socket:
    """Connect to the first allowed address of a host that answers.

    Raises:
        AddressRefusedError: none of its addresses is allowed.
        OSError: it cannot be resolved, or does not answer.
    """
    failure: OSError | None = None
    for address in reachable_addresses(purpose, host, port, resolve=resolve):
        try:
            return socket.create_connection((address, port), timeout_s)
        except OSError as exc:
            failure = exc
    raise failure or OSError(f"no connection to {host}")
