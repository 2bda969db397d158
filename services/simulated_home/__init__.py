"""A simulated home for trying Luna without devices: simulated devices, and a local MQTT broker that
connects them with Luna.
"""
