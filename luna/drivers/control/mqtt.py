"""Device connection over MQTT: publishes commands and reads state topics back.

A command not acknowledged in time is dropped, never delivered later.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import timedelta

import paho.mqtt.client as paho

from luna.contracts.device_template import Write
from luna.drivers.control.device import DeviceError
from luna.energy.site.control import Control
from luna.platform.addresses import Broker, parse_broker
from luna.platform.mqtt import BrokerError, BrokerLink
from luna.platform.settings import Settings

NAME = "mqtt"
PATIENCE = timedelta(seconds=5)
# The broker sends retained messages right after the subscription.
RETAINED_PATIENCE = timedelta(seconds=1)


class MqttDevice:
    """One connection, opened at first use. ``topics`` are the topics to read."""

    def __init__(
        self, broker: Broker, topics: Iterable[str], *, patience: timedelta = PATIENCE
    ) -> None:
        self._patience = patience
        self._values: dict[str, str] = {}
        self._news = threading.Condition()
        self._link = BrokerLink(
            broker,
            tuple(dict.fromkeys(topics)),
            self._on_message,
            patience_s=patience.total_seconds(),
        )

    def apply(self, writes: Sequence[Write]) -> None:
        """Publish in order at QoS 1 and return when the broker has acknowledged everything.

        Raises:
            DeviceError: the broker is away, or did not acknowledge in time.
        """
        self._connect(self._patience)
        for write in writes:
            try:
                self._link.publish(write.to, write.value)
            except BrokerError as exc:
                self.close()
                why = (
                    "the broker did not take the command within "
                    f"{self._patience.total_seconds():g} s"
                )
                raise DeviceError(why, field=write.to, remedy="Check the broker.") from exc

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return the last message of each topic since connecting.

        Waits a moment for topics without one.

        Raises:
            DeviceError: the broker is away.
        """
        # Half of the time each for connecting and waiting, so that both together stay within it.
        self._connect(self._patience if within is None else within / 2)
        patience = RETAINED_PATIENCE if within is None else within / 2

        def has_all() -> bool:
            return all(place in self._values for place in places)

        with self._news:
            self._news.wait_for(has_all, patience.total_seconds())
            return {place: self._values[place] for place in places if place in self._values}

    def close(self) -> None:
        """Close the connection and drop undelivered messages."""
        self._link.close()
        with self._news:
            self._values.clear()

    def _connect(self, patience: timedelta) -> None:
        if self._link.is_open:
            return
        self.close()
        try:
            self._link.open(patience.total_seconds())
        except BrokerError as exc:
            if exc.fault == "refused":
                remedy = "Check user and password: LUNA_MQTT_URL, LUNA_MQTT_PASSWORD."
                raise DeviceError(
                    "the broker does not let Luna in", field=NAME, remedy=remedy
                ) from exc
            raise DeviceError(
                f"the broker cannot be reached: {exc}",
                field=NAME,
                remedy="Check that it runs, and LUNA_MQTT_URL.",
            ) from exc

    def _on_message(self, message: paho.MQTTMessage) -> None:
        with self._news:
            self._values[message.topic] = message.payload.decode("utf-8", "replace")
            self._news.notify_all()


def open_device(settings: Settings, control: Control) -> MqttDevice:
    """Return the connection to the broker of the settings, subscribed to a section's topics.

    Raises:
        InvalidInputError: the settings name no broker.
    """
    places = [write.read_back for write in control.writes if write.read_back is not None]
    return MqttDevice(
        parse_broker(settings.mqtt_url or "", settings.mqtt_password),
        [*places, *control.soc_places],
    )
