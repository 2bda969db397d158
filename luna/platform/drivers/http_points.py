"""Reads points in JSON documents over HTTP, from the device alone.

HTTP devices are never written to.
"""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse
from luna.platform.address_policy import DEVICE
from luna.platform.drivers.device_secrets import DeviceSecret
from luna.platform.drivers.json_points import pick_point
from luna.platform.drivers.json_values import parse_document
from luna.platform.drivers.points import DeviceIdentity, PointValue
from luna.platform.drivers.profile import DeviceProfile, HttpTransport, JsonPoint

if TYPE_CHECKING:
    import httpx

# Limits the memory that a document can take.
MOST_BYTES = 1_000_000
# How often a document may take a device's patience as a whole.
_MOST_WAITS = 2
_UNAUTHORIZED = {401, 403}


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
        self._secret = secret
        self._web = web
        self._client: httpx.Client | None = None

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
        documents = self._get_all(rule.at for rule in identified.documents)
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
        points = {name: cast("JsonPoint", self._profile.points[name]) for name in names}
        documents = self._get_all(point.at for point in points.values())
        values: dict[str, float] = {}
        for name, point in points.items():
            invalid = self._profile.invalid_of(point)
            values[name] = pick_point(documents[point.at], point, invalid)
        return values

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Refuse: nothing is commanded over HTTP.

        Raises:
            InvalidInputError: always.
        """
        raise refuse("profile-not-commanded", field="via", value=self._profile.profile)

    def write(self, values: Sequence[PointValue]) -> None:
        """Refuse: nothing is commanded over HTTP.

        Raises:
            InvalidInputError: always.
        """
        raise refuse("profile-not-commanded", field="via", value=self._profile.profile)

    def close(self) -> None:
        client = self._client
        self._client = None
        if client is not None:
            client.close()

    def _get(self, path: str) -> Any:
        import httpx

        self._client = self._client or self._open()
        content = b""
        deadline = time.monotonic() + _MOST_WAITS * self._transport.patience_s
        try:
            with self._client.stream("GET", path) as reply:
                for chunk in reply.iter_bytes():
                    content += chunk
                    # Its patience is that of each chunk: a device that sends byte by byte would
                    # hold on for days.
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("sends too slowly")
                    if len(content) > MOST_BYTES:
                        raise refuse(
                            "device-answer-unreadable", field="via", value=self.place, at=path
                        )
        except httpx.HTTPError as exc:
            self.close()
            raise refuse("device-silent", field="via", value=self.place) from exc
        if reply.status_code in _UNAUTHORIZED:
            raise refuse("device-unauthorized", field="via.secret", value=self.place)
        if reply.status_code != httpx.codes.OK:
            raise refuse(
                "device-http-status",
                field="via",
                value=self.place,
                at=path,
                status=reply.status_code,
            )
        try:
            return parse_document(content)
        except ValueError as exc:
            raise refuse(
                "device-answer-unreadable", field="via", value=self.place, at=path
            ) from exc

    def _open(self) -> "httpx.Client":
        # Imported here: it takes a fifth of a second, and only HTTP devices need it.
        import httpx

        from luna.platform.checked_transport import CheckedTransport

        headers: dict[str, str] = {}
        auth: httpx.Auth | None = None
        if (secret := self._secret) is not None:
            match self._transport.auth:
                case "header":
                    headers[self._transport.header] = secret.password
                case "digest":
                    auth = httpx.DigestAuth(secret.user, secret.password)
                case "basic":
                    auth = httpx.BasicAuth(secret.user, secret.password)
        host = f"[{self._host}]" if ":" in self._host else self._host
        # The credentials go to the owner's own device alone: no redirects, no proxy from the
        # environment.
        return httpx.Client(
            base_url=f"http://{host}:{self._port}",
            timeout=self._transport.patience_s,
            follow_redirects=False,
            trust_env=False,
            auth=auth,
            headers=headers,
            transport=self._web or CheckedTransport(DEVICE),
        )
