"""Tells Home Assistant of sites over MQTT, and takes what owners switch there.

Nothing that acts waits for it.
"""
