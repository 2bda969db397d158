"""Device drivers: a profile declares a product's points and modes, a transport carries them, a
session keeps a set-point up.

profiles.py   loads the packaged profiles and the owner's own
profile.py    the schema of a profile: points, readings, the writes of each mode, the fallback
without commands sunspec.py    locates the models of a SunSpec device
modbus.py     registers over Modbus TCP
sharing.py    one connection per device for all processes; proxy.py: a port that offers it to other
programs registers.py  encodes numbers in registers
points.py     the interface of a transport: points by name; modbus_points.py, http_points.py and
mqtt_points.py implement it setpoint_parts.py  the parts of a set-point that writes carry, and how
they are shown to an owner following.py  emulates modes that a device lacks, from the power flows
inverter.py   reads and writes a device by its profile
budget.py     limits the writes per day of a point that wears out
session.py    commands a battery's inverter, and keeps the set-point up while its caller does
simulator.py  simulates a device from its profile and a battery's physics; point_image.py holds its
points, device_server.py serves them sensor_name.py  names of readings in a site; site_device.py:
adds a device to a site
"""

# Below the data folder: the shared connection, own profiles, secrets. In containers a volume of the
# services that speak to devices.
DEVICES_FOLDER = "devices"
