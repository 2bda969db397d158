"""Reads and writes points in JSON documents over HTTP, at the device alone.

A point is written by one request of its own, and read back in its document.
"""

import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.document_formats import read_as
from luna.drivers.http_session import HttpSession
from luna.drivers.json_points import pick_point, write_text
from luna.drivers.pinned_certificate import trust_anybody, trust_device
from luna.drivers.points import DeviceIdentity, PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import VALUE_PART, JsonPoint, WriteMethod
from luna.drivers.transports import DocumentFormat, HttpTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.address_policy import DEVICE

if TYPE_CHECKING:
    import httpx

# Limits the memory that a document can take.
MOST_BYTES = 1_000_000
# How often a document may take a device's patience as a whole.
_MOST_WAITS = 2
_UNAUTHORIZED = {401, 403}


def describe_body(body: str) -> str:
    """Return the media type of a written body: JSON, else a form."""
    is_json = body.lstrip().startswith(("{", "["))
    return "application/json" if is_json else "application/x-www-form-urlencoded"


class HttpPoints:
    """The points of a device at its address; ``read`` fetches each document once.

    Args:
        profile: of the device.
        transport: of the profile.
        via: the device's address.
        secret: credentials of the device, None: it needs none.
        web: the seam for recorded replies.
    """

    def __init__(
        self,
        profile: DeviceProfile,
        transport: HttpTransport,
        via: Via,
        *,
        secret: DeviceSecret | None = None,
        web: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._profile = profile
        self._transport = transport
        self._host = via.host
        self._port = via.port or transport.port
        unit = transport.unit if via.unit is None else via.unit
        if via.prefix is None and profile.needs_prefix:
            raise refuse("device-prefix-missing", field="via.prefix", profile=profile.profile)
        self._points: dict[str, JsonPoint] = {}
        for name, point in profile.points.items():
            self._points[name] = cast("JsonPoint", point).at_unit(unit, via.prefix or "")
        self._secret = secret
        self._session: HttpSession | None = None
        if transport.session is not None and secret is not None:
            log_in = partial(self._exchange, "GET")
            self._session = HttpSession(transport.session, secret, log_in, self.place)
        self._web = web
        self._client: httpx.Client | None = None
        # Last values sent to write-only points since the last failure.
        self._sent: dict[str, float] = {}

    @property
    def place(self) -> str:
        """The device's address for error messages."""
        return f"{self._host}:{self._port}"

    def identify(self) -> DeviceIdentity | None:
        """Return the device's identity, None where its profile declares no way to read it.

        Raises:
            UnavailableError: the device does not answer, or is another product.
        """
        identified = self._profile.identified
        if identified is None:
            return None
        formats = {rule.at: rule.documents for rule in identified.documents}
        documents = {path: self._get(path, kind) for path, kind in formats.items()}
        identity = identified.read_documents(documents, self._profile.covers[0].brand)
        if identity is None:
            raise refuse(
                "device-other-product", field="via", value=self.place, profile=self._profile.profile
            )
        return identity

    def _get_all(self, paths: Iterable[str]) -> dict[str, Any]:
        return {path: self._get(path) for path in dict.fromkeys(paths)}

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the device has no value.

        Raises:
            UnavailableError: the device does not answer, refuses the credentials, or answers with
                no JSON.
        """
        points = {name: self._points[name] for name in names}
        documents = self._get_all(point.at for point in points.values())
        values: dict[str, float] = {}
        for name, point in points.items():
            invalid = self._profile.invalid_of(point)
            values[name] = pick_point(documents[point.at], point, invalid)
        return values

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return for each value whether the device reports it.

        For a write-only point, whether it was the last one sent since the last failure.

        Raises:
            UnavailableError: as of ``read``, or a value is no number.
        """
        readable = [name for name, _ in values if not self._profile.points[name].write_only]
        reported = self.read(readable)
        matches: list[bool] = []
        for name, value in values:
            present = reported.get(name, self._sent.get(name, math.nan))
            point = self._points[name]
            text = write_text(name, point, value, self.place)
            sent = value if point.written_codes else float(text) * point.scale
            half_digit = point.scale * 10**-point.write_decimals / 2
            matches.append(abs(present - sent) < half_digit)
        return matches

    def write(self, values: Sequence[PointValue]) -> None:
        """Send a request for each value in order; the device has to answer with success.

        Raises:
            UnavailableError: the device does not answer, or refuses the credentials or a value; or
                a value is no number, and nothing was written.
        """
        texts: list[str] = []
        for name, value in values:
            texts.append(write_text(name, self._points[name], value, self.place))
        for (name, value), text in zip(values, texts, strict=True):
            point = self._points[name]
            path = (point.write_to or "").replace(VALUE_PART, text)
            body = None
            if point.write_body is not None:
                body = point.write_body.replace(VALUE_PART, text)
            # Whether the device took a value that it did not acknowledge is unknown.
            self._sent.pop(name, None)
            self._request(point.write_method, path, body)
            self._sent[name] = value

    def close(self) -> None:
        """Close the connection; what was sent to write-only points no longer counts."""
        self._sent.clear()
        client = self._client
        self._client = None
        if client is not None:
            client.close()

    def _get(self, path: str, kind: DocumentFormat | None = None) -> Any:
        """Return a document, in the transport's format where no other is named."""
        try:
            return read_as(self._request("GET", path), kind or self._transport.documents)
        except ValueError as exc:
            raise refuse(
                "device-answer-unreadable", field="via", value=self.place, at=path
            ) from exc

    def _request(self, method: WriteMethod, path: str, body: str | None = None) -> bytes:
        """Send one request, logged in where the device wants it, and return its answer's body.

        Raises:
            UnavailableError: as of ``read``, or an answer without success, or one that is too long.
        """
        session = self._session
        if session is None:
            return self._exchange(method, path, body)
        try:
            return self._exchange(method, session.sign(path), body)
        except UnavailableError as error:
            if error.reason != "device-unauthorized" or not session.is_open:
                raise
        # The session expired.
        session.forget()
        return self._exchange(method, session.sign(path), body)

    def _exchange(self, method: WriteMethod, path: str, body: str | None = None) -> bytes:
        """Send one request, and return the body of its answer.

        Raises:
            UnavailableError: no answer in time, one without success, or one that is too long.
        """
        import httpx

        if self._client is None or self._client.is_closed:
            self._client = self._open()
        client = self._client
        headers = {} if body is None else {"Content-Type": describe_body(body)}
        content = b""
        deadline = time.monotonic() + _MOST_WAITS * self._transport.patience_s
        try:
            with (
                self._hang_up_at(client, deadline),
                client.stream(method, path, content=body, headers=headers) as reply,
            ):
                for chunk in reply.iter_bytes():
                    content += chunk
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("sends too slowly")
                    if len(content) > MOST_BYTES:
                        raise refuse(
                            "device-answer-unreadable", field="via", value=self.place, at=path
                        )
        except (httpx.HTTPError, httpx.StreamError) as exc:
            self.close()
            raise refuse("device-silent", field="via", value=self.place) from exc
        if reply.status_code in _UNAUTHORIZED:
            raise refuse("device-unauthorized", field="via.secret", value=self.place)
        if not reply.is_success:
            raise refuse(
                "device-http-status",
                field="via",
                value=self.place,
                at=path,
                status=reply.status_code,
            )
        return content

    @contextmanager
    def _hang_up_at(self, client: "httpx.Client", deadline: float) -> Iterator[None]:
        """Close the client's connections if the block runs beyond an instant.

        Its patience is that of each chunk: a device that sends byte by byte would hold on for days.
        """
        timer = threading.Timer(deadline - time.monotonic(), client.close)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _open(self) -> "httpx.Client":
        # Imported here: it takes a fifth of a second, and only HTTP devices need it.
        import httpx

        from luna.platform.checked_transport import CheckedTransport

        headers: dict[str, str] = {}
        auth: httpx.Auth | None = None
        if (secret := self._secret) is not None and self._session is None:
            match self._transport.auth:
                case "bearer":
                    headers["Authorization"] = f"Bearer {secret.password}"
                case "header":
                    headers[self._transport.header] = secret.password
                case "digest":
                    auth = httpx.DigestAuth(secret.user, secret.password)
                case "basic":
                    auth = httpx.BasicAuth(secret.user, secret.password)
        certificates = self._trust()
        scheme = "http" if certificates is None else "https"
        host = f"[{self._host}]" if ":" in self._host else self._host
        # The credentials go to the owner's own device alone: no redirects, no proxy from the
        # environment.
        return httpx.Client(
            base_url=f"{scheme}://{host}:{self._port}",
            timeout=self._transport.patience_s,
            follow_redirects=False,
            trust_env=False,
            auth=auth,
            headers=headers,
            transport=self._web or CheckedTransport(DEVICE, certificates=certificates),
        )

    def _trust(self) -> ssl.SSLContext | None:
        """Return what trusts the device's own certificate, None where it speaks without TLS.

        Raises:
            UnavailableError: it shows another certificate, or does not answer.
        """
        if not self._transport.pinned:
            return None
        if self._secret is None:
            # Whoever answers is shown nothing.
            return trust_anybody()
        patience_s = self._transport.patience_s
        try:
            return trust_device(self._host, self._port, self._secret.user, patience_s=patience_s)
        except OSError as exc:
            raise refuse("device-silent", field="via", value=self.place) from exc
