"""Fetch a document from the internet within limits on size and time.

Only public addresses are connected to, and exactly those that were checked.
"""

import re
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from luna.energy.refusals import refuse
from luna.platform import public_addresses

_REDIRECTS = {301, 302, 303, 307, 308}
_LATER = {408, 425, 429, 500, 502, 503, 504}
_PIECE_BYTES = 1 << 16
_LONGEST_NAME = 200


@dataclass(frozen=True)
class FetchLimits:
    """Limits of one fetch over all its redirects.

    Args:
        bytes: of the content as it is unpacked.
        seconds: from the first question for an address to the last byte.
        silence_seconds: that a server may leave between two bytes.
    """

    bytes: int = 50_000_000
    seconds: float = 60.0
    silence_seconds: float = 15.0
    redirects: int = 5


@cache
def _read_certificates() -> ssl.SSLContext:
    """Return the certificates that this machine trusts."""
    # Reading them takes 27 ms.
    return ssl.create_default_context()


@dataclass(frozen=True)
class Network:
    """Access to the internet.

    Args:
        resolve: from host and port to its addresses.
        allows: whether an address and port may be connected to; asked of every address that a host
            has, at every hop.
        clock: seconds that only rise.
    """

    resolve: Callable[[str, int], list[str]] = public_addresses.resolve
    allows: Callable[[IPv4Address | IPv6Address, int], bool] = public_addresses.allows
    clock: Callable[[], float] = time.monotonic
    certificates: ssl.SSLContext = field(default_factory=_read_certificates)


@dataclass(frozen=True)
class Fetched:
    """A fetched file.

    Args:
        media_type: as the server says; the content may be of another one.
        name: for the file, as the server or the address calls it.
    """

    path: Path
    media_type: str
    final_url: str
    name: str


def fetch_url(
    url: str, *, folder: Path, limits: FetchLimits | None = None, network: Network | None = None
) -> Fetched:
    """Fetch a page or file into a folder.

    Proxies and passwords of the environment are not used, no cookies are kept.

    Raises:
        InvalidInputError: the address is refused, holds too much, or the server does not give it.
        UnavailableError: the server does not answer, or not in time; the same call may work later.
    """
    limits = limits or FetchLimits()
    network = network or Network()
    deadline = network.clock() + limits.seconds
    for _ in range(limits.redirects + 1):
        public_addresses.checked_url(url)
        backend = _CheckedBackend(network, deadline, limits.silence_seconds)
        try:
            with httpcore.ConnectionPool(
                ssl_context=network.certificates,
                network_backend=backend,
                max_connections=1,
                retries=0,
            ) as pool:
                fetched = _fetch_once(pool, url, folder / "fetched", limits)
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ssl.SSLError,
        ) as exc:
            raise refuse("page-server-silent", field="url", value=url) from exc
        except (ValueError, TypeError) as exc:
            raise refuse("address-unreadable", field="url", value=url) from exc
        if isinstance(fetched, Fetched):
            return fetched
        url = fetched
    raise refuse("address-leads-on", field="url", value=url, most=limits.redirects)


def _fetch_once(
    pool: httpcore.ConnectionPool, url: str, path: Path, limits: FetchLimits
) -> Fetched | str:
    """Return the fetched file, or the address that the server redirects to."""
    headers: list[tuple[bytes | str, bytes | str]] = [
        ("User-Agent", "luna"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    with pool.stream("GET", _ascii_url(url), headers=headers) as response:
        response_headers = Message()
        for name, value in response.headers:
            response_headers[name.decode("latin-1")] = value.decode("latin-1")
        if response.status in _REDIRECTS and response_headers["Location"]:
            return str(urljoin(url, response_headers["Location"]))
        if response.status in _LATER:
            raise refuse("page-server-busy", field="url", value=url, status=response.status)
        if response.status != 200:
            raise refuse("page-server-refuses", field="url", value=url, status=response.status)
        with path.open("wb") as file:
            remaining = limits.bytes
            encoding = response_headers["Content-Encoding"] or "identity"
            for piece in _unpacked(response.iter_stream(), encoding):
                remaining -= len(piece)
                if remaining < 0:
                    raise refuse("page-too-large", field="url", value=url, most=limits.bytes)
                file.write(piece)
    media_type = "application/octet-stream"
    if response_headers["Content-Type"]:
        media_type = response_headers.get_content_type()
    return Fetched(path, media_type, url, _file_name(response_headers, url))


def _ascii_url(url: str) -> str:
    """Return an address in ASCII: paths as percent-encoded UTF-8, hosts in Punycode."""
    parts = urlsplit(url)._replace(fragment="")
    hostname = parts.hostname or ""
    if hostname.isascii():
        host = parts.netloc.rsplit(":", 1)[0]
    else:
        host = hostname.encode("idna").decode()
    netloc = f"{host}:{parts.port}" if parts.port else host

    def escape(letter: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in letter[0].encode())

    return re.sub(r"[^\x21-\x7e]", escape, parts._replace(netloc=netloc).geturl())


def _file_name(headers: Message, url: str) -> str:
    """Return the name of the server's header or of the address, without unsafe characters."""
    parts = urlsplit(url)
    name = headers.get_filename()
    if not name:
        name = unquote(PurePosixPath(parts.path).name)
    if not name:
        name = parts.hostname or "document"
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[\x00-\x1f\x7f<>:\"|?*]", "", last).strip(". ")
    return plain[-_LONGEST_NAME:] or "document"


def _unpacked(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield content without its transfer's compression, never more than a piece at a time.

    Some servers compress although the request asks for no compression.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        yield from pieces
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise refuse("page-packed", field="url", value=encoding)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for piece in pieces:
            while piece:
                yield unpacker.decompress(piece, _PIECE_BYTES)
                piece = unpacker.unconsumed_tail  # noqa: PLW2901 - what is left of it
    except zlib.error as exc:
        raise refuse("page-packed", field="url", value=encoding) from exc


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses of one answer of the resolver.

    Nothing is resolved a second time between check and connection.
    """

    def __init__(self, network: Network, deadline: float, silence_seconds: float) -> None:
        self._network = network
        self._deadline = deadline
        self._silence_seconds = silence_seconds
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(  # noqa: PLR0917 - as httpcore calls it
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers.

        Raises:
            InvalidInputError: one of the host's addresses may not be connected to.
        """
        addresses = self._network.resolve(host.strip("[]"), port)
        for address in addresses:
            try:
                is_allowed = self._network.allows(ip_address(address), port)
            except ValueError:
                is_allowed = False
            if not is_allowed:
                raise public_addresses.refuse_inward(host)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, timeout=self._patience(), socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return _TimedStream(stream, self._patience)
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Refuse: nothing here is on the internet."""
        raise httpcore.UnsupportedProtocol(path)

    def _patience(self) -> float:
        remaining = self._deadline - self._network.clock()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the time for the whole fetch is over")
        return min(remaining, self._silence_seconds)


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every step has only the time that is left for the whole fetch.

    A server that sends a byte now and then gains nothing.
    """

    def __init__(self, stream: httpcore.NetworkStream, patience: Callable[[], float]) -> None:
        self._stream = stream
        self._patience = patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._patience())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._patience())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._patience()), self._patience
        )

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
