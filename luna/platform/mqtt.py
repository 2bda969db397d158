"""A client of an MQTT broker as the settings name it: version 5, the user's credentials, TLS by the system's authorities."""

import ssl
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from luna.platform.addresses import Broker


def create_client(broker: Broker, *, identifier: str = "", **options: Any) -> paho.Client:
    """Return a client that knows its user and is not connected yet; ``options`` are paho's own."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=identifier, protocol=paho.MQTTv5, **options)
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password.get_secret_value() if broker.password else None)
    return client


def use_tls(client: paho.Client, broker: Broker) -> None:
    """Have a client speak TLS where its broker does; the system's authorities are read, for which no event loop should wait.

    Raises:
        OSError: they cannot be read.
    """
    if broker.tls:
        client.tls_set_context(ssl.create_default_context())
