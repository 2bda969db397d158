"""A simulated home for trying Luna without devices.

A local MQTT broker connects its devices with Luna. Of its past, ingest loads the recorded year and
the prices (``services.ingest.simulated_home``).

Nothing is shared with ``luna.energy.physics``: Luna's battery model is tested against an
independent one.
"""
