"""Store the states of charge that owners state, the last one of each vehicle."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.vehicle_levels import (
    LONGEST_COUNT,
    NewVehicleLevel,
    VehicleLevel,
    find_stated,
    read_stated_soc,
    still_holds,
)
from luna.energy.charge_sensors import SeenCharge, count_since
from luna.energy.site import Site
from luna.platform.database import charging_sessions, plan_causes, sites
from luna.platform.database.schema.plans import vehicle_levels

_COLUMNS = vehicle_levels.c
# The session whose target a need is missing of begins within.
NEXT_SESSION = timedelta(days=2)


def store(
    connection: Connection, site_id: str, level: NewVehicleLevel, *, by: str, now: datetime
) -> VehicleLevel:
    """Store how full a vehicle is now, in place of what was stated before.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no such vehicle, or it needs more than it can hold.
    """
    site = sites.load(connection, site_id)
    key = sites.key_of(connection, site_id)
    vehicle = find_stated(site, level)
    sessions = charging_sessions.read_plain_each(
        connection, {key: site}, first=now, end=now + NEXT_SESSION
    )
    own_sessions = sessions.get(key, {}).get(vehicle.name, [])
    row: dict[str, Any] = {
        "site_key": key,
        "vehicle": vehicle.name,
        "soc": read_stated_soc(level, vehicle, own_sessions),
        "need_kwh": level.need_kwh,
        "stated_by": by,
        "stated_at": now,
    }
    statement = insert(vehicle_levels).values(row)
    changed = {name: statement.excluded[name] for name in row if name not in _KEY}
    connection.execute(statement.on_conflict_do_update(index_elements=[*_KEY], set_=changed))
    plan_causes.note(connection, [key], "session")
    return VehicleLevel.model_validate(
        {name: value for name, value in row.items() if name != "site_key"}
    )


_KEY = ("site_key", "vehicle")


def read_holding_each(
    connection: Connection,
    sites_by_key: Mapping[int, Site],
    sensed: Mapping[int, Mapping[str, SeenCharge]],
    *,
    now: datetime,
) -> dict[int, dict[str, VehicleLevel]]:
    """Return the stated levels that still hold, by site key and vehicle.

    Args:
        connection: to the database.
        sites_by_key: the sites by their keys.
        sensed: their vehicles by their sensors.
        now: an instant.
    """
    query = select(vehicle_levels).where(
        _COLUMNS.site_key.in_([key for key, site in sites_by_key.items() if site.vehicles]),
        _COLUMNS.stated_at > now - LONGEST_COUNT,
        _COLUMNS.stated_at <= now,
    )
    rows = connection.execute(query).mappings().all()
    if not rows:
        return {}
    stated = {key: sites_by_key[key] for key in {row["site_key"] for row in rows}}
    first = min(row["stated_at"] for row in rows)
    sessions = charging_sessions.read_plain_each(connection, stated, first=first, end=now)
    levels: dict[int, dict[str, VehicleLevel]] = {}
    for row in rows:
        key = row["site_key"]
        level = _level(row)
        seen = sensed.get(key, {}).get(level.vehicle)
        own_sessions = sessions.get(key, {}).get(level.vehicle, [])
        if still_holds(level, seen, own_sessions, now=now):
            levels.setdefault(key, {})[level.vehicle] = level
    return levels


def _level(row: RowMapping) -> VehicleLevel:
    names = ("vehicle", "soc", "need_kwh", "stated_by", "stated_at")
    return VehicleLevel.model_validate({name: row[name] for name in names})


def read_estimates(connection: Connection, site_id: str, *, now: datetime) -> list[VehicleLevel]:
    """Return a site's stated levels that still hold, with what was charged since.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    key = sites.key_of(connection, site_id)
    sensed = charging_sessions.read_charge_each(connection, {key: site}, until=now)
    levels = read_holding_each(connection, {key: site}, sensed, now=now).get(key, {})
    estimates = []
    for vehicle in site.vehicles:
        level = levels.get(vehicle.name)
        if level is None:
            continue
        seen = sensed.get(key, {}).get(vehicle.name, SeenCharge())
        counted = count_since(vehicle, seen, level.soc, since=level.stated_at, now=now)
        if counted is not None:
            changes = {"estimated_soc": counted[0], "charged_kwh": round(counted[1], 3)}
            level = level.model_copy(update=changes)
        estimates.append(level)
    return estimates
