"""Live readings over MQTT, named as Home Assistant's discovery messages name them."""
