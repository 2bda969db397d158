"""A simulated home for trying Luna without devices.

A local MQTT broker connects its devices with Luna.
"""
