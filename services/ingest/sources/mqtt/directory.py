"""Which topics tell of which sensors: what devices describe, and topics that a site names
itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from prometheus_client import Counter

from luna.energy.errors import InvalidInputError
from luna.energy.sensor_roles import OWN_TOPIC, split_unit
from services.ingest.reading import Reading
from services.ingest.sources.mqtt.discovery import (
    DiscoveredEntity,
    is_description,
    parse_descriptions,
    require_topic,
)
from services.ingest.sources.mqtt.template import decoder, parse_path

UNREADABLE = Counter(
    "luna_ingest_mqtt_unreadable_total", "Messages of known sensors without a number in them."
)
RETAINED = Counter(
    "luna_ingest_mqtt_retained_total",
    "Numbers that a broker had kept since nobody knows when; they are not recorded.",
)

log = structlog.get_logger("luna.ingest.mqtt")


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """A message: its topic, what it says, and whether the broker had kept it since nobody knows
    when.
    """

    topic: str
    payload: str
    retained: bool = False


@dataclass(slots=True)
class Directory:
    """What is known of the sensors that are listened to.

    Args:
        prefix: of discovery messages.
        sensors: names as the sites use them.
    """

    prefix: str
    sensors: Sequence[str]
    descriptions: dict[str, str] = field(default_factory=dict)
    _described: dict[str, list[DiscoveredEntity]] = field(default_factory=dict)
    _entities: dict[str, DiscoveredEntity] = field(default_factory=dict)
    _present: dict[str, bool] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._look_up()

    def learn(self, message: MqttMessage) -> None:
        """Take a description in; one that is not understood is named once."""
        try:
            described = parse_descriptions(message.topic, message.payload, self.prefix)
        except InvalidInputError as error:
            self._name_once(message.topic, "description of a sensor is left out", error)
            described = []
        if described:
            self._described[message.topic], self.descriptions[message.topic] = (
                described,
                message.payload,
            )
        else:
            self._described.pop(message.topic, None)
            self.descriptions.pop(message.topic, None)
        self._look_up()

    def teach(self, descriptions: Mapping[str, str]) -> None:
        """Take in what was learned before."""
        for topic, payload in descriptions.items():
            self.learn(MqttMessage(topic, payload))

    def needed(self) -> dict[str, str]:
        """Return the descriptions that say how to read the sensors in use."""
        used = {id(entity) for entity in self._entities.values()}
        return {
            topic: self.descriptions[topic]
            for topic, described in self._described.items()
            if used & {id(each) for each in described}
        }

    def topics(self) -> frozenset[str]:
        """Return every topic that tells of a sensor."""
        return frozenset(
            topic
            for entity in self._entities.values()
            for topic in (entity.topic, *(each.topic for each in entity.availability))
        )

    def missing(self) -> list[str]:
        """Return the sensors of which no device has told."""
        return [sensor for sensor in self.sensors if sensor not in self._entities]

    def describes(self, message: MqttMessage) -> bool:
        """Whether a message is a description."""
        return is_description(message.topic, self.prefix)

    def read(self, message: MqttMessage, instant: datetime) -> list[Reading]:
        """Return what a message says of the sensors.

        NaN for those whose device says that it is gone.
        """
        readings = []
        for sensor, entity in self._entities.items():
            if entity.topic != message.topic:
                continue
            try:
                value = entity.decode(message.payload)
            except InvalidInputError as error:
                UNREADABLE.inc()
                self._name_once(f"{sensor} {message.topic}", "message is left out", error)
                continue
            # The age of a kept number is unknown; a switch stays as it is until it says otherwise.
            if value is not None and message.retained and not entity.switch:
                RETAINED.inc()
            elif value is not None:
                readings.append(Reading(sensor, instant, value, entity.unit))
        concerned = [
            sensor
            for sensor, entity in self._entities.items()
            if any(each.topic == message.topic for each in entity.availability)
        ]
        available = [sensor for sensor in concerned if self._is_available(sensor, message.topic)]
        for sensor in concerned:
            reports = [
                each.read(message.payload)
                for each in self._entities[sensor].availability
                if each.topic == message.topic
            ]
            if reports[0] is not None:
                self._present[message.topic] = reports[0]
        gone = [sensor for sensor in available if not self._is_available(sensor, message.topic)]
        return readings + [
            Reading(sensor, instant, math.nan, self._entities[sensor].unit) for sensor in gone
        ]

    def _is_available(self, sensor: str, latest: str) -> bool:
        entity = self._entities[sensor]
        if entity.mode == "latest":
            return self._present.get(latest, True)
        reports = [self._present.get(each.topic, True) for each in entity.availability]
        return all(reports) if entity.mode == "all" else any(reports)

    def _look_up(self) -> None:
        entities = {sensor: self._find(sensor) for sensor in self.sensors}
        self._entities = {
            sensor: entity for sensor, entity in entities.items() if entity is not None
        }

    def _find(self, sensor: str) -> DiscoveredEntity | None:
        if sensor in self._entities and sensor.startswith(OWN_TOPIC):
            return self._entities[sensor]
        if sensor.startswith(OWN_TOPIC):
            named, unit = split_unit(sensor)
            topic, _, path = named.removeprefix(OWN_TOPIC).partition("#")
            try:
                return DiscoveredEntity(
                    names=(frozenset({sensor}),),
                    topic=require_topic(topic),
                    decode=decoder(parse_path(path)),
                    unit=unit,
                )
            except InvalidInputError as error:
                self._name_once(sensor, "sensor names no topic", error)
                return None
        everything = [described for group in self._described.values() for described in group]
        for rank in range(max((len(each.names) for each in everything), default=0)):
            called = [each for each in everything if sensor in each.names[rank]]
            if len(called) > 1:
                self._name_once(
                    sensor,
                    "several devices use this name",
                    InvalidInputError("is ambiguous", field="input_sensors", value=sensor),
                )
                return None
            if called:
                return called[0]
        return None

    def _name_once(self, what: str, event: str, error: InvalidInputError) -> None:
        if what not in self._named:
            self._named.add(what)
            log.warning(event, of=what, error=str(error))
