"""What Home Assistant does at a broker: it keeps the last discovery messages and states, renders their templates, and switches entities."""

import json
import threading
from typing import Any

import jinja2
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.worker.workers import wait_for

PREFIX = "homeassistant"


class MqttHome:
    """Hears everything at a broker from now on, as of old what was kept."""

    def __init__(self, port: int) -> None:
        self.topics: dict[str, str] = {}
        self.counted: dict[str, int] = {}
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._environment = jinja2.Environment(autoescape=False)  # noqa: S701 - states are no pages
        self._environment.filters["float"] = lambda value, default: float(value) if str(value).replace(".", "", 1).isdigit() else default

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(30)

    @property
    def configs(self) -> dict[str, dict[str, Any]]:
        """The entities that were announced and not taken off, by unique id."""
        with self._lock:
            found = [json.loads(payload) for topic, payload in self.topics.items() if topic.startswith(f"{PREFIX}/") and topic.endswith("/config") and payload]
        return {config["unique_id"]: config for config in found}

    @property
    def kept(self) -> set[str]:
        with self._lock:
            return {topic for topic, payload in self.topics.items() if payload}

    def state(self, unique_id: str) -> str:
        """Return an entity's state as Home Assistant shows it."""
        config = self.configs[unique_id]
        listed = [self.topics.get(each["topic"], "") if "value_template" not in each else self._render(each) for each in config["availability"]]
        if any(said != "online" for said in listed):
            return "unavailable"
        return self._render({"topic": config["state_topic"], "value_template": config.get("value_template", "{{ value }}")})

    def attributes(self, unique_id: str) -> dict[str, Any]:
        """Return an entity's attributes."""
        document: dict[str, Any] = json.loads(self.topics[self.configs[unique_id]["json_attributes_topic"]])
        return document

    def switch(self, unique_id: str, payload: str) -> None:
        """Do what Home Assistant does when somebody touches an entity."""
        config = self.configs[unique_id]
        self.say(config["command_topic"], payload, retain=config.get("retain", False))

    def wait_for_entity(self, unique_id: str) -> None:
        wait_for(lambda: unique_id in self.configs and self.state(unique_id) != "unavailable")

    def _render(self, part: dict[str, Any]) -> str:
        payload = self.topics.get(part["topic"], "")
        try:
            document = json.loads(payload)
        except ValueError:
            document = {}
        return self._environment.from_string(part["value_template"]).render(value=payload, value_json=document)

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._lock:
            self.topics[message.topic] = message.payload.decode("utf-8", "replace")
            self.counted[message.topic] = self.counted.get(message.topic, 0) + 1
