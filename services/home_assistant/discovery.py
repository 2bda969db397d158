"""MQTT discovery messages, states and attributes of a site, and the announcement: the list of their
topics, by which stale ones are removed.

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

from luna.platform.house_now import HouseNow
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
    return (
        plain
        if plain == folded
        else f"{plain}_{hashlib.sha256(folded.encode()).hexdigest()[:6]}".lstrip("_")
    )


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
    home = f"{BASE}/{slug(view.site.name)}"
    entities = list_entities(view, numbers, commands=commands)
    device = f"{BASE}_{slug(view.site.name)}"
    configs = {
        f"{prefix}/{entity.component}/{device}/{topic_key(entity)}/config": _write(
            _config(view, entity, numbers)
        )
        for entity in entities
    }
    states = {
        topic_key(entity): entity.state(view, numbers)
        for entity in entities
        if entity.state is not None
    }
    details = {
        f"{home}/{topic_key(entity)}/attributes": _write(entity.attributes(view, numbers))
        for entity in entities
        if entity.attributes is not None
    }
    messages = configs | details | {f"{home}/state": _write(states)}
    return {
        f"{home}/announced": _write(
            sorted([*messages, refusal_topic(view.site.name), command_topic(view.site.name, HOURS)])
        )
    } | messages


def is_of(topic: str, announcement: str, prefix: str) -> bool:
    """Return whether a topic belongs to the site of an announcement: no other topic is ever
    removed.
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
    return [topic for topic in listed if isinstance(topic, str)] if isinstance(listed, list) else []


def _config(view: HouseNow, entity: PublishedEntity, numbers: Numbers) -> dict[str, Any]:
    site = slug(view.site.name)
    home = f"{BASE}/{slug(view.site.name)}"
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
        config |= {"state_topic": f"{home}/state", "value_template": f"{{{{ value_json.{key} }}}}"}
        if entity.component == "sensor" and "unit_of_measurement" not in config:
            # Only numeric sensors accept None. Another one is marked unavailable instead, and needs
            # a valid state even then.
            fits = {
                "timestamp": "1970-01-01T00:00:00+00:00",
                "enum": next(iter(config.get("options", ())), ""),
            }.get(config.get("device_class", ""), "")
            availability = {
                "topic": config["state_topic"],
                "value_template": (
                    f"{{{{ '{ONLINE}' if value_json.{key} is not none else '{OFFLINE}' }}}}"
                ),
            }
            template = f"{{{{ value_json.{key} if value_json.{key} is not none else '{fits}' }}}}"
            config |= {
                "value_template": template,
                "availability": [*config["availability"], availability],
                "availability_mode": "all",
            }
    if entity is REFUSAL:
        config |= {"state_topic": refusal_topic(view.site.name)}
    if entity is HOURS:
        # The broker retains the command: its topic is the state as well.
        config |= {
            "state_topic": command_topic(view.site.name, entity),
            "value_template": f"{{{{ value | float({USUAL_HOURS:g}) }}}}",
        }
    if entity.attributes is not None:
        config["json_attributes_topic"] = f"{home}/{key}/attributes"
    if entity.commands:
        config["command_topic"] = command_topic(view.site.name, entity)
    return config


def _write(document: Mapping[str, Any] | Iterable[Any]) -> str:
    return json.dumps(document, default=_instant, separators=(",", ":"), ensure_ascii=False)


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not written")
