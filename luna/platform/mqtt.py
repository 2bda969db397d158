"""Connect to a configured broker over MQTT 5.

It logs in with the user's credentials; TLS trusts the system's certificate authorities.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from luna.platform.address_policy import BROKER, open_connection
from luna.platform.addresses import Broker

KEEPALIVE_SECONDS = 15
# Largest message that is received: no device's is longer.
MOST_BYTES = 1_000_000
# A message to an offline device would apply to another slot.
EXPIRY_SECONDS = 60


class _CheckedClient(paho.Client):
    """Connects to addresses that the policy allows, also when it connects again by itself."""

    purpose = BROKER

    def _create_socket_connection(self) -> socket.socket:
        return open_connection(self.purpose, self._host, self._port, self._connect_timeout)


def create_client(broker: Broker, *, identifier: str = "", **options: Any) -> paho.Client:
    """Return an unconnected client with the broker's credentials; ``options`` are paho's own."""
    client = _CheckedClient(
        CallbackAPIVersion.VERSION2, client_id=identifier, protocol=paho.MQTTv5, **options
    )
    if broker.user is not None:
        client.username_pw_set(
            broker.user, broker.password.get_secret_value() if broker.password else None
        )
    client.on_socket_open = _send_at_once
    return client


def _send_at_once(_client: paho.Client, _data: Any, opened: Any) -> None:
    # Otherwise a second small message waits 40 ms until the broker has confirmed the first.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def use_tls(client: paho.Client, broker: Broker) -> None:
    """Enable TLS where the broker uses it.

    Reads the system's certificates, so not for an event loop.

    Raises:
        OSError: they cannot be read.
    """
    if broker.tls:
        client.tls_set_context(ssl.create_default_context())


class BrokerError(Exception):
    """A broker is away, refuses the login, or did not confirm a message."""

    def __init__(self, fault: Literal["away", "refused", "unconfirmed"], why: str = "") -> None:
        super().__init__(why or fault)
        self.fault = fault


class BrokerLink:
    """A connection to a broker.

    A message that is not confirmed in time is never delivered later.

    Args:
        broker: its address.
        topics: to subscribe to on connecting.
        on_message: called in the link's own thread.
        patience_s: time-out of each answer of the broker.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        on_message: Callable[[paho.MQTTMessage], None],
        *,
        patience_s: float,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._on_message = on_message
        self._patience_s = patience_s
        self._client: paho.Client | None = None

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.is_connected()

    def open(self, patience_s: float | None = None) -> None:
        """Connect anew and subscribe.

        Raises:
            BrokerError: the broker is away, or refuses the login.
        """
        self.close()
        patience_s = self._patience_s if patience_s is None else patience_s
        client = create_client(self._broker, reconnect_on_failure=False)
        ready = threading.Event()
        refused = threading.Event()

        def on_connect(
            _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
        ) -> None:
            if not reason.is_failure and self._topics:
                client.subscribe([(topic, 1) for topic in self._topics])
                return
            if reason.is_failure:
                refused.set()
            ready.set()

        client.on_connect = on_connect
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _client, _data, message: self._on_message(message)
        try:
            use_tls(client, self._broker)
            client.connect_timeout = patience_s
            limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            # The broker leaves out what is larger.
            limits.MaximumPacketSize = MOST_BYTES
            client.connect(
                self._broker.host, self._broker.port, KEEPALIVE_SECONDS, properties=limits
            )
        except (OSError, ValueError) as exc:
            raise BrokerError("away", str(exc)) from exc
        client.loop_start()
        self._client = client
        if not ready.wait(patience_s) or refused.is_set():
            self.close()
            raise BrokerError("refused" if refused.is_set() else "away")

    def publish(self, topic: str, payload: str) -> None:
        """Publish at QoS 1 and return when the broker has confirmed it.

        Raises:
            BrokerError: it did not; the connection is closed.
        """
        expiry = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        expiry.MessageExpiryInterval = EXPIRY_SECONDS
        try:
            if self._client is not None:
                published = self._client.publish(topic, payload, qos=1, properties=expiry)
                published.wait_for_publish(self._patience_s)
                if published.is_published():
                    return
        except (RuntimeError, ValueError):
            pass
        # The client would resend it on its next connection.
        self.close()
        raise BrokerError("unconfirmed")

    def close(self) -> None:
        """Close the connection and drop undelivered messages."""
        client = self._client
        self._client = None
        if client is not None:
            client.disconnect()
            client.loop_stop()
