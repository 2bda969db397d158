"""Clients of Home Assistant's WebSocket and REST APIs.

They authenticate, parse messages, limit their rate and retry with back-off.

Source: Home Assistant developer documentation, WebSocket API and REST API.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any, TypeVar

import httpx
import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from luna.energy.timeline import FloatArray, InstantArray
from luna.platform.address_policy import HOME_ASSISTANT, open_connection
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.checked_transport import CheckedTransport
from luna.platform.clock import Clock, SystemClock
from luna.platform.retry import RetryPolicy
from services.ingest.sources.home_assistant.entity_states import parse_history
from services.ingest.sources.source import SourceError, SourceRefusedError

NAME = "home_assistant"
T = TypeVar("T")


class BusyError(SourceError):
    """Home Assistant, or a proxy before it, asks to wait ``wait_s`` before the next request."""

    def __init__(self, message: str, *, wait_s: float) -> None:
        super().__init__(message, field=NAME)
        self.wait_s = wait_s


# Six tries span up to a quarter of a minute; jitter spreads the reconnections of several clients.
RETRY = RetryPolicy(timedelta(seconds=0.5), longest=timedelta(minutes=1), tries=6, jitter=0.5)


@dataclass(frozen=True)
class RequestPolicy:
    """Timeout of an answer, retries of a failed request, and pause between requests."""

    timeout_s: float = 60.0
    retry: RetryPolicy = RETRY
    pause_s: float = 0.02
    sleep: Callable[[float], None] = time.sleep
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def wait_s(self, failures: int, requested_s: float = 0.0) -> float:
        """Return the back-off after ``failures`` in a row.

        It is at least ``requested_s`` and at most the longest pause.

        Args:
            failures: at least one.
        """
        back_off_s = self.retry.pause(failures, self.rng).total_seconds()
        longest_s = self.retry.longest.total_seconds()
        return min(max(requested_s, back_off_s), longest_s)

    def call(self, ask: Callable[[], T]) -> T:
        """Return the result of ``ask``, retried a bounded number of times after ``SourceError``.

        Raises:
            SourceError: the last try failed as well.
        """
        failures = 0
        while True:
            try:
                return ask()
            except SourceError as error:
                failures += 1
                if self.retry.gives_up(failures):
                    raise
                requested_s = error.wait_s if isinstance(error, BusyError) else 0.0
                self.sleep(self.wait_s(failures, requested_s))


# Error codes for which a retry is useless.
REFUSALS = {"invalid_format", "unknown_command", "unauthorized", "not_found", "not_supported"}
Message = dict[str, Any]


def write_auth(token: str) -> str:
    """Return the answer to ``auth_required``."""
    return json.dumps({"type": "auth", "access_token": token})


def check_auth(message: Message) -> None:
    """Check that the token was accepted.

    Raises:
        SourceRefusedError: it was refused.
        SourceError: an unexpected message.
    """
    if message["type"] == "auth_invalid":
        remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
        raise SourceRefusedError(
            "Home Assistant does not accept the token",
            field="LUNA_HOME_ASSISTANT_TOKEN",
            remedy=remedy,
        )
    if message["type"] != "auth_ok":
        raise SourceError(
            "its greeting has a form that nobody here reads", field=NAME, value=message["type"]
        )


def parse_messages(frame: str | bytes) -> list[Message]:
    """Return the messages of a frame: one, or several coalesced ones.

    Raises:
        SourceError: the frame is no JSON, or holds no messages.
    """
    try:
        document = json.loads(frame)
    except ValueError as exc:
        raise SourceError("its message is no JSON", field=NAME) from exc
    messages = document if isinstance(document, list) else [document]
    if not all(isinstance(message, dict) and "type" in message for message in messages):
        raise SourceError("its message has a form that nobody here reads", field=NAME)
    return messages


def read_result(message: Message) -> Any:
    """Return the result of a command.

    Raises:
        SourceRefusedError: the command is refused.
        SourceError: a temporary failure.
    """
    if message.get("success"):
        return message.get("result")
    error = message.get("error") or {}
    code = error.get("code")
    reason = error.get("message", "no reason given")
    error_class = SourceRefusedError if code in REFUSALS else SourceError
    raise error_class(f"Home Assistant refuses: {reason}", field=NAME, value=code)


# A month of five-minute statistics of one sensor is about a megabyte.
LARGEST_MESSAGE = 64 * 2**20


class HomeAssistantSocket:
    """WebSocket client; connects at first use, and again after a failure."""

    def __init__(
        self, access: HomeAssistantAccess, *, patience: RequestPolicy | None = None
    ) -> None:
        self._access = access
        self._patience = patience or RequestPolicy()
        self._stack = ExitStack()
        self._connection: ClientConnection | None = None
        self._numbers = count(1)

    def close(self) -> None:
        """Close the connection."""
        self._connection = None
        self._stack.close()

    def ask(self, command: str, **fields: object) -> Any:
        """Send a command and return its result.

        Raises:
            SourceError: no connection, a timeout or a failure, after all retries.
            SourceRefusedError: the token or the command is refused.
        """
        return self._patience.call(partial(self._ask, {"type": command, **fields}))

    def _ask(self, command: Message) -> Any:
        try:
            connection = self._connection
            if connection is None:
                connection = self._connect()
            number = next(self._numbers)
            connection.send(json.dumps({"id": number, **command}))
            return read_result(self._receive_answer(connection, number))
        except (WebSocketException, OSError, ValueError) as exc:
            self.close()
            raise SourceError(
                f"Home Assistant's websocket was lost: {exc or type(exc).__name__}",
                field=NAME,
                remedy="Check that it runs.",
            ) from exc
        except (SourceError, SourceRefusedError):
            self.close()
            raise

    def _connect(self) -> ClientConnection:
        timeout_s = self._patience.timeout_s
        # A given socket keeps the library from following redirections, which would send the
        # token elsewhere.
        link = open_connection(HOME_ASSISTANT, *self._access.host_and_port, timeout_s)
        connecting = connect(
            self._access.socket_url,
            sock=link,
            open_timeout=timeout_s,
            close_timeout=1,
            max_size=LARGEST_MESSAGE,
        )
        connection = self._stack.enter_context(connecting)
        self._connection = connection
        self._numbers = count(1)
        connection.recv(timeout=timeout_s)
        connection.send(write_auth(self._access.token))
        check_auth(parse_messages(connection.recv(timeout=timeout_s))[0])
        return connection

    def _receive_answer(self, connection: ClientConnection, number: int) -> Message:
        while True:
            frame = connection.recv(timeout=self._patience.timeout_s)
            for message in parse_messages(frame):
                if message.get("id") == number:
                    return message


# Room for whole seconds and the network's latency, little beside a slot of fifteen minutes.
CLOCK_TOLERANCE = timedelta(minutes=2)


class ClockError(SourceError):
    """The clocks of Home Assistant and this machine differ.

    Readings would fall into wrong slots.
    """


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of Home Assistant with its current unit."""

    name: str
    unit: str | None


