"""Where a request comes from: its address, its scheme, whether it can only be this machine's own."""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from anyio import to_thread
from starlette.requests import HTTPConnection

from luna.platform.settings.model import is_loopback

# What a proxy adds. A request that has one of these was not made by who stands at the other end of the connection.
FORWARDING = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"via",
        b"x-ingress-path",
        b"x-client-ip",
        b"true-client-ip",
        b"cf-connecting-ip",
    }
)
NAME_CACHE_SECONDS = 10.0
# How long a request waits for names that were never looked up; one that no server knows takes ten seconds where the network is away.
FIRST_LOOK_SECONDS = 1.0
# Most requests come from where the last ones came from.
CACHED_ADDRESSES = 1024
_HOST = re.compile(r"^(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?$")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request comes from.

    Attributes:
        address: the caller's, as the last trusted proxy tells it.
        secure: whether it came over https.
        host: as the caller wrote it.
        here: whether it was made on this machine, for this machine's own name: no proxy between, no name that somebody else resolves.
    """

    address: str
    secure: bool
    host: str
    here: bool


def look_up(names: list[str]) -> frozenset[Address]:
    """Return the addresses of names; a proxy that does not run is trusted in nothing."""
    addresses = set()
    for name in names:
        with suppress(OSError, UnicodeError):
            addresses |= {_parse(str(entry[4][0])) for entry in socket.getaddrinfo(name, None)}
    return frozenset(address for address in addresses if address is not None)


@dataclass
class TrustedProxies:
    """Proxies whose word on the caller's address counts: networks, and names that are looked up beside the requests that need them.

    Invariants:
        However long a name server takes, a request waits for it at most ``FIRST_LOOK_SECONDS``, and only while nothing was ever found out; until then no name
        is trusted.
    """

    networks: list[IPv4Network | IPv6Network]
    names: list[str]
    look_up: Callable[[list[str]], frozenset[Address]] = look_up
    _addresses: frozenset[Address] | None = None
    _looked_up_at: float = field(default=float("-inf"))
    _looking: "asyncio.Task[None] | None" = None

    @classmethod
    def parse(cls, text: str) -> "TrustedProxies":
        """Return the proxies that the setting names."""
        networks, names = [], []
        for part in (part.strip() for part in text.split(",") if part.strip()):
            try:
                networks.append(ip_network(part, strict=False))
            except ValueError:
                names.append(part)
        return cls(networks, names)

    async def trust(self, address: Address | None) -> bool:
        """Return whether a proxy stands at an address."""
        if address is None:
            return False
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        if self.names and self._looking is None and time.monotonic() - self._looked_up_at > NAME_CACHE_SECONDS:
            self._looking = asyncio.create_task(self._look())
        if self._addresses is None and self._looking is not None:
            await asyncio.wait([self._looking], timeout=FIRST_LOOK_SECONDS)
        return address in (self._addresses or ())

    async def _look(self) -> None:
        try:
            self._addresses = await to_thread.run_sync(self.look_up, self.names, abandon_on_cancel=True)
        finally:
            self._looked_up_at, self._looking = time.monotonic(), None


async def read_source(request: HTTPConnection, proxies: TrustedProxies) -> Source:
    """Return where a request comes from; what it says of itself counts only as far as a trusted proxy says so."""
    peer = _parse((request.scope.get("client") or ("", 0))[0])
    host, secure = request.headers.get("host", ""), request.scope["scheme"] == "https"
    if await proxies.trust(peer):
        hops = [part.strip() for part in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
        address = peer
        for hop in reversed(hops):
            # The last address that is no proxy's: what stands before it is the caller's own word.
            stranger = _parse(hop)
            if stranger is None or not await proxies.trust(stranger):
                address = stranger or peer
                break
        forwarded = request.headers.getlist("x-forwarded-proto")
        return Source(str(address), secure=forwarded[-1:] == ["https"] or secure, host=host, here=False)
    here = peer is not None and peer.is_loopback and FORWARDING.isdisjoint(name for name, _ in request.scope["headers"]) and names_this_machine(host)
    return Source(str(peer or "unknown"), secure, host, here)


@lru_cache(CACHED_ADDRESSES)
def names_this_machine(host: str) -> bool:
    """Return whether a ``Host`` is this machine's own name, which no other's name server can point elsewhere."""
    match = _HOST.match(host)
    return match is not None and is_loopback(match["name"].strip("[]").lower())


@lru_cache(CACHED_ADDRESSES)
def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
