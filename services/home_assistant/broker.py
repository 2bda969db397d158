"""Connect to Home Assistant over MQTT.

The connection reconnects by itself, publishes retained messages and queues commands; a last will
marks Luna offline.
"""

import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import paho.mqtt.client as paho
import structlog

from luna.energy.errors import UnavailableError
from luna.platform.addresses import Broker
from luna.platform.mqtt import create_client, use_tls
from services.home_assistant.discovery import ANNOUNCED, AVAILABILITY, COMMANDS, OFFLINE

KEEPALIVE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 30
# More commands than a person sends in a turn; a flood is dropped.
MOST_WAITING = 1000
LONGEST_PAYLOAD = 65_536
LEAVE_PATIENCE = timedelta(seconds=2)

log = structlog.get_logger("luna.home_assistant")


@dataclass(frozen=True, slots=True)
class BrokerMessage:
    """A received message.

    ``retained``: stored by the broker at an unknown instant, not published now.
    """

    topic: str
    payload: bytes
    retained: bool


class BrokerConnection:
    """Publishes retained messages and queues commands.

    Without a persistent session: commands sent while Luna is offline are not executed later.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._birth = f"{broker.prefix}/status"
        self._received: queue.Queue[BrokerMessage] = queue.Queue(MOST_WAITING)
        self._fresh = threading.Event()
        self._state = "connects"
        self._client = create_client(broker, reconnect_on_failure=True)
        self._client.will_set(AVAILABILITY, OFFLINE, qos=1, retain=True)
        self._client.reconnect_delay_set(1, LONGEST_PAUSE_SECONDS)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def open(self) -> None:
        """Connect in the background, retrying until closed."""
        use_tls(self._client, self._broker)
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_SECONDS)
        self._client.loop_start()

    def close(self) -> None:
        """Publish that Luna is offline, and disconnect."""
        if self._client.is_connected():
            self.publish({AVAILABILITY: OFFLINE})
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is connected."""
        return self._client.is_connected()

    def take_fresh(self) -> bool:
        """Return once whether everything must be published again.

        The connection is new then, or Home Assistant has started.
        """
        fresh = self._fresh.is_set()
        self._fresh.clear()
        return fresh

    def publish(self, messages: dict[str, str]) -> None:
        """Publish retained messages by topic, an empty one removes its topic.

        Wait up to ``LEAVE_PATIENCE`` for the last acknowledgement.
        """
        last = None
        for topic, payload in messages.items():
            last = self._client.publish(topic, payload, qos=1, retain=True)
        if last is None:
            return
        try:
            last.wait_for_publish(LEAVE_PATIENCE.total_seconds())
        except (RuntimeError, ValueError) as error:
            log.warning("the broker did not take a message", error=str(error))

    def receive(self, within: timedelta) -> Iterable[BrokerMessage]:
        """Yield the received messages, waiting up to ``within`` for the first."""
        try:
            yield self._received.get(timeout=within.total_seconds())
            while True:
                yield self._received.get_nowait()
        except queue.Empty:
            return

    def probe(self) -> str:
        """Return the state of the connection for the health check.

        Raises:
            UnavailableError: the broker is not connected.
        """
        if not self.connected:
            raise UnavailableError(
                f"the MQTT broker: {self._state}",
                field="mqtt_url",
                value=str(self._broker),
                remedy="Check LUNA_MQTT_URL and the broker.",
            )
        return "connected"

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._note_state("connected" if not reason.is_failure else f"refuses Luna: {reason}")
        if not reason.is_failure:
            self._fresh.set()
            client.subscribe([(topic, 1) for topic in (self._birth, ANNOUNCED, COMMANDS)])

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._note_state(f"is gone: {reason}")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        # A retained birth message is of an earlier start, which the new connection answers. Source:
        # Home Assistant, "MQTT": birth and last will.
        if message.topic == self._birth:
            if message.payload == b"online" and not message.retain:
                self._fresh.set()
            return
        if len(message.payload) > LONGEST_PAYLOAD:
            log.warning(
                "message is left out: too long", topic=message.topic, bytes=len(message.payload)
            )
            return
        try:
            self._received.put_nowait(
                BrokerMessage(message.topic, bytes(message.payload), message.retain)
            )
        except queue.Full:
            log.warning("message is left out: too many wait", topic=message.topic)

    def _note_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            log.info("broker", broker=str(self._broker), state=state)
