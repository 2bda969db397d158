"""Tells a device through Home Assistant's services and reads what holds from its states.

Source: Home Assistant developer documentation, REST API: POST /api/services/<domain>/<service>, GET /api/states/<entity_id>.
"""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any

import httpx

from luna.addresses import HomeAssistantAccess
from services.executor.device import DeviceError
from services.executor.template import Write

PATIENCE = timedelta(seconds=5)
NAME = "home_assistant"
# By an entity's kind: the service that sets it, and the field of its data; Source: the integrations' own documentation.
SERVICES = {
    "select": ("select_option", "option"),
    "input_select": ("select_option", "option"),
    "number": ("set_value", "value"),
    "input_number": ("set_value", "value"),
    "input_text": ("set_value", "value"),
    "text": ("set_value", "value"),
    "button": ("press", None),
    "input_button": ("press", None),
    "script": ("turn_on", None),
}
SWITCHES = ("switch", "input_boolean")
UNKNOWN = {"unknown", "unavailable"}


class HomeAssistantDevice:
    """One Home Assistant, asked one thing at a time. ``transport``: of a test's own."""

    def __init__(self, access: HomeAssistantAccess, *, patience: timedelta = PATIENCE, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {access.token}"}
        self._patience = patience.total_seconds()
        self._client = httpx.Client(base_url=access.url, headers=headers, timeout=self._patience, transport=transport)

    def apply(self, writes: Sequence[Write]) -> None:
        """Call the services in order.

        Raises:
            DeviceError: Home Assistant is away, or refuses one.
        """
        for write in writes:
            service, data = _call(write)
            self._accept(self._ask("POST", f"/api/services/{service.replace('.', '/')}", {"entity_id": write.to} | data, self._patience), write.to)

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the entities' states; one that is unavailable is left out.

        Raises:
            DeviceError: Home Assistant is away or late, or does not accept the token.
        """
        found: dict[str, str | None] = {}
        end = None if within is None else monotonic() + within.total_seconds()
        for place in dict.fromkeys(places):
            # Connecting and answering may each take what is given: half, so that both together stay within it.
            found[place] = self._state(place, self._patience if end is None else (end - monotonic()) / 2)
        return {place: state for place, state in found.items() if state is not None}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _state(self, entity: str, patience: float) -> str | None:
        response = self._ask("GET", f"/api/states/{entity}", None, patience)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        state = self._accept(response, entity)
        said = state.get("state") if isinstance(state, dict) else None
        return said if isinstance(said, str) and said not in UNKNOWN else None

    def _ask(self, method: str, path: str, document: dict[str, Any] | None, patience: float) -> httpx.Response:
        try:
            return self._client.request(method, path, json=document, timeout=max(patience, 0.001))
        except httpx.HTTPError as exc:
            message = f"Home Assistant does not answer: {exc or type(exc).__name__}"
            raise DeviceError(message, field=NAME, remedy="Check that it runs, and LUNA_HOME_ASSISTANT_URL.") from exc

    def _accept(self, response: httpx.Response, entity: str) -> Any:
        if response.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
            raise DeviceError("Home Assistant does not accept the token", field="LUNA_HOME_ASSISTANT_TOKEN", remedy=remedy)
        if not response.is_success:
            remedy = "Compare the site's section control with the entity in Home Assistant: its options, its range, its services."
            raise DeviceError(f"Home Assistant answers {response.status_code} {response.reason_phrase}", field=entity, remedy=remedy)
        try:
            return response.json()
        except ValueError as exc:
            raise DeviceError("Home Assistant's answer breaks off or is no JSON", field=entity) from exc


def _call(write: Write) -> tuple[str, dict[str, Any]]:
    """Return service and data of a write: as the site names them, else as the entity's kind has them."""
    domain = write.to.partition(".")[0]
    if write.service is None and domain in SWITCHES:
        return f"{domain}.turn_{'on' if write.value.casefold() in {'on', 'true', '1'} else 'off'}", {}
    own, usual = SERVICES.get(domain, ("set_value", "value"))
    name = write.field or (usual if write.service is None or usual else "value")
    return write.service or f"{domain}.{own}", {} if name is None else {name: write.value}
