"""Devices that Luna speaks to itself: a profile per product says what is read and written, a link carries it, a session keeps what was commanded.

profiles.py   the profiles that come along, and the owner's own
profile.py    what a profile may say: points, readings, the writes of each mode, what happens when nobody commands
sunspec.py    where the models of a SunSpec device lie
modbus.py     registers over Modbus TCP
registers.py  numbers in registers
points.py     what a transport offers: points by their names; modbus_points.py does, for registers
inverter.py   reads and writes a device by its profile, in points
session.py    commands it, and keeps that up for as long as somebody asks for it
simulator.py  the same device of the same profile, with a battery's physics; point_image.py lays out what it serves; modbus_server.py serves its registers
"""
