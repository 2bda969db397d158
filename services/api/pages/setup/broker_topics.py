"""Query the configured MQTT broker for topics that tell of a car, and propose them by their names.

The gateway itself connects, so that the password crosses no queue; it publishes nothing.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import paho.mqtt.client as paho

from luna.energy.errors import InvalidInputError
from luna.energy.sensor_roles import OWN_TOPIC
from luna.platform.addresses import parse_broker
from luna.platform.mqtt import BrokerError, BrokerLink
from luna.platform.settings import Settings
from services.api.pages.setup.devices.car_names import (
    CAR_OR_TESLA,
    LEVEL_OF_OTHERS,
    PLUG_OF_OTHERS,
    PLUG_WORDS,
    RANGE_OF_OTHERS,
    RANGE_WORDS,
)

PATIENCE_SECONDS = 5.0
# Retained values come at once; others within the interval at which a car's bridge sends.
LISTENING_SECONDS = 3.0
MOST_TOPICS = 5_000
MOST_BYTES = 20_000
# A value may lie this deep in a message's JSON.
DEEPEST = 3
# A charger's topics stand for its car: evcc's loadpoints.
_CAR_TOPICS = rf"{CAR_OR_TESLA}|\bcars\b|loadpoints?\b"
_LEVEL_WORDS = (
    r"\bsoc\b|state of charge|battery level|battery percent|charge level|ladestand|ladezustand|"
    r"batterijniveau"
)

TopicKind = Literal["level", "switched", "distance"]


@dataclass(frozen=True, slots=True)
class TopicHints:
    """The names and values of a role's topic, and the unit of its number."""

    kind: TopicKind
    wanted: str
    against: str
    unit: str = ""


_HINTS: Mapping[str, TopicHints] = {
    "vehicle_soc": TopicHints("level", _LEVEL_WORDS, LEVEL_OF_OTHERS, "%"),
    "vehicle_connected": TopicHints("switched", PLUG_WORDS, PLUG_OF_OTHERS),
    "vehicle_range": TopicHints("distance", RANGE_WORDS, RANGE_OF_OTHERS, "km"),
}


def look_up_topics(settings: Settings) -> dict[str, str]:
    """Return what the broker's topics send just now, by topic.

    Raises:
        BrokerError: the broker is away, or refuses the login.
    """
    try:
        broker = parse_broker(settings.mqtt_url or "", settings.mqtt_password)
    except InvalidInputError as exc:
        raise BrokerError("away") from exc
    payloads: dict[str, str] = {}

    def on_message(message: paho.MQTTMessage) -> None:
        if len(payloads) < MOST_TOPICS and len(message.payload) <= MOST_BYTES:
            payloads[message.topic] = message.payload.decode("utf-8", errors="replace")

    with closing(BrokerLink(broker, ("#",), on_message, patience_s=PATIENCE_SECONDS)) as link:
        link.open()
        time.sleep(LISTENING_SECONDS)
    return dict(payloads)


def propose_topics(payloads: Mapping[str, str]) -> dict[str, str]:
    """Return the likely topics of a car by role, as a site names them.

    Args:
        payloads: by topic.
    """
    proposed: dict[str, str] = {}
    values = []
    for topic in sorted(payloads):
        for path, value in _list_values(payloads[topic]):
            values.append((topic, path, value))
    for role, hints in _HINTS.items():
        for topic, path, value in values:
            words = _split_words(f"{topic}/{path}")
            if _fits(hints, words, value):
                name = f"{OWN_TOPIC}{topic}" + (f"#{path}" if path else "")
                proposed[role] = f"{name} [{hints.unit}]" if hints.unit else name
                break
    return proposed


def _list_values(payload: str) -> Iterator[tuple[str, Any]]:
    """Yield the values of a message with their paths in its JSON, "" for the whole."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        document = payload
    yield from _descend(document, "", DEEPEST)


def _descend(document: Any, path: str, deeper: int) -> Iterator[tuple[str, Any]]:
    if not isinstance(document, dict):
        yield path, document
        return
    if deeper:
        for key, value in document.items():
            if re.fullmatch(r"[\w-]+", key):
                yield from _descend(value, f"{path}.{key}" if path else key, deeper - 1)


def _split_words(name: str) -> str:
    """Return a name's words: of ``evcc/loadpoints/1/vehicleSoc`` the last two are vehicle soc."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r"[/._#-]+", " ", apart).casefold()


def _fits(hints: TopicHints, words: str, value: Any) -> bool:
    if not re.search(_CAR_TOPICS, words) or not re.search(hints.wanted, words):
        return False
    return not re.search(hints.against, words) and _has_value(hints.kind, value)


def _has_value(kind: TopicKind, value: Any) -> bool:
    if kind == "switched":
        return isinstance(value, bool) or str(value).casefold() in {"on", "off", "true", "false"}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= (100 if kind == "level" else 2000)