class HomeAssistantWeb:
    """REST client, one request at a time."""

    def __init__(
        self,
        access: HomeAssistantAccess,
        *,
        patience: RequestPolicy | None = None,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._patience = patience or RequestPolicy()
        self._clock = clock or SystemClock()
        headers = {"Authorization": f"Bearer {access.token}"}
        transport = transport or CheckedTransport(HOME_ASSISTANT)
        self._client = httpx.Client(
            base_url=access.url,
            headers=headers,
            timeout=self._patience.timeout_s,
            transport=transport,
        )
        self._free_at = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Check that Home Assistant is running, accepts the token, and has the same time.

        Raises:
            SourceError: no answer, or it is still starting.
            ClockError: one of the clocks is wrong.
            SourceRefusedError: the token is refused.
        """
        response = self._patience.call(partial(self._ask, "/api/config", {}))
        state = _parse(response).get("state", "RUNNING")
        if state != "RUNNING":
            raise SourceError(
                f"Home Assistant is not ready: {state}",
                field=NAME,
                remedy="Its sensors come back when it has started.",
            )
        server_date = response.headers.get("Date")
        if server_date is None:
            return
        ahead = parsedate_to_datetime(server_date).astimezone(UTC) - self._clock.now()
        if abs(ahead) > CLOCK_TOLERANCE:
            minutes = abs(ahead) / timedelta(minutes=1)
            relation = "ahead of" if ahead > timedelta(0) else "behind"
            raise ClockError(
                f"Home Assistant's clock is {minutes:.0f} minutes {relation} this machine's",
                field=NAME,
                value=server_date,
                remedy="Set the wrong one of both; reading goes on by itself.",
            )

    def entities(self) -> dict[str, Entity]:
        """Return all entities by name.

        Raises:
            SourceError: no answer, or an unreadable one.
        """
        states = _parse(self._patience.call(partial(self._ask, "/api/states", {})))
        entities: dict[str, Entity] = {}
        try:
            for state in states:
                name = state["entity_id"]
                unit = state["attributes"].get("unit_of_measurement")
                entities[name] = Entity(name, unit)
        except (TypeError, KeyError, AttributeError) as exc:
            raise SourceError("its states have a form that nobody here reads", field=NAME) from exc
        return entities

    def history(
        self, sensor: str, first: datetime, end: datetime, *, flags: Collection[str] = ()
    ) -> tuple[InstantArray, FloatArray, list[str | None]]:
        """Return instants, values and units of a sensor.

        The first is the state in force at ``first``, where the recorder still has it.

        Args:
            flags: ``minimal_response``: units of the first, or of first and last state only;
                ``no_attributes``: no units. Each is faster.

        Raises:
            SourceError: no answer, busy, or an unreadable answer.
        """
        path = f"/api/history/period/{_write(first)}"
        query = {"filter_entity_id": sensor, "end_time": _write(end), **dict.fromkeys(flags, "")}
        response = self._patience.call(partial(self._ask, path, query))
        return parse_history(_parse(response), sensor)

    def _ask(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        self._patience.sleep(max(0.0, self._free_at - time.monotonic()))
        try:
            response = self._client.get(path, params=query)
        except httpx.HTTPError as exc:
            # Without user and password, which the address may contain.
            url = self._client.base_url
            raise SourceError(
                f"Home Assistant does not answer: {exc or type(exc).__name__}",
                field=NAME,
                value=f"{url.scheme}://{url.netloc.decode()}",
                remedy="Check that it runs, and LUNA_HOME_ASSISTANT_URL.",
            ) from exc
        finally:
            self._free_at = time.monotonic() + self._patience.pause_s
        _check_status(response)
        _parse(response)
        return response


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
        raise SourceRefusedError(
            "Home Assistant does not accept the token",
            field="LUNA_HOME_ASSISTANT_TOKEN",
            remedy=remedy,
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        retry_after = response.headers.get("Retry-After", "")
        raise BusyError(
            f"Home Assistant answers {status} {response.reason_phrase}",
            wait_s=float(retry_after) if retry_after.isdigit() else 0.0,
        )
    if status != HTTPStatus.OK:
        raise SourceRefusedError(
            f"Home Assistant answers {status} {response.reason_phrase}",
            field=NAME,
            value=str(response.url.path),
        )


def _parse(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as exc:
        raise SourceError(
            "Home Assistant's answer breaks off or is no JSON",
            field=NAME,
            value=str(response.url.path),
        ) from exc


def _write(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
