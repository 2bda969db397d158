"""A site's context out of the database: the weather as issued, and vacation mode as read."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.database import environment, readings
from luna.site import Site
from luna.timeline import FloatArray, InstantArray
from services.forecaster.inputs.context import NO_VACATION, Context, Vacation


def read_context(connection: Connection, site: Site, *, first: datetime, end: datetime) -> Context:
    """Return what is stored of a site's surroundings for the slots from ``first`` on, before ``end``; a sensor without readings says nothing."""
    return Context(environment.read_weather_book(connection, site.name, first=first, end=end), _read_vacation(connection, site, first, end))


def _read_vacation(connection: Connection, site: Site, first: datetime, end: datetime) -> Vacation:
    known = readings.read_units(connection, site.name) if site.input_sensors.vacation_mode else {}
    switches = []
    for role in site.input_sensors.vacation_mode:
        sensor = role.removeprefix("-")
        if sensor in known:
            instants, on = readings.read_held(connection, site.name, sensor, first=first, end=end)
            switches.append((instants, 1 - on if role.startswith("-") else on))
    return add_switches(switches)


def add_switches(switches: list[tuple[InstantArray, FloatArray]]) -> Vacation:
    """Return vacation mode as on while any of the switches is; each with its instants (ascending) and values, of which NaN says that it knows nothing."""
    read = [(instants, on) for instants, on in switches if instants.size]
    if not read:
        return NO_VACATION
    every = np.unique(np.concatenate([instants for instants, _ in read]))
    held = [np.where((place := np.searchsorted(instants, every, side="right")) > 0, np.nan_to_num(on)[place - 1], 0.0) for instants, on in read]
    return Vacation(every, np.clip(np.max(held, axis=0), 0.0, 1.0))
