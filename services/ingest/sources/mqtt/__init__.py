"""Live readings over MQTT, named as Home Assistant's discovery messages name them."""

from services.ingest.sources.mqtt.source import PLAIN, MqttSource

__all__ = ["PLAIN", "MqttSource"]
