"""Send HTTP requests only to addresses that the policy allows for a purpose."""

import ssl
from functools import cache

import httpx

from luna.platform.address_policy import OutgoingPurpose, Resolve, reachable_addresses, resolve_name


class CheckedTransport(httpx.BaseTransport):
    """Connects to a checked address, while the server is told the name.

    Every redirect comes here anew.

    Proxies of the environment are not used: the proxy would resolve the name instead.
    """

    def __init__(
        self,
        purpose: OutgoingPurpose,
        *,
        resolve: Resolve = resolve_name,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        self._purpose = purpose
        self._resolve = resolve
        self._transport = httpx.HTTPTransport(verify=certificates or trusted_certificates())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first allowed address that answers."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = reachable_addresses(self._purpose, host, port, resolve=self._resolve)
        except OSError as exc:
            raise httpx.ConnectError(str(exc), request=request) from exc
        failure: httpx.TransportError | None = None
        for address in addresses:
            try:
                return self._transport.handle_request(_send_to(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                failure = exc
        raise failure or httpx.ConnectError("no address", request=request)

    def close(self) -> None:
        self._transport.close()


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Return the certificates that this process trusts.

    All share them: they are a megabyte, and take 27 ms to be read.
    """
    return httpx.create_ssl_context()


def _send_to(request: httpx.Request, address: str) -> httpx.Request:
    """Return the request for an address.

    The Host header and the name in the certificate stay.
    """
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": request.url.raw_host.decode("ascii")},
    )
