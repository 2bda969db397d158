"""One connection to a broker, for asyncio.

What is lost with it comes again on the next one.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from luna.platform.addresses import Broker
from luna.platform.mqtt import create_client, use_tls
from services.ingest.sources.mqtt.session_store import UNDER_WAY
from services.ingest.sources.source import SourceError

# How long a broker keeps what comes while Luna is away.
SESSION_EXPIRY = timedelta(days=7)
KEEPALIVE_SECONDS = 30
ANSWER_SECONDS = 10.0
BATCH = 500
# Topics that one packet unsubscribes from.
_TOPICS_PER_PACKET = 100


log = structlog.get_logger("luna.ingest.mqtt")


class Connection:
    """A live connection to a broker.

    Messages come from ``batch`` and are acknowledged only by ``acknowledge``.
    """

    def __init__(self, broker: Broker, identifier: str) -> None:
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[paho.MQTTMessage] = asyncio.Queue()
        self._accepted: asyncio.Future[bool] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._client = create_client(
            broker, identifier=identifier, reconnect_on_failure=False, manual_ack=True
        )
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._subscriptions: dict[int | None, str] = {}
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    async def open(self) -> bool:
        """Connect and return whether the broker remembers this client.

        Raises:
            SourceError: the broker is away, refuses Luna, or its certificate is not trusted.
        """
        try:
            await asyncio.to_thread(self._connect)
            self._client.loop_start()
            return await asyncio.wait_for(self._accepted, ANSWER_SECONDS)
        except TimeoutError as exc:
            raise self._error(f"has not answered within {ANSWER_SECONDS:g} s") from exc
        except ssl.SSLError as exc:
            remedy = (
                "Check the broker's certificate; name the file of your own authority with "
                "SSL_CERT_FILE."
            )
            raise self._error(
                f"cannot be reached by TLS: {exc.reason or exc}", remedy=remedy
            ) from exc
        except (OSError, ValueError) as exc:
            raise self._error(f"cannot be reached: {exc}") from exc

    async def subscribe(self, topics: Iterable[str], *, qos: int) -> None:
        """Subscribe to ``topics``; the broker sends their retained messages at once."""
        for topic in topics:
            _, number = self._client.subscribe(topic, qos)
            self._subscriptions[number] = topic
            await asyncio.sleep(0)

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        """Unsubscribe from ``topics``."""
        names = list(topics)
        for first in range(0, len(names), _TOPICS_PER_PACKET):
            self._client.unsubscribe(names[first : first + _TOPICS_PER_PACKET])

    async def batch(self) -> list[paho.MQTTMessage]:
        """Wait for messages and return them, at least one.

        Raises:
            SourceError: the connection is gone.
        """
        waiting = asyncio.ensure_future(self._messages.get())
        either: list[asyncio.Future[Any]] = [waiting, self._lost]
        try:
            done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if waiting not in done:
            raise self._error(f"is lost: {self._lost.result()}")
        more = min(self._messages.qsize(), BATCH - 1)
        return [waiting.result(), *(self._messages.get_nowait() for _ in range(more))]

    def acknowledge(self, messages: Iterable[paho.MQTTMessage]) -> None:
        """Tell the broker that ``messages`` are recorded."""
        for message in messages:
            self._client.ack(message.mid, message.qos)

    async def close(self) -> None:
        """Disconnect; the broker stores what comes from now on.

        It has a second to confirm.
        """
        self._client.disconnect()
        await asyncio.wait([self._lost], timeout=1.0)

    def _connect(self) -> None:
        use_tls(self._client, self._broker)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = int(SESSION_EXPIRY.total_seconds())
        properties.ReceiveMaximum = UNDER_WAY
        self._client.connect(
            self._broker.host,
            self._broker.port,
            KEEPALIVE_SECONDS,
            clean_start=False,
            properties=properties,
        )

    def _on_connect(
        self,
        _client: paho.Client,
        _data: Any,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Any,
    ) -> None:
        outcome: SourceError | bool = flags.session_present
        if reason.is_failure:
            outcome = self._error(f"refuses Luna: {reason}")
        self._call_in_loop(partial(_settle, self._accepted), outcome)

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        error = self._error(f"hangs up: {reason}")
        self._call_in_loop(partial(_settle, self._accepted), error)
        self._call_in_loop(partial(_settle, self._lost), str(reason))

    def _on_subscribe(
        self,
        _client: paho.Client,
        _data: Any,
        number: int,
        reasons: list[ReasonCode],
        _properties: Any,
    ) -> None:
        self._call_in_loop(self._note_subscribed, (number, reasons))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._call_in_loop(self._messages.put_nowait, message)

    def _note_subscribed(self, answer: tuple[int, list[ReasonCode]]) -> None:
        number, reasons = answer
        topic = self._subscriptions.pop(number, None)
        if any(reason.is_failure for reason in reasons):
            log.warning(
                "broker refuses a subscription",
                topic=topic,
                reason=str(reasons[0]),
                remedy="Let the broker's access rules allow it to Luna's user.",
            )

    def _call_in_loop(self, receive: Any, what: Any) -> None:
        # Runs in paho's thread; a loop that has ended needs nothing more.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(receive, what)

    def _error(
        self, what: str, *, remedy: str = "Check LUNA_MQTT_URL, the broker's log and the password."
    ) -> SourceError:
        return SourceError(
            f"the MQTT broker {what}", field="mqtt_url", value=str(self._broker), remedy=remedy
        )


@asynccontextmanager
async def connected(broker: Broker, identifier: str) -> AsyncIterator[tuple[Connection, bool]]:
    """Keep a connection open while the block runs.

    Yields the connection, and whether the broker remembers this client.

    Raises:
        SourceError: no connection.
    """
    connection = Connection(broker, identifier)
    try:
        yield connection, await connection.open()
    finally:
        await connection.close()


def _settle(future: "asyncio.Future[Any]", outcome: object) -> None:
    if future.done():
        return
    if isinstance(outcome, SourceError):
        future.set_exception(outcome)
        # Mark it as retrieved: nobody awaits it after opening was given up.
        future.exception()
    else:
        future.set_result(outcome)
