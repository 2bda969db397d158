"""Home Assistant's REST interface. Source: Home Assistant developer documentation, REST API."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx

from luna.energy.timeline import FloatArray, InstantArray
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import Clock, SystemClock
from services.ingest.sources.home_assistant.connection import NAME, BusyError, RequestPolicy
from services.ingest.sources.home_assistant.state import parse_history
from services.ingest.sources.source import SourceError, SourceRefusedError

# An answer names its second, and a home's network takes a moment; a slot has fifteen minutes.
CLOCK_TOLERANCE = timedelta(minutes=2)


class ClockError(SourceError):
    """Home Assistant's clock and ours differ: one of them is wrong, and readings would land in wrong slots."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity as Home Assistant shows it now."""

    name: str
    unit: str | None


class HomeAssistantWeb:
    """Asks one Home Assistant over HTTP, one request at a time."""

    def __init__(
        self, access: HomeAssistantAccess, *, patience: RequestPolicy | None = None, clock: Clock | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._patience = patience or RequestPolicy()
        self._clock = clock or SystemClock()
        headers = {"Authorization": f"Bearer {access.token}"}
        self._client = httpx.Client(base_url=access.url, headers=headers, timeout=self._patience.timeout_s, transport=transport)
        self._free_at = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """See that Home Assistant runs, knows us, and agrees with us about the time.

        Raises:
            SourceError: away, or still starting.
            ClockError: its clock is off, or ours.
            SourceRefusedError: the token is not accepted.
        """
        response = self._patience.call(partial(self._ask, "/api/config", {}))
        state = _parse(response).get("state", "RUNNING")
        if state != "RUNNING":
            raise SourceError(f"Home Assistant is not ready: {state}", field=NAME, remedy="Its sensors come back when it has started.")
        server_date = response.headers.get("Date")
        if server_date is None:
            return
        ahead = parsedate_to_datetime(server_date).astimezone(UTC) - self._clock.now()
        if abs(ahead) > CLOCK_TOLERANCE:
            minutes = abs(ahead) / timedelta(minutes=1)
            message = f"Home Assistant's clock is {minutes:.0f} minutes {'ahead of' if ahead > timedelta(0) else 'behind'} this machine's"
            raise ClockError(message, field=NAME, value=server_date, remedy="Set the wrong one of both; reading goes on by itself.")

    def entities(self) -> dict[str, Entity]:
        """Return the entities there are, by name.

        Raises:
            SourceError: away, or an answer nobody reads.
        """
        states = _parse(self._patience.call(partial(self._ask, "/api/states", {})))
        try:
            return {state["entity_id"]: Entity(state["entity_id"], state["attributes"].get("unit_of_measurement")) for state in states}
        except (TypeError, KeyError, AttributeError) as exc:
            raise SourceError("its states have a form that nobody here reads", field=NAME) from exc

    def history(self, sensor: str, first: datetime, end: datetime, *, flags: Collection[str] = ()) -> tuple[InstantArray, FloatArray, list[str | None]]:
        """Return instants, values and units of a sensor; the first is what held at ``first``, where the recorder still knows.

        Args:
            flags: ``minimal_response``: units of the first state alone, or of the first and the last; ``no_attributes``: none. Each is quicker.

        Raises:
            SourceError: away, too busy, or an answer nobody reads.
        """
        query = {"filter_entity_id": sensor, "end_time": _write(end), **dict.fromkeys(flags, "")}
        return parse_history(_parse(self._patience.call(partial(self._ask, f"/api/history/period/{_write(first)}", query))), sensor)

    def _ask(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        self._patience.sleep(max(0.0, self._free_at - time.monotonic()))
        try:
            response = self._client.get(path, params=query)
        except httpx.HTTPError as exc:
            # Without the user and password that an address may hold.
            there = f"{self._client.base_url.scheme}://{self._client.base_url.netloc.decode()}"
            message, remedy = f"Home Assistant does not answer: {exc or type(exc).__name__}", "Check that it runs, and LUNA_HOME_ASSISTANT_URL."
            raise SourceError(message, field=NAME, value=there, remedy=remedy) from exc
        finally:
            self._free_at = time.monotonic() + self._patience.pause_s
        status = response.status_code
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
            raise SourceRefusedError("Home Assistant does not accept the token", field="LUNA_HOME_ASSISTANT_TOKEN", remedy=remedy)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            retry_after = response.headers.get("Retry-After", "")
            raise BusyError(f"Home Assistant answers {status} {response.reason_phrase}", wait_s=float(retry_after) if retry_after.isdigit() else 0.0)
        if status != HTTPStatus.OK:
            raise SourceRefusedError(f"Home Assistant answers {status} {response.reason_phrase}", field=NAME, value=str(response.url.path))
        _parse(response)
        return response


def _parse(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as exc:
        raise SourceError("Home Assistant's answer breaks off or is no JSON", field=NAME, value=str(response.url.path)) from exc


def _write(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
