"""A connection to Home Assistant: access, the messages of its WebSocket, and patience with it."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar

import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from luna.platform.addresses import HomeAssistantAccess
from luna.platform.retry import RetryPolicy
from services.ingest.sources.source import SourceError, SourceRefusedError

NAME = "home_assistant"
T = TypeVar("T")


class BusyError(SourceError):
    """Home Assistant, or a proxy before it, asks to wait ``wait_s`` before the next request."""

    def __init__(self, message: str, *, wait_s: float) -> None:
        super().__init__(message, field=NAME)
        self.wait_s = wait_s


# Six tries span a quarter of a minute; chance takes off up to a half, so that several who lost it do not come back at once.
RETRY = RetryPolicy(timedelta(seconds=0.5), longest=timedelta(minutes=1), tries=6, jitter=0.5)


@dataclass(frozen=True)
class RequestPolicy:
    """How long one answer may take, how often a failed request is made again, and how far apart requests stand."""

    timeout_s: float = 60.0
    retry: RetryPolicy = RETRY
    pause_s: float = 0.02
    sleep: Callable[[float], None] = time.sleep
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def wait_s(self, failures: int, requested_s: float = 0.0) -> float:
        """Return how long to wait after ``failures`` in a row (at least one); never less than asked for, as far as the longest pause allows."""
        return min(max(requested_s, self.retry.pause(failures, self.rng).total_seconds()), self.retry.longest.total_seconds())

    def call(self, ask: Callable[[], T]) -> T:
        """Return what ``ask`` returns; after a ``SourceError`` ask again, a bounded number of times.

        Raises:
            SourceError: the last attempt failed too.
        """
        failures = 0
        while True:
            try:
                return ask()
            except SourceError as error:
                failures += 1
                if self.retry.gives_up(failures):
                    raise
                self.sleep(self.wait_s(failures, error.wait_s if isinstance(error, BusyError) else 0.0))


# What asking again in the same words would answer in the same way.
REFUSALS = {"invalid_format", "unknown_command", "unauthorized", "not_found", "not_supported"}
Message = dict[str, Any]


def write_auth(token: str) -> str:
    """Return what answers ``auth_required``."""
    return json.dumps({"type": "auth", "access_token": token})


def check_auth(message: Message) -> None:
    """See that the token was accepted.

    Raises:
        SourceRefusedError: it was not.
        SourceError: something else was said.
    """
    if message["type"] == "auth_invalid":
        remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
        raise SourceRefusedError("Home Assistant does not accept the token", field="LUNA_HOME_ASSISTANT_TOKEN", remedy=remedy)
    if message["type"] != "auth_ok":
        raise SourceError("its greeting has a form that nobody here reads", field=NAME, value=message["type"])


def parse_messages(frame: str | bytes) -> list[Message]:
    """Return the messages of a frame: one, or several that were coalesced.

    Raises:
        SourceError: no JSON, or no messages.
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
    """Return what a command brought.

    Raises:
        SourceRefusedError: it is refused.
        SourceError: it failed for now.
    """
    if message.get("success"):
        return message.get("result")
    error = message.get("error") or {}
    kind = SourceRefusedError if error.get("code") in REFUSALS else SourceError
    raise kind(f"Home Assistant refuses: {error.get('message', 'no reason given')}", field=NAME, value=error.get("code"))


# A month of five-minute statistics of one sensor is about a megabyte.
LARGEST_MESSAGE = 64 * 2**20


class HomeAssistantSocket:
    """Asks over a connection that is opened when first needed, and anew when it was lost."""

    def __init__(self, access: HomeAssistantAccess, *, patience: RequestPolicy | None = None) -> None:
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
        """Return what ``command`` brings.

        Raises:
            SourceError: away, too slow, or it failed; after a bounded number of attempts.
            SourceRefusedError: the token or the command is refused.
        """
        return self._patience.call(partial(self._ask, {"type": command, **fields}))

    def _ask(self, command: Message) -> Any:
        try:
            connection, timeout_s = self._connection, self._patience.timeout_s
            if connection is None:
                options: dict[str, Any] = {"open_timeout": timeout_s, "close_timeout": 1, "max_size": LARGEST_MESSAGE}
                connection = self._stack.enter_context(connect(self._access.socket_url, **options))
                self._connection, self._numbers = connection, count(1)
                connection.recv(timeout=timeout_s)
                connection.send(write_auth(self._access.token))
                check_auth(parse_messages(connection.recv(timeout=timeout_s))[0])
            number = next(self._numbers)
            connection.send(json.dumps({"id": number, **command}))
            answers = (message for frame in iter(partial(connection.recv, timeout=timeout_s), None) for message in parse_messages(frame))
            return read_result(next(message for message in answers if message.get("id") == number))
        except (WebSocketException, OSError) as exc:
            self.close()
            raise SourceError(f"Home Assistant's websocket was lost: {exc or type(exc).__name__}", field=NAME, remedy="Check that it runs.") from exc
        except (SourceError, SourceRefusedError):
            self.close()
            raise
