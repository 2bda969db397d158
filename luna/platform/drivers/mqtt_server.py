"""Publishes a simulated device's JSON messages to a broker and takes its commands there; it does so slowly, or refuses, where it is told to."""

import json
import threading
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

from luna.energy.refusals import refuse
from luna.platform.addresses import Broker
from luna.platform.drivers.modbus_server import ServerFaults
from luna.platform.drivers.point_image import JsonImage
from luna.platform.drivers.profile import PREFIX_PART, MqttTransport
from luna.platform.drivers.served import served
from luna.platform.drivers.simulator import SimulatedInverter

if TYPE_CHECKING:
    import paho.mqtt.client as paho

# What changed is published that often, and everything where somebody requests it.
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


class MessageServer:
    """One device at a broker; ``port`` is the broker's. Use ``serve_messages``."""

    def __init__(self, device: SimulatedInverter, broker: Broker, prefix: str) -> None:
        from luna.platform.mqtt import create_client

        self.device, self.faults, self.port = device, ServerFaults(), broker.port
        self._broker, self._prefix = broker, prefix
        self._transport = cast("MqttTransport", device.profile.transport)
        image = cast("JsonImage", device.image)
        self._writable = {self._topic(point.write_to): point.write_to for point in image.points.values() if point.write_to is not None}
        # What it says of itself, the broker keeps for whoever comes later.
        self._announced = {self._topic(rule.at) for rule in image.identity}
        self._published: dict[str, str] = {}
        self._lock, self._listens, self._ending = threading.Lock(), threading.Event(), threading.Event()
        self._client = create_client(broker)
        self._client.on_connect, self._client.on_message = self._on_connect, self._on_message
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._thread = threading.Thread(target=self._run, name="simulated device", daemon=True)

    def start(self) -> None:
        """Connect.

        Raises:
            UnavailableError: there is no broker, or it lets nobody in.
        """
        try:
            self._client.connect(self._broker.host, self._broker.port)
        except OSError as exc:
            raise refuse("device-silent", field="--broker", value=str(self._broker)) from exc
        self._client.loop_start()
        if not self._listens.wait(PATIENCE_SECONDS):
            self._client.loop_stop()
            raise refuse("device-unauthorized", field="--broker", value=str(self._broker))
        self._thread.start()

    def stop(self) -> None:
        """Say nothing any more."""
        self._ending.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            self._publish(all_of_it=False)

    def _publish(self, *, all_of_it: bool) -> None:
        with self._lock:
            documents = {self._topic(name): json.dumps(document) for name, document in cast("JsonImage", self.device.look()).documents().items()}
            for topic, text in documents.items():
                if all_of_it or self._published.get(topic) != text:
                    self._client.publish(topic, text, retain=topic in self._announced)
            self._published = documents

    def _on_connect(self, client: "paho.Client", *_: Any) -> None:
        request = self._transport.request
        topics = [*self._writable, *([self._topic(request.to)] if request is not None else [])]
        client.subscribe([(topic, 1) for topic in topics or [self._topic("unused")]])

    def _on_message(self, client: "paho.Client", _data: Any, message: "paho.MQTTMessage") -> None:
        time.sleep(self.faults.delay_s)
        request = self._transport.request
        if message.topic in self._writable:
            left = self.faults.writes_taken
            if left is not None:
                self.faults.writes_taken = max(left - 1, 0)
            if left is None or left > 0:
                self.device.write(self._writable[message.topic], json.loads(message.payload))
            self._publish(all_of_it=False)
        elif request is not None:
            self._publish(all_of_it=True)
            if request.done is not None:
                client.publish(self._topic(request.done), json.dumps({"value": 1}))

    def _topic(self, name: str) -> str:
        return name.replace(PREFIX_PART, self._prefix)


def serve_messages(device: SimulatedInverter, *, broker: Broker, prefix: str) -> AbstractContextManager[MessageServer]:
    """Have a device speak to a broker while the block runs, its topics beginning with ``prefix``.

    Raises:
        UnavailableError: there is no broker, or it lets nobody in.
    """
    return served(MessageServer(device, broker, prefix))
