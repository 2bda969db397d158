"""Source of a request behind trusted proxies: client address, scheme, and origin here."""

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

# Headers that proxies add: with one of these, the peer of the connection is not the client.
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
# A request waits so long for the first look-up of names; without a network, a look-up takes ten
# seconds to fail.
FIRST_LOOK_SECONDS = 1.0
# Most requests come from where the last ones came from.
CACHED_ADDRESSES = 1024
_HOST = re.compile(r"^(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?$")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a request.

    Attributes:
        address: the client's, as reported by the outermost trusted proxy.
        secure: whether the request came over https.
        host: the ``Host`` header as sent.
        here: whether the request was made on this machine: over loopback, without a proxy, to a
            loopback ``Host``, which no foreign name server resolves.
    """

    address: str
    secure: bool
    host: str
    here: bool


def look_up(names: list[str]) -> frozenset[Address]:
    """Return the addresses of names; a name that does not resolve adds none."""
    addresses = set()
    for name in names:
        with suppress(OSError, UnicodeError):
            addresses |= {_parse(str(entry[4][0])) for entry in socket.getaddrinfo(name, None)}
    return frozenset(address for address in addresses if address is not None)


@dataclass
class TrustedProxies:
    """Proxies whose forwarding headers are trusted: networks and names.

    Names are resolved in the background. ``first_look_seconds`` is how long a request waits for
    their first look-up, ``name_cache_seconds`` how long one holds.

    Invariants:
        A request waits for a name server at most ``first_look_seconds``, and only until the first
        look-up has ended; until then no name is trusted.
    """

    networks: list[IPv4Network | IPv6Network]
    names: list[str]
    look_up: Callable[[list[str]], frozenset[Address]] = look_up
    first_look_seconds: float = FIRST_LOOK_SECONDS
    name_cache_seconds: float = NAME_CACHE_SECONDS
    _addresses: frozenset[Address] | None = None
    _looked_up_at: float = field(default=float("-inf"))
    _looking: "asyncio.Task[None] | None" = None

    @classmethod
    def parse(cls, text: str) -> "TrustedProxies":
        """Parse the setting: networks and names, separated by commas."""
        networks = []
        names = []
        for part in (part.strip() for part in text.split(",") if part.strip()):
            try:
                networks.append(ip_network(part, strict=False))
            except ValueError:
                names.append(part)
        return cls(networks, names)

    async def trust(self, address: Address | None) -> bool:
        """Return whether ``address`` is a trusted proxy's."""
        if address is None:
            return False
        networks = [network for network in self.networks if network.version == address.version]
        if any(address in network for network in networks):
            return True
        is_outdated = time.monotonic() - self._looked_up_at > self.name_cache_seconds
        if self.names and self._looking is None and is_outdated:
            self._looking = asyncio.create_task(self._look())
        if self._addresses is None and self._looking is not None:
            await asyncio.wait([self._looking], timeout=self.first_look_seconds)
        return address in (self._addresses or ())

    async def _look(self) -> None:
        try:
            self._addresses = await to_thread.run_sync(
                self.look_up, self.names, abandon_on_cancel=True
            )
        finally:
            self._looked_up_at = time.monotonic()
            self._looking = None


async def read_source(request: HTTPConnection, proxies: TrustedProxies) -> Source:
    """Return the source of a request.

    Forwarding headers count only when a trusted proxy sent them.
    """
    peer = _parse((request.scope.get("client") or ("", 0))[0])
    host = request.headers.get("host", "")
    secure = request.scope["scheme"] == "https"
    if await proxies.trust(peer):
        forwarded_for = ",".join(request.headers.getlist("x-forwarded-for"))
        hops = [part.strip() for part in forwarded_for.split(",")]
        address = peer
        for hop in reversed(hops):
            # The last address that is no proxy's: anything before it may be forged by the client.
            stranger = _parse(hop)
            if stranger is None or not await proxies.trust(stranger):
                address = stranger or peer
                break
        forwarded = request.headers.getlist("x-forwarded-proto")
        return Source(
            str(address), secure=forwarded[-1:] == ["https"] or secure, host=host, here=False
        )
    is_forwarded = any(name in FORWARDING for name, _ in request.scope["headers"])
    is_local = peer is not None and peer.is_loopback and not is_forwarded
    here = is_local and names_this_machine(host)
    return Source(str(peer or "unknown"), secure, host, here)


@lru_cache(CACHED_ADDRESSES)
def names_this_machine(host: str) -> bool:
    """Return whether a ``Host`` is a loopback name or address.

    DNS rebinding cannot point these elsewhere.
    """
    match = _HOST.match(host)
    return match is not None and is_loopback(match["name"].strip("[]").lower())


@lru_cache(CACHED_ADDRESSES)
def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address
