"""Drive devices: a profile declares a product, a transport carries its points, a session commands.

- ``profiles.py`` loads the packaged profiles and the owner's own; ``profile.py`` is their schema:
  points, readings, the writes of each mode, the fallback without commands.
- ``sunspec.py`` locates the models of a SunSpec device; ``registers.py`` encodes numbers.
- ``modbus.py`` carries registers over Modbus TCP; ``sharing.py`` gives all processes one connection
  per device, and ``proxy.py`` offers it to other programs at a port.
- ``points.py`` is the interface of a transport, points by name; ``modbus_points.py``,
  ``http_points.py``, ``mqtt_points.py`` and ``telegram_points.py`` implement it.
- ``p1.py`` and ``sma_emeter.py`` receive what meters send by themselves, ``telegram_server.py``
  simulates them; ``document_formats.py`` reads JSON and, by ``sml.py``, messages of German meters.
- ``setpoint_parts.py`` holds the parts of a set-point that writes carry, and their texts for an
  owner; ``mode_emulation.py`` emulates modes that a device lacks from the power flows.
- ``profiled_device.py`` reads and writes a device by its profile; ``write_limits.py`` limits the
  writes per day of a point that wears out; ``session.py`` keeps a set-point up while its caller
  is alive.
- ``simulator.py`` simulates a device from its profile and a battery's physics; ``point_image.py``
  holds its points, ``device_server.py`` serves them.
- ``control/`` commands what a site names in its section ``control``: units of devices, their
  connections by profile, Home Assistant or MQTT, the dry run.
- ``sensor_name.py`` names readings in a site; ``site_device.py`` adds a device to a site.
"""

# Below the data folder: the shared connection, own profiles, secrets. In containers a volume of the
# services that speak to devices.
DEVICES_FOLDER = "devices"
