"""Home Assistant as a source: recorded history, long-term statistics and live readings."""
