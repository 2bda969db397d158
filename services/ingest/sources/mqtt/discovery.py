"""Home Assistant's discovery messages: what a device says of its sensors.

Source: Home Assistant, "MQTT", discovery messages (single component and device), abbreviations,
availability.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from luna.energy.errors import InvalidInputError
from services.ingest.sources.mqtt.template import PLAIN, Decoder, Template, decoder, parse_template

# Kinds of entity that hold a number or a state.
COMPONENTS = ("sensor", "binary_sensor", "switch")
# Levels between the prefix and `config`: an object, or a node and an object.
_LEVELS = ("+", "+/+")
_LONG = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmps": "components",
    "def_ent_id": "default_entity_id",
    "dev": "device",
    "obj_id": "object_id",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
Mode = Literal["all", "any", "latest"]
MODES: dict[str, Mode] = {"all": "all", "any": "any"}
# Source: MQTT 5.0, 1.5.4: a string's length stands in two bytes.
LONGEST_TOPIC = 65_535


@dataclass(frozen=True, slots=True)
class Availability:
    """A topic that tells whether a device is there, and the words for both."""

    topic: str
    present: str = "online"
    absent: str = "offline"
    template: Template = PLAIN

    def read(self, payload: str) -> bool | None:
        """Return whether the device says that it is there; None where it says neither."""
        try:
            word = self.template.find(payload)
        except InvalidInputError:
            return None
        return {self.present: True, self.absent: False}.get(str(word))


@dataclass(frozen=True, slots=True)
class DiscoveredEntity:
    """A sensor as its device describes it.

    ``names`` holds what it may be called, the surest first.
    """

    names: tuple[frozenset[str], ...]
    topic: str
    decode: Decoder
    unit: str | None = None
    availability: tuple[Availability, ...] = ()
    mode: Mode = "latest"
    switch: bool = False


def discovery_filters(prefix: str) -> list[str]:
    """Return the subscriptions that bring every description."""
    return [
        f"{prefix}/{component}/{levels}/config"
        for component in (*COMPONENTS, "device")
        for levels in _LEVELS
    ]


def is_description(topic: str, prefix: str) -> bool:
    """Whether a topic is that of a description."""
    component, *levels = topic.removeprefix(f"{prefix}/").split("/")
    return (
        topic.startswith(f"{prefix}/")
        and component in (*COMPONENTS, "device")
        and len(levels) in (2, 3)
        and levels[-1] == "config"
    )


def require_topic(topic: object) -> str:
    """Return a topic that can be subscribed to.

    Raises:
        InvalidInputError: it is none, or a pattern.
    """
    text = str(topic)
    if (
        not text
        or len(text.encode("utf-8", errors="replace")) > LONGEST_TOPIC
        or not text.isprintable()
        or {"+", "#"} & set(text)
    ):
        raise InvalidInputError(
            "is no topic",
            field="state_topic",
            value=text[:80],
            remedy="Name one topic, without + or #.",
        )
    return text


def parse_descriptions(topic: str, payload: str, prefix: str) -> list[DiscoveredEntity]:
    """Return the sensors that a discovery message describes.

    None where it takes them back or describes other things.

    Raises:
        InvalidInputError: it is no description, or one that Luna does not understand.
    """
    if not payload.strip():
        return []
    component, *levels = topic.removeprefix(f"{prefix}/").removesuffix("/config").split("/")
    try:
        written = json.loads(payload)
    except (ValueError, RecursionError) as exc:
        raise InvalidInputError(
            "is no description of a sensor: no JSON", value=payload[:80]
        ) from exc
    if not isinstance(written, dict):
        raise InvalidInputError("is no description of a sensor: no object", value=payload[:80])
    document = _whole(written)
    entities = [(component, levels[-1], document)]
    if component == "device":
        components = document.get("components")
        shared = {
            name: document[name]
            for name in (
                "state_topic",
                "device",
                "availability",
                "availability_topic",
                "availability_mode",
            )
            if name in document
        }
        listed = components.items() if isinstance(components, Mapping) else ()
        described = [
            (place, {**shared, **_whole(entity)})
            for place, entity in listed
            if isinstance(entity, Mapping)
        ]
        entities = [(str(entity.get("platform")), place, entity) for place, entity in described]
    return [
        _describe(kind, place, entity)
        for kind, place, entity in entities
        if kind in COMPONENTS and "state_topic" in entity
    ]


def _whole(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description with its words written out and its base topic put in."""
    long = {_LONG.get(name, name): value for name, value in document.items()}
    base = str(long.pop("~", ""))
    return {name: _with_base(name, value, base) for name, value in long.items()}


def _with_base(name: str, value: Any, base: str) -> Any:
    if name.endswith("topic") and isinstance(value, str):
        return re.sub(r"^~|~$", lambda _: base, value)
    if name == "availability":
        listed = value if isinstance(value, list) else [value]
        return [
            _whole({"~": base, **entry})
            for entry in listed
            if isinstance(entry, Mapping) and {"topic", "t"} & set(entry)
        ]
    return value


def _describe(component: str, place: str, entity: Mapping[str, Any]) -> DiscoveredEntity:
    template = _template(entity.get("value_template") or entity.get("state_value_template"))
    switched = {
        word: str(entity.get(f"state_{word}", entity.get(f"payload_{word}", word.upper())))
        for word in ("on", "off")
        if component != "sensor"
    }
    device = entity.get("device")
    device_name = device.get("name") if isinstance(device, Mapping) else None
    name = entity.get("name")
    own_name = [str(name)] if name else []
    full = (
        [f"{device_name} {name}"]
        if name and device_name
        else [str(name or device_name)]
        if name or device_name
        else []
    )
    ranks = (
        [entity.get("unique_id")],
        [entity.get("default_entity_id"), entity.get("object_id")],
        full,
        [place],
        own_name,
    )
    names = []
    for words in ([str(word) for word in rank if word] for rank in ranks):
        plain = [
            unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
            for word in words
        ]
        slugs = [re.sub(r"[^a-z0-9]+", "_", word).strip("_") for word in plain]
        names.append(frozenset([*words, *(f"{component}.{word}" for word in [*words, *slugs])]))
    topics = [
        (entry["topic"], entry, entry.get("value_template"))
        for entry in entity.get("availability", [])
    ]
    if "availability_topic" in entity:
        topics.append((entity["availability_topic"], entity, entity.get("availability_template")))
    # A unit that can be stored.
    unit = entity.get("unit_of_measurement")
    return DiscoveredEntity(
        names=tuple(names),
        topic=require_topic(entity["state_topic"]),
        decode=decoder(template, on=switched.get("on"), off=switched.get("off")),
        unit=unit.strip()
        if isinstance(unit, str) and unit.strip() and unit.isprintable()
        else None,
        availability=tuple(
            Availability(
                require_topic(topic),
                str(words.get("payload_available", "online")),
                str(words.get("payload_not_available", "offline")),
                _template(text),
            )
            for topic, words, text in topics
        ),
        mode=MODES.get(str(entity.get("availability_mode")), "latest"),
        switch=component != "sensor",
    )


def _template(text: object) -> Template:
    return parse_template(None if text is None else str(text))
