"""Whether an MQTT broker lets Luna in; asked by the gateway itself, so that the password crosses no queue."""

import threading
from typing import Any, Literal

from luna.platform.addresses import Broker
from luna.platform.mqtt import create_client, use_tls

PATIENCE_SECONDS = 3.0
KEEPALIVE_SECONDS = 15
# Why not, by words of ``broker_<fault>`` of the page; None: it does.
BrokerFault = Literal["away", "refused"]


def ask_broker(broker: Broker) -> BrokerFault | None:
    """Return why a broker does not let Luna in, None where it does."""
    client, answered, said = create_client(broker, reconnect_on_failure=False), threading.Event(), []

    def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        said.append(bool(reason.is_failure))
        answered.set()

    client.on_connect = on_connect
    client.connect_timeout = PATIENCE_SECONDS
    try:
        use_tls(client, broker)
        client.connect(broker.host, broker.port, KEEPALIVE_SECONDS)
    except (OSError, ValueError):
        return "away"
    client.loop_start()
    try:
        if not answered.wait(PATIENCE_SECONDS):
            return "away"
        return "refused" if said[0] else None
    finally:
        client.disconnect()
        client.loop_stop()
