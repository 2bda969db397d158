"""Whether an MQTT broker lets Luna in; asked by the gateway itself, so that the password crosses no queue."""

from typing import Literal

from luna.platform.addresses import Broker
from luna.platform.mqtt import BrokerError, BrokerLink

PATIENCE_SECONDS = 3.0
# Why not, by words of ``broker_<fault>`` of the page; None: it does.
BrokerFault = Literal["away", "refused"]


def ask_broker(broker: Broker) -> BrokerFault | None:
    """Return why a broker does not let Luna in, None where it does."""
    link = BrokerLink(broker, (), lambda _: None, patience_s=PATIENCE_SECONDS)
    try:
        link.open()
    except BrokerError as error:
        return "refused" if error.fault == "refused" else "away"
    finally:
        link.close()
    return None
