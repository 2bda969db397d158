"""Home Assistant's discovery messages, in which devices describe their sensors.

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
# Fields that a device states once for all its components.
_SHARED = (
    "state_topic",
    "device",
    "availability",
    "availability_topic",
    "availability_mode",
)
Mode = Literal["all", "any", "latest"]
MODES: dict[str, Mode] = {"all": "all", "any": "any"}
# Source: MQTT 5.0, 1.5.4: a string's length stands in two bytes.
LONGEST_TOPIC = 65_535


@dataclass(frozen=True, slots=True)
class Availability:
    """A topic that reports whether a device is present."""

    topic: str
    present: str = "online"
    absent: str = "offline"
    template: Template = PLAIN

    def read(self, payload: str) -> bool | None:
        """Return whether the device reports itself present; None if it reports neither."""
        try:
            word = self.template.find(payload)
        except InvalidInputError:
            return None
        return {self.present: True, self.absent: False}.get(str(word))


@dataclass(frozen=True, slots=True)
class DiscoveredEntity:
    """A sensor as its device describes it.

    ``names`` are ordered from the surest to the least sure.
    """

    names: tuple[frozenset[str], ...]
    topic: str
    decode: Decoder
    unit: str | None = None
    availability: tuple[Availability, ...] = ()
    mode: Mode = "latest"
    switch: bool = False


def discovery_filters(prefix: str) -> list[str]:
    """Return the subscriptions that cover every description."""
    filters = []
    for component in (*COMPONENTS, "device"):
        for levels in _LEVELS:
            filters.append(f"{prefix}/{component}/{levels}/config")
    return filters


def is_description(topic: str, prefix: str) -> bool:
    """Return whether a topic carries descriptions."""
    if not topic.startswith(f"{prefix}/"):
        return False
    component, *levels = topic.removeprefix(f"{prefix}/").split("/")
    if component not in (*COMPONENTS, "device"):
        return False
    return len(levels) in (2, 3) and levels[-1] == "config"


def require_topic(topic: object) -> str:
    """Return a topic that can be subscribed to.

    Raises:
        InvalidInputError: it is empty, too long, not printable or a pattern.
    """
    text = str(topic)
    length = len(text.encode("utf-8", errors="replace"))
    is_pattern = "+" in text or "#" in text
    if not 0 < length <= LONGEST_TOPIC or not text.isprintable() or is_pattern:
        raise InvalidInputError(
            "is no topic",
            field="state_topic",
            value=text[:80],
            remedy="Name one topic, without + or #.",
        )
    return text


def parse_descriptions(topic: str, payload: str, prefix: str) -> list[DiscoveredEntity]:
    """Return the sensors that a discovery message describes.

    There are none if it withdraws a description or describes other things.

    Raises:
        InvalidInputError: it is not a description, or one that Luna does not understand.
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
    document = _expand(written)
    if component == "device":
        described = _entities_of_device(document)
    else:
        described = [(component, levels[-1], document)]
    sensors = []
    for kind, place, entity in described:
        if kind in COMPONENTS and "state_topic" in entity:
            sensors.append(_describe(kind, place, entity))
    return sensors


def _entities_of_device(document: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the kind, the key and the description of each component of a device."""
    components = document.get("components")
    if not isinstance(components, Mapping):
        return []
    shared = {name: document[name] for name in _SHARED if name in document}
    described = []
    for place, written in components.items():
        if isinstance(written, Mapping):
            entity = {**shared, **_expand(written)}
            described.append((str(entity.get("platform")), place, entity))
    return described


def _expand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description with its abbreviations written out and its base topic inserted."""
    expanded = {_LONG.get(name, name): value for name, value in document.items()}
    base = str(expanded.pop("~", ""))
    return {name: _with_base(name, value, base) for name, value in expanded.items()}


def _with_base(name: str, value: Any, base: str) -> Any:
    if name.endswith("topic") and isinstance(value, str):
        return re.sub(r"^~|~$", lambda _: base, value)
    if name != "availability":
        return value
    listed = value if isinstance(value, list) else [value]
    entries = [entry for entry in listed if isinstance(entry, Mapping)]
    return [_expand({"~": base, **entry}) for entry in entries if {"topic", "t"} & set(entry)]


def _describe(component: str, place: str, entity: Mapping[str, Any]) -> DiscoveredEntity:
    template = _template(entity.get("value_template") or entity.get("state_value_template"))
    is_switch = component != "sensor"
    # A unit must be printable to be stored.
    unit = entity.get("unit_of_measurement")
    if not isinstance(unit, str) or not unit.strip() or not unit.isprintable():
        unit = None
    return DiscoveredEntity(
        names=_names_of(component, place, entity),
        topic=require_topic(entity["state_topic"]),
        decode=decoder(
            template,
            on=_state_word(entity, "on") if is_switch else None,
            off=_state_word(entity, "off") if is_switch else None,
        ),
        unit=unit.strip() if unit else None,
        availability=_availability_of(entity),
        mode=MODES.get(str(entity.get("availability_mode")), "latest"),
        switch=is_switch,
    )


def _state_word(entity: Mapping[str, Any], state: str) -> str:
    payload = entity.get(f"payload_{state}", state.upper())
    return str(entity.get(f"state_{state}", payload))


def _names_of(component: str, place: str, entity: Mapping[str, Any]) -> tuple[frozenset[str], ...]:
    """Return the sensor's possible names, the surest first."""
    device = entity.get("device")
    device_name = device.get("name") if isinstance(device, Mapping) else None
    name = entity.get("name")
    full_name = name or device_name
    if name and device_name:
        full_name = f"{device_name} {name}"
    ranks = (
        [entity.get("unique_id")],
        [entity.get("default_entity_id"), entity.get("object_id")],
        [full_name],
        [place],
        [name],
    )
    names = []
    for rank in ranks:
        words = [str(word) for word in rank if word]
        identifiers = [*words, *(_slug(word) for word in words)]
        prefixed = [f"{component}.{identifier}" for identifier in identifiers]
        names.append(frozenset([*words, *prefixed]))
    return tuple(names)


def _slug(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _availability_of(entity: Mapping[str, Any]) -> tuple[Availability, ...]:
    availabilities = [
        _availability(entry["topic"], entry, entry.get("value_template"))
        for entry in entity.get("availability", [])
    ]
    if "availability_topic" in entity:
        template = entity.get("availability_template")
        availabilities.append(_availability(entity["availability_topic"], entity, template))
    return tuple(availabilities)


def _availability(topic: object, words: Mapping[str, Any], template: object) -> Availability:
    return Availability(
        require_topic(topic),
        str(words.get("payload_available", "online")),
        str(words.get("payload_not_available", "offline")),
        _template(template),
    )


def _template(text: object) -> Template:
    return parse_template(None if text is None else str(text))
