"""What vehicles said last of their charge and of their chargers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection, select, tuple_

from luna.energy.site import Site
from luna.energy.units import UnitHistory, level_factor
from luna.energy.vehicle_sensors import NOTHING_SAID, SeenVehicle, judge_vehicle, sensors_of
from luna.platform.database import readings, sensor_units
from luna.platform.database.schema.series import sensors as sensor_table

# A jump is judged by what was said before it. What is said once and holds is read however old it is, up to a day.
LOOK_BACK = timedelta(hours=6)
LONGEST = timedelta(days=1)


def read_each(connection: Connection, found: Mapping[int, Site], *, until: datetime) -> dict[int, dict[str, SeenVehicle]]:
    """Return what the vehicles of sites said by an instant, by the sites' keys and the vehicles' names; one without sensors is left out."""
    sensors = {(key, name): each for key, site in found.items() for name, each in sensors_of(site, at=until).items()}
    wanted = list(dict.fromkeys((key, sensor) for (key, _), each in sensors.items() for sensor in (each.soc, each.connected) if sensor))
    said = dict(zip(wanted, readings.read_held_each(connection, wanted, first=until - LOOK_BACK, end=until), strict=True))
    histories = _read_units(connection, wanted)
    seen: dict[int, dict[str, SeenVehicle]] = {}
    for (key, name), each in sensors.items():
        vehicle = next(vehicle for vehicle in found[key].vehicles if vehicle.name == name)
        instants, values = said[key, each.soc] if each.soc else NOTHING_SAID
        units = histories.get((key, each.soc or ""), UnitHistory())
        socs = instants, values * np.array([level_factor(unit) for unit in units.names])[units.places(instants)]
        plugs = said[key, each.connected] if each.connected else NOTHING_SAID
        judged = judge_vehicle(vehicle, socs, plugs, until=until, unplugged=each.unplugged)
        fresh = judged.charge is not None and until - judged.charge.at <= LONGEST
        seen.setdefault(key, {})[name] = judged if fresh else SeenVehicle(None, judged.connected, judged.since)
    return seen


def _read_units(connection: Connection, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], UnitHistory]:
    if not wanted:
        return {}
    table = sensor_table.c
    rows = connection.execute(select(table.site_key, table.name, table.sensor_key).where(tuple_(table.site_key, table.name).in_(wanted)))
    keys = {row.sensor_key: (row.site_key, row.name) for row in rows}
    return {keys[key]: units for key, units in sensor_units.read(connection, keys).items()}
