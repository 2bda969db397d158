"""Devices that Luna speaks to itself: a profile per product says what is read and written, a link carries it, a session keeps what was commanded.

profiles.py   the profiles that come along, and the owner's own
profile.py    what a profile may say: points, readings, the writes of each mode, what happens when nobody commands
sunspec.py    where the models of a SunSpec device lie
modbus.py     registers over Modbus TCP
sharing.py    one connection per device for all processes; proxy.py: a port at which other programs find it
registers.py  numbers in registers
points.py     what a transport offers: points by their names; modbus_points.py, http_points.py and mqtt_points.py do
setpoint_parts.py  the parts of a set-point that writes are made of, and written.py: how an owner reads them
following.py  what a device has no word for, said by what flows
inverter.py   reads and writes a device by its profile, in points
budget.py     how often a point is written that wears out by it
session.py    commands it, and keeps that up for as long as somebody asks for it
simulator.py  the same device of the same profile, with a battery's physics; point_image.py lays its points out, device_server.py serves them
sensor_name.py  what a site calls a reading; site_device.py: a device in a site
"""

# Below the data folder, and in containers a volume of those that speak to devices: the shared connection, own profiles, secrets.
DEVICES_FOLDER = "devices"
