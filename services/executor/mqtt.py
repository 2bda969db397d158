"""Tells a device over MQTT and reads at other topics what holds. A command that the broker did not take in time never comes later."""

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
KEPT_PATIENCE = timedelta(seconds=1)
# What a device that is away would hear afterwards belongs to another slot.
EXPIRY_SECONDS = 60
KEEPALIVE_SECONDS = 15


class MqttDevice:
    """One connection, made when it is first needed. ``topics`` are those that are read."""

    def __init__(self, broker: Broker, topics: Iterable[str], *, patience: timedelta = PATIENCE) -> None:
        self._broker = broker
        self._topics = tuple(dict.fromkeys(topics))
        self._patience = patience.total_seconds()
        self._client: paho.Client | None = None
        self._said: dict[str, str] = {}
        self._news = threading.Condition()
        self._ready = threading.Event()

    def apply(self, writes: Sequence[Write]) -> None:
        """Publish in order at QoS 1 and return when the broker has everything.

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
                taken = published.is_published()
            except (RuntimeError, ValueError):
                taken = False
            if not taken:
                # The client would send it again on its next connection: that must not happen.
                self.close()
                raise DeviceError(f"the broker did not take the command within {self._patience:g} s", field=write.to, remedy="Check the broker.")

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return what was last said at these topics on this connection; waits a moment for what was not said yet.

        Raises:
            DeviceError: the broker is away.
        """
        # Connecting and waiting may each take what is given: half, so that both together stay within it.
        self._connected(None if within is None else within.total_seconds() / 2)
        kept = KEPT_PATIENCE if within is None else within / 2
        with self._news:
            self._news.wait_for(lambda: all(place in self._said for place in places), kept.total_seconds())
            return {place: self._said[place] for place in places if place in self._said}

    def close(self) -> None:
        """Let go of the connection, and of whatever it had not delivered."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._ready.clear()
        with self._news:
            self._said.clear()

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
            self._said[message.topic] = message.payload.decode("utf-8", "replace")
            self._news.notify_all()


def open_device(settings: Settings, control: Control) -> MqttDevice:
    """Return the broker that the settings name, with every topic that a section reads.

    Raises:
        InvalidInputError: they name none.
    """
    places = [write.read_back for write in control.writes if write.read_back is not None]
    return MqttDevice(parse_broker(settings.mqtt_url or "", settings.mqtt_password), [*places, *control.soc_places])
