"""Decide which internet addresses may be fetched from (SSRF).

Public ones, and none that leads into the house, the machine or its cloud.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.address_policy import (
    AddressKind,
    classify_address,
    is_odd_number,
    is_plain_address,
    resolve_name,
)

PORTS = frozenset({80, 443})
_LONGEST_URL = 2000


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is a public unicast address."""
    return classify_address(address) is AddressKind.PUBLIC


def allows(address: IPv4Address | IPv6Address, port: int) -> bool:
    """Return whether documents may be fetched from an address and port."""
    return port in PORTS and is_public(address)


def resolve(host: str, port: int) -> list[str]:
    """Return a host's addresses, by the system's resolver.

    Raises:
        UnavailableError: the host cannot be resolved now.
    """
    try:
        return resolve_name(host, port)
    except OSError as exc:
        raise refuse("address-unknown", field="url", value=host) from exc


def checked_url(url: str) -> SplitResult:
    """Parse an http or https URL with a plain host and no password.

    Raises:
        InvalidInputError: otherwise.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port
    except ValueError as exc:
        raise refuse("address-unreadable", field="url", value=url) from exc
    if parts.scheme not in {"http", "https"}:
        raise refuse("address-scheme", field="url", value=url)
    if "@" in parts.netloc:
        raise refuse("address-with-password", field="url", value=parts.hostname or "")
    if not host or port == 0 or len(url) > _LONGEST_URL:
        raise refuse("address-unreadable", field="url", value=url)
    if any(ord(letter) <= 32 or letter == "\\" for letter in url):
        raise refuse("address-unreadable", field="url", value=url)
    if is_odd_number(host):
        raise refuse("address-odd-number", field="url", value=url)
    return parts


def require_public(url: str) -> None:
    """Check that a URL may be public, without resolving its host.

    The resolved addresses are checked on fetching.

    Raises:
        InvalidInputError: it is invalid, or leads inside whatever a resolver returns.
    """
    parts = checked_url(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # Source: RFC 6761, section 6.3.
    is_inward = (
        host == "localhost"
        or host.endswith(".localhost")
        or (is_plain_address(host) and not is_public(ip_address(host)))
    )
    if is_inward or port not in PORTS:
        raise refuse_inward(host)


def refuse_inward(host: str) -> LunaError:
    """Return the error for a host or port that nothing is fetched from."""
    return refuse("address-inward", field="url", value=host)
