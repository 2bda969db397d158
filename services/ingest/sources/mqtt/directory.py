"""Topics of the sensors, described by devices or named by the site."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from prometheus_client import Counter

from luna.energy.errors import InvalidInputError
from luna.energy.sensor_roles import OWN_TOPIC, split_unit
from services.ingest.source_readings import Reading
from services.ingest.sources.mqtt.discovery import (
    Availability,
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
    """A message; ``retained`` if the broker had stored it for an unknown time."""

    topic: str
    payload: str
    retained: bool = False


@dataclass(slots=True)
class Directory:
    """The topics, units and availability of the sensors that Luna listens to.

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
    _logged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._look_up()

    def learn(self, message: MqttMessage) -> None:
        """Store a description; one that is not understood is logged once."""
        try:
            described = parse_descriptions(message.topic, message.payload, self.prefix)
        except InvalidInputError as error:
            self._log_once(message.topic, "description of a sensor is left out", error)
            described = []
        if described:
            self._described[message.topic] = described
            self.descriptions[message.topic] = message.payload
        else:
            self._described.pop(message.topic, None)
            self.descriptions.pop(message.topic, None)
        self._look_up()

    def teach(self, descriptions: Mapping[str, str]) -> None:
        """Store the descriptions of an earlier process."""
        for topic, payload in descriptions.items():
            self.learn(MqttMessage(topic, payload))

    def needed(self) -> dict[str, str]:
        """Return the descriptions of the sensors in use, by topic."""
        used = {id(entity) for entity in self._entities.values()}
        needed = {}
        for topic, described in self._described.items():
            if any(id(entity) in used for entity in described):
                needed[topic] = self.descriptions[topic]
        return needed

    def topics(self) -> frozenset[str]:
        """Return the topics of all values and availabilities in use."""
        topics: set[str] = set()
        for entity in self._entities.values():
            topics.add(entity.topic)
            topics.update(availability.topic for availability in entity.availability)
        return frozenset(topics)

    def missing(self) -> list[str]:
        """Return the sensors that no device has described."""
        return [sensor for sensor in self.sensors if sensor not in self._entities]

    def describes(self, message: MqttMessage) -> bool:
        """Return whether a message is a description."""
        return is_description(message.topic, self.prefix)

    def read(self, message: MqttMessage, instant: datetime) -> list[Reading]:
        """Return the sensors' readings in a message; NaN for sensors whose device has gone."""
        return self._read_values(message, instant) + self._read_absences(message, instant)

    def _read_values(self, message: MqttMessage, instant: datetime) -> list[Reading]:
        readings = []
        for sensor, entity in self._entities.items():
            if entity.topic != message.topic:
                continue
            try:
                value = entity.decode(message.payload)
            except InvalidInputError as error:
                UNREADABLE.inc()
                self._log_once(f"{sensor} {message.topic}", "message is left out", error)
                continue
            if value is None:
                continue
            # The age of a retained number is unknown, but a switch stays in its last state.
            if message.retained and not entity.switch:
                RETAINED.inc()
            else:
                readings.append(Reading(sensor, instant, value, entity.unit))
        return readings

    def _read_absences(self, message: MqttMessage, instant: datetime) -> list[Reading]:
        """Store a message's availability, and return NaN for each sensor that ends with it."""
        reporting: dict[str, list[Availability]] = {}
        for sensor, entity in self._entities.items():
            concerned = [entry for entry in entity.availability if entry.topic == message.topic]
            if concerned:
                reporting[sensor] = concerned
        available = [sensor for sensor in reporting if self._is_available(sensor, message.topic)]
        for concerned in reporting.values():
            present = concerned[0].read(message.payload)
            if present is not None:
                self._present[message.topic] = present
        gone = [sensor for sensor in available if not self._is_available(sensor, message.topic)]
        return [Reading(sensor, instant, math.nan, self._entities[sensor].unit) for sensor in gone]

    def _is_available(self, sensor: str, latest: str) -> bool:
        entity = self._entities[sensor]
        if entity.mode == "latest":
            return self._present.get(latest, True)
        reports = [self._present.get(entry.topic, True) for entry in entity.availability]
        return all(reports) if entity.mode == "all" else any(reports)

    def _look_up(self) -> None:
        entities = {}
        for sensor in self.sensors:
            entity = self._find(sensor)
            if entity is not None:
                entities[sensor] = entity
        self._entities = entities

    def _find(self, sensor: str) -> DiscoveredEntity | None:
        if sensor.startswith(OWN_TOPIC):
            return self._entities.get(sensor) or self._parse_own_topic(sensor)
        entities: list[DiscoveredEntity] = []
        for described in self._described.values():
            entities += described
        most_ranks = max((len(entity.names) for entity in entities), default=0)
        for rank in range(most_ranks):
            named = [entity for entity in entities if sensor in entity.names[rank]]
            if len(named) > 1:
                self._log_once(
                    sensor,
                    "several devices use this name",
                    InvalidInputError("is ambiguous", field="input_sensors", value=sensor),
                )
                return None
            if named:
                return named[0]
        return None

    def _parse_own_topic(self, sensor: str) -> DiscoveredEntity | None:
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
            self._log_once(sensor, "sensor names no topic", error)
            return None

    def _log_once(self, what: str, event: str, error: InvalidInputError) -> None:
        if what not in self._logged:
            self._logged.add(what)
            log.warning(event, of=what, error=str(error))
