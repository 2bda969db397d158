"""Commands devices over MQTT and reads their state topics back. A command that the broker did not confirm in time never comes later."""

import threading
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from luna.contracts.device_template import Write
from luna.energy.site.control import Control
from luna.platform.addresses import Broker, parse_broker
from luna.platform.mqtt import create_client, use_tls
from luna.platform.settings import Settings
from services.executor.device import DeviceError

NAME = "mqtt"
PATIENCE = timedelta(seconds=5)
# What the broker has kept of a topic comes right after the subscription.
RETAINED_PATIENCE = timedelta(seconds=1)
# What a device that is away would hear afterwards belongs to another slot.
EXPIRY_SECONDS = 60
KEEPALIVE_SECONDS = 15


class MqttDevice:
    """One connection, opened at first use. ``topics`` are the topics to read."""

    def __init__(self, broker: Broker, topics: Iterable[str], *, patience: timedelta = PATIENCE) -> None:
        self._broker = broker
        self._topics = tuple(dict.fromkeys(topics))
        self._patience = patience.total_seconds()
        self._client: paho.Client | None = None
        self._values: dict[str, str] = {}
        self._news = threading.Condition()
        self._ready = threading.Event()

    def apply(self, writes: Sequence[Write]) -> None:
        """Publish in order at QoS 1 and return when the broker has confirmed everything.

        Raises:
            DeviceError: the broker is away, or did not confirm in time.
        """
        client = self._connected()
        expiry = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        expiry.MessageExpiryInterval = EXPIRY_SECONDS
        for write in writes:
            published = client.publish(write.to, write.value, qos=1, properties=expiry)
            try:
                published.wait_for_publish(self._patience)
                confirmed = published.is_published()
            except (RuntimeError, ValueError):
                confirmed = False
            if not confirmed:
                # The client would send it again on its next connection: that must not happen.
                self.close()
                raise DeviceError(f"the broker did not take the command within {self._patience:g} s", field=write.to, remedy="Check the broker.")

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the last message of each topic on this connection; waits a moment for topics without one.

        Raises:
            DeviceError: the broker is away.
        """
        # Connecting and waiting get half of the time each, so that both together stay within it.
        self._connected(None if within is None else within.total_seconds() / 2)
        patience = RETAINED_PATIENCE if within is None else within / 2
        with self._news:
            self._news.wait_for(lambda: all(place in self._values for place in places), patience.total_seconds())
            return {place: self._values[place] for place in places if place in self._values}

    def close(self) -> None:
        """Close the connection and drop undelivered messages."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._ready.clear()
        with self._news:
            self._values.clear()

    def _connected(self, patience: float | None = None) -> paho.Client:
        if self._client is None or not self._client.is_connected():
            self.close()
            self._client = self._connect(self._patience if patience is None else patience)
        return self._client

    def _connect(self, patience: float) -> paho.Client:
        client = create_client(self._broker, reconnect_on_failure=False)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._on_message
        try:
            use_tls(client, self._broker)
            client.connect_timeout = patience
            client.connect(self._broker.host, self._broker.port, KEEPALIVE_SECONDS)
        except (OSError, ValueError) as exc:
            raise DeviceError(f"the broker cannot be reached: {exc}", field=NAME, remedy="Check that it runs, and LUNA_MQTT_URL.") from exc
        client.loop_start()
        if not self._ready.wait(patience):
            client.disconnect()
            client.loop_stop()
            raise DeviceError("the broker does not let Luna in", field=NAME, remedy="Check user and password: LUNA_MQTT_URL, LUNA_MQTT_PASSWORD.")
        return client

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            client.subscribe([(topic, 1) for topic in self._topics])

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        with self._news:
            self._values[message.topic] = message.payload.decode("utf-8", "replace")
            self._news.notify_all()


def open_device(settings: Settings, control: Control) -> MqttDevice:
    """Return the broker that the settings name, with every topic that a section reads.

    Raises:
        InvalidInputError: they name none.
    """
    places = [write.read_back for write in control.writes if write.read_back is not None]
    return MqttDevice(parse_broker(settings.mqtt_url or "", settings.mqtt_password), [*places, *control.soc_places])
