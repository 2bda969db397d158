"""Decides which internet addresses may be fetched from: public ones, and none that leads into the house, the machine or its cloud (SSRF)."""

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

PORTS = frozenset({80, 443})
_LONGEST_URL = 2000

# Source: IANA's special-purpose address registries (RFC 6890), RFC 6598 (CGNAT), RFC 4193 (ULA), RFC 3879 (site-local); beside what ipaddress knows,
# which differs between versions of Python. 168.63.129.16 answers machines in Azure; the other clouds' metadata are link-local or private.
_REFUSED_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
# Global unicast is 2000::/3 alone. Addresses that carry another one inside (NAT64, 6to4, Teredo) are refused whatever they carry.
_GLOBAL_6 = IPv6Network("2000::/3")
_REFUSED_6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
_NUMERIC = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|\d+)\.?$", re.IGNORECASE)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is a public unicast address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_4)
    return address.scope_id is None and address in _GLOBAL_6 and not any(address in network for network in _REFUSED_6)


def allows(address: IPv4Address | IPv6Address, port: int) -> bool:
    """Return whether documents may be fetched from an address and port."""
    return port in PORTS and is_public(address)


def resolve(host: str, port: int) -> list[str]:
    """Return a host's addresses, by the system's resolver.

    Raises:
        UnavailableError: the host cannot be resolved now.
    """
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise refuse("address-unknown", field="url", value=host) from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def checked_url(url: str) -> SplitResult:
    """Parse a URL that is http or https, has a host in the usual form, and no password.

    Raises:
        InvalidInputError: otherwise.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise refuse("address-unreadable", field="url", value=url) from exc
    if parts.scheme not in {"http", "https"}:
        raise refuse("address-scheme", field="url", value=url)
    if "@" in parts.netloc:
        raise refuse("address-with-password", field="url", value=parts.hostname or "")
    if not host or port == 0 or len(url) > _LONGEST_URL or any(ord(letter) <= 32 or letter == "\\" for letter in url):
        raise refuse("address-unreadable", field="url", value=url)
    # 2130706433, 0x7f.1 and 0177.0.0.1 are loopback to many a resolver.
    if "%" in host or (_NUMERIC.search(host) and not _is_plain(host)):
        raise refuse("address-odd-number", field="url", value=url)
    return parts


def require_public(url: str) -> None:
    """Check that a URL may be public, without resolving its host; the resolved addresses are checked on fetching.

    Raises:
        InvalidInputError: it is invalid, or leads inside whatever a resolver returns.
    """
    parts = checked_url(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # Source: RFC 6761, section 6.3.
    is_inward = host == "localhost" or host.endswith(".localhost") or (_is_plain(host) and not is_public(ip_address(host)))
    if is_inward or port not in PORTS:
        raise refuse_inward(host)


def refuse_inward(host: str) -> LunaError:
    """Return the error for a host or port that nothing is fetched from."""
    return refuse("address-inward", field="url", value=host)


def _is_plain(host: str) -> bool:
    try:
        return str(ip_address(host)) == host
    except ValueError:
        return False
