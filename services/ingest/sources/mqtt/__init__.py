"""Live readings over MQTT, named as Home Assistant's discovery messages name them."""

from luna.platform.addresses import Broker, parse_broker
from services.ingest.sources.mqtt.source import PLAIN, MqttSource

__all__ = ["PLAIN", "Broker", "MqttSource", "parse_broker"]
