"""Devices that speak at a broker: by what they say there of themselves to everybody. Nothing is published."""

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from luna.energy.refusals import refuse
from luna.platform.addresses import Broker
from luna.platform.drivers.device_secrets import DeviceSecret
from luna.platform.drivers.json_values import parse_document
from luna.platform.drivers.mqtt_points import TLS_PORT
from luna.platform.drivers.points import DeviceIdentity
from luna.platform.drivers.profile import PREFIX_PART, DeviceProfile

if TYPE_CHECKING:
    import paho.mqtt.client as paho

PATIENCE_S = 3.0
# What the broker keeps of a topic comes at once; who speaks by itself does so within this.
LISTENS_S = 2.0


class AnnouncedDevice(NamedTuple):
    """A device at a broker: how its topics begin, what it says it is, and the profile that fits."""

    prefix: str
    identity: DeviceIdentity
    profile: DeviceProfile


def list_announced(host: str, port: int, profiles: Sequence[DeviceProfile], *, secret: DeviceSecret | None = None) -> list[AnnouncedDevice]:
    """Return the devices of these profiles that a broker tells of; none where it wants a password and nobody named one.

    Raises:
        UnavailableError: it does not let in who shows this one.
    """
    rules = [rule for profile in profiles if profile.identified is not None for rule in profile.identified.documents]
    if not rules:
        return []
    from luna.platform.mqtt import BrokerError, BrokerLink

    heard = dict[str, Any]()

    def on_message(message: "paho.MQTTMessage") -> None:
        try:
            heard[message.topic] = parse_document(message.payload)
        except ValueError:
            return

    topics = tuple(dict.fromkeys(rule.at.replace(PREFIX_PART, "+") for rule in rules))
    user, password = (secret.user, SecretStr(secret.password)) if secret is not None else (None, None)
    with closing(BrokerLink(Broker(host, port, user, password, tls=port == TLS_PORT), topics, on_message, patience_s=PATIENCE_S)) as link:
        try:
            link.open()
        except BrokerError as error:
            if secret is not None and error.fault == "refused":
                raise refuse("broker-refuses-login", field="secret", value=f"{host}:{port}") from error
            return []
        time.sleep(LISTENS_S)
    return [device for profile in profiles for device in _find(profile, dict(heard))]


def _find(profile: DeviceProfile, heard: Mapping[str, Any]) -> list[AnnouncedDevice]:
    """Return the devices of a profile among what was heard, by topic."""
    if (identified := profile.identified) is None:
        return []
    texts = dict[str, dict[str, Any]]()
    for rule in identified.documents:
        before, _, after = rule.at.partition(PREFIX_PART)
        for topic, document in heard.items():
            match = re.fullmatch(f"{re.escape(before)}([^/]+){re.escape(after)}", topic)
            if match is not None and (identified.prefix is None or identified.prefix.fullmatch(match[1])):
                texts.setdefault(match[1], {})[rule.at] = document
    identities = {prefix: identified.read_documents(documents, profile.covers[0].brand) for prefix, documents in texts.items()}
    return [AnnouncedDevice(prefix, identity, profile) for prefix, identity in sorted(identities.items()) if identity is not None]
