"""Asks a neighbouring server one question over plain HTTP: no proxy, no redirect, no retry."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from luna.errors import UnavailableError

# More than any answer that is asked for here holds.
MAX_BYTES = 4_000_000


def ask(url: str, path: str, *, timeout_seconds: float, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Return status and body of ``GET url/path``.

    Raises:
        UnavailableError: ``url`` is no address, nothing answers there, or what answers does not speak HTTP.
    """
    try:
        parts = urlsplit(url)
        kind = {"http": HTTPConnection, "https": HTTPSConnection}[parts.scheme]
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_seconds)
    except (KeyError, ValueError) as exc:
        raise UnavailableError("this is no address of a server", value=url, remedy="Write it as http://host:port.") from exc
    try:
        connection.request("GET", parts.path.rstrip("/") + path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_BYTES)
    except (OSError, HTTPException) as exc:
        raise UnavailableError(f"does not answer: {str(exc) or type(exc).__name__}", value=url, remedy="Check that it runs and is reached from here.") from exc
    finally:
        connection.close()
