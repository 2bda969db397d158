"""Device connection over Home Assistant: calls services and reads entity states back.

Source: Home Assistant developer documentation, REST API: POST /api/services/<domain>/<service>, GET
/api/states/<entity_id>.
"""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any

import httpx

from luna.contracts.device_template import Write, service_call
from luna.drivers.control.device import DeviceError
from luna.energy.site.control import Control
from luna.platform.address_policy import HOME_ASSISTANT
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.checked_transport import CheckedTransport
from luna.platform.settings import Settings

PATIENCE = timedelta(seconds=5)
NAME = "home_assistant"
UNKNOWN = {"unknown", "unavailable"}


class HomeAssistantDevice:
    """Client of one Home Assistant, one request at a time. ``transport`` is for tests."""

    def __init__(
        self,
        access: HomeAssistantAccess,
        *,
        patience: timedelta = PATIENCE,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {access.token}"}
        self._patience = patience.total_seconds()
        transport = transport or CheckedTransport(HOME_ASSISTANT)
        self._client = httpx.Client(
            base_url=access.url, headers=headers, timeout=self._patience, transport=transport
        )

    def apply(self, writes: Sequence[Write]) -> None:
        """Call the services in order.

        Raises:
            DeviceError: Home Assistant is away, or refuses a call.
        """
        for write in writes:
            service, data = service_call(write)
            self._accept(
                self._ask(
                    "POST",
                    f"/api/services/{service.replace('.', '/')}",
                    {"entity_id": write.to} | data,
                    self._patience,
                ),
                write.to,
            )

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the entities' states, without unknown and unavailable ones.

        Raises:
            DeviceError: Home Assistant is away or late, or refuses the token.
        """
        states: dict[str, str] = {}
        end = None if within is None else monotonic() + within.total_seconds()
        for place in dict.fromkeys(places):
            # Half of the time each for connecting and reading, so that both together stay within
            # it.
            response = self._ask(
                "GET",
                f"/api/states/{place}",
                None,
                self._patience if end is None else (end - monotonic()) / 2,
            )
            if response.status_code != HTTPStatus.NOT_FOUND:
                state = self._accept(response, place)
                value = state.get("state") if isinstance(state, dict) else None
                if isinstance(value, str) and value not in UNKNOWN:
                    states[place] = value
        return states

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(
        self, method: str, path: str, document: dict[str, Any] | None, patience: float
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, json=document, timeout=max(patience, 0.001))
        except httpx.HTTPError as exc:
            message = f"Home Assistant does not answer: {exc or type(exc).__name__}"
            raise DeviceError(
                message, field=NAME, remedy="Check that it runs, and LUNA_HOME_ASSISTANT_URL."
            ) from exc

    def _accept(self, response: httpx.Response, entity: str) -> Any:
        if response.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
            raise DeviceError(
                "Home Assistant does not accept the token",
                field="LUNA_HOME_ASSISTANT_TOKEN",
                remedy=remedy,
            )
        if not response.is_success:
            remedy = (
                "Compare the site's section control with the entity in Home Assistant: its "
                "options, its range, its services."
            )
            raise DeviceError(
                f"Home Assistant answers {response.status_code} {response.reason_phrase}",
                field=entity,
                remedy=remedy,
            )
        try:
            return response.json()
        except ValueError as exc:
            raise DeviceError(
                "Home Assistant's answer breaks off or is no JSON", field=entity
            ) from exc


def open_device(settings: Settings, _: Control) -> HomeAssistantDevice:
    """Return the connection to the Home Assistant of the settings.

    Raises:
        InvalidInputError: the settings lack its address or token.
    """
    return HomeAssistantDevice(HomeAssistantAccess.of(settings))
