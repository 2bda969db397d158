"""Lists the addresses of a home network to search for devices.

Proposes the networks of this machine.
"""

import ipaddress
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress

from luna.energy.refusals import refuse
from luna.platform.address_policy import (
    DEVICE_SEARCH,
    AddressKind,
    AddressRefusedError,
    classify_address,
    is_home_network,
    is_odd_number,
    reachable_addresses,
)

# A home's network has 254 addresses.
MOST_ADDRESSES = 1024
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Linux, netdevice(7): requests for the address and the netmask of an interface.
_SIOCGIFADDR = 0x8915
_SIOCGIFNETMASK = 0x891B
# A documentation address of RFC 5737 selects the interface of the default route; a UDP connect
# sends nothing.
_ELSEWHERE = ("192.0.2.1", 9)


def propose_networks() -> list[str]:
    """Return the private networks of this machine, the one with the default route first.

    A large network is reduced to the /24 around this machine.
    """
    networks: list[ipaddress.IPv4Network] = []
    for interface in _list_interfaces():
        if classify_address(interface.ip) is not AddressKind.HOME:
            continue
        if interface.network.num_addresses <= MOST_ADDRESSES:
            networks.append(interface.network)
        else:
            networks.append(ipaddress.IPv4Network((interface.ip, 24), strict=False))
    outward = _find_outward()
    ordered = sorted(dict.fromkeys(networks), key=lambda network: outward not in network)
    return [str(network) for network in ordered]


def require_home_network(text: str) -> str:
    """Return a private network, or the one address of a host, in canonical form.

    Raises:
        InvalidInputError: it is no network or host, it is public, or too large.
    """
    network = _require(text)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def list_home_hosts(text: str) -> list[str]:
    """Return the addresses of a private network, or the one address of a host.

    Raises:
        InvalidInputError: it is no network or host, it is public, or too large.
    """
    return [str(host) for host in _require(text).hosts()]


def list_own_addresses(hosts: Collection[str]) -> list[str]:
    """Return this machine's addresses in the networks that contain any of these hosts."""
    addresses = [ipaddress.ip_address(host) for host in hosts]
    interfaces = [
        interface
        for interface in _list_interfaces()
        if any(host in interface.network for host in addresses)
    ]
    return [str(interface.ip) for interface in interfaces]


def _require(text: str) -> Network:
    named = text.strip()
    try:
        network: Network = ipaddress.ip_network(named, strict=False)
    except ValueError as exc:
        if "/" in named or is_odd_number(named):
            raise refuse("network-unreadable", field="network", value=named) from exc
        network = ipaddress.ip_network(_resolve_home(named))
    if not is_home_network(network):
        raise refuse("network-public", field="network", value=text)
    if network.num_addresses > MOST_ADDRESSES + 2:
        raise refuse("network-too-large", field="network", value=text, most=MOST_ADDRESSES)
    return network


def _resolve_home(host: str) -> str:
    try:
        addresses = reachable_addresses(DEVICE_SEARCH, host, 0)
    except AddressRefusedError as exc:
        raise refuse("network-public", field="network", value=host) from exc
    except OSError as exc:
        raise refuse("network-unreadable", field="network", value=host) from exc
    # Most devices speak IPv4 alone.
    return min(addresses, key=lambda address: ":" in address)


def _list_interfaces() -> Iterator[ipaddress.IPv4Interface]:
    is_listed = False
    for _, name in socket.if_nameindex():
        with suppress(OSError, ImportError):
            yield ipaddress.IPv4Interface(
                f"{_read_address(name, _SIOCGIFADDR)}/{_read_address(name, _SIOCGIFNETMASK)}"
            )
            is_listed = True
    if not is_listed and (outward := _find_outward()) is not None:
        # Without those ioctls assume the size of most home networks, 254 addresses.
        yield ipaddress.IPv4Interface((outward, 24))


def _read_address(interface: str, question: int) -> str:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        return socket.inet_ntoa(
            fcntl.ioctl(link.fileno(), question, struct.pack("256s", interface.encode()[:15]))[
                20:24
            ]
        )


def _find_outward() -> ipaddress.IPv4Address | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(_ELSEWHERE)
        return ipaddress.IPv4Address(link.getsockname()[0])
    return None
