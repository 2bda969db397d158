"""One question at a time over Home Assistant's websocket."""

import json
from contextlib import ExitStack
from functools import partial
from itertools import count
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from services.ingest.sources.home_assistant.access import NAME, Access, Patience
from services.ingest.sources.home_assistant.dialogue import Message, check_auth, parse_messages, read_result, write_auth
from services.ingest.sources.source import SourceError, SourceRefusedError

# A month of five-minute statistics of one sensor is about a megabyte.
LARGEST_MESSAGE = 64 * 2**20


class HomeAssistantSocket:
    """Asks over a connection that is opened when first needed, and anew when it was lost."""

    def __init__(self, access: Access, *, patience: Patience | None = None) -> None:
        self._access = access
        self._patience = patience or Patience()
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
            connection = self._connection or self._open()
            number = next(self._numbers)
            connection.send(json.dumps({"id": number, **command}))
            return read_result(self._receive(connection, number))
        except (WebSocketException, OSError) as exc:
            self.close()
            raise SourceError(f"Home Assistant's websocket was lost: {exc or type(exc).__name__}", field=NAME, remedy="Check that it runs.") from exc
        except (SourceError, SourceRefusedError):
            self.close()
            raise

    def _open(self) -> ClientConnection:
        timeout_s = self._patience.timeout_s
        options: dict[str, Any] = {"open_timeout": timeout_s, "close_timeout": 1, "max_size": LARGEST_MESSAGE}
        connection: ClientConnection = self._stack.enter_context(connect(self._access.socket_url, **options))
        self._connection, self._numbers = connection, count(1)
        connection.recv(timeout=timeout_s)
        connection.send(write_auth(self._access.token))
        check_auth(parse_messages(connection.recv(timeout=timeout_s))[0])
        return connection

    def _receive(self, connection: ClientConnection, number: int) -> Message:
        while True:
            for message in parse_messages(connection.recv(timeout=self._patience.timeout_s)):
                if message.get("id") == number:
                    return message
