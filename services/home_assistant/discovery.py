"""Compose the MQTT discovery messages, states and attributes of a site.

The announcement lists their topics; by it stale ones are removed.

Discovery is per entity, which Home Assistant supports since 2023.8; per device only since 2024.11.

Source: Home Assistant, "MQTT": discovery messages, discovery topic, device registry, availability.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from luna.house.now import HouseNow
from luna.words import Language, Numbers
from services.home_assistant.entities import (
    HOURS,
    REFUSAL,
    USUAL_HOURS,
    PublishedEntity,
    fill_config,
    list_entities,
    numbers_of,
)

BASE = "luna"
AVAILABILITY = f"{BASE}/availability"
ONLINE = "online"
OFFLINE = "offline"
# Topic filters of the announcements and the commands of all sites.
ANNOUNCED = f"{BASE}/+/announced"
COMMANDS = f"{BASE}/+/set/+"
_ELSE = re.compile(r"[^a-z0-9]+")
_ORIGIN = "https://www.home-assistant.io/integrations/mqtt/"


def slug(name: str) -> str:
    """Return a name as a part of topics and ids.

    Names that differ in more than case get different ones.
    """
    folded = name.casefold()
    plain = _ELSE.sub("_", folded).strip("_")
    if plain == folded:
        return plain
    digest = hashlib.sha256(folded.encode()).hexdigest()[:6]
    return f"{plain}_{digest}".lstrip("_")


def topic_key(entity: PublishedEntity) -> str:
    """Return an entity's part of its topics."""
    words, _, device = entity.key.partition(":")
    return f"{words}_{slug(device)}" if device else words


def command_topic(site_id: str, entity: PublishedEntity) -> str:
    """Return the topic of an entity's commands."""
    return f"{BASE}/{slug(site_id)}/set/{topic_key(entity)}"


def refusal_topic(site_id: str) -> str:
    """Return the topic of the last refusal."""
    return f"{BASE}/{slug(site_id)}/refusal"


def describe_site(
    view: HouseNow, *, language: Language, prefix: str, commands: bool
) -> dict[str, str]:
    """Return every retained message of a site by topic; the announcement comes first."""
    numbers = numbers_of(view, language)
    site = slug(view.site.name)
    home = f"{BASE}/{site}"
    configs = {}
    details = {}
    states = {}
    for entity in list_entities(view, numbers, commands=commands):
        key = topic_key(entity)
        config_topic = f"{prefix}/{entity.component}/{BASE}_{site}/{key}/config"
        configs[config_topic] = _write(_config(view, entity, numbers))
        if entity.state is not None:
            states[key] = entity.state(view, numbers)
        if entity.attributes is not None:
            details[f"{home}/{key}/attributes"] = _write(entity.attributes(view, numbers))
    messages = configs | details | {f"{home}/state": _write(states)}
    topics = [*messages, refusal_topic(view.site.name), command_topic(view.site.name, HOURS)]
    return {f"{home}/announced": _write(sorted(topics))} | messages


def is_of(topic: str, announcement: str, prefix: str) -> bool:
    """Return whether a topic belongs to the site of an announcement.

    No other topic is ever removed.
    """
    home = announcement.removesuffix("/announced")
    device = home.replace("/", "_", 1)
    own = re.fullmatch(rf"{re.escape(prefix)}/[a-z_]+/{re.escape(device)}/[a-z0-9_]+/config", topic)
    return own is not None or topic.startswith(f"{home}/")


def read_announced(payload: bytes) -> list[str]:
    """Return the topics of an announcement; none where it is no JSON list of strings."""
    try:
        listed = json.loads(payload)
    except (ValueError, RecursionError):
        return []
    if not isinstance(listed, list):
        return []
    return [topic for topic in listed if isinstance(topic, str)]


def _config(view: HouseNow, entity: PublishedEntity, numbers: Numbers) -> dict[str, Any]:
    """Return an entity's discovery message."""
    site = slug(view.site.name)
    home = f"{BASE}/{site}"
    key = topic_key(entity)
    config: dict[str, Any] = {
        "name": entity.name(numbers),
        "unique_id": f"{BASE}_{site}_{key}",
        "default_entity_id": f"{entity.component}.{BASE}_{site}_{key}",
        "availability": [{"topic": AVAILABILITY}],
        "device": {
            "identifiers": [f"{BASE}_{site}"],
            "name": f"Luna {view.site.called}",
            "manufacturer": "Luna",
            "model": "Energy manager",
            "sw_version": version("luna-energy"),
        },
        "origin": {"name": "Luna", "sw_version": version("luna-energy"), "support_url": _ORIGIN},
        "qos": 1,
    }
    config |= fill_config(entity, view, numbers)
    if entity.state is not None:
        config["state_topic"] = f"{home}/state"
        config["value_template"] = f"{{{{ value_json.{key} }}}}"
        if entity.component == "sensor" and "unit_of_measurement" not in config:
            config |= _without_value(config, key)
    if entity is REFUSAL:
        config["state_topic"] = refusal_topic(view.site.name)
    if entity is HOURS:
        # The broker retains the command: its topic is the state as well.
        config["state_topic"] = command_topic(view.site.name, entity)
        config["value_template"] = f"{{{{ value | float({USUAL_HOURS:g}) }}}}"
    if entity.attributes is not None:
        config["json_attributes_topic"] = f"{home}/{key}/attributes"
    if entity.commands:
        config["command_topic"] = command_topic(view.site.name, entity)
    return config


def _without_value(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the fields that make a sensor without a number unavailable while it has no value.

    Only numeric sensors accept None. Another one needs a valid state even while it is unavailable.
    """
    valid = {
        "timestamp": "1970-01-01T00:00:00+00:00",
        "enum": next(iter(config.get("options", ())), ""),
    }.get(config.get("device_class", ""), "")
    has_value = f"value_json.{key} is not none"
    availability = {
        "topic": config["state_topic"],
        "value_template": f"{{{{ '{ONLINE}' if {has_value} else '{OFFLINE}' }}}}",
    }
    return {
        "value_template": f"{{{{ value_json.{key} if {has_value} else '{valid}' }}}}",
        "availability": [*config["availability"], availability],
        "availability_mode": "all",
    }


def _write(document: Mapping[str, Any] | Iterable[Any]) -> str:
    return json.dumps(document, default=_instant, separators=(",", ":"), ensure_ascii=False)


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not written")
